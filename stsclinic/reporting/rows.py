"""What can stand behind a number of the report: patients, series, lesions, sessions, injections, side effects.

A number knows its rows (Behind), so that a page can list them and a shared output can tell how many
patients they are. The rows are found when they are asked for: most never are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from stsclinic.reporting.records import InjectionRecord, SessionRecord
from stsclinic.reporting.selection import Course

LEVEL = {
    "patients": "Patients",
    "series": "Series",
    "lesions": "Lesions",
    "sessions": "Sessions",
    "injections": "Injections",
    "side_effects": "Side effects",
}
"""What the rows are: PatientRecord, Course, LesionOf, SessionOf, InjectionOf, SideEffectRecord."""


class LesionOf(Protocol):
    """A lesion in a series: its outcome, or where it was not judged, LesionIn."""

    @property
    def course(self) -> Course: ...
    @property
    def lesion_id(self) -> str: ...


class LesionIn(NamedTuple):
    """A lesion in a series."""

    course: Course
    lesion_id: str


class SessionOf(NamedTuple):
    """A session of a series."""

    course: Course
    session: SessionRecord


class InjectionOf(NamedTuple):
    """An injection at a session of a series."""

    course: Course
    session: SessionRecord
    injection: InjectionRecord


class Value(NamedTuple):
    """What of each row went into the number: a score, a size, days. None: nothing did."""

    label: str
    of: Callable[[Any], float | None]
    unit: str = ""
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Behind:
    """The rows behind a number. `level` is a code of LEVEL; `value` where more than their number was counted."""

    level: str
    find: Callable[[], Sequence[Any]]
    value: Value | None = None

    @property
    def keys(self) -> list[tuple]:
        """What names each row, in the words of the data sheets."""
        return [row_key(self.level, row) for row in self.find()]

    @property
    def patient_ids(self) -> set[str]:
        return {key[0] for key in self.keys}


def behind(level: str, rows: Sequence[Any], value: Value | None = None) -> Behind:
    """Rows that are at hand already."""
    return Behind(level, lambda: rows, value)


def row_key(level: str, row: Any) -> tuple:
    """The key of a row; its first part is the patient_id."""
    if level == "patients":
        return (row.patient_id,)
    if level == "side_effects":
        where = (row.series_no or 0, row.session_no or 0, row.lesion_id)
        return row.patient_id, *where, row.term, row.term_detail, row.onset_on
    course = row if level == "series" else row.course
    key = course.series.patient_id, course.series.series_no
    if level == "lesions":
        return *key, row.lesion_id
    if level == "sessions":
        return *key, row.session.session_no
    return key if level == "series" else (*key, row.session.session_no, row.injection.lesion_id)
