"""What was recorded of a sheet's lesions before a visit? Shown beside the fields, and stored only once confirmed.

A visit is often entered late. Last time is then the newest of what was recorded up to the day of the visit,
not of what was recorded since.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sessions_app.concealed import Concealed
from sessions_app.models import Assessment, Injection, Series, TreatmentSession
from stsclinic.clinical.dates import show_date

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
_ORDER = ("session__held_on", "session__session_no", "session")


@dataclass(frozen=True, kw_only=True)
class SeenBefore:
    """One earlier assessment of a lesion. Measures in mm."""

    pk: int
    version: int
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
    session_no: int
    series: int
    held_on: datetime.date
    hides_allocation: bool
    """Whether it is of a series whose allocation is closed to the reader."""
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
        return self.held_on, self.session_no, self.session

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

    assessments: Mapping[int, list[SeenBefore]] = field(default_factory=dict)
    injections: Mapping[int, list[GivenBefore]] = field(default_factory=dict)

    def last(self, lesion: int, visit: datetime.date | None) -> LastTime:
        """The newest up to the day of the visit; without a day, the newest of all."""
        return LastTime(
            _newest(self.assessments.get(lesion, ()), visit), _newest(self.injections.get(lesion, ()), visit)
        )

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
    """Load what was recorded of lesions of one patient, in any series. Two queries.

    Args:
        concealed: what is kept from the reader.
        corrects: the session that the sheet corrects, which is not earlier than itself.
    """
    lesions = tuple(lesions)
    assessments: dict[int, list[SeenBefore]] = defaultdict(list)
    for row in _rows(Assessment, lesions, corrects).values(
        "pk", "version", "lesion_id", "session__held_on", *_ASSESSED
    ):
        assessments[row.pop("lesion_id")].append(SeenBefore(held_on=row.pop("session__held_on"), **row))
    injections: dict[int, list[GivenBefore]] = defaultdict(list)
    protocol = ("session__series__protocol__code", "session__series__protocol__is_controlled")
    visit = ("session__session_no", "session__series", "session__held_on")
    for row in _rows(Injection, lesions, corrects).values(
        "session", "lesion_id", *visit, *protocol, *_INJECTED
    ):
        code, is_controlled = (row.pop(name) for name in protocol)
        hides = concealed.hides(
            clinic_id=series.patient.clinic_id,
            patient_id=series.patient_id,
            protocol_code=code,
            is_controlled=is_controlled,
        )
        session_no, of_series, held_on = (row.pop(name) for name in visit)
        injections[row.pop("lesion_id")].append(
            GivenBefore(
                session_no=session_no, series=of_series, held_on=held_on, hides_allocation=hides, **row
            )
        )
    return Course(assessments, injections)


def _rows(model, lesions: tuple[int, ...], corrects: TreatmentSession | None):
    rows = model.objects.filter(
        lesion__in=lesions, session__struck_out_at=None, session__series__struck_out_at=None
    )
    return (rows.exclude(session=corrects) if corrects else rows).order_by(*_ORDER)
