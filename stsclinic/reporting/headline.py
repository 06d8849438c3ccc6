"""What is the result in four numbers, and does it depend on a choice?

The headline is the mean decrease of PtGA and PhGA from the first to the last treatment, and the share in
complete remission and in any. How sure it is shows in the same numbers under other choices.
Source: ICH E9(R1), sensitivity analyses.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from stsclinic.reporting.outcomes import SeriesOutcome, patient_outcome
from stsclinic.reporting.records import PatientRecord
from stsclinic.reporting.rows import Behind, Value, behind
from stsclinic.reporting.scores import SCALES, describe_decrease
from stsclinic.reporting.selection import FEWEST_TREATMENTS, Course, Verdict, judge_series
from stsclinic.reporting.statistics.bootstrap import share_interval
from stsclinic.reporting.statistics.mixed import random_intercept_mean
from stsclinic.reporting.statistics.wilson import wilson_interval

MEASURE = {
    "ptga": "Mean decrease of PtGA",
    "phga": "Mean decrease of PhGA",
    "complete": "Complete remission",
    "any": "Complete or partial remission",
}
SCALES_OF_HEADLINE = ("ptga", "phga")
IN_REMISSION = {"complete": ("complete",), "any": ("complete", "partial")}

CHOICE = {
    "as_reported": "As reported",
    "first_series": "Each patient once: first analysed series",
    "averaged": "Each patient once: mean of the analysed series",
    "mixed": "Mixed model, patient as random intercept",
    "carried_forward": "Last observation carried forward",
    "all_series": "Every series with two scores",
}

FOOTNOTES = (
    "Headline: a decrease is the first score minus that of the last treatment; positive is better. Its 95% "
    "confidence interval and p are by Student's t over the units counted. By patient, the decrease is the mean "
    "of the patient's analysed series; by lesion it is that of the series.",
    "Shares count those that are not evaluable in their denominator. The 95% interval of patients, and of one "
    "series of each patient, is Wilson's; that of series and lesions is a bootstrap over patients (percentiles "
    "of 4000 draws, fixed seed), since those of one patient are not independent, and is not given where none or "
    "all have it. No p is given for a share.",
    "How sure: each row counts the unit chosen where it can; “Of” says what it counts.",
    "First analysed series and mean of the analysed series: each patient counts once, but with lesions chosen "
    "the lesions of the first series are counted. The share of the mean is that of the patient's series (or "
    "lesions, where these are chosen), averaged over patients; its interval is the bootstrap over patients.",
    "Mixed model: a random intercept for each patient over the series, by REML, with Wald interval and p. It is "
    "of the scores only.",
    "Last observation carried forward: series that ended early (stopped for whatever reason, or completed with "
    "fewer treatments than planned) count too, and the last score recorded after the first treatment stands "
    "for a missing last one. At least two treatments and the first scores are needed; the rules on the same "
    "lesions and on the distance between series stay.",
    "Every series with two scores: each series, whether analysed or not, that has a first score and a later "
    "one; for remission, of PtGA.",
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number of the headline: decreases in points, shares from 0 to 1. `rows` is behind the value."""

    n: int
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    unit: str
    """patients, series or lesions: what n counts."""
    counted: Behind
    rows: Behind
    problem: str = ""
    method: str = "t"
    """Of the interval: t, wilson, bootstrap or wald."""


Headline = dict[str, Estimate | None]
Decrease = Callable[[Course, str], int | None]
"""How far the score of a series (`ptga` or `phga`) fell; None where it cannot be told."""


def headline(series: Sequence[SeriesOutcome], horizon: str, unit: str) -> Headline:
    """The four numbers of analysed series, counted by `unit` (a code of UNIT) at a horizon."""
    return _headline(series, horizon, unit, _to_last)


