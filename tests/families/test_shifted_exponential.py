"""The shifted exponential family: a jump at the shift, whose estimate converges at rate n."""

import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario
from tests.families.ends import ROWS, SIZES, assert_maxima, assert_mean, log_uniform

FAMILY, EXPONENTIAL = FAMILIES["shifted_exponential"], FAMILIES["exponential"]
NAMES = ("shift", "rate")


def theory(known=()):
    return limits(Scenario("s", "shifted_exponential", NAMES, (1.0, 2.0), "shifted_exponential", known, 1, 2, 0.95))


def test_log_density():
    x = np.array([-5.0, 0.999, 1.0, 1.0 + 1e-9, 3.0, 400.0])
    expected = stats.expon.logpdf(x, loc=1.0, scale=0.5)
    np.testing.assert_allclose(FAMILY.log_density(x, (1.0, 2.0)), expected, rtol=1e-14)


def test_limits():
    """E[s] = (λ, 0), E[s sᵀ] = diag(λ², 1/λ²), −E[Hessian] = [[0, −1], [−1, 1/λ²]]."""
    found = theory()
    np.testing.assert_array_equal(found.information, np.diag([4.0, 0.25]))
    np.testing.assert_array_equal(found.hessian, [[0.0, -1.0], [-1.0, 0.25]])
    np.testing.assert_array_equal(found.score_mean, [2.0, 0.0])
    np.testing.assert_array_equal(found.score_covariance, np.diag([0.0, 0.25]))
    np.testing.assert_array_equal(found.covariance, np.diag([0.0, 4.0]))
    np.testing.assert_array_equal(found.rates, [1.0, 0.5])
    np.testing.assert_array_equal(found.rate_covariance, np.diag([0.25, 4.0]))
    assert "jumps at the shift" in found.irregularity
    given = simstudy.expected_information("shifted_exponential", {"rate": 2.0, "shift": 1.0})
    np.testing.assert_array_equal(given.to_numpy(), np.diag([0.25, 4.0]))


def test_limits_with_one_parameter_known():
    regular, irregular = theory(("shift",)), theory(("rate",))
    assert (regular.irregularity, regular.hessian, regular.score_covariance) == ("", [[0.25]], [[0.25]])
    assert (irregular.hessian, irregular.score_mean, irregular.rate_covariance) == ([[0.0]], [2.0], [[0.25]])


@pytest.mark.parametrize("n", SIZES)
def test_fits(n):
    rng = np.random.default_rng(n)
    scale = log_uniform(rng, 1e-8, 1e8)
    x = FAMILY.sample(rng, (scale * rng.normal(0.0, 30.0, (ROWS, 1)), 1.0 / scale), (ROWS, n))
    found = assert_maxima(FAMILY, x)
    np.testing.assert_array_equal(found.theta[:, 0], x.min(axis=1))
    beyond = (x - x.min(axis=1, keepdims=True)).mean(axis=1)
    np.testing.assert_allclose(found.theta[:, 1], 1.0 / beyond, rtol=1e-14)


@pytest.mark.parametrize("n", [4, 30])
def test_the_estimates_are_exact(n):
    """nλ(m̂ − m) is exponential and nλ/λ̂ gamma with shape n − 1, independent of each other."""
    rate = 2.0
    x = FAMILY.sample(np.random.default_rng(n), (1.0, rate), (40_000, n))
    shift, found = fit(FAMILY, x).theta.T
    first, second = n * rate * (shift - 1.0), n * rate / found
    assert_mean(first, 1.0, 1.0)
    assert_mean(second, n - 1.0, n - 1.0)
    assert_mean((first - 1.0) * (second - n + 1.0), 0.0)
    assert stats.kstest(first, stats.expon.cdf).pvalue > 1e-4
    assert stats.kstest(second, stats.gamma(n - 1).cdf).pvalue > 1e-4


def test_known_parameters():
    x = FAMILY.sample(np.random.default_rng(2), (1.0, 2.0), (ROWS, 9))
    by_shift, plain = fit(FAMILY, x, {"shift": 1.0}), fit(EXPONENTIAL, x - 1.0)
    np.testing.assert_allclose(by_shift.theta, plain.theta, rtol=1e-13)
    np.testing.assert_array_equal(fit(FAMILY, x, {"rate": 7.0}).theta[:, 0], x.min(axis=1))
    assert fit(FAMILY, [3.0, 3.0], {"shift": 3.0}).status is Status.NO_MAXIMUM
    assert fit(FAMILY, [3.0, 3.0], {"rate": 3.0}).theta.tolist() == [3.0]
    assert fit(FAMILY, [3.0, 4.0], {"shift": 3.5}).status is Status.NOT_FINITE
    assert fit(FAMILY, [3.0, 9.0], {"shift": 3.5}).status is Status.NOT_FINITE


def test_degenerate_data():
    assert fit(FAMILY, np.full(5, 0.1)).status is Status.NO_MAXIMUM
    assert fit(FAMILY, [0.1]).status is Status.NO_MAXIMUM
    ties, outlier = np.array([1.0, 1, 1, 2, 2, 3]), np.array([0.0, 1, 2, 3, 4, 1e6])
    assert_maxima(FAMILY, np.stack([ties, outlier, -outlier, 1e8 + ties]))
    for bad in (np.nan, np.inf, -np.inf):
        assert fit(FAMILY, [1.0, bad, 2.0]).status is Status.NOT_FINITE
