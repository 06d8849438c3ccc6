"""Whom to ring today: rows in, the pure call list out, and what came of a call written down.

The rule is stsclinic.clinical.calls; here it meets the rows, in a fixed number of queries. One ring
answers all calls of a patient, so the list goes by patient. Withdrawn patients are never rung.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from lesions.models import Patient, PatientIdentity
from sessions_app.due import FOLLOW_UP_HORIZON_DAYS, due_rows
from sessions_app.models import (
    CallAttempt,
    Infusion,
    Injection,
    SideEffect,
    SideEffectInquiry,
    SideEffectObservation,
    TreatmentSession,
)
from stsclinic.access import clinics_where
from stsclinic.audit.acting import acting
from stsclinic.audit.services import strike_out, write_new
from stsclinic.clinical.calls import (
    URGENCY,
    Attempt,
    Call,
    CallFacts,
    ClinicCalendar,
    OpenEffect,
    SessionToCall,
    VisitDue,
    calls_due,
    calls_until,
)
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.resolution import OVER
from stsclinic.clinical.terms import DIGITS
from stsclinic.clinics.clock import today_in
from stsclinic.clinics.models import Clinic, Holiday

SHOWN_PATIENTS = 60
"""Patients of one clinic on the page; the rest is counted."""
AHEAD_DAYS = 42
"""How far the calendar looks ahead, as far as today's facts tell."""
LOOK_BACK_DAYS = 90
"""Sessions before this are asked about by no call after a session, however many holidays follow."""

ATTEMPT_OUTCOME = {"no_answer": "no_answer", "reached": "done"}
"""The pure list's word for each outcome of an attempt."""

ANSWERS = {"no_answer", "nothing", "reported", "spoke"}
"""What a person may note of a ring; `spoke` where only a visit was to be agreed, and nothing was asked."""

ASKING_KEYS = ("session:", "effect:")
"""How the keys of those calls begin that ask for side effects; the others are about a visit."""

DONE_ALREADY = "This call is not on the list any more: somebody else has made it, or the visit was held."


@dataclass(kw_only=True)
class PatientCalls:
    """All that one patient is to be rung about."""

    patient_pk: int
    study_id: str
    calls: tuple[Call, ...]
    """The most urgent first."""
    tried_at: list[str] = field(default_factory=list)
    """When somebody rang without an answer, by the clinic's clock, the latest first."""
    name: str = ""
    telephone: str = ""

    @property
    def urgency(self) -> str:
        """The code of URGENCY of the most urgent call."""
        return self.calls[0].urgency

    @property
    def urgency_words(self) -> str:
        return URGENCY[self.urgency]

    @property
    def due_on(self) -> date:
        """Since when the most urgent call is due."""
        return self.calls[0].due_on

    @property
    def asks_side_effects(self) -> bool:
        """Whether side effects are to be asked about; else only a visit is to be agreed."""
        return any(call.key.startswith(ASKING_KEYS) for call in self.calls)

    @property
    def asks_open_effect(self) -> bool:
        """Whether a side effect that is open is among the reasons."""
        return any(call.urgency in ("grave", "side_effect") for call in self.calls)

    @property
    def session_pk(self) -> str:
        """The session that a call is about; empty where none is."""
        return next((call.about for call in self.calls if call.urgency == "after_session"), "")


@dataclass(kw_only=True)
class Rung:
    """What was noted of one ring today."""

    attempt: CallAttempt
    at: str
    """When, by the clinic's clock."""
    words: str
    has_reported: bool


@dataclass(kw_only=True)
class ClinicCalls:
    """One clinic's calls of its own day."""

    clinic: Clinic
    today: date
    rows: list[PatientCalls]
    more: int
    """Patients beyond those shown."""
    rung: list[Rung]
    next_due_on: date | None
    """When the next call becomes due, where none is due today."""
    shows_identity: bool

    @property
    def total(self) -> int:
        return len(self.rows) + self.more

    @property
    def is_quiet(self) -> bool:
        """Whether nobody is to be rung, and nobody was."""
        return not self.rows and not self.rung


