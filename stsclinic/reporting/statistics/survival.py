"""How long until a lesion is gone? Kaplan-Meier, with an interval that respects patients.

Source: Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat Assoc
1958;53:457-81. The interval draws patients with all of their lesions, since those are not independent
(Ying Z, Wei LJ. The Kaplan-Meier estimate for dependent failure time data. J Multivar Anal 1994;50:17-29).
"""

from dataclasses import dataclass
from typing import Any

from stsclinic.reporting.statistics.bootstrap import times_drawn

DRAWS = 1000
SEED = 20261120
PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Step:
    """One day: how many were at risk just before it, and the share that is gone by then (0 to 1)."""

    days: int
    at_risk: int
    gone: int
    censored: int
    share_gone: float
    low: float | None
    high: float | None


def time_to_gone(patient: Any, days: Any, is_gone: Any) -> list[Step]:
    """A step for each day on which a lesion was seen gone or was last seen. Linear in lesions plus patients times steps.

    `low` and `high` are None with fewer than two patients, and before any lesion is gone. A lesion that is last seen on the day on which
    another is gone was at risk then.

    Args:
        patient: a whole number from 0 for each lesion, in the order of the patients' IDs; an array of numpy, as the
            others.
        days: from its first injection to being seen gone, or to its last assessment.
        is_gone: whether it was seen gone.
    """
    if not len(days):
        return []
    import numpy as np

    patients, row = _different(patient)
    each_day, place = _different(days)
    cell, shape = row * len(each_day) + place, (len(patients), len(each_day))

    def table(weights: Any) -> Any:
        return np.bincount(cell, weights, shape[0] * shape[1]).astype(float).reshape(shape)

    ended, gone = table(None), table(is_gone)
    whole_gone, whole_risk = gone.sum(axis=0), _at_risk(ended.sum(axis=0))
    shares = _share_gone(whole_gone, whole_risk)
    has_interval = len(patients) > 1
    low, high = _interval(gone, ended) if has_interval else (shares, shares)
    return [
        Step(
            days=day,
            at_risk=int(whole_risk[number]),
            gone=int(whole_gone[number]),
            censored=int(ended[:, number].sum() - whole_gone[number]),
            share_gone=float(shares[number]),
            low=float(low[number]) if has_interval and shares[number] else None,
            high=float(high[number]) if has_interval and shares[number] else None,
        )
        for number, day in enumerate(each_day.tolist())
    ]


def _different(numbers: Any) -> tuple[Any, Any]:
    """The different numbers in order, and the place of each one's. They are whole and not negative."""
    import numpy as np

    is_there = np.bincount(numbers) > 0
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[numbers]


def _share_gone(gone, at_risk):
    """1 minus the product over the days; where nobody is at risk, nothing changes."""
    import numpy as np

    stays = 1 - np.divide(gone, at_risk, out=np.zeros_like(gone), where=at_risk > 0)
    return 1 - np.cumprod(stays, axis=-1)


def _interval(gone, ended):
    import numpy as np

    patients, steps = gone.shape
    both = np.hstack([gone, ended])
    drawn = []
    for times in times_drawn(patients, DRAWS, SEED):
        sums = times @ both
        drawn.append(_share_gone(sums[:, :steps], _at_risk(sums[:, steps:])))
    return np.percentile(np.concatenate(drawn), PERCENTILES, axis=0)


def _at_risk(ended):
    """Those who end on a day or later were at risk on it."""
    import numpy as np

    return np.cumsum(ended[..., ::-1], axis=-1)[..., ::-1]
