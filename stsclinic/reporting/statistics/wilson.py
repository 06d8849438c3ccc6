"""How sure is a share of independent patients? Wilson's score interval.

Source: Wilson EB. Probable inference, the law of succession, and statistical inference.
J Am Stat Assoc 1927;22:209-12; recommended by Newcombe RG, Stat Med 1998;17:857-72.
"""

import math

Z95 = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""


def wilson_interval(events: int, total: int) -> tuple[float, float] | None:
    """The 95% interval of `events` of `total`, as shares from 0 to 1; None of nothing.

    Raises:
        ValueError: more events than there are, or fewer than none.
    """
    if not 0 <= events <= total:
        raise ValueError("The events must lie between 0 and the total.")
    if not total:
        return None
    share, square = events / total, Z95 * Z95
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = Z95 * math.sqrt(share * (1 - share) / total + square / (4 * total * total)) / (1 + square / total)
    # At the ends the formula gives 0 and 1 but for the last digit.
    return (0.0 if not events else middle - half), (1.0 if events == total else middle + half)