def clinic_calls(user) -> list[ClinicCalls]:
    """The calls of every clinic where the user has the right `make_calls`, in the order of their codes."""
    clinics = list(Clinic.objects.filter(pk__in=clinics_where(user, "make_calls")))
    if not clinics:
        return []
    today = {clinic.pk: today_in(clinic) for clinic in clinics}
    loaded = load_facts(today)
    seeing = clinics_where(user, "see_identity")
    rung = _rung(today)
    found = []
    for clinic in clinics:
        facts, on = loaded[clinic.pk].facts, today[clinic.pk]
        rows = _by_patient(loaded[clinic.pk], calls_due(facts, on), clinic)
        later = (
            [] if rows else [call.due_on for call in calls_until(facts, on, on + timedelta(days=AHEAD_DAYS))]
        )
        found.append(
            ClinicCalls(
                clinic=clinic,
                today=on,
                rows=rows[:SHOWN_PATIENTS],
                more=max(0, len(rows) - SHOWN_PATIENTS),
                rung=rung[clinic.pk],
                next_due_on=min(later, default=None),
                shows_identity=clinic.pk in seeing,
            )
        )
    _name([row for one in found if one.shows_identity for row in one.rows])
    return found


def calls_ahead(user) -> list[Call]:
    """The calls of today and the weeks to come of the user's clinics, the earliest first, without identity.

    What is due since earlier is due today.
    """
    clinics = list(Clinic.objects.filter(pk__in=clinics_where(user, "make_calls")))
    if not clinics:
        return []
    today = {clinic.pk: today_in(clinic) for clinic in clinics}
    loaded = load_facts(today)
    found = []
    for pk, on in today.items():
        for call in calls_until(loaded[pk].facts, on, on + timedelta(days=AHEAD_DAYS)):
            found.append(Call(**{**vars(call), "due_on": max(call.due_on, on)}))
    return sorted(found, key=lambda call: (call.due_on, call.patient, call.key))


# Facts


@dataclass
class Loaded:
    """The facts of one clinic, and what the page needs beside them."""

    facts: CallFacts
    patients: dict[str, int]
    """Keys of patients by study ID."""
    no_answers: dict[str, list[datetime]]
    """Instants of rings without an answer, by the key of the call."""


def load_facts(today: Mapping[int, date]) -> dict[int, Loaded]:
    """The facts of the call list of these clinics (id to its own date). Seven queries, whatever the size."""
    patients: dict[int, dict[str, int]] = defaultdict(dict)
    effects: dict[int, list[OpenEffect]] = defaultdict(list)
    for effect in _open_effects(today).select_related("patient", "lesion"):
        clinic_pk, study_id = effect.patient.clinic_id, effect.patient.study_id
        patients[clinic_pk][study_id] = effect.patient_id
        effects[clinic_pk].append(
            OpenEffect(
                ref=str(effect.pk),
                patient=study_id,
                term=effect.term,
                onset_on=effect.onset_on,
                grade=effect.grade,
                where=effect.lesion.site_words if effect.lesion else "",
                asked_on=max(filter(None, (effect.observed_on, effect.inquired_on)), default=None),
            )
        )
    sessions: dict[int, list[SessionToCall]] = defaultdict(list)
    for pk, held_on, clinic_pk, patient_pk, study_id, injected, infused, digits in _sessions(today):
        patients[clinic_pk][study_id] = patient_pk
        sessions[clinic_pk].append(
            SessionToCall(
                ref=str(pk),
                patient=study_id,
                held_on=held_on,
                gave_agent=injected or infused,
                digits_injected=digits,
            )
        )
    visits: dict[int, list[VisitDue]] = defaultdict(list)
    for clinic_pk, row, state in due_rows(dict(today), {}):
        # What was missed so long ago is for the page of today to list; ringing about it has had its time.
        if row.days_over > FOLLOW_UP_HORIZON_DAYS:
            continue
        patients[clinic_pk][row.study_id] = row.patient_pk
        visits[clinic_pk].append(
            VisitDue(
                ref=str(row.series_pk),
                patient=row.study_id,
                kind=row.kind,
                opens_on=row.opens_on,
                closes_on=row.closes_on,
                state=state,
                series_no=row.series_no,
            )
        )
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    no_answers: dict[int, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for clinic_pk, key, outcome, rang_on, rang_at in _attempts(today):
        attempts[clinic_pk].append(Attempt(key=key, on=rang_on, outcome=ATTEMPT_OUTCOME[outcome]))
        if outcome == "no_answer":
            no_answers[clinic_pk][key].append(rang_at)
    closed: dict[int, set[date]] = defaultdict(set)
    for clinic_pk, held_on in Holiday.objects.filter(clinic__in=today).values_list("clinic_id", "held_on"):
        closed[clinic_pk].add(held_on)
    return {
        pk: Loaded(
            facts=CallFacts(
                sessions=tuple(sessions[pk]),
                effects=tuple(effects[pk]),
                visits=tuple(visits[pk]),
                attempts=tuple(attempts[pk]),
                calendar=ClinicCalendar(holidays=frozenset(closed[pk])),
            ),
            patients=patients[pk],
            no_answers=no_answers[pk],
        )
        for pk in today
    }


def _open_effects(today: Mapping[int, date]):
    """Open ones, with the days on which each was last written of and its patient was last asked."""
    observed = SideEffectObservation.objects.filter(side_effect=OuterRef("pk")).order_by("-seen_on")
    asked = SideEffectInquiry.objects.filter(
        patient=OuterRef("patient"), asked_on__gte=OuterRef("onset_on")
    ).order_by("-asked_on")
    return (
        SideEffect.objects.filter(
            patient__clinic__in=today,
            patient__struck_out_at=None,
            patient__withdrawn_on=None,
            resolved_on=None,
        )
        .exclude(outcome__in=OVER)
        .annotate(
            observed_on=Subquery(observed.values("seen_on")[:1]),
            inquired_on=Subquery(asked.values("asked_on")[:1]),
        )
    )


def _sessions(today: Mapping[int, date]):
    """Late sessions, and all of patients with an open side effect: when those were last seen counts."""
    since = min(today.values()) - timedelta(days=LOOK_BACK_DAYS)
    injections = Injection.objects.filter(session=OuterRef("pk"))
    return (
        TreatmentSession.objects.filter(
            series__patient__clinic__in=today,
            series__patient__struck_out_at=None,
            series__patient__withdrawn_on=None,
            series__struck_out_at=None,
        )
        .filter(Q(held_on__gte=since) | Q(series__patient__in=_open_effects(today).values("patient")))
        .annotate(
            injected=Exists(injections),
            infused=Exists(Infusion.objects.filter(session=OuterRef("pk"))),
            digits=Exists(injections.filter(lesion__body_site__in=DIGITS)),
        )
        .order_by("held_on", "pk")
        .values_list(
            "pk",
            "held_on",
            "series__patient__clinic",
            "series__patient",
            "series__patient__study_id",
            "injected",
            "infused",
            "digits",
        )
    )


def _attempts(today: Mapping[int, date]):
    """Attempts that can still matter: those for calls after sessions only as long as such calls last."""
    since = min(today.values()) - timedelta(days=LOOK_BACK_DAYS)
    return (
        CallAttempt.objects.filter(
            patient__clinic__in=today, patient__struck_out_at=None, patient__withdrawn_on=None
        )
        .filter(Q(rang_on__gte=since) | ~Q(call_key__startswith="session:"))
        .order_by("rang_at", "pk")
        .values_list("patient__clinic", "call_key", "outcome", "rang_on", "rang_at")
    )


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
            tried_at=[_by_the_clock(at, clinic) for at in _tries(loaded, own)],
        )
        for study_id, own in grouped.items()
    ]


