"""What was recorded of a sheet's lesions before a visit? Shown beside the fields, and stored only once confirmed.

A visit is often entered late. Last time is then the newest of what was recorded up to the day of the visit,
not of what was recorded since.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import F, FilteredRelation, Q, QuerySet

from sessions_app.concealed import Concealed
from sessions_app.models import Assessment, Injection, Series, TreatmentSession
from stsclinic.clinical.dates import show_date
from stsclinic.statement import Given, statement

_ASSESSED = ("status", "longest_mm", "widest_mm", "ulcer", "inflammation", "pga")
_INJECTED = (
    "volume_ml",
    "pain_vas",
    "agent",
    "concentration_mg_ml",
    "technique",
    "anaesthesia",
    "salt_form",
    "lot_number",
    "needle",
    "dressing",
)


@dataclass(frozen=True, kw_only=True)
class VisitBefore:
    """One earlier session of the patient, in any series."""

    pk: int
    series: int
    session_no: int | None
    held_on: datetime.date
    kind: str
    ptga: int | None
    phga: int | None
    infusion_dose_g: Decimal | None
    """None too where the allocation is closed."""
    infusion_duration_min: int | None
    is_closed: bool
    """Whether it is of a series whose allocation nobody opened, whoever reads."""

    @property
    def at(self) -> tuple[datetime.date, int, int]:
        """By which sessions are put in their order: the day, and the visit of that day."""
        return self.held_on, self.session_no or 0, self.pk


@dataclass(frozen=True, kw_only=True)
class SeenBefore:
    """One earlier assessment of a lesion. Measures in mm."""

    pk: int
    version: int
    session: int
    held_on: datetime.date
    status: str
    longest_mm: Decimal | None
    widest_mm: Decimal | None
    ulcer: bool | None
    inflammation: bool | None
    pga: int | None


@dataclass(frozen=True, kw_only=True)
class GivenBefore:
    """One earlier injection of a lesion. ml, mg/ml."""

    session: int
    session_no: int | None
    series: int
    held_on: datetime.date
    hides_allocation: bool
    """Whether it is of a series whose allocation is closed to the reader."""
    is_closed: bool
    """Whether it is of a series whose allocation nobody opened, whoever reads."""
    volume_ml: Decimal
    pain_vas: Decimal | None
    agent: str
    concentration_mg_ml: Decimal | None
    technique: str
    anaesthesia: str
    salt_form: str
    lot_number: str
    needle: str
    dressing: str

    @property
    def at(self) -> tuple[datetime.date, int, int]:
        """By which injections are put in their order: the day, and the visit of that day."""
        return self.held_on, self.session_no or 0, self.session

    @property
    def on(self) -> str:
        """The date in words."""
        return show_date(self.held_on)


@dataclass(frozen=True)
class LastTime:
    """The newest of each before a visit: shown, never stored anew by itself."""

    assessment: SeenBefore | None = None
    injection: GivenBefore | None = None

    @property
    def may_confirm(self) -> bool:
        """Whether there is something that `as last time` could mean."""
        return self.assessment is not None and self.assessment.status == "present"

    @property
    def token(self) -> str:
        """What a tick at `as last time` stands for: this assessment, as it is now. Another one, or a
        corrected one, is not what the person confirmed."""
        return f"{self.assessment.pk}.{self.assessment.version}" if self.assessment else ""

    def refuses(self, token: str) -> str:
        """Why a tick that stands for `token` does not confirm this last time; empty when it does."""
        if self.assessment is None or not self.may_confirm:
            return "There is no last time to go by; measure the lesion."
        if token != self.token:
            return (
                f"Last time is now {show_date(self.assessment.held_on)}, which was not confirmed. Look again."
            )
        return ""


@dataclass(frozen=True)
class Course:
    """All that was recorded of some lesions, each in the order of the visits: {lesion: rows}."""

    visits: tuple[VisitBefore, ...] = ()
    """All sessions of the patient in their order."""
    assessments: Mapping[int, list[SeenBefore]] = field(default_factory=dict)
    injections: Mapping[int, list[GivenBefore]] = field(default_factory=dict)

    def last(self, lesion: int, visit: datetime.date | None) -> LastTime:
        """The newest up to the day of the visit; without a day, the newest of all."""
        return LastTime(
            _newest(self.assessments.get(lesion, ()), visit), _newest(self.injections.get(lesion, ()), visit)
        )

    def last_score(self, name: str, visit: datetime.date | None) -> VisitBefore | None:
        """The newest session up to the day of the visit that tells `name`, such as `ptga`."""
        told = [row for row in self.visits if getattr(row, name) is not None]
        return _newest(told, visit)

    def last_treatment(self, series: int, visit: datetime.date | None) -> dict[int, GivenBefore]:
        """{lesion: injection} of the newest visit of a series at which something was injected, up to a day."""
        given = {
            pk: last
            for pk, rows in self.injections.items()
            if (last := _newest([row for row in rows if row.series == series], visit))
        }
        newest = max(given.values(), key=lambda row: row.at, default=None)
        return {pk: row for pk, row in given.items() if newest and row.session == newest.session}

    def holds(self, visit: datetime.date | None) -> tuple[datetime.date | None, datetime.date | None]:
        """For which days of the visit the last values stay the same: from the first, and before the second."""
        days = {row.held_on for seen in self.assessments.values() for row in seen}
        days |= {row.held_on for given in self.injections.values() for row in given}
        before = [day for day in days if visit is None or day <= visit]
        after = [day for day in days if visit is not None and day > visit]
        return max(before, default=None), min(after, default=None)


def _newest(rows, visit: datetime.date | None):
    return next((row for row in reversed(rows) if visit is None or row.held_on <= visit), None)


def course_of(
    series: Series, lesions: Iterable[int], *, concealed: Concealed, corrects: TreatmentSession | None = None
) -> Course:
    """Load what was recorded of lesions of one patient, in any series. Three queries.

    Args:
        concealed: what is kept from the reader.
        corrects: the session that the sheet corrects, which is not earlier than itself.
    """
    visits = {
        visit.pk: visit for visit in _visits(series, concealed) if visit.pk != (corrects and corrects.pk)
    }
    may_see = series.patient.clinic_id in concealed.seeing
    assessments: dict[int, list[SeenBefore]] = defaultdict(list)
    wanted, patient = frozenset(lesions), series.patient_id
    for visit, lesion, row in _of_visits(_assessments().rows(patient=patient), wanted, visits):
        assessments[lesion].append(SeenBefore(session=visit.pk, held_on=visit.held_on, **row))
    injections: dict[int, list[GivenBefore]] = defaultdict(list)
    for visit, lesion, row in _of_visits(_injections().rows(patient=patient), wanted, visits):
        injections[lesion].append(
            GivenBefore(
                session=visit.pk,
                session_no=visit.session_no,
                series=visit.series,
                held_on=visit.held_on,
                hides_allocation=visit.is_closed and not may_see,
                is_closed=visit.is_closed,
                **row,
            )
        )
    return Course(tuple(visits.values()), assessments, injections)


def _visits(series: Series, concealed: Concealed) -> list[VisitBefore]:
    """All sessions of the patient in their order."""
    found = []
    for row in _sessions().rows(patient=series.patient_id):
        code, is_controlled = (row.pop(name) for name in _PROTOCOL)
        is_closed = concealed.is_closed(
            clinic_id=series.patient.clinic_id,
            patient_id=series.patient_id,
            protocol_code=code,
            is_controlled=is_controlled,
        )
        if is_closed:
            row["infusion_dose_g"] = row["infusion_duration_min"] = None
        found.append(VisitBefore(is_closed=is_closed, **row))
    return sorted(found, key=lambda visit: visit.at)


_PROTOCOL = ("series__protocol__code", "series__protocol__is_controlled")


@statement
def _sessions() -> QuerySet[Any]:
    """The sessions of a patient's series, each with the infusion that it may have."""
    kept_infusion = FilteredRelation("infusions", condition=Q(infusions__struck_out_at=None))
    rows = TreatmentSession.objects.filter(series__patient=Given("patient"), series__struck_out_at=None)
    return (
        rows.annotate(infusion=kept_infusion)
        .order_by()
        .values(
            "pk", "series", "session_no", "held_on", "kind", "ptga", "phga", *_PROTOCOL,
            infusion_dose_g=F("infusion__dose_g"), infusion_duration_min=F("infusion__duration_min"),
        )
    )  # fmt: skip


@statement
def _assessments() -> QuerySet[Any]:
    rows = Assessment.objects.filter(session__series__patient=Given("patient")).order_by()
    return rows.values("session", "lesion", "pk", "version", *_ASSESSED)


@statement
def _injections() -> QuerySet[Any]:
    rows = Injection.objects.filter(session__series__patient=Given("patient")).order_by()
    return rows.values("session", "lesion", *_INJECTED)


def _of_visits(
    rows: Iterable[dict[str, Any]], lesions: frozenset[int], visits: Mapping[int, VisitBefore]
) -> Iterator[tuple[VisitBefore, int, dict[str, Any]]]:
    """What was recorded of the lesions at the visits, in their order: the visit, the lesion, its columns."""
    by_visit = defaultdict(list)
    for row in rows:
        lesion = row.pop("lesion")
        if lesion in lesions:
            by_visit[row.pop("session")].append((lesion, row))
    for visit in visits.values():
        for lesion, row in by_visit[visit.pk]:
            yield visit, lesion, row
