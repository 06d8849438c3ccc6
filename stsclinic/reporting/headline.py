"""What is the result in four numbers, and does it depend on a choice?

The headline is the mean decrease of PtGA and PhGA from the first to the last treatment, and the share in
complete remission and in any. How sure it is shows in the same numbers under other choices.
Source: ICH E9(R1), sensitivity analyses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import compress, groupby
from typing import Any

from stsclinic.reporting.columns import Numbers
from stsclinic.reporting.lesions import OUTCOMES, count_outcomes, outcome_numbers
from stsclinic.reporting.outcomes import SeriesOutcome, best_of_those, patient_outcome
from stsclinic.reporting.records import PatientRecord
from stsclinic.reporting.rows import Behind, Value, behind
from stsclinic.reporting.scores import SCALES, Exact, describe_decrease
from stsclinic.reporting.selection import BESIDE, FEWEST_TREATMENTS, Course, judge_beside
from stsclinic.reporting.statistics.bootstrap import share_intervals
from stsclinic.reporting.statistics.mixed import random_intercept_mean
from stsclinic.reporting.statistics.wilson import wilson_interval
from stsclinic.reporting.visits import Visits

MEASURE = {
    "ptga": "Mean decrease of PtGA",
    "phga": "Mean decrease of PhGA",
    "complete": "Complete remission",
    "any": "Complete or partial remission",
}
SCALES_OF_HEADLINE = ("ptga", "phga")
IN_REMISSION = {"complete": ("complete",), "any": ("complete", "partial")}
INSIDE = {measure: [OUTCOMES.index(one) for one in those] for measure, those in IN_REMISSION.items()}
LEVEL_OF_UNIT = {"series": "series", "patient": "patients", "lesion": "lesions"}
"""The code of LEVEL for one of UNIT."""

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


def headline(series: Sequence[SeriesOutcome], horizon: str, unit: str) -> Headline:
    """The four numbers of analysed series, patient by patient, counted by `unit` (a code of UNIT) at a horizon."""
    judged = _Judged(series, horizon)
    return judged.all.headline(unit, judged.to_last)


def under_other_choices(series: Sequence[SeriesOutcome], horizon: str, unit: str) -> dict[str, Headline]:
    """The headline under each code of CHOICE. The series are all that were selected, patient by patient.

    What became of a series does not depend on whether it is analysed.
    """
    import numpy as np

    judged = _Judged(series, horizon)
    reported = judged.those(np.array([not one.verdict.reason for one in series], dtype=bool))
    carried = judged.those(_is_carried_forward(judged))
    treated = judged.those(judged.treatments > 0)
    scored = judged.those(~np.isnan(judged.to_last_known["ptga"]))
    first = reported.first_of_each_patient()
    lesion_or_series = "lesion" if unit == "lesion" else "series"
    return {
        "as_reported": reported.headline(unit, judged.to_last),
        # The series of a patient who has one are those of the patient, so their shares are independent.
        "first_series": first.scores("series", judged.to_last)
        | first.shares(lesion_or_series, are_independent=unit != "lesion"),
        "averaged": reported.scores("patient", judged.to_last) | reported.averaged_shares(lesion_or_series),
        "mixed": reported.mixed_scores(judged.to_last) | {"complete": None, "any": None},
        "carried_forward": carried.headline(unit, judged.to_last_known),
        "all_series": treated.scores(unit, judged.to_last_known)
        | scored.shares(unit, are_independent=unit == "patient"),
    }


def _is_carried_forward(judged: "_Judged") -> Numbers:
    """Which series would be analysed with the last observation carried forward.

    In place of rules 1 and 2, a series has ended and has a first and a later score of each kind. Only patients of
    whom other series are sound now are judged again.
    """
    import numpy as np

    series = judged.series
    found = np.array([not one.verdict.reason for one in series], dtype=bool)
    was_sound = np.array([one.verdict.reason in BESIDE for one in series], dtype=bool)
    has_ended = np.array([one.course.series.status in ("completed", "stopped") for one in series], dtype=bool)
    unknown = np.isnan(np.stack([judged.to_last_known[scale] for scale in SCALES_OF_HEADLINE])).any(axis=0)
    is_sound = (judged.treatments >= FEWEST_TREATMENTS) & has_ended & ~unknown
    again = np.isin(judged.patient, judged.patient[is_sound != was_sound])
    found[again] = False
    place_of = {id(series[place].course): place for place in np.flatnonzero(again & is_sound).tolist()}
    courses = (series[place].course for place in place_of.values())
    for _, of_patient in groupby(courses, key=lambda course: course.series.patient_id):
        for verdict in judge_beside(of_patient):
            found[place_of[id(verdict.course)]] = not verdict.reason
    return found


class _Judged:
    """Series, patient by patient, with their numbers in columns: the decreases of each score, NaN where unknown."""

    def __init__(self, series: Sequence[SeriesOutcome], horizon: str):
        import numpy as np

        self.series, self.horizon = series, horizon
        visits = series[0].course.visits if series else Visits([])
        places = np.array([one.course.place for one in series], dtype=np.int64)
        self.treatments = visits.treatments[places]
        scores = visits.scores_within("end_of_treatment", places)
        first = {scale: scores.before(scale, 1) for scale in SCALES_OF_HEADLINE}
        self.to_last = {scale: first[scale] - scores.last(scale) for scale in SCALES_OF_HEADLINE}
        self.to_last_known = {scale: first[scale] - scores.last_known(scale) for scale in SCALES_OF_HEADLINE}
        numbers: dict[str, int] = {}
        of_patient = [numbers.setdefault(one.course.series.patient_id, len(numbers)) for one in series]
        self.patient = np.array(of_patient, dtype=np.int64)
        self.outcome = outcome_numbers(one.outcomes[horizon] for one in series)

    @property
    def all(self) -> "_Part":
        import numpy as np

        return _Part(self, np.arange(len(self.series)))

    def those(self, inside: Numbers) -> "_Part":
        """The series of which this is true."""
        import numpy as np

        return _Part(self, np.flatnonzero(inside))


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the series, by their places."""

    judged: _Judged
    places: Numbers

    def headline(self, unit: str, decrease: Mapping[str, Numbers]) -> Headline:
        return self.scores(unit, decrease) | self.shares(unit, are_independent=unit == "patient")

    def first_of_each_patient(self) -> "_Part":
        import numpy as np

        found: dict[int, int] = {}
        series = self.judged.series

        for place in sorted(self.places.tolist(), key=lambda place: series[place].course.began):
            found.setdefault(int(self.judged.patient[place]), place)
        return _Part(self.judged, np.array(sorted(found.values()), dtype=np.int64))

    # Scores

    def scores(self, unit: str, decrease: Mapping[str, Numbers]) -> Headline:
        """The mean decreases, of each series, or by patient of the mean of the patient's."""
        of = self._by_patient if unit == "patient" else self._by_series
        return {scale: of(scale, *self._known(decrease[scale])) for scale in SCALES_OF_HEADLINE}

    def _known(self, decrease: Numbers) -> tuple[Numbers, Numbers]:
        """The places of the series whose decrease is known, and the decreases in points."""
        import numpy as np

        found = decrease[self.places]
        is_known = ~np.isnan(found)
        return self.places[is_known], found[is_known]

    def _by_series(self, scale: str, places: Numbers, points: Numbers) -> Estimate:
        return _of_decreases(Exact.whole(points), "series", scale, lambda: self._courses(places))

    def _by_patient(self, scale: str, places: Numbers, points: Numbers) -> Estimate:
        import numpy as np

        _, first, number = np.unique(self.judged.patient[places], return_index=True, return_inverse=True)
        sums = np.bincount(number, points).astype(np.int64)
        means = Exact(sums, np.bincount(number))
        return _of_decreases(means, "patients", scale, lambda: self._patients(places[first]))

    def mixed_scores(self, decrease: Mapping[str, Numbers]) -> Headline:
        found: Headline = {}
        for scale in SCALES_OF_HEADLINE:
            places, points = self._known(decrease[scale])
            fitted = random_intercept_mean(points, self.judged.patient[places])
            rows = _with_values(
                "series", partial(self._courses, places), points, f"Decrease of {SCALES[scale]}", 0
            )
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

    def _courses(self, places: Numbers) -> list[Course]:
        return [self.judged.series[place].course for place in places.tolist()]

    def _patients(self, places: Numbers) -> list[PatientRecord]:
        return [one.patient for one in self._courses(places)]

    # Remission

    def shares(self, unit: str, *, are_independent: bool) -> Headline:
        """The shares in remission; the interval is Wilson's where those counted are independent."""
        level, table = LEVEL_OF_UNIT[unit], self._outcomes(unit)
        (intervals,) = [{}] if are_independent else share_intervals([table], INSIDE)
        total = int(table.sum())
        found: Headline = {}
        for measure, columns in INSIDE.items():
            events = int(table[:, columns].sum())
            interval = wilson_interval(events, total) if are_independent else intervals[measure]
            low, high = interval or (None, None)
            found[measure] = Estimate(
                total,
                events / total if total else None,
                low,
                high,
                None,
                level,
                Behind(level, partial(self._members, unit)),
                Behind(level, partial(self._members, unit, IN_REMISSION[measure])),
                method="wilson" if are_independent else "bootstrap",
            )
        return found

    def averaged_shares(self, unit: str) -> Headline:
        """The mean over patients of the share of each."""
        table = self._outcomes(unit)
        totals, patients = table.sum(axis=1), self._patients(self._first_places())
        table = table[totals > 0] / totals[totals > 0, None]
        (intervals,) = share_intervals([table], INSIDE)
        patients = list(compress(patients, (totals > 0).tolist()))
        found: Headline = {}
        for measure, columns in INSIDE.items():
            shares = table[:, columns].sum(axis=1)
            inside = list(compress(patients, shares.tolist()))
            low, high = intervals[measure] or (None, None)
            found[measure] = Estimate(
                len(shares),
                float(shares.sum() / len(shares)) if len(shares) else None,
                low,
                high,
                None,
                "patients",
                _with_values("patients", lambda: patients, 100 * shares, "Share of the patient (%)", 1),
                behind("patients", inside),
                method="bootstrap",
            )
        return found

    def _outcomes(self, unit: str) -> Numbers:
        """A row for each patient: how many of the patient's units have each outcome, in the order of OUTCOMES."""
        import numpy as np

        _, number = np.unique(self.judged.patient[self.places], return_inverse=True)
        patients = int(number.max(initial=-1)) + 1
        if unit == "lesion":
            of_series = self._outcomes_of_lesions()
            return np.stack([np.bincount(number, one, patients) for one in of_series.T], axis=1)
        by_series = count_outcomes(number, self.judged.outcome[self.places], patients)
        if unit == "series":
            return by_series
        best = outcome_numbers(best_of_those(*one) for one in (by_series > 0).tolist())
        return count_outcomes(np.arange(patients), best, patients)

    def _outcomes_of_lesions(self) -> Numbers:
        """A row for each series: how many of its lesions have each outcome."""
        import numpy as np

        series = [self.judged.series[place] for place in self.places.tolist()]
        if not series:
            return np.zeros((0, len(OUTCOMES)), dtype=np.int64)
        outcome = series[0].judged.at[self.judged.horizon].outcome
        until = np.zeros((len(outcome) + 1, len(OUTCOMES)), dtype=np.int64)
        until[1:] = np.cumsum(np.eye(len(OUTCOMES), dtype=np.int64)[outcome], axis=0)
        return until[[one.stop for one in series]] - until[[one.start for one in series]]

    def _first_places(self) -> Numbers:
        """The place of the first series of each patient."""
        import numpy as np

        return self.places[np.unique(self.judged.patient[self.places], return_index=True)[1]]

    def _members(self, unit: str, outcomes: Sequence[str] = OUTCOMES) -> list[Any]:
        """The units that have one of these outcomes."""
        horizon, series = self.judged.horizon, [self.judged.series[place] for place in self.places.tolist()]
        if unit == "lesion":
            lesions = (lesion for one in series for lesion in one.lesions)
            return [lesion for lesion in lesions if lesion.outcomes[horizon] in outcomes]
        if unit == "series":
            return [one.course for one in series if one.outcomes[horizon] in outcomes]
        grouped = groupby(series, key=lambda one: one.course.series.patient_id)
        judged = [
            patient_outcome(group[0].course.patient, group) for group in (list(of) for _, of in grouped)
        ]
        return [one.patient for one in judged if one.outcomes[horizon] in outcomes]


def _of_decreases(decreases: Exact, unit: str, scale: str, find: Callable[[], Sequence[Any]]) -> Estimate:
    told = describe_decrease(decreases)
    low, high = told["ci95"] or (None, None)
    shown = _with_values(unit, find, decreases.floats, f"Decrease of {SCALES[scale]}", 2)
    mean = None if told["mean_decrease"] is None else float(told["mean_decrease"])
    return Estimate(told["n"], mean, low, high, told["p_t"], unit, shown, shown)


def _with_values(
    unit: str, find: Callable[[], Sequence[Any]], values: Numbers, label: str, decimals: int
) -> Behind:
    """Rows, found when they are asked for, with the value of each."""

    @cache
    def by_row() -> dict[int, float]:
        return {id(row): value for row, value in zip(find(), values.tolist(), strict=True)}

    return Behind(unit, find, Value(label, lambda row: by_row()[id(row)], decimals=decimals))