def under_other_choices(
    analysed: Sequence[SeriesOutcome],
    left_out: Sequence[SeriesOutcome],
    courses_by_patient: Iterable[Sequence[Course]],
    horizon: str,
    unit: str,
) -> dict[str, Headline]:
    """The headline under each code of CHOICE. The courses are all that were selected, by patient.

    What became of a series does not depend on whether it is analysed.
    """
    judged = {id(one.course): one for one in (*analysed, *left_out)}
    known = {
        (id(one.course), scale): _to_last_known(one.course, scale)
        for one in judged.values()
        for scale in SCALES_OF_HEADLINE
    }

    def to_last_known(course: Course, scale: str) -> int | None:
        return known[id(course), scale]

    def judge_carried_forward(course: Course) -> Verdict:
        return _judge_carried_forward(course, to_last_known)

    carried, every = [], []
    for courses in courses_by_patient:
        verdicts = judge_series(courses, judge_carried_forward)
        carried += [judged[id(verdict.course)] for verdict in verdicts if not verdict.reason]
        every += [judged[id(course)] for course in courses if course.treatments]
    scored = [one for one in every if to_last_known(one.course, "ptga") is not None]
    first = _first_of_each(analysed)
    # The series of a patient who has one are those of the patient, so their shares are independent.
    of_first = _members(first, horizon, "lesion" if unit == "lesion" else "series")
    return {
        "as_reported": headline(analysed, horizon, unit),
        "first_series": _series_scores(first, _to_last) | _shares(of_first, unit != "lesion"),
        "averaged": _averaged_scores(analysed, _to_last)
        | _averaged_shares(_members(analysed, horizon, "lesion" if unit == "lesion" else "series")),
        "mixed": _mixed_scores(analysed) | {"complete": None, "any": None},
        "carried_forward": _headline(carried, horizon, unit, to_last_known),
        "all_series": _scores(every, unit, to_last_known)
        | _shares(_members(scored, horizon, unit), unit == "patient"),
    }


def _judge_carried_forward(course: Course, decrease: Decrease) -> Verdict:
    """Like rules 1 and 2, for a series that has ended and has a first and a later score of each kind."""
    if not course.treatments:
        return Verdict(course, "no_treatment")
    if course.series.status not in ("completed", "stopped") or len(course.treatments) < FEWEST_TREATMENTS:
        return Verdict(course, "incomplete")
    known = all(decrease(course, scale) is not None for scale in SCALES_OF_HEADLINE)
    return Verdict(course, "" if known else "insufficient_registration")


def _headline(series: Sequence[SeriesOutcome], horizon: str, unit: str, decrease: Decrease) -> Headline:
    return _scores(series, unit, decrease) | _shares(_members(series, horizon, unit), unit == "patient")


def _to_last(course: Course, scale: str) -> int | None:
    """From the first treatment to the last one."""
    first, last = getattr(course.treatments[0], scale), getattr(course.treatments[-1], scale)
    return None if first is None or last is None else first - last


def _to_last_known(course: Course, scale: str) -> int | None:
    """From the first treatment to the last later one that has the score."""
    scores = [getattr(treatment, scale) for treatment in course.treatments]
    if not scores or scores[0] is None:
        return None
    later = next((score for score in reversed(scores[1:]) if score is not None), None)
    return None if later is None else scores[0] - later


def _first_of_each(series: Sequence[SeriesOutcome]) -> list[SeriesOutcome]:
    found: dict[str, SeriesOutcome] = {}
    for one in sorted(series, key=lambda one: (one.course.first_treatment_on, one.course.series.series_no)):
        found.setdefault(one.course.series.patient_id, one)
    return list(found.values())


def _by_patient(series: Sequence[SeriesOutcome]) -> dict[str, list[SeriesOutcome]]:
    found: dict[str, list[SeriesOutcome]] = {}
    for one in series:
        found.setdefault(one.course.series.patient_id, []).append(one)
    return found


def _of_decreases(
    decreases: Sequence[int | Fraction], unit: str, rows: Sequence[Any], scale: str
) -> Estimate:
    told = describe_decrease(decreases)
    low, high = told["ci95"] or (None, None)
    shown = _with_values(unit, rows, decreases, f"Decrease of {SCALES[scale]}", 2)
    mean = None if told["mean_decrease"] is None else float(told["mean_decrease"])
    return Estimate(told["n"], mean, low, high, told["p_t"], unit, shown, shown)


def _with_values(
    unit: str, rows: Sequence[Any], values: Sequence[int | Fraction | float], label: str, decimals: int
) -> Behind:
    of = {id(row): value for row, value in zip(rows, values, strict=True)}
    return behind(unit, rows, Value(label, lambda row: float(of[id(row)]), decimals=decimals))


def _pairs(series: Sequence[SeriesOutcome], scale: str, decrease: Decrease) -> list[tuple[Course, int]]:
    return [(one.course, found) for one in series if (found := decrease(one.course, scale)) is not None]


def _scores(series: Sequence[SeriesOutcome], unit: str, decrease: Decrease) -> Headline:
    return _averaged_scores(series, decrease) if unit == "patient" else _series_scores(series, decrease)


