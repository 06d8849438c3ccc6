"""What became of each lesion, series and patient, at both horizons, and of the ulcers.

The rules are stsclinic.clinical.remission; here they meet the records. Source: report 000.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from stsclinic.clinical.remission import (
    HORIZON,
    OUTCOME,
    Judgement,
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


@dataclass(frozen=True, slots=True)
class LesionOutcome:
    """One lesion of one series: a judgement for each horizon."""

    lesion_id: str
    arm: str
    injections: int
    by_horizon: Mapping[str, Judgement]
    had_ulcer: bool
    ulcer_healed: bool
    """Of a lesion that had an ulcer at baseline: gone or without ulcer at its end (end of treatment)."""


@dataclass(frozen=True, slots=True)
class SeriesOutcome:
    """One series, analysed or left out. Only analysed ones are counted."""

    verdict: Verdict
    lesions: Sequence[LesionOutcome]
    by_horizon: Mapping[str, Judgement]

    @property
    def course(self) -> Course:
        return self.verdict.course


@dataclass(frozen=True, slots=True)
class PatientOutcome:
    """A patient with an analysed series."""

    patient: PatientRecord
    series: Sequence[SeriesOutcome]
    by_horizon: Mapping[str, Judgement]

    @property
    def had_ulcer(self) -> bool:
        return any(lesion.had_ulcer for one in self.series for lesion in one.lesions)

    @property
    def all_ulcers_healed(self) -> bool:
        return self.had_ulcer and all(
            lesion.ulcer_healed for one in self.series for lesion in one.lesions if lesion.had_ulcer
        )


def series_outcome(verdict: Verdict) -> SeriesOutcome:
    """Judge every lesion that the series treats. Linear in the assessments and injections of the series."""
    course = verdict.course
    seen = {
        "end_of_treatment": _assessments_by_lesion(course.treatments),
        "follow_up": _assessments_by_lesion(course.sessions),
    }
    ptga = {
        "end_of_treatment": ptga_change([session.ptga for session in course.treatments]),
        "follow_up": ptga_change([session.ptga for session in course.sessions]),
    }
    injections: dict[str, int] = defaultdict(int)
    for session in course.sessions:
        for injection in session.injections:
            injections[injection.lesion_id] += 1

    lesions = []
    for lesion_id, arm in course.series.lesions.items():
        baseline, end = baseline_and_end(seen["end_of_treatment"].get(lesion_id, ()))
        had_ulcer = baseline is not None and baseline.ulcer is True
        lesions.append(
            LesionOutcome(
                lesion_id=lesion_id,
                arm=arm,
                injections=injections[lesion_id],
                by_horizon={
                    horizon: judge_lesion(assessments.get(lesion_id, ()), ptga[horizon])
                    for horizon, assessments in seen.items()
                },
                had_ulcer=had_ulcer,
                ulcer_healed=had_ulcer and end is not None and (end.status == "gone" or end.ulcer is False),
            )
        )
    return SeriesOutcome(verdict, lesions, {horizon: _judge_series(lesions, horizon) for horizon in HORIZON})


def patient_outcome(patient: PatientRecord, series: Sequence[SeriesOutcome]) -> PatientOutcome:
    """The best of the patient's analysed series, with the series that decide it."""
    by_horizon = {}
    for horizon in HORIZON:
        outcome = judge_group(one.by_horizon[horizon].outcome for one in series)
        by_horizon[horizon] = Judgement(outcome, partial(_explain_patient, outcome, series, horizon))
    return PatientOutcome(patient, series, by_horizon)


def count_outcomes(judgements: Iterable[Judgement]) -> dict[str, int]:
    """How many have each outcome; all four are listed."""
    counts = dict.fromkeys(OUTCOME, 0)
    for judgement in judgements:
        counts[judgement.outcome] += 1
    return counts


def _assessments_by_lesion(sessions: Iterable[SessionRecord]) -> Mapping[str, list[AssessmentRecord]]:
    found: dict[str, list[AssessmentRecord]] = defaultdict(list)
    for session in sessions:
        for lesion_id, assessment in session.assessments.items():
            found[lesion_id].append(assessment)
    return found


def _judge_series(lesions: Sequence[LesionOutcome], horizon: str) -> Judgement:
    outcome = judge_group(lesion.by_horizon[horizon].outcome for lesion in lesions)
    return Judgement(outcome, partial(_explain_series, outcome, lesions, horizon))


def _explain_series(outcome: str, lesions: Sequence[LesionOutcome], horizon: str) -> list[str]:
    """The reasons of the lesions that decide it."""
    if not lesions:
        return ["the series lists no lesion"]
    judged = [(lesion.lesion_id, lesion.by_horizon[horizon]) for lesion in lesions]
    return [f"{lesion_id} ({one.words})" for lesion_id, one in judged if one.outcome == outcome]


def _explain_patient(outcome: str, series: Sequence[SeriesOutcome], horizon: str) -> list[str]:
    """The series that decide it."""
    deciding = (one for one in series if one.by_horizon[horizon].outcome == outcome)
    return [f"series {one.course.series.series_no}" for one in deciding]
