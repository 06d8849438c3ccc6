"""PtGA and PhGA before each treatment of the analysed series, and how far they fell.

Source: report 000, figure 1 and "Results". Scores are whole numbers, so sums and the question
whether there is any variance are exact; floats begin with the mean.
"""

import math
import statistics
import warnings
from collections.abc import Sequence
from fractions import Fraction
from operator import attrgetter
from typing import Any

from stsclinic.reporting.selection import Course

SCALES = {"ptga": "PtGA", "phga": "PhGA"}

FOOTNOTES = (
    "before_k is the score at the k-th treatment of a series, counted whether or not it has a score; last is "
    "that of its last treatment, whatever its number. Higher is worse.",
    "A decrease is the first score minus the later one, over the series that have both; positive is better.",
    "95% confidence interval and t by Student's t, paired and two-sided; Wilcoxon's signed-rank test is "
    "two-sided. None is given with fewer than two pairs or without variance.",
)


def describe(values: Sequence[int | Fraction]) -> dict[str, Any]:
    """n, mean, standard deviation (n-1) and median; null where there are too few values."""
    count, exact = len(values), _Sums(values)
    return {
        "n": count,
        "mean": exact.total / count if count else None,
        "sd": exact.standard_deviation,
        "median": float(statistics.median([float(one) for one in values])) if count else None,
    }


def describe_decrease(decreases: Sequence[int | Fraction]) -> dict[str, Any]:
    """A paired change with its interval and tests, from each series' first score minus the later one."""
    told = describe(decreases)
    result: dict[str, Any] = {
        "n": told["n"],
        "mean_decrease": told["mean"],
        "sd": told["sd"],
        "median_decrease": told["median"],
        "ci95": None,
        "t": None,
        "df": None,
        "p_t": None,
        "p_wilcoxon": None,
    }
    if len(set(decreases)) > 1:
        from scipy import stats

        middle = float(told["mean"])
        half = float(stats.t.ppf(0.975, told["n"] - 1)) * told["sd"] / math.sqrt(told["n"])
        result["ci95"] = [middle - half, middle + half]
        result |= paired_t([float(one) for one in decreases])
        result["p_t"] = result.pop("p")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a small sample is small; n is shown
            result["p_wilcoxon"] = float(stats.wilcoxon([float(one) for one in decreases]).pvalue)
    return result


def mean_interval(n: int, mean: float | None, sd: float | None) -> tuple[float, float] | None:
    """The 95% interval of a mean by Student's t; None with fewer than two values or without variance."""
    if mean is None or not sd:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.975)) * sd / math.sqrt(n)
    return mean - half, mean + half


def paired_t(differences: Sequence[float]) -> dict[str, Any]:
    """Two-sided paired t-test over differences, of which there must be two or more that are not all equal."""
    from scipy import stats

    result = stats.ttest_1samp(differences, 0.0)
    return {"t": float(result.statistic), "df": len(differences) - 1, "p": float(result.pvalue)}


def score_times(courses: Sequence[Course], scale: str) -> list[dict[str, Any]]:
    """Scores of `scale` (`ptga` or `phga`) before each treatment, and at the last. Empty without courses."""
    return [
        {"time": time, **describe([score for score in scores if score is not None])}
        for time, scores in _by_time(courses, scale).items()
    ]


def score_changes(courses: Sequence[Course], scale: str) -> list[dict[str, Any]]:
    """Decreases of `scale` from before the first treatment to each later time. Empty without courses."""
    times = _by_time(courses, scale)
    firsts = times.pop("before_1", [])
    return [
        {
            "from": "before_1",
            "to": time,
            **describe_decrease(
                [
                    first - later
                    for first, later in zip(firsts, scores, strict=False)
                    if first is not None and later is not None
                ]
            ),
        }
        for time, scores in times.items()
    ]


def _by_time(courses: Sequence[Course], scale: str) -> dict[str, list[int | None]]:
    """Each time's scores, longest course first: so the n-th score of every list is of the same course."""
    ordered = sorted(courses, key=lambda course: -len(course.treatments))
    score = attrgetter(scale)
    times: dict[str, list[int | None]] = {}
    for number in range(len(ordered[0].treatments) if ordered else 0):
        times[f"before_{number + 1}"] = [
            score(course.treatments[number]) for course in ordered if len(course.treatments) > number
        ]
    if ordered:
        times["last"] = [score(course.treatments[-1]) for course in ordered]
    return times


class _Sums:
    """Exact sums of values. They are added up as whole numbers of their common part, which is quick."""

    def __init__(self, values: Sequence[int | Fraction]):
        self._count = len(values)
        self._parts = math.lcm(*{one.denominator for one in values})
        whole = [one.numerator * (self._parts // one.denominator) for one in values]
        self._total, self._squares = sum(whole), sum(one * one for one in whole)

    @property
    def total(self) -> int | Fraction:
        """Their sum."""
        return self._total if self._parts == 1 else Fraction(self._total, self._parts)

    @property
    def standard_deviation(self) -> float | None:
        """With n-1; None of fewer than two values."""
        count = self._count
        if count < 2:
            return None
        squares = Fraction(count * self._squares - self._total**2, self._parts**2)
        return math.sqrt(squares / (count * (count - 1)))
