"""What became of each lesion, series and patient, at both horizons, and of the ulcers.

The rules are stsclinic.clinical.remission; here they meet the records. Source: report 000.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, compress
from typing import Any, NamedTuple

from stsclinic.clinical.remission import HORIZON, judge_group, judge_lesion, ptga_change
from stsclinic.reporting.lesions import NONE, OUTCOMES, JudgedLesions, judge_lesions
from stsclinic.reporting.records import AssessmentRecord, PatientRecord, SessionRecord
from stsclinic.reporting.selection import Course, Verdict
from stsclinic.reporting.visits import Visits

FOOTNOTES = (
    "Ulcers: a patient has one if a lesion of an analysed series has an ulcer at its baseline. All healed "
    "means that each such lesion is gone or without ulcer at its end. Both count treatment sessions only.",
)


ByHorizon = Mapping[str, str]
"""A code of OUTCOME for each horizon. Equal ones are one object."""


@cache
def _by_horizon(*outcomes: str) -> ByHorizon:
    return dict(zip(HORIZON, outcomes, strict=True))


class Watched(NamedTuple):
    """For how many days a lesion was followed from its first injection, and whether it was then seen gone."""

    days: int
    is_gone: bool


class Findings(NamedTuple):
    """What an outcome is judged on; see baseline_and_end."""

    baseline: AssessmentRecord | None
    end: AssessmentRecord | None
    watched: Watched | None = None
    """None where it was not injected, or not seen after its first injection."""

    def mm2(self) -> tuple[float | None, float | None]:
        """Longest × widest in mm² at baseline and at the end; a gone lesion has 0. None where not measured."""
        return (
            None if self.baseline is None else size_mm2(self.baseline),
            None if self.end is None else size_mm2(self.end),
        )


def size_mm2(seen: AssessmentRecord) -> float | None:
    """Longest × widest in mm², 0 of a lesion that is gone; None where it was not measured."""
    if seen.status == "gone":
        return 0.0
    if seen.longest_mm is None or seen.widest_mm is None:
        return None
    return float(seen.longest_mm * seen.widest_mm)


@dataclass(frozen=True, slots=True)
class LesionOutcome:
    """One lesion of one series: what became of it at each horizon. It stands for itself as LesionOf does."""

    course: Course
    lesion_id: str
    outcomes: ByHorizon
    injections: int
    at_treatments: Findings
    at_all_sessions: Findings

    def seen_at(self, horizon: str) -> Findings:
        """What was seen of it at a horizon (a code of HORIZON)."""
        return self.at_treatments if horizon == "end_of_treatment" else self.at_all_sessions

    @property
    def arm(self) -> str:
        return self.course.series.lesions[self.lesion_id]

    def words(self, horizon: str) -> str:
        """Why, in words. They are made when they are asked for: most never are."""
        sessions = sessions_within(self.course, horizon)
        seen = [found for session in sessions if (found := session.assessments.get(self.lesion_id))]
        return judge_lesion(seen, ptga_change([session.ptga for session in sessions])).words


@dataclass(eq=False, slots=True)
class SeriesOutcome:
    """One series, analysed or left out. Only analysed ones are counted.

    `judged` has its lesions from the place `start` to before `stop`.
    """

    verdict: Verdict
    course: Course
    outcomes: ByHorizon
    had_ulcer: bool
    """Whether any of its lesions had one at baseline (end of treatment)."""
    has_open_ulcer: bool
    """Whether one of these had not healed."""
    judged: JudgedLesions = field(repr=False)
    start: int
    stop: int
    _lesions: Sequence[LesionOutcome] | None = field(default=None, init=False, repr=False)

    @property
    def lesions(self) -> Sequence[LesionOutcome]:
        """Made when they are asked for: most never are."""
        if self._lesions is None:
            places = range(self.start, self.stop)
            self._lesions = [_lesion_outcome(self.course, self.judged, place) for place in places]
        return self._lesions

    def words(self, horizon: str) -> str:
        """The reasons of the lesions that decide it."""
        if not self.lesions:
            return "the series lists no lesion"
        deciding = (one for one in self.lesions if one.outcomes[horizon] == self.outcomes[horizon])
        return ", ".join(f"{one.lesion_id} ({one.words(horizon)})" for one in deciding)


class LesionsOf(Sequence[LesionOutcome]):
    """The lesions of some series, one series after the other, each made when it is asked for."""

    def __init__(self, series: Sequence[SeriesOutcome]):
        self._series = series
        self._stops = array("q", accumulate(one.stop - one.start for one in series))

    def __len__(self) -> int:
        return self._stops[-1] if self._stops else 0

    def __iter__(self) -> Iterator[LesionOutcome]:
        return (lesion for one in self._series for lesion in one.lesions)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        one = self.series_of(place)
        return one.lesions[place - self._stops[self._series_number(place)]]

    def series_of(self, place: int) -> SeriesOutcome:
        """The series of a lesion."""
        return self._series[self._series_number(place)]

    def _series_number(self, place: int) -> int:
        if not 0 <= place < len(self):
            raise IndexError(place)
        return bisect_right(self._stops, place)


@dataclass(frozen=True, slots=True)
class PatientOutcome:
    """A patient with an analysed series."""

    patient: PatientRecord
    series: Sequence[SeriesOutcome]
    outcomes: ByHorizon

    @property
    def had_ulcer(self) -> bool:
        return any(one.had_ulcer for one in self.series)

    @property
    def all_ulcers_healed(self) -> bool:
        return self.had_ulcer and not any(one.has_open_ulcer for one in self.series)

    def words(self, horizon: str) -> str:
        """The series that decide it."""
        deciding = (one for one in self.series if one.outcomes[horizon] == self.outcomes[horizon])
        return ", ".join(f"series {one.course.series.series_no}" for one in deciding)


def sessions_within(course: Course, horizon: str) -> Sequence[SessionRecord]:
    """The sessions that a horizon (a code of HORIZON) sees."""
    return course.treatments if horizon == "end_of_treatment" else course.sessions


def judge_outcomes(verdicts: Sequence[Verdict], visits: Visits) -> tuple[list[SeriesOutcome], JudgedLesions]:
    """What became of series, and of the lesions that they treat.

    Args:
        verdicts: one for each series of the visits, in their order.
    """
    import numpy as np

    judged = judge_lesions(visits)
    numbers, count = np.arange(len(verdicts)), len(verdicts)
    outcomes = [
        [best_of_those(*one) for one in (judged.counts(horizon, count) > 0).tolist()] for horizon in HORIZON
    ]
    had, is_open = (
        np.bincount(judged.series, judged.at["end_of_treatment"].alike.ask(rule), count) > 0
        for rule in (_had_ulcer, _has_open_ulcer)
    )
    stops = np.searchsorted(judged.series, numbers, "right").tolist()
    found = [
        SeriesOutcome(verdict, verdict.course, _by_horizon(*its_outcomes), *its_ulcers, judged, start, stop)
        for verdict, its_outcomes, its_ulcers, start, stop in zip(
            verdicts,
            zip(*outcomes, strict=True),
            zip(had.tolist(), is_open.tolist(), strict=True),
            [0, *stops][: len(stops)],
            stops,
            strict=True,
        )
    ]
    return found, judged


@cache
def best_of_those(*is_there: bool) -> str:
    """The outcome of what has lesions or series with these outcomes, asked in the order of OUTCOMES."""
    return judge_group(compress(OUTCOMES, is_there))


def _had_ulcer(baseline: AssessmentRecord | None, end: AssessmentRecord | None, _: bool | None) -> bool:
    """Whether a lesion had an ulcer at its baseline."""
    return baseline is not None and baseline.ulcer is True


def _has_open_ulcer(
    baseline: AssessmentRecord | None, end: AssessmentRecord | None, decreased: bool | None
) -> bool:
    """Whether one that had an ulcer is neither gone nor without ulcer at its end."""
    has_healed = end is not None and (end.status == "gone" or end.ulcer is False)
    return _had_ulcer(baseline, end, decreased) and not has_healed


def _lesion_outcome(course: Course, judged: JudgedLesions, place: int) -> LesionOutcome:
    at_treatments, at_all = (_findings(judged, horizon, place) for horizon in HORIZON)
    return LesionOutcome(
        course,
        judged.lesion_ids[place],
        _by_horizon(*(OUTCOMES[judged.at[horizon].outcome[place]] for horizon in HORIZON)),
        int(judged.injections[place]),
        at_treatments,
        at_all,
    )


def _findings(judged: JudgedLesions, horizon: str, place: int) -> Findings:
    at = judged.at[horizon]
    days = int(at.days[place])
    return Findings(
        judged.seen(at.baseline[place]),
        judged.seen(at.end[place]),
        None if days == NONE else Watched(days, bool(at.is_gone[place])),
    )


def patient_outcome(patient: PatientRecord, series: Sequence[SeriesOutcome]) -> PatientOutcome:
    """The best of the patient's analysed series."""
    return PatientOutcome(patient, series, _best(series))


def _best(judged: Sequence[SeriesOutcome]) -> ByHorizon:
    return _by_horizon(*(judge_group(one.outcomes[horizon] for one in judged) for horizon in HORIZON))
