"""Could the difference between the arms be chance? The sign-flip permutation test.

If the arms did the same, each subject's difference could as well have had the other sign. The p is
the share of all 2^n ways to choose the signs whose sum is at least as far from 0 as the one seen.
Source: Fisher RA. The design of experiments. Oliver & Boyd 1935, section 21; Pitman EJG. Significance
tests which may be applied to samples from any populations. J R Stat Soc Suppl 1937;4:119-30.
"""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

MOST_EXACT = 20
"""Pairs up to which every way is counted; above it, DRAWS ways are drawn with a fixed seed."""
DRAWS = 100_000
SEED = 20261120


def sign_flip_p(differences: Sequence[Fraction | int]) -> float | None:
    """The two-sided p of paired differences; None with fewer than two.

    Sums are exact fractions, so that equal sums are counted as equal.
    """
    if len(differences) < 2:
        return None
    if len(differences) > MOST_EXACT:
        return _drawn_p([float(one) for one in differences])
    sums: Counter[Fraction] = Counter({Fraction(0): 1})
    for size in (abs(Fraction(one)) for one in differences):
        flipped: Counter[Fraction] = Counter()
        for total, ways in sums.items():
            flipped[total + size] += ways
            flipped[total - size] += ways
        sums = flipped
    seen = abs(Fraction(sum(Fraction(one) for one in differences)))
    return sum(ways for total, ways in sums.items() if abs(total) >= seen) / 2 ** len(differences)


def _drawn_p(differences: Sequence[float]) -> float:
    """The same from drawn signs; the one seen counts as one of them (so that p is never 0)."""
    import numpy as np

    sizes = np.abs(np.array(differences))
    seen, tolerance = abs(sum(differences)), 1e-9 * float(sizes.sum())
    generator, at_least, left = np.random.default_rng(SEED), 0, DRAWS
    while left:
        part = min(left, max(1, 2_000_000 // len(sizes)))
        signs = generator.integers(0, 2, size=(part, len(sizes)), dtype=np.int8) * 2 - 1
        at_least += int((np.abs(signs @ sizes) >= seen - tolerance).sum())
        left -= part
    return (at_least + 1) / (DRAWS + 1)