def _series_scores(series: Sequence[SeriesOutcome], decrease: Decrease) -> Headline:
    found: Headline = {}
    for scale in SCALES_OF_HEADLINE:
        pairs = _pairs(series, scale, decrease)
        found[scale] = _of_decreases(
            [points for _, points in pairs], "series", [course for course, _ in pairs], scale
        )
    return found


def _averaged_scores(series: Sequence[SeriesOutcome], decrease: Decrease) -> Headline:
    found: Headline = {}
    for scale in SCALES_OF_HEADLINE:
        values: dict[str, list[int]] = {}
        patients = {}
        for course, points in _pairs(series, scale, decrease):
            values.setdefault(course.series.patient_id, []).append(points)
            patients[course.series.patient_id] = course.patient
        found[scale] = _of_decreases(
            [one[0] if len(one) == 1 else Fraction(sum(one), len(one)) for one in values.values()],
            "patients",
            list(patients.values()),
            scale,
        )
    return found


def _mixed_scores(series: Sequence[SeriesOutcome]) -> Headline:
    found: Headline = {}
    for scale in SCALES_OF_HEADLINE:
        pairs = _pairs(series, scale, _to_last)
        fitted = random_intercept_mean(
            [decrease for _, decrease in pairs], [course.series.patient_id for course, _ in pairs]
        )
        decreases = [decrease for _, decrease in pairs]
        courses = [course for course, _ in pairs]
        rows = _with_values("series", courses, decreases, f"Decrease of {SCALES[scale]}", 0)
        found[scale] = Estimate(
            fitted.n,
            fitted.mean,
            fitted.low,
            fitted.high,
            fitted.p,
            "series",
            rows,
            rows,
            fitted.problem,
            "wald",
        )
    return found


class _Member(NamedTuple):
    """Somebody or something that is in remission or not: of whom, its row, its outcome."""

    patient: PatientRecord
    row: Any
    outcome: str


class _Members(NamedTuple):
    """What is counted. `level` is a code of LEVEL."""

    level: str
    found: Sequence[_Member]

    @property
    def by_patient(self) -> list[list[_Member]]:
        grouped: dict[str, list[_Member]] = {}
        for one in self.found:
            grouped.setdefault(one.patient.patient_id, []).append(one)
        return list(grouped.values())


def _members(series: Sequence[SeriesOutcome], horizon: str, unit: str) -> _Members:
    """The units of these series with their outcomes."""
    if unit == "patient":
        judged = [patient_outcome(group[0].course.patient, group) for group in _by_patient(series).values()]
        return _Members(
            "patients", [_Member(one.patient, one.patient, one.outcomes[horizon]) for one in judged]
        )
    if unit == "lesion":
        return _Members(
            "lesions",
            [
                _Member(one.course.patient, lesion, lesion.outcomes[horizon])
                for one in series
                for lesion in one.lesions
            ],
        )
    return _Members(
        "series",
        [_Member(one.course.patient, one.course, one.outcomes[horizon]) for one in series],
    )


def _shares(members: _Members, are_independent: bool) -> Headline:
    """The shares in remission; the interval is Wilson's where the members are independent."""
    counted = behind(members.level, [one.row for one in members.found])
    total = len(members.found)
    found: Headline = {}
    for measure, outcomes in IN_REMISSION.items():
        inside = [one.row for one in members.found if one.outcome in outcomes]
        if are_independent:
            interval = wilson_interval(len(inside), total)
        else:
            interval = share_interval(
                (sum(one.outcome in outcomes for one in group), len(group)) for group in members.by_patient
            )
        low, high = interval or (None, None)
        found[measure] = Estimate(
            total,
            len(inside) / total if total else None,
            low,
            high,
            None,
            members.level,
            counted,
            behind(members.level, inside),
            method="wilson" if are_independent else "bootstrap",
        )
    return found


def _averaged_shares(members: _Members) -> Headline:
    """The mean over patients of the share of each."""
    groups = members.by_patient
    patients = [group[0].patient for group in groups]
    found: Headline = {}
    for measure, outcomes in IN_REMISSION.items():
        shares = [sum(one.outcome in outcomes for one in group) / len(group) for group in groups]
        low, high = share_interval([(share, 1) for share in shares]) or (None, None)
        inside = [patient for patient, share in zip(patients, shares, strict=True) if share]
        found[measure] = Estimate(
            len(shares),
            sum(shares) / len(shares) if shares else None,
            low,
            high,
            None,
            "patients",
            _with_values("patients", patients, [100 * one for one in shares], "Share of the patient (%)", 1),
            behind("patients", inside),
            method="bootstrap",
        )
    return found
