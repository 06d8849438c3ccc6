"""What became of each lesion, series and patient, at both horizons, and of the ulcers.

The rules are stsclinic.clinical.remission; here they meet the records. Source: report 000.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from stsclinic.clinical.remission import (
    HORIZON,
    OUTCOME,
    baseline_and_end,
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


@dataclass(frozen=True, slots=True)
class LesionOutcome:
    """One lesion of one series: what became of it at each horizon. It stands for itself as LesionOf does."""

    course: Course
    lesion_id: str
    outcomes: ByHorizon
    injections: int
    had_ulcer: bool
    ulcer_healed: bool
    """Of a lesion that had an ulcer at baseline: gone or without ulcer at its end (end of treatment)."""

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
    treated = _assessments_by_lesion(course.treatments)
    followed = treated if _has_no_follow_up(course) else _assessments_by_lesion(course.sessions)
    ptga_treated = ptga_change([session.ptga for session in course.treatments])
    ptga_followed = ptga_change([session.ptga for session in course.sessions])
    injections = Counter(
        injection.lesion_id for session in course.sessions for injection in session.injections
    )

    lesions = []
    for lesion_id in course.series.lesions:
        seen = treated.get(lesion_id, ())
        baseline, end = baseline_and_end(seen)
        had_ulcer = baseline is not None and baseline.ulcer is True
        at_end = judge_lesion(seen, ptga_treated).outcome
        later = (
            at_end
            if followed is treated
            else judge_lesion(followed.get(lesion_id, ()), ptga_followed).outcome
        )
        lesions.append(
            LesionOutcome(
                course=course,
                lesion_id=lesion_id,
                outcomes=_by_horizon(at_end, later),
                injections=injections[lesion_id],
                had_ulcer=had_ulcer,
                ulcer_healed=had_ulcer and end is not None and (end.status == "gone" or end.ulcer is False),
            )
        )
    return SeriesOutcome(verdict, lesions, _best(lesions))


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


def _assessments_by_lesion(sessions: Iterable[SessionRecord]) -> Mapping[str, list[AssessmentRecord]]:
    found: dict[str, list[AssessmentRecord]] = defaultdict(list)
    for session in sessions:
        for lesion_id, assessment in session.assessments.items():
            found[lesion_id].append(assessment)
    return found
