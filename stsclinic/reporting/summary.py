"""The report: everything that is computed from a registry for one selection, each figure once.

summarise() is the only entry. Page, CSV, XLSX and JSON all come from the Report that it returns,
so they cannot differ. Time and memory are linear in the registry.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stsclinic.clinical.remission import FOOTNOTES as REMISSION_FOOTNOTES
from stsclinic.clinical.remission import HORIZON
from stsclinic.reporting import controlled as controlled_rules
from stsclinic.reporting import outcomes, scores
from stsclinic.reporting import selection as selection_rules
from stsclinic.reporting.controlled import Controlled, compare_arms
from stsclinic.reporting.disclosure import FOOTNOTE as CLOSED_FOOTNOTE
from stsclinic.reporting.disclosure import AllocationVisible, all_closed, conceal
from stsclinic.reporting.lesions import OUTCOMES, SomeLesions
from stsclinic.reporting.outcomes import PatientOutcome, SeriesOutcome, judge_outcomes, patient_outcome
from stsclinic.reporting.records import Registry
from stsclinic.reporting.scores import SCALES, score_changes, score_times
from stsclinic.reporting.selection import LEFT_OUT, Chosen, Selection, Verdict, choose, judge_series


@dataclass(frozen=True, slots=True)
class Report:
    """What summarise() found. The dictionaries have the shapes of the JSON object; numbers are unrounded."""

    selection: Selection
    cohort: dict[str, Any]
    scores: dict[str, list[dict[str, Any]]]
    change: dict[str, list[dict[str, Any]]]
    remission: dict[str, dict[str, dict[str, int]]]
    ulcers: dict[str, int]
    side_effects: list[dict[str, Any]]
    controlled: Controlled | None
    patients: Sequence[PatientOutcome]
    series: Sequence[SeriesOutcome]
    lesions: SomeLesions
    """Those of the analysed series, in columns."""
    left_out: Sequence[SeriesOutcome]
    judged: Sequence[SeriesOutcome]
    """All selected series, in the order of `chosen.visits`."""
    footnotes: Sequence[str]
    chosen: Chosen
    """What the selection left of the registry: all that the tables count from."""
    has_concealed: bool
    """Whether the allocation of a series is closed."""

    def as_json(self) -> dict[str, Any]:
        """The object that `series_report --json` prints: dicts, lists, str, int, float and None only."""
        return {
            "cohort": self.cohort,
            "scores": self.scores,
            "change": self.change,
            "remission": self.remission,
            "ulcers": self.ulcers,
            "side_effects": self.side_effects,
            "controlled": self.controlled.as_json() if self.controlled else None,
        }


def summarise(
    registry: Registry,
    selection: Selection | None = None,
    *,
    allocation_visible: AllocationVisible = all_closed,
) -> Report:
    """Compute the whole report. The arms of a series whose allocation is not visible never enter it."""
    import numpy as np

    selection = selection or Selection()
    chosen = choose(conceal(registry, allocation_visible), selection)
    verdicts = [verdict for _, courses in chosen.patients for verdict in judge_series(courses)]
    judged, every_lesion = judge_outcomes(verdicts, chosen.visits)
    series = [one for one in judged if not one.verdict.reason]
    places = np.array([one.course.place for one in series], dtype=np.int64)
    lesions = every_lesion.of_series(places)
    patients = _by_patient(series)
    # The longest first: floats are added up in this order, which decides their last digit.
    longest_first = places[np.argsort(-chosen.visits.treatments[places], kind="stable")]
    treated = chosen.visits.scores_within("end_of_treatment", longest_first)
    concealed = any(verdict.course.series.allocation_concealed for verdict in verdicts)
    return Report(
        selection=selection,
        cohort=_cohort(chosen, verdicts, patients),
        scores={scale: score_times(treated, scale) for scale in SCALES},
        change={scale: score_changes(treated, scale) for scale in SCALES},
        remission={
            horizon: {
                "by_lesion": lesions.count_outcomes(horizon),
                "by_series": _count_outcomes(one.outcomes[horizon] for one in series),
                "by_patient": _count_outcomes(one.outcomes[horizon] for one in patients),
            }
            for horizon in HORIZON
        },
        ulcers={
            "patients_with_ulcer": sum(one.had_ulcer for one in patients),
            "patients_all_healed": sum(one.all_ulcers_healed for one in patients),
        },
        side_effects=_side_effects(chosen),
        controlled=compare_arms(verdicts),
        patients=patients,
        series=series,
        lesions=lesions,
        left_out=[one for one in judged if one.verdict.reason],
        judged=judged,
        footnotes=(
            *selection_rules.FOOTNOTES,
            *scores.FOOTNOTES,
            *REMISSION_FOOTNOTES,
            *outcomes.FOOTNOTES,
            *controlled_rules.FOOTNOTES,
            *((CLOSED_FOOTNOTE,) if concealed else ()),
        ),
        chosen=chosen,
        has_concealed=concealed,
    )


def _count_outcomes(outcomes: Iterable[str]) -> dict[str, int]:
    """How many there are of each outcome; all four are listed."""
    counted = Counter(outcomes)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def _by_patient(series: Sequence[SeriesOutcome]) -> list[PatientOutcome]:
    grouped: dict[str, list[SeriesOutcome]] = {}
    for one in series:
        grouped.setdefault(one.course.patient.patient_id, []).append(one)
    return [patient_outcome(group[0].course.patient, group) for group in grouped.values()]


def _cohort(
    chosen: Chosen, verdicts: Sequence[Verdict], patients: Sequence[PatientOutcome]
) -> dict[str, Any]:
    visits = chosen.visits
    injected = visits.injections[visits.injections > 0]
    reasons = Counter(verdict.reason for verdict in verdicts)
    return {
        "patients_offered": len(chosen.patients),
        "patients_treated": sum(
            any(one.treatment_count for one in courses) for _, courses in chosen.patients
        ),
        "treatment_sessions": int(visits.treatments.sum()),
        "injections": int(injected.sum()),
        "lesions_per_session": (
            {"min": int(injected.min()), "max": int(injected.max())} if len(injected) else None
        ),
        "series_analysed": reasons[""],
        "patients_analysed": len(patients),
        "left_out": {reason: reasons[reason] for reason in LEFT_OUT if reasons[reason]},
        "analysed_by_sex": dict(sorted(Counter(one.patient.sex for one in patients).items())),
        "analysed_by_diagnosis": dict(sorted(Counter(one.patient.diagnosis for one in patients).items())),
    }


def _side_effects(chosen: Chosen) -> list[dict[str, Any]]:
    events = Counter(one.term for one in chosen.side_effects)
    patients = Counter(term for term, _ in {(one.term, one.patient_id) for one in chosen.side_effects})
    return [{"term": term, "events": events[term], "patients": patients[term]} for term in sorted(events)]