def _tries(loaded: Loaded, calls: Iterable[Call]) -> list[datetime]:
    """The rings without an answer, the latest first; one ring is noted under each of the patient's calls."""
    return sorted({at for call in calls for at in loaded.no_answers.get(call.key, ())}, reverse=True)


def _by_the_clock(instant: datetime, clinic: Clinic) -> str:
    """`20-Nov-2026 14:02` where the clinic is."""
    local = instant.astimezone(clinic.zone)
    return f"{show_date(local.date())} {local:%H:%M}"


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


def _rung(today: Mapping[int, date]) -> dict[int, list[Rung]]:
    """What was noted today, one line for each ring, the latest first."""
    same_days = {"patient__clinic__in": today, "patient__struck_out_at": None}
    rings: dict[tuple, list[CallAttempt]] = defaultdict(list)
    for attempt in (
        CallAttempt.objects.filter(rang_on__in=set(today.values()), **same_days)
        .select_related("patient__clinic")
        .order_by("-rang_at", "-pk")
    ):
        if attempt.rang_on == today[attempt.patient.clinic_id]:
            rings[attempt.patient_id, attempt.by, attempt.rang_at].append(attempt)
    answers: dict[tuple[int, str], list[str]] = defaultdict(list)
    for patient_pk, by, answer in (
        SideEffectInquiry.objects.filter(session=None, asked_on__in=set(today.values()), **same_days)
        .order_by("pk")
        .values_list("patient_id", "by", "answer")
    ):
        answers[patient_pk, by].append(answer)
    found: dict[int, list[Rung]] = defaultdict(list)
    for (patient_pk, by, _at), attempts in rings.items():
        asked = any(_was_asked(attempt) for attempt in attempts)
        # Rings and answers were written together, so the latest ring has the latest answer.
        answer = (answers[patient_pk, by] or ["spoke"]).pop() if asked else "spoke"
        found[attempts[0].patient.clinic_id].append(
            Rung(
                attempt=attempts[0],
                at=_by_the_clock(attempts[0].rang_at, attempts[0].patient.clinic),
                words=RUNG_WORDS["no_answer" if attempts[0].outcome == "no_answer" else answer],
                has_reported=answer == "reported",
            )
        )
    return found


