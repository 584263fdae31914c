"""The Lindley family."""

import math

import mpmath
import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from tests.families.fits import SIZES, assert_highest, assert_shares, assert_zero_score, quiet
from tests.precise import POSITIVE, information

FAMILY = FAMILIES["lindley"]
FORMULA = "2*log(theta) - log(1 + theta) + log(1 + x) - theta*x"
EXTREME = [1e-8, 0.1, 1.0, 10.0, 1e8]


def draws(theta, size, seed=1):
    return FAMILY.sample(np.random.default_rng(seed), [np.asarray(theta)], size)


def exact(x, theta):
    with mpmath.workdps(40):
        x, theta = mpmath.mpf(float(x)), mpmath.mpf(theta)
        return float(2 * mpmath.log(theta) - mpmath.log(1 + theta) + mpmath.log(1 + x) - theta * x)


@pytest.mark.parametrize("theta", EXTREME)
def test_log_density(theta):
    x = np.concatenate([[0.0], np.logspace(-100, 10, 60), draws(theta, 40)])
    found = FAMILY.log_density(x, [np.asarray(theta)])
    # A log-density near 0 is a difference of terms of the size of log θ.
    atol = 1e-15 * (1.0 + abs(math.log(theta)))
    np.testing.assert_allclose(found, [exact(value, theta) for value in x], rtol=1e-12, atol=atol)
    assert FAMILY.log_density(np.array([-1e-9]), [np.asarray(theta)])[0] == -np.inf


@pytest.mark.parametrize("theta", EXTREME)
def test_expected_information(theta):
    found = simstudy.expected_information("lindley", {"theta": theta}).to_numpy()
    np.testing.assert_allclose(found, information(FORMULA, ("theta",), POSITIVE, (theta,)), rtol=1e-14)


@pytest.mark.parametrize("n", SIZES)
def test_fits(n):
    theta = 10.0 ** np.random.default_rng(n).uniform(-8.0, 8.0, (60, 1))
    x = draws(theta, (60, n), n)
    found = quiet(FAMILY, x)
    assert all(status is Status.CONVERGED for status in found.status)
    some = slice(0, max(2, 60 // n))
    assert_zero_score(FAMILY, FORMULA, x[some], quiet(FAMILY, x[some]))
    assert_highest(FAMILY, x, found, [0, 1])


@pytest.mark.parametrize("theta", [0.5, 4.0])
def test_estimates_have_their_distribution(theta):
    """The estimate falls with x̄, and a sum of n observations is gamma with shape n + binomial(n, 1/(1+θ))."""
    n, values = 3, theta * np.array([0.6, 1.0, 2.0])
    found = quiet(FAMILY, draws(theta, (40_000, n), 4)).theta[:, 0]
    sums = n * (values + 2.0) / (values * (values + 1.0))
    extra = np.arange(n + 1)
    weights = stats.binom.pmf(extra, n, 1.0 / (1.0 + theta))
    above = stats.gamma.sf(sums[:, np.newaxis], n + extra, scale=1.0 / theta) @ weights
    assert_shares(found, values, above)


def test_degenerate_data():
    x = np.array([[2.0] * 4, [2.0, 2.0, 3.0, 3.0], [1.0, 1.0, 1.0, 1e6], [1.0] * 4, [0.0] * 4, [-1.0, 1.0, 1.0, 1.0]])
    found = quiet(FAMILY, x)
    assert list(found.status) == [*[Status.CONVERGED] * 4, Status.NO_MAXIMUM, Status.NOT_FINITE]
    assert_zero_score(FAMILY, FORMULA, x[:4], quiet(FAMILY, x[:4]))
