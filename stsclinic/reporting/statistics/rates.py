"""How sure is a rate of events? Garwood's exact interval of a Poisson count.

Source: Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437-42.
"""

from typing import NamedTuple


class Rate(NamedTuple):
    """Events per 100, and the ends of the 95% interval."""

    per_100: float
    low: float
    high: float


def rate_per_100(events: int, exposure: int) -> Rate | None:
    """The rate of `events` per 100 of `exposure` (treatments, injections); None without exposure.

    Raises:
        ValueError: fewer than no events.
    """
    if events < 0:
        raise ValueError("There cannot be fewer than 0 events.")
    if not exposure:
        return None
    from scipy.special import chdtri

    # chdtri(df, p) is where the chi-square distribution's upper tail is p.
    low = chdtri(2 * events, 0.975) / 2 if events else 0.0
    high = chdtri(2 * events + 2, 0.025) / 2
    return Rate(*(float(count) * 100 / exposure for count in (events, low, high)))