def _was_asked(attempt: CallAttempt) -> bool:
    """Whether an answer about side effects was kept with this ring."""
    return attempt.outcome == "reached" and attempt.call_key.startswith(ASKING_KEYS)


RUNG_WORDS = {
    "no_answer": "No answer",
    "nothing": "Asked, nothing",
    "reported": "Asked, side effects reported",
    "spoke": "Spoke about the visit",
}


# What came of a call


def note_ring(
    *, patient: Patient, keys: Iterable[str], answer: str, note: str, by: str, source: str = "page"
) -> list[CallAttempt]:
    """Note one ring under every call of these keys that is still due.

    Args:
        answer: one of ANSWERS. Where side effects were asked for, the answer is kept too.

    Raises:
        ValidationError: none of the calls is due any more, or a value is not valid; nothing was written.
    """
    if answer not in ANSWERS:
        raise ValidationError("Say what came of the ring.")
    wanted = set(keys)
    with acting(by=by, source=source):
        # The patient's row serialises two people who ring the same patient.
        Patient.objects.select_for_update().get(pk=patient.pk)
        today = today_in(patient.clinic)
        loaded = load_facts({patient.clinic_id: today})[patient.clinic_id]
        due = [
            call
            for call in calls_due(loaded.facts, today)
            if call.patient == patient.study_id and call.key in wanted
        ]
        if not due:
            raise ValidationError(DONE_ALREADY)
        asks = any(call.key.startswith(ASKING_KEYS) for call in due)
        if answer == "spoke" and asks:
            raise ValidationError("Ask for side effects too, and say what the answer was.")
        now = timezone.now()
        attempts = [
            CallAttempt(
                patient=patient,
                call_key=call.key,
                outcome="no_answer" if answer == "no_answer" else "reached",
                rang_at=now,
                rang_on=today,
                note=note.strip(),
                by=by,
            )
            for call in due
        ]
        for attempt in attempts:
            write_new(attempt, by=by, source=source)
        if asks and answer in ("nothing", "reported"):
            write_new(
                SideEffectInquiry(
                    patient=patient, series_id=_series_of(due), asked_on=today, answer=answer, by=by
                ),
                by=by,
                source=source,
            )
    return attempts


def take_back(*, attempt: CallAttempt, by: str, source: str = "page") -> None:
    """Strike out a ring that was noted by mistake, under all calls that it was noted for, with its answer.

    Raises:
        ValidationError: it was taken back before.
    """
    reason = "Taken back: noted by mistake."
    with acting(by=by, source=source, reason=reason):
        Patient.objects.select_for_update().get(pk=attempt.patient_id)
        same_ring = CallAttempt.objects.filter(
            patient=attempt.patient_id, rang_at=attempt.rang_at, by=attempt.by
        )
        if not same_ring:
            raise ValidationError("This was taken back before.")
        inquiry = _inquiry_of(list(same_ring))
        for row in list(same_ring):
            strike_out(row, by=by, reason=reason, source=source)
        if inquiry is not None:
            strike_out(inquiry, by=by, reason=reason, source=source)


def _inquiry_of(ring: Sequence[CallAttempt]) -> SideEffectInquiry | None:
    """The answer that was written with a ring: as many answers of the day stand before it as rings."""
    asking = [attempt for attempt in ring if _was_asked(attempt)]
    if not asking:
        return None
    same_day = {"patient": asking[0].patient_id, "by": asking[0].by}
    rings = sorted(
        {
            attempt.rang_at
            for attempt in CallAttempt.objects.filter(rang_on=asking[0].rang_on, **same_day)
            if _was_asked(attempt)
        }
    )
    answers = list(
        SideEffectInquiry.objects.filter(session=None, asked_on=asking[0].rang_on, **same_day).order_by("pk")
    )
    place = rings.index(asking[0].rang_at)
    return answers[place] if place < len(answers) else None


def _series_of(calls: Sequence[Call]) -> int | None:
    """The series that the calls are about, where they name one."""
    for call in calls:
        if call.urgency == "after_session":
            return TreatmentSession.objects.values_list("series_id", flat=True).get(pk=call.about)
    for call in calls:
        if call.urgency in ("grave", "side_effect"):
            return SideEffect.objects.values_list("series_id", flat=True).get(pk=call.about)
    return None
