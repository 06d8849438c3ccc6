"""Scores in columns: the same as one reads them session by session, and exact where they are averaged."""

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stsclinic.reporting.scores import Exact, Scores, describe, known, paired_t

score = st.none() | st.integers(1, 10)


def scores_of(visits):
    ptga = [math.nan if one is None else one for of in visits for one in of]
    missing = [math.nan] * len(ptga)
    counts = np.array([len(of) for of in visits], dtype=int)
    return Scores(counts, {"ptga": np.array(ptga, dtype=float), "phga": np.array(missing, dtype=float)})


def values(column):
    return [None if math.isnan(one) else int(one) for one in column.tolist()]


@given(st.lists(st.lists(score, max_size=6), max_size=8))
def test_each_column_is_what_one_reads(scores):
    found = scores_of(scores)
    assert found.most == max(map(len, scores), default=0)
    for number in range(1, 8):
        expected = [of[number - 1] if len(of) >= number else None for of in scores]
        assert values(found.before("ptga", number)) == expected
    assert values(found.last("ptga")) == [of[-1] if of else None for of in scores]
    later = [[one for one in of[1:] if one is not None] for of in scores]
    assert values(found.last_known("ptga")) == [of[-1] if of else None for of in later]
    assert values(found.last("phga")) == [None for _ in scores]


@given(st.lists(st.fractions(-9, 9, max_denominator=12), min_size=2, max_size=30))
def test_sums_are_exact(numbers):
    told = describe(Exact.of(numbers))
    assert float(told["mean"]) == float(sum(numbers, Fraction(0)) / len(numbers))
    assert told["median"] == pytest.approx(float(statistics.median(numbers)))
    assert told["sd"] == pytest.approx(math.sqrt(statistics.variance(numbers)))
    assert Exact.of(numbers).differ == (len(set(numbers)) > 1)


def test_thirds_that_add_up_to_one_do():
    assert Exact(np.array([1, 1, 1]), np.array([3, 3, 3])).total == 1


def test_what_is_missing_does_not_count():
    assert describe(known(np.array([1.0, np.nan, 4.0])))["n"] == 2
    assert describe(known(np.array([np.nan])))["mean"] is None


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=40).filter(lambda one: len(set(one)) > 1))
def test_the_paired_t_test_is_that_of_scipy(differences):
    told, expected = paired_t(differences), stats.ttest_1samp(differences, 0.0)
    assert told["df"] == expected.df
    assert (told["t"], told["p"]) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9, abs=1e-12)
