"""What is due today, clinic by clinic, each on its own date. A fixed number of queries.

The rule is stsclinic.clinical.schedule.next_due; here it meets the rows. What was struck out never appears.
Of patients who withdrew no visit is due; their side effects are followed until they are over.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, cast

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from lesions.models import PatientIdentity
from sessions_app.models import Protocol, Series, SideEffect, TreatmentSession
from sessions_app.selectors import Sheet, drafts_for, sheets_of
from sessions_app.seriousness import standing_of, unsettled
from stsclinic.access import clinics_where
from stsclinic.clinical.protocols import ProtocolDefinition
from stsclinic.clinical.resolution import OVER
from stsclinic.clinical.schedule import Due, SessionHeld, next_due
from stsclinic.clinical.seriousness import ASKED_FROM_GRADE, NECROSIS
from stsclinic.clinics.clock import today_in
from stsclinic.clinics.models import Clinic

SHOWN_ROWS = 50
"""Rows of one list of one clinic; the rest is counted."""
SHOWN_SIDE_EFFECTS = 10
LONG_PAST_DAYS = 180
"""So long after its window closed, a missed visit is rung about and listed as overdue. After that the follow-up
of an ended series is listed no more, and a series that waits for a treatment is folded away."""


@dataclass(kw_only=True)
class DueRow:
    """A series of which something is due or not begun."""

    series_pk: int
    series_no: int
    patient_pk: int
    study_id: str
    protocol: str
    kind: str
    """`treatment` or `follow_up`."""
    number: int
    """Which treatment of the series it is, counted from 1; of a follow-up, the treatments before it."""
    opens_on: date | None
    closes_on: date | None
    days_over: int
    """Days since the window closed; 0 within it."""
    has_consent: bool
    draft_pk: int | None = None
    name: str = ""

    @property
    def is_long_past(self) -> bool:
        """Whether nobody expects this visit any more; the series waits to be completed or stopped."""
        return self.days_over > LONG_PAST_DAYS

    @property
    def days_over_words(self) -> str:
        """How long it is overdue, in words."""
        return "1 day overdue" if self.days_over == 1 else f"{self.days_over} days overdue"


@dataclass
class ShortList:
    """The first rows of a list, and how many more there are."""

    rows: list = field(default_factory=list)
    more: int = 0

    @property
    def total(self) -> int:
        return len(self.rows) + self.more


@dataclass(kw_only=True)
class ClinicDay:
    """One clinic's day."""

    clinic: Clinic
    today: date
    may_record: bool
    drafts: ShortList
    overdue: ShortList
    due: ShortList
    not_begun: ShortList
    sponsor: ShortList
    """Where side effects stand of which the sponsor was not told, or that miss a word (seriousness.Standing)."""
    grave: ShortList
    """Open side effects that are serious, of grade 3 or more, or a necrosis."""
    side_effects: ShortList
    """The other open ones."""
    long_past: ShortList
    next_opens_on: date | None
    """The day on which the next window opens, where one will."""

    @property
    def is_empty(self) -> bool:
        visits = (self.drafts, self.overdue, self.due, self.not_begun, self.long_past)
        effects = (self.sponsor, self.grave, self.side_effects)
        return not any(one.rows for one in (*visits, *effects))


def clinic_days(user) -> list[ClinicDay]:
    """The day of every clinic where the user has the right `see_today`, in the order of their codes."""
    clinics = list(Clinic.objects.filter(pk__in=clinics_where(user, "see_today")))
    today = {clinic.pk: today_in(clinic) for clinic in clinics}
    if not clinics:
        return []
    recording = clinics_where(user, "record_session")
    sheets = _sheets(user)
    effects = _unresolved(today)
    sponsor = waiting_for_sponsor(today)
    days = _by_clinic(
        today, {sheet.draft.series_id: sheet.draft.pk for sheet in sheets if sheet.draft.corrects_id is None}
    )
    found = [
        ClinicDay(
            clinic=clinic,
            today=today[clinic.pk],
            may_record=clinic.pk in recording,
            drafts=_short(sheet for sheet in sheets if sheet.draft.series.patient.clinic_id == clinic.pk),
            overdue=_short(sorted(days[clinic.pk].overdue, key=lambda row: (row.days_over, row.study_id))),
            due=_short(sorted(days[clinic.pk].due, key=_by_closing)),
            not_begun=_short(sorted(days[clinic.pk].not_begun, key=lambda row: (row.opens_on, row.study_id))),
            sponsor=sponsor[clinic.pk],
            grave=effects[clinic.pk, True],
            side_effects=effects[clinic.pk, False],
            long_past=_short(
                sorted(days[clinic.pk].long_past, key=lambda row: (row.days_over, row.study_id))
            ),
            next_opens_on=days[clinic.pk].next_opens_on,
        )
        for clinic in clinics
    ]
    _name(found, clinics_where(user, "see_identity"))
    return found


