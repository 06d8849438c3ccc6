"""How sure is a share of lesions or series, when those of one patient are not independent?

Patients are drawn with replacement, each with all that is theirs, with a fixed seed: the same data
give the same interval. The interval is that of the percentiles of the shares drawn.
Source: Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall 1993, chapter 13;
Field CA, Welsh AH. Bootstrapping clustered data. J R Stat Soc B 2007;69:369-90.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

DRAWS = 4000
SEED = 20261120
PERCENTILES = (2.5, 97.5)


def share_interval(
    patients: Iterable[tuple[float, float]] | Mapping[tuple[float, float], int],
) -> tuple[float, float] | None:
    """The 95% interval of a share, from each patient's (events, total), or how many patients have it.

    None with fewer than two patients, and where none or all have it: then every draw is the same.

    Patients with the same numbers cannot be told apart, so how often each pair of numbers is drawn is
    one draw of a multinomial distribution: exact, and quick for any number of patients.
    """
    counted = {one: times for one, times in Counter(patients).items() if one[1]}
    drawn = sum(counted.values())
    events, totals = (sum(one[part] * times for one, times in counted.items()) for part in (0, 1))
    if drawn < 2 or not 0 < events < totals:
        return None
    import numpy as np

    # Sorted, so that the order of the patients does not matter.
    pairs = sorted(counted)
    chances = np.array([counted[pair] for pair in pairs], dtype=float) / drawn
    table = np.array(pairs, dtype=float)
    times = np.random.default_rng(SEED).multinomial(drawn, chances, size=DRAWS)
    drawn_events, drawn_totals = (times @ table).T
    low, high = np.percentile(drawn_events / drawn_totals, PERCENTILES)
    return float(low), float(high)
