"""The random intercept against statsmodels, and against what is known without a computer."""

import random
import warnings
from collections import Counter

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.regression.mixed_linear_model import MixedLM

from stsclinic.reporting.statistics.mixed import random_intercept_mean


def simulated(seed, patients, between, within=1.5):
    generator = random.Random(seed)
    values, ids = [], []
    for number in range(patients):
        shift = generator.gauss(0, between)
        for _ in range(generator.randint(1, 5)):
            values.append(round(2.7 + shift + generator.gauss(0, within), 1))
            ids.append(f"P{number}")
    return values, ids


@pytest.mark.parametrize("between", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("seed", range(3))
def test_as_statsmodels(seed, between):
    values, ids = simulated(seed, 30, between)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = MixedLM(np.array(values), np.ones((len(values), 1)), groups=ids).fit(reml=True)
    ours = random_intercept_mean(values, ids)
    # The error of the mean from the variances that statsmodels found; its own is from a numerical Hessian.
    sizes = np.array(list(Counter(ids).values()))
    error = 1 / np.sqrt((sizes / (theirs.scale + float(theirs.cov_re[0, 0]) * sizes)).sum())
    assert not ours.problem
    assert ours.mean == pytest.approx(theirs.fe_params[0], abs=2e-5)
    assert ours.high - ours.low == pytest.approx(2 * 1.959964 * error, rel=1e-3)
    assert ours.p == pytest.approx(2 * norm.sf(theirs.fe_params[0] / error), rel=1e-2, abs=1e-12)


def test_equally_many_series_give_the_mean_of_the_patients():
    """Of balanced data the estimate is the mean, and its error that of the patients' means."""
    values = [1.0, 2.0, 5.0, 6.0, 3.0, 3.5, 8.0, 7.0]
    found = random_intercept_mean(values, list("aabbccdd"))
    means = [1.5, 5.5, 3.25, 7.5]
    assert found.mean == pytest.approx(np.mean(values))
    assert found.high - found.mean == pytest.approx(1.959964 * np.std(means, ddof=1) / 2, rel=1e-5)


def test_where_patients_do_not_differ_it_is_the_plain_mean():
    values = [1.0, 9.0, 2.0, 8.0, 1.5, 8.5]
    found = random_intercept_mean(values, list("aabbcc"))
    assert found.mean == pytest.approx(5.0)
    assert found.high - found.mean == pytest.approx(1.959964 * np.std(values, ddof=1) / np.sqrt(6))


@pytest.mark.parametrize(
    ("values", "ids", "problem"),
    [
        ([], "", "There are not two patients."),
        ([1, 2], "aa", "There are not two patients."),
        ([1, 2, 3], "abc", "No patient has two series."),
        ([2, 2, 2], "aab", "The values do not differ."),
        ([1, 1, 5, 5, 9, 9], "aabbcc", "The model did not converge."),
    ],
)
def test_it_says_when_there_is_no_answer(values, ids, problem):
    found = random_intercept_mean(values, list(ids))
    assert found.problem == problem
    assert (found.mean, found.low, found.high, found.p) == (None, None, None, None)
    assert found.n == len(values)
