"""What is the mean when the series of one patient resemble one another? A random intercept.

value = mean + patient + rest, by restricted maximum likelihood (REML). With the mean as its only fixed
term, the likelihood is a function of one number, the ratio of the two variances, and each patient enters
by the number and mean of the values; so it is fitted in one line search, linear in the values. The tests
hold it beside statsmodels' MixedLM, which loops over the patients.
Source: Laird NM, Ware JH. Random-effects models for longitudinal data. Biometrics 1982;38:963-74.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stsclinic.reporting.columns import Numbers

Z95 = 1.959963984540054
LARGEST_RATIO = 1e6
"""A patient's variance over the rest's beyond which there is no largest likelihood to be found."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The mean with its 95% interval and p (Wald). Where it did not converge, `problem` says so instead."""

    n: int
    patients: int
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    problem: str = ""


def random_intercept_mean(
    values: Sequence[float] | Numbers, patients: Sequence[str] | Sequence[int] | Numbers
) -> Fitted:
    """Fit values of series, each of the patient at the same place. Both are equally long."""
    import numpy as np
    from scipy.optimize import minimize_scalar
    from scipy.special import ndtr

    values = np.asarray(values, dtype=float)
    _, number = np.unique(patients, return_inverse=True)
    sizes = np.bincount(number).astype(float)
    groups = len(sizes)
    if groups < 2 or groups == len(values):
        problem = "No patient has two series." if groups > 1 else "There are not two patients."
        return Fitted(len(values), groups, problem=problem)
    if (values == values[0]).all():
        return Fitted(len(values), groups, problem="The values do not differ.")
    means = np.bincount(number, values) / sizes
    within = math.fsum(((values - means[number]) ** 2).tolist())

    def at(ratio: float) -> tuple[float, float, float]:
        """The mean, the rest's variance and -2 log restricted likelihood (but for a constant)."""
        weights = sizes / (1 + ratio * sizes)
        mean = float(weights @ means / weights.sum())
        squares = within + float(weights @ (means - mean) ** 2)
        likelihood = (
            (len(values) - 1) * math.log(squares)
            + float(np.log1p(ratio * sizes).sum())
            + math.log(weights.sum())
        )
        return mean, squares / (len(values) - 1), likelihood

    not_converged = Fitted(len(values), groups, problem="The model did not converge.")
    if within < 1e-12:
        return not_converged
    found = minimize_scalar(
        lambda logarithm: at(math.exp(logarithm))[2],
        bounds=(math.log(1e-8), math.log(LARGEST_RATIO)),
        method="bounded",
        options={"xatol": 1e-8, "maxiter": 200},
    )
    ratio = math.exp(found.x)
    if not found.success or ratio > LARGEST_RATIO / 2:
        return not_converged
    # The best ratio may be 0: patients differ no more than their series do.
    ratio = min((0.0, ratio), key=lambda one: at(one)[2])
    mean, variance, _likelihood = at(ratio)
    error = math.sqrt(variance / float((sizes / (1 + ratio * sizes)).sum()))
    return Fitted(
        len(values),
        groups,
        mean,
        mean - Z95 * error,
        mean + Z95 * error,
        float(2 * ndtr(-abs(mean / error))),
    )
