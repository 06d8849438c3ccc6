"""What became of each lesion, series and patient, at both horizons, and of the ulcers.

The rules are stsclinic.clinical.remission; here they meet the records. Source: report 000.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import NamedTuple

from stsclinic.clinical.remission import (
    HORIZON,
    OUTCOME,
    baseline_and_end,
    judge_ends,
    judge_group,
    judge_lesion,
    ptga_change,
)
from stsclinic.reporting.records import AssessmentRecord, PatientRecord, SessionRecord
from stsclinic.reporting.selection import Course, Verdict

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
    watched: Watched | None
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
    """The same object without a follow-up."""

    def seen_at(self, horizon: str) -> Findings:
        """What was seen of it at a horizon (a code of HORIZON)."""
        return self.at_treatments if horizon == "end_of_treatment" else self.at_all_sessions

    @property
    def had_ulcer(self) -> bool:
        """Whether it had an ulcer at baseline (end of treatment)."""
        baseline = self.at_treatments.baseline
        return baseline is not None and baseline.ulcer is True

    @property
    def ulcer_healed(self) -> bool:
        """Of a lesion that had one: whether it is gone or without ulcer at its end (end of treatment)."""
        end = self.at_treatments.end
        return self.had_ulcer and end is not None and (end.status == "gone" or end.ulcer is False)

    @property
    def arm(self) -> str:
        return self.course.series.lesions[self.lesion_id]

    def words(self, horizon: str) -> str:
        """Why, in words. They are made when they are asked for: most never are."""
        sessions = _sessions_within(self.course, horizon)
        seen = [found for session in sessions if (found := session.assessments.get(self.lesion_id))]
        return judge_lesion(seen, ptga_change([session.ptga for session in sessions])).words


@dataclass(frozen=True, slots=True)
class SeriesOutcome:
    """One series, analysed or left out. Only analysed ones are counted."""

    verdict: Verdict
    lesions: Sequence[LesionOutcome]
    outcomes: ByHorizon

    @property
    def course(self) -> Course:
        return self.verdict.course

    def words(self, horizon: str) -> str:
        """The reasons of the lesions that decide it."""
        if not self.lesions:
            return "the series lists no lesion"
        deciding = (one for one in self.lesions if one.outcomes[horizon] == self.outcomes[horizon])
        return ", ".join(f"{one.lesion_id} ({one.words(horizon)})" for one in deciding)


@dataclass(frozen=True, slots=True)
class PatientOutcome:
    """A patient with an analysed series."""

    patient: PatientRecord
    series: Sequence[SeriesOutcome]
    outcomes: ByHorizon

    @property
    def had_ulcer(self) -> bool:
        return any(lesion.had_ulcer for one in self.series for lesion in one.lesions)

    @property
    def all_ulcers_healed(self) -> bool:
        return self.had_ulcer and all(
            lesion.ulcer_healed for one in self.series for lesion in one.lesions if lesion.had_ulcer
        )

    def words(self, horizon: str) -> str:
        """The series that decide it."""
        deciding = (one for one in self.series if one.outcomes[horizon] == self.outcomes[horizon])
        return ", ".join(f"series {one.course.series.series_no}" for one in deciding)


def series_outcome(verdict: Verdict) -> SeriesOutcome:
    """Judge every lesion that the series treats. Linear in the assessments and injections of the series."""
    course = verdict.course
    at_treatments = _Sessions(course.treatments)
    at_all = at_treatments if _has_no_follow_up(course) else _Sessions(course.sessions)
    injections = Counter(
        injection.lesion_id for session in course.sessions for injection in session.injections
    )
    lesions = []
    for lesion_id in course.series.lesions:
        seen, outcome = at_treatments.judge(lesion_id)
        later, last_outcome = (seen, outcome) if at_all is at_treatments else at_all.judge(lesion_id)
        outcomes = _by_horizon(outcome, last_outcome)
        lesions.append(LesionOutcome(course, lesion_id, outcomes, injections[lesion_id], seen, later))
    return SeriesOutcome(verdict, lesions, _best(lesions))


class _Sessions:
    """What was seen of each lesion at some sessions of a series, in their order, and since when it was injected."""

    def __init__(self, sessions: Sequence[SessionRecord]):
        self._ptga = ptga_change([session.ptga for session in sessions])
        self._assessments: dict[str, list[AssessmentRecord]] = defaultdict(list)
        self._injected: dict[str, date] = {}
        self._gone: dict[str, date] = {}
        self._last: dict[str, date] = {}
        injected, last = self._injected, self._last
        for session in sessions:
            day = session.held_on
            # What is seen at the session of the first injection was seen before it.
            for lesion_id, seen in session.assessments.items():
                self._assessments[lesion_id].append(seen)
                if lesion_id in injected:
                    last[lesion_id] = day
                    if seen.status == "gone":
                        self._gone.setdefault(lesion_id, day)
            for injection in session.injections:
                if injection.lesion_id not in injected:
                    injected[injection.lesion_id] = day

    def judge(self, lesion_id: str) -> tuple[Findings, str]:
        """What was seen of a lesion, and its outcome."""
        baseline, end = baseline_and_end(self._assessments.get(lesion_id, ()))
        gone = self._gone.get(lesion_id)
        last = gone or self._last.get(lesion_id)
        watched = (
            None if last is None else _watched((last - self._injected[lesion_id]).days, gone is not None)
        )
        return Findings(baseline, end, watched), judge_ends(baseline, end, self._ptga)


@cache
def _watched(days: int, is_gone: bool) -> Watched:
    return Watched(days, is_gone)


def patient_outcome(patient: PatientRecord, series: Sequence[SeriesOutcome]) -> PatientOutcome:
    """The best of the patient's analysed series."""
    return PatientOutcome(patient, series, _best(series))


def _best(judged: Sequence[LesionOutcome] | Sequence[SeriesOutcome]) -> ByHorizon:
    return _by_horizon(*(judge_group(one.outcomes[horizon] for one in judged) for horizon in HORIZON))


def _sessions_within(course: Course, horizon: str) -> Sequence[SessionRecord]:
    return course.treatments if horizon == "end_of_treatment" else course.sessions


def _has_no_follow_up(course: Course) -> bool:
    return len(course.treatments) == len(course.sessions)


def count_outcomes(outcomes: Iterable[str]) -> dict[str, int]:
    """How many there are of each outcome; all four are listed."""
    counted = Counter(outcomes)
    return {outcome: counted[outcome] for outcome in OUTCOME}
