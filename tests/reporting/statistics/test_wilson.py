"""Wilson's interval against published values and against scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from stsclinic.reporting.statistics.wilson import wilson_interval


@pytest.mark.parametrize(
    ("events", "total", "low", "high"),
    [
        # Newcombe, Stat Med 1998;17:857-72, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_intervals(events, total, low, high):
    found = wilson_interval(events, total)
    assert found == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_as_scipy(pair):
    expected = binomtest(*pair).proportion_ci(method="wilson")
    assert wilson_interval(*pair) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_of_nothing_there_is_none():
    assert wilson_interval(0, 0) is None


@pytest.mark.parametrize(("events", "total"), [(3, 2), (-1, 2)])
def test_impossible_counts_are_refused(events, total):
    with pytest.raises(ValueError, match="between 0 and the total"):
        wilson_interval(events, total)
