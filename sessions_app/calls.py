"""Whom to ring today, as the page shows it: one card for each patient.

The rule is stsclinic.clinical.calls and its facts are read in call_facts.py; what came of a ring is written
in rings.py. One ring answers all calls of a patient, so the list goes by patient. Each open side effect
stands first on the card, with its course. Of a patient who withdrew only safety is followed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db.models import Count, IntegerField, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from lesions.models import PatientIdentity
from sessions_app.call_facts import Loaded, load_facts
from sessions_app.due import ShortList, waiting_for_sponsor
from sessions_app.models import Photograph, SideEffect, SideEffectObservation
from sessions_app.rings import Rung, rings_of
from stsclinic.access import clinics_where
from stsclinic.clinical.calls import URGENCY, Call, calls_due, calls_until
from stsclinic.clinics.clock import by_the_clock, today_in
from stsclinic.clinics.models import Clinic

PATIENTS_PER_PAGE = 60
"""Of one clinic."""
AHEAD_DAYS = 42
"""How far the calendar looks ahead, as far as today's facts tell."""
SHOWN_OBSERVATIONS = 4
"""The latest of one side effect on its card; how many there are before is said."""

ASKING = frozenset({"grave", "side_effect", "after_session", "not_due"})
"""The urgencies of those calls that ask for side effects; the others are about a visit."""


@dataclass(kw_only=True)
class CallEvent:
    """One open side effect on a card, with its course so far."""

    effect: SideEffect
    is_grave: bool
    must_answer: bool
    """Whether nobody wrote yet how it is today."""
    course: Sequence[SideEffectObservation]
    """The latest observations, in their order."""
    before: int
    """How many observations there are before those."""
    photographs: int
    """How many of its lesion were taken since it began."""
    due_on: date | None
    """Since or from when it is to be asked about; None where that was done today."""
    how: str = ""
    """What was chosen in an answer that was refused."""
    problem: str = ""


@dataclass(kw_only=True)
class PatientCalls:
    """All that one patient is to be rung about."""

    patient_pk: int
    study_id: str
    calls: tuple[Call, ...]
    """The most urgent first."""
    tried_at: list[str]
    """When somebody rang without an answer, by the clinic's clock, the latest first."""
    withdrawn_on: date | None = None
    events: list[CallEvent] = field(default_factory=list)
    """All open side effects, the gravest first."""
    name: str = ""
    telephone: str = ""
    note: str = ""
    """The note of an answer that was refused."""

    @property
    def urgency(self) -> str:
        """The code of URGENCY of the most urgent call."""
        return self.calls[0].urgency

    @property
    def urgency_words(self) -> str:
        return URGENCY[self.urgency]

    @property
    def reasons(self) -> list[Call]:
        """The calls that are about no side effect: those stand above with all that is known of them."""
        return [call for call in self.calls if not call.key.startswith("effect:")]

    @property
    def asks_side_effects(self) -> bool:
        """Whether side effects are to be asked about; else only a visit is to be agreed."""
        return any(call.urgency in ASKING for call in self.calls)

    @property
    def session_pk(self) -> str:
        """The session that a call is about; empty where none is."""
        return next((call.about for call in self.calls if call.urgency == "after_session"), "")


@dataclass(kw_only=True)
class ClinicCalls:
    """One clinic's calls of its own day, or one page of them."""

    clinic: Clinic
    today: date
    rows: list[PatientCalls]
    to_ring: int
    """Patients of whom something is due, on all pages."""
    not_due: int
    """Patients of whom only a side effect is open that is not due yet, on all pages."""
    page: int
    pages: int
    rung: list[Rung]
    sponsor: ShortList
    """Where side effects stand of which the sponsor is to be told (seriousness.Standing)."""
    next_due_on: date | None
    """When the next call becomes due, where nobody is listed today."""
    shows_identity: bool
    printed_at: str
    """Now, by the clinic's clock."""

    @property
    def total(self) -> int:
        return self.to_ring + self.not_due

    @property
    def is_quiet(self) -> bool:
        """Whether nobody is to be rung, nobody was, and no sponsor waits for a word."""
        return not self.total and not self.rung and not self.sponsor.rows