@dataclass
class _Sorted:
    """The rows of one clinic, before they are cut to a short list."""

    overdue: list[DueRow] = field(default_factory=list)
    due: list[DueRow] = field(default_factory=list)
    not_begun: list[DueRow] = field(default_factory=list)
    long_past: list[DueRow] = field(default_factory=list)
    next_opens_on: date | None = None


def _by_clinic(today: dict[int, date], drafts: dict[int, int]) -> dict[int, _Sorted]:
    found: dict[int, _Sorted] = defaultdict(_Sorted)
    for clinic_pk, row, state in due_rows(today, drafts):
        one = found[clinic_pk]
        if row.kind == "treatment" and row.number == 1:
            one.not_begun.append(row)
        elif row.is_long_past:
            one.long_past.append(row)
        elif state == "overdue":
            one.overdue.append(row)
        elif state == "due":
            one.due.append(row)
        elif row.opens_on is not None:
            one.next_opens_on = min(one.next_opens_on or row.opens_on, row.opens_on)
    return found


def due_rows(today: dict[int, date], drafts: dict[int, int]) -> Iterator[tuple[int, DueRow, str]]:
    """(clinic, row, state) of every series that waits for something."""
    protocols = {row.pk: (row.name, row.definition) for row in Protocol.objects.all()}
    waiting = _waiting_series(today, [definition for _name, definition in protocols.values()])
    held: dict[int, list[SessionHeld]] = defaultdict(list)
    for series_pk, kind, held_on in (
        TreatmentSession.objects.filter(series__in=waiting.values("pk"))
        .order_by("session_no")
        .values_list("series_id", "kind", "held_on")
    ):
        held[series_pk].append(SessionHeld(kind=kind, held_on=held_on))
    for row in waiting.values(
        "pk", "series_no", "status", "stop_reason", "started_on", "protocol_id", "patient_id",
        "patient__study_id", "patient__clinic_id", "patient__consented_on",
    ):  # fmt: skip
        name, definition = protocols[row["protocol_id"]]
        sessions = held[row["pk"]]
        on = today[row["patient__clinic_id"]]
        due = next_due(
            definition,
            sessions,
            row["status"],
            on,
            started_on=row["started_on"],
            stop_reason=row["stop_reason"],
        )
        if due is None or _is_past_horizon(row["status"], due, on):
            continue
        yield row["patient__clinic_id"], _row(row, name, due, sessions, on, drafts.get(row["pk"])), due.state


def _is_past_horizon(status: str, due: Due, on: date) -> bool:
    """Whether an ended series waited so long for its follow-up that it is listed no more."""
    if status not in ("completed", "stopped") or due.closes_on is None:
        return False
    return on > due.closes_on + timedelta(days=LONG_PAST_DAYS)


def _row(
    row: Mapping[str, Any],
    protocol: str,
    due: Due,
    sessions: list[SessionHeld],
    on: date,
    draft_pk: int | None,
) -> DueRow:
    treatments = sum(session.kind == "treatment" for session in sessions)
    return DueRow(
        series_pk=row["pk"],
        series_no=row["series_no"],
        patient_pk=row["patient_id"],
        study_id=row["patient__study_id"],
        protocol=protocol,
        kind=due.kind,
        number=treatments + 1 if due.kind == "treatment" else treatments,
        opens_on=due.opens_on,
        closes_on=due.closes_on,
        days_over=0 if due.closes_on is None else max(0, (on - due.closes_on).days),
        has_consent=row["patient__consented_on"] is not None,
        draft_pk=draft_pk,
    )


