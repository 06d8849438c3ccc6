"""PtGA and PhGA before each treatment of the analysed series, and how far they fell.

Source: report 000, figure 1 and "Results". Scores are whole numbers, so sums and the question
whether there is any variance are exact; floats begin with the mean. numpy is imported where it is used.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from stsclinic.reporting.columns import Numbers

SCALES = {"ptga": "PtGA", "phga": "PhGA"}

FOOTNOTES = (
    "before_k is the score at the k-th treatment of a series, counted whether or not it has a score; last is "
    "that of its last treatment, whatever its number. Higher is worse.",
    "A decrease is the first score minus the later one, over the series that have both; positive is better.",
    "95% confidence interval and t by Student's t, paired and two-sided; Wilcoxon's signed-rank test is "
    "two-sided. None is given with fewer than two pairs or without variance.",
)


@dataclass(frozen=True, slots=True)
class Exact:
    """Values without rounding: whole numbers, each divided by a whole number, in two arrays of numpy."""

    numerators: Numbers
    denominators: Numbers

    @classmethod
    def whole(cls, values: Numbers) -> "Exact":
        """Of an array of whole numbers, whatever its type."""
        import numpy as np

        numerators = np.asarray(values).astype(np.int64)
        return cls(numerators, np.ones_like(numerators))

    @classmethod
    def of(cls, values: Sequence[int | Fraction]) -> "Exact":
        """Of few numbers, of whatever size."""
        import numpy as np

        parts = [one.numerator for one in values], [one.denominator for one in values]
        return cls(*(np.array(one, dtype=object) for one in parts))

    def __len__(self) -> int:
        return len(self.numerators)

    @property
    def floats(self) -> Numbers:
        """The nearest floats."""
        return (self.numerators / self.denominators).astype(float)

    @property
    def differ(self) -> bool:
        """Whether any two do."""
        first = self.numerators[:1] * self.denominators, self.denominators[:1] * self.numerators
        return bool((first[0] != first[1]).any())

    @property
    def total(self) -> int | Fraction:
        """Their sum."""
        return self._sum(self.numerators, 1)

    @property
    def standard_deviation(self) -> float | None:
        """With n-1; None of fewer than two values."""
        count = len(self)
        if count < 2:
            return None
        squares = count * self._sum(self.numerators**2, 2) - self.total**2
        return math.sqrt(Fraction(squares) / (count * (count - 1)))

    def _sum(self, numerators: Numbers, power: int) -> int | Fraction:
        """Of these, each divided by a power of its denominator."""
        import numpy as np

        found: int | Fraction = 0
        for denominator in np.unique(self.denominators).tolist():
            part = int(numerators[self.denominators == denominator].sum())
            found += part if denominator == 1 else Fraction(part, denominator**power)
        return found


def describe(values: Exact) -> dict[str, Any]:
    """n, mean, standard deviation (n-1) and median; null where there are too few values."""
    import numpy as np

    count = len(values)
    return {
        "n": count,
        "mean": values.total / count if count else None,
        "sd": values.standard_deviation,
        "median": float(np.median(values.floats)) if count else None,
    }


def describe_decrease(decreases: Exact) -> dict[str, Any]:
    """A paired change with its interval and t-test, from each series' first score minus the later one."""
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
    }
    if decreases.differ:
        from scipy.special import stdtrit

        middle = float(told["mean"])
        half = float(stdtrit(told["n"] - 1, 0.975)) * told["sd"] / math.sqrt(told["n"])
        result["ci95"] = [middle - half, middle + half]
        result |= paired_t(decreases.floats)
        result["p_t"] = result.pop("p")
    return result


def wilcoxon_p(decreases: Exact) -> float | None:
    """Of Wilcoxon's signed-rank test, two-sided; None without variance."""
    if not decreases.differ:
        return None
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a small sample is small; n is shown
        return float(stats.wilcoxon(decreases.floats).pvalue)


def mean_interval(n: int, mean: float | None, sd: float | None) -> tuple[float, float] | None:
    """The 95% interval of a mean by Student's t; None with fewer than two values or without variance."""
    if mean is None or not sd:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.975)) * sd / math.sqrt(n)
    return mean - half, mean + half


def paired_t(differences: Sequence[float] | Numbers) -> dict[str, Any]:
    """Two-sided paired t-test over differences, of which there must be two or more that are not all equal.

    Source: Student. The probable error of a mean. Biometrika 1908;6:1-25.
    """
    import numpy as np
    from scipy.special import stdtr

    df = len(differences) - 1
    t = np.mean(differences) / np.sqrt(np.var(differences, ddof=1) / (df + 1))
    return {"t": float(t), "df": df, "p": float(2 * stdtr(df, -abs(t)))}


class Scores:
    """PtGA and PhGA at the sessions of some series, in columns: a number for each series, NaN where it is missing.

    Args:
        counts: how many sessions of each series count.
        scores: by the codes of SCALES, those at these sessions, one series after the other; NaN where missing.
    """

    def __init__(self, counts: Numbers, scores: Mapping[str, Numbers]):
        import numpy as np

        self._counts, self._scores = counts, scores
        self._starts = np.cumsum(counts) - counts

    @property
    def most(self) -> int:
        """The most sessions that a series has."""
        return int(self._counts.max(initial=0))

    def before(self, scale: str, number: int) -> Numbers:
        """The score at the session of this number, from 1."""
        return self._at(scale, self._starts + number - 1, self._counts >= number)

    def last(self, scale: str) -> Numbers:
        """The score at the last session."""
        return self._at(scale, self._starts + self._counts - 1, self._counts > 0)

    def last_known(self, scale: str) -> Numbers:
        """The last score recorded after the first session."""
        import numpy as np

        scores = self._scores[scale]
        is_later = ~np.isnan(scores)
        is_later[self._starts[self._counts > 0]] = False
        later = np.flatnonzero(is_later)
        last = np.full(len(self._counts), -1)
        np.maximum.at(last, np.repeat(np.arange(len(self._counts)), self._counts)[later], later)
        return np.append(scores, np.nan)[last]

    def _at(self, scale: str, row: Numbers, is_there: Numbers) -> Numbers:
        import numpy as np

        found = np.full(len(self._counts), np.nan)
        found[is_there] = self._scores[scale][row[is_there]]
        return found

    def by_time(self, scale: str) -> dict[str, Numbers]:
        """The scores before each session, and at the last. Empty without series."""
        times = {f"before_{number}": self.before(scale, number) for number in range(1, self.most + 1)}
        return times | {"last": self.last(scale)} if times else {}


def known(scores: Numbers) -> Exact:
    """Those that are not missing."""
    import numpy as np

    return Exact.whole(scores[~np.isnan(scores)])


def score_times(scores: Scores, scale: str) -> list[dict[str, Any]]:
    """Scores of `scale` (`ptga` or `phga`) before each treatment, and at the last. Empty without series."""
    return [{"time": time, **describe(known(one))} for time, one in scores.by_time(scale).items()]


def score_changes(scores: Scores, scale: str) -> list[dict[str, Any]]:
    """Decreases of `scale` from before the first treatment to each later time. Empty without series."""
    times = scores.by_time(scale)
    first = times.pop("before_1", None)
    decreases = {time: known(first - later) for time, later in times.items()}
    return [
        {"from": "before_1", "to": time, **describe_decrease(one), "p_wilcoxon": wilcoxon_p(one)}
        for time, one in decreases.items()
    ]