def clinic_calls(user, *, code: str = "", page: int | None = 1) -> list[ClinicCalls]:
    """The calls of every clinic where the user has the right `make_calls`, in the order of their codes.

    Args:
        code: of one clinic; empty for all of the user's.
        page: which page of each clinic's patients, from 1; the last one where there are fewer. None: all.
    """
    clinics = Clinic.objects.filter(pk__in=clinics_where(user, "make_calls"))
    shown = list(clinics.filter(code=code) if code else clinics)
    if not shown:
        return []
    today = {clinic.pk: today_in(clinic) for clinic in shown}
    loaded = load_facts({clinic: today[clinic.pk] for clinic in shown})
    seeing = clinics_where(user, "see_identity")
    rung = rings_of(today)
    sponsor = waiting_for_sponsor(today)
    found = []
    for clinic in shown:
        facts, on = loaded[clinic.pk].facts, today[clinic.pk]
        rows = _by_patient(loaded[clinic.pk], calls_due(facts, on), clinic)
        pages = max(1, -(-len(rows) // PATIENTS_PER_PAGE))
        own_page = min(max(page or 1, 1), pages)
        start = (own_page - 1) * PATIENTS_PER_PAGE
        later = () if rows else calls_until(facts, on, on + timedelta(days=AHEAD_DAYS))
        not_due = sum(row.urgency == "not_due" for row in rows)
        found.append(
            ClinicCalls(
                clinic=clinic,
                today=on,
                rows=rows if page is None else rows[start : start + PATIENTS_PER_PAGE],
                to_ring=len(rows) - not_due,
                not_due=not_due,
                page=own_page,
                pages=pages,
                rung=rung[clinic.pk],
                sponsor=sponsor[clinic.pk],
                next_due_on=min((call.due_on for call in later), default=None),
                shows_identity=clinic.pk in seeing,
                printed_at=by_the_clock(timezone.now(), clinic),
            )
        )
    _add_events(found, loaded)
    _name([row for one in found if one.shows_identity for row in one.rows])
    return found


def calls_ahead(user) -> list[Call]:
    """The calls of today and the weeks to come of the user's clinics, the earliest first, without identity.

    What is due since earlier is due today.
    """
    clinics = Clinic.objects.filter(pk__in=clinics_where(user, "make_calls"))
    days = {clinic: today_in(clinic) for clinic in clinics}
    if not days:
        return []
    loaded = load_facts(days)
    found = [
        replace(call, due_on=max(call.due_on, on))
        for clinic, on in days.items()
        for call in calls_until(loaded[clinic.pk].facts, on, on + timedelta(days=AHEAD_DAYS))
    ]
    return sorted(found, key=lambda call: (call.due_on, call.patient, call.key))


def _by_patient(loaded: Loaded, calls: Iterable[Call], clinic: Clinic) -> list[PatientCalls]:
    """The calls by patient, in the order of each patient's most urgent one."""
    grouped: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        grouped[call.patient].append(call)
    return [
        PatientCalls(
            patient_pk=loaded.patients[study_id],
            study_id=study_id,
            calls=tuple(own),
            tried_at=[by_the_clock(at, clinic) for at in _tries(own)],
            withdrawn_on=loaded.withdrawn.get(study_id),
        )
        for study_id, own in grouped.items()
    ]


def _tries(calls: Iterable[Call]) -> list[datetime]:
    """The rings without an answer, the latest first; one ring is noted under each of the patient's calls."""
    return sorted({one.at for call in calls for one in call.tried if one.at is not None}, reverse=True)


def _add_events(days: Iterable[ClinicCalls], loaded: Mapping[int, Loaded]) -> None:
    """Put the open side effects of those who are shown on their cards."""
    wanted = {
        (day.clinic.pk, row.study_id): (row, loaded[day.clinic.pk].open_effects.get(row.study_id, ()), day)
        for day in days
        for row in day.rows
    }
    kept = SideEffectObservation.objects.order_by("seen_on", "pk")
    since = (
        Photograph.objects.filter(lesion=OuterRef("lesion"), taken_on__gte=OuterRef("onset_on"))
        .order_by()
        .values("lesion")
        .annotate(number=Count("pk"))
    )
    rows = (
        SideEffect.objects.filter(
            pk__in=[int(effect.ref) for _row, effects, _day in wanted.values() for effect in effects]
        )
        .select_related("lesion")
        .prefetch_related(Prefetch("observations", kept, to_attr="kept"))
        .annotate(photographs=Coalesce(Subquery(since.values("number"), output_field=IntegerField()), 0))
        .in_bulk()
    )
    for row, effects, day in wanted.values():
        due_on = {call.about: call.due_on for call in row.calls if call.key.startswith("effect:")}
        for effect in effects:
            record = rows[int(effect.ref)]
            row.events.append(
                CallEvent(
                    effect=record,
                    is_grave=effect.is_grave,
                    must_answer=effect.waits_for_answer(day.today),
                    course=record.kept[-SHOWN_OBSERVATIONS:],
                    before=max(0, len(record.kept) - SHOWN_OBSERVATIONS),
                    photographs=record.photographs,
                    due_on=due_on.get(effect.ref),
                )
            )


def _name(rows: Sequence[PatientCalls]) -> None:
    """Write names and telephones of those who are shown."""
    known = {
        patient_pk: (name, telephone)
        for patient_pk, name, telephone in PatientIdentity.objects.filter(
            patient__in=[row.patient_pk for row in rows]
        ).values_list("patient_id", "name", "telephone")
    }
    for row in rows:
        row.name, row.telephone = known.get(row.patient_pk, ("", ""))