def _waiting_series(today: dict[int, date], definitions: Iterable[ProtocolDefinition]) -> QuerySet[Series]:
    """Series that are planned or active, or ended so lately that a follow-up may still be wanted."""
    longest = max((one.follow_up_max_days or 0 for one in definitions), default=0)
    since = min(today.values()) - timedelta(days=longest + LONG_PAST_DAYS)
    treated_lately = Exists(
        TreatmentSession.objects.filter(series=OuterRef("pk"), kind="treatment", held_on__gte=since)
    )
    return Series.objects.filter(
        Q(status__in=("planned", "active"))
        | Q(status__in=("completed", "stopped")) & ~Q(protocol__follow_up_from="") & treated_lately,
        patient__clinic__in=today,
        patient__struck_out_at=None,
        patient__withdrawn_on=None,
    ).order_by("pk")


def _sheets(user) -> list[Sheet]:
    """Sheets left open, the one that waits longest first."""
    drafts = (
        drafts_for(user, "see_today", "open")
        .filter(series__patient__withdrawn_on=None)
        .select_related("series__patient__clinic", "series__protocol", "saved_by", "opened_by", "corrects")
    )
    return sheets_of(user, sorted(drafts, key=lambda draft: draft.saved_at or draft.opened_at))


def waiting_for_sponsor(clinics: Collection[int]) -> dict[int, ShortList]:
    """By clinic (id): side effects of which the sponsor is to be told, or whose seriousness is to be said."""
    found: dict[int, ShortList] = defaultdict(ShortList)
    clinic, now = F("patient__clinic"), timezone.now()
    rows = unsettled(SideEffect.objects.filter(patient__clinic__in=clinics, patient__struck_out_at=None))
    order = cast(list[str], list(rows.query.order_by))
    for effect in (
        rows.annotate(
            place=Window(RowNumber(), partition_by=clinic, order_by=order),
            total=Window(Count("pk"), partition_by=clinic),
        )
        .filter(place__lte=SHOWN_SIDE_EFFECTS)
        .order_by("place")
    ):
        standing = standing_of(effect, now)
        if standing is not None:
            one = found[effect.patient.clinic_id]
            one.rows.append(standing)
            one.more = effect.total - len(one.rows)
    return found


def _unresolved(today: dict[int, date]) -> dict[tuple[int, bool], ShortList]:
    """Side effects without an end by clinic and whether grave, the gravest and latest first.

    They outlast a withdrawal.
    """
    found: dict[tuple[int, bool], ShortList] = defaultdict(ShortList)
    is_grave = Q(serious=True) | Q(grade__gte=ASKED_FROM_GRADE) | Q(term__in=NECROSIS)
    groups = [F("patient__clinic"), F("is_grave")]
    rows = (
        SideEffect.objects.filter(patient__clinic__in=today, patient__struck_out_at=None, resolved_on=None)
        .exclude(outcome__in=OVER)
        .annotate(is_grave=Case(When(is_grave, then=Value(True)), default=Value(False)))
        .annotate(
            place=Window(
                RowNumber(),
                partition_by=groups,
                order_by=[F("grade").desc(), F("onset_on").desc(), F("pk").desc()],
            ),
            total=Window(Count("pk"), partition_by=groups),
        )
        .filter(place__lte=SHOWN_SIDE_EFFECTS)
        .select_related("patient", "lesion")
        .order_by("place")
    )
    for row in rows:
        one = found[row.patient.clinic_id, row.is_grave]
        one.rows.append(row)
        one.more = row.total - len(one.rows)
    return found


def _name(days: list[ClinicDay], clinics: frozenset[int]) -> None:
    """Write the names of those who are shown, in the clinics where the user may see them."""
    shown = [
        row
        for day in days
        if day.clinic.pk in clinics
        for listed in (day.overdue, day.due, day.not_begun, day.long_past)
        for row in listed.rows
    ]
    people = [(row, row.patient_pk) for row in shown]
    for day in days:
        if day.clinic.pk in clinics:
            people += [(row, row.draft.series.patient_id) for row in day.drafts.rows]
            people += [(row, row.patient_id) for row in (*day.grave.rows, *day.side_effects.rows)]
    names = dict(
        PatientIdentity.objects.filter(patient__in={pk for _row, pk in people}).values_list(
            "patient_id", "name"
        )
    )
    for row, pk in people:
        row.name = names.get(pk, "")


def _short(rows: Iterable) -> ShortList:
    listed = list(rows)
    return ShortList(listed[:SHOWN_ROWS], max(0, len(listed) - SHOWN_ROWS))


def _by_closing(row: DueRow) -> tuple[date, str]:
    return row.closes_on or date.max, row.study_id
