"""The sign-flip p against every way written out, against scipy, and against a textbook's data."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import permutation_test

from stsclinic.reporting.statistics.sign_flip import MOST_EXACT, sign_flip_p


def every_way(differences):
    sums = [
        sum(sign * one for sign, one in zip(signs, differences, strict=True))
        for signs in product((1, -1), repeat=len(differences))
    ]
    return sum(abs(one) >= abs(sum(differences)) for one in sums) / len(sums)


def test_darwins_maize():
    """Fisher, The design of experiments, section 21: 1726 of 32,768 ways, in eighths of an inch."""
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert sign_flip_p(differences) == 1726 / 32_768


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=8))
def test_every_way_is_counted(differences):
    assert sign_flip_p(differences) == pytest.approx(every_way(differences))


def test_thirds_are_counted_exactly():
    """As floats, sums of thirds that are equal would differ in the last digit."""
    differences = [Fraction(1, 3), Fraction(2, 3), Fraction(-1), Fraction(4, 3)]
    assert sign_flip_p(differences) == every_way(differences)


def test_as_scipy():
    differences = [3, -1, 4, 1, 5, -2]
    found = permutation_test(
        (differences, [0] * 6),
        lambda a, b: abs((a - b).sum()),
        permutation_type="samples",
        alternative="greater",
        vectorized=False,
    )
    assert sign_flip_p(differences) == pytest.approx(found.pvalue)


def test_many_pairs_are_drawn_with_a_fixed_seed():
    differences = [1] * 18 + [-1] * 9
    assert len(differences) > MOST_EXACT
    exact = 0.12204  # of a binomial distribution with 27 trials: twice the chance of 18 or more
    assert sign_flip_p(differences) == pytest.approx(exact, abs=0.004)
    assert sign_flip_p(differences) == sign_flip_p(differences)


@pytest.mark.parametrize(("differences", "p"), [([], None), ([4], None), ([0, 0], 1.0), ([2, 2], 0.5)])
def test_few_pairs(differences, p):
    assert sign_flip_p(differences) == p
