"""Garwood's interval against his table and against scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, poisson

from stsclinic.reporting.statistics.rates import rate_per_100


@pytest.mark.parametrize(
    ("events", "low", "high"),
    # Garwood, Biometrika 1936;28:437-42, table I (two-sided 95%).
    [
        (0, 0.0, 3.69),
        (1, 0.0253, 5.57),
        (2, 0.242, 7.22),
        (5, 1.62, 11.67),
        (10, 4.80, 18.39),
        (50, 37.11, 65.92),
    ],
)
def test_published_limits(events, low, high):
    found = rate_per_100(events, 100)
    assert found.per_100 == events
    assert found.low == pytest.approx(low, rel=3e-3)
    assert found.high == pytest.approx(high, rel=3e-3)


@given(st.integers(0, 400), st.integers(1, 10_000))
def test_the_ends_are_where_the_tails_are_a_fortieth(events, exposure):
    found = rate_per_100(events, exposure)
    low, high = found.low * exposure / 100, found.high * exposure / 100
    assert poisson.cdf(events, high) == pytest.approx(0.025, rel=1e-6)
    if events:
        assert poisson.sf(events - 1, low) == pytest.approx(0.025, rel=1e-6)
        assert low == pytest.approx(chi2.ppf(0.025, 2 * events) / 2, rel=1e-9)
    else:
        assert low == 0


def test_without_exposure_there_is_no_rate():
    assert rate_per_100(0, 0) is None


def test_fewer_than_no_events_are_refused():
    with pytest.raises(ValueError, match="fewer than 0"):
        rate_per_100(-1, 5)
