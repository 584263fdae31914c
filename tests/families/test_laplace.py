"""The Laplace family: a kink at the location."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

import simstudy
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario
from tests.families.ends import (
    ROWS,
    SIZES,
    assert_maxima,
    assert_mean,
    assert_none_higher,
    exact_log_density,
    log_uniform,
)

LAPLACE = FAMILIES["laplace"]
FAR = np.array([-700.0, -30.0, -1.0, 1e-9, 0.3, 2.0, 50.0, 1e5])


@pytest.mark.parametrize(("loc", "scale"), [(0.0, 1.0), (-3.0, 0.01), (1e3, 1e4)])
def test_log_density(loc, scale):
    x = loc + scale * FAR
    expected = exact_log_density("-Abs(x - loc)/scale - log(2*scale)", ("loc", "scale"), x, (loc, scale))
    np.testing.assert_allclose(LAPLACE.log_density(x, (loc, scale)), expected, rtol=1e-13)
    core = np.abs(FAR) < 40.0  # scipy takes the logarithm of a density that underflows
    expected = stats.laplace.logpdf(x[core], loc, scale)
    np.testing.assert_allclose(LAPLACE.log_density(x[core], (loc, scale)), expected, rtol=1e-12)


def scenario(known=(), n=1, loc=0.7, scale=3.0):
    return Scenario("l", "laplace", ("loc", "scale"), (loc, scale), "laplace", known, n, 2, 0.95)


def test_information_from_the_score_and_from_the_hessian():
    """E[sign²] = E[(|z| − 1)²] = 1 and E[sign·(|z| − 1)] = 0; minus the Hessian has means 0, 0 and 2E|z| − 1 = 1."""
    found = simstudy.expected_information("laplace", {"loc": 0.7, "scale": 3.0}).to_numpy()
    np.testing.assert_allclose(found, np.eye(2) / 9.0, rtol=1e-15)
    theory = limits(scenario())
    np.testing.assert_allclose(theory.hessian, np.diag([0.0, 1.0]) / 9.0, rtol=1e-15)
    np.testing.assert_allclose(theory.score_covariance, np.eye(2) / 9.0, rtol=1e-15)
    np.testing.assert_allclose(theory.rate_covariance, np.eye(2) * 9.0, rtol=1e-15)
    assert theory.rates.tolist() == [0.5, 0.5]
    assert "kink at loc" in theory.irregularity


def test_a_known_location_leaves_nothing_irregular():
    theory = limits(scenario(known=("loc",)))
    assert theory.irregularity == ""
    np.testing.assert_allclose([theory.hessian, theory.score_covariance], 1.0 / 9.0, rtol=1e-15)
    assert limits(scenario(known=("scale",))).hessian.tolist() == [[0.0]]


@pytest.mark.parametrize("n", SIZES)
def test_fits(n):
    rng = np.random.default_rng(n)
    scale = log_uniform(rng, 1e-8, 1e8)
    x = LAPLACE.sample(rng, (scale * rng.normal(0.0, 30.0, (ROWS, 1)), scale), (ROWS, n))
    found = assert_maxima(LAPLACE, x)
    np.testing.assert_allclose(found.theta[:, 0], np.median(x, axis=1), rtol=1e-15)
    spread = np.abs(x - found.theta[:, :1]).mean(axis=1)
    np.testing.assert_allclose(found.theta[:, 1], spread, rtol=1e-13)
    near = np.flatnonzero((np.abs(scale[:, 0] - 1.0) < 0.9) | (n < 10))[:2]
    assert_none_higher(LAPLACE, x / scale, fit(LAPLACE, x / scale), near)


def test_known_parameters():
    x = np.array([[3.0, -1.0, 4.0, 1.0, 5.0], [2.0, 2.0, 2.0, 2.0, 2.0]])
    assert fit(LAPLACE, x, {"loc": 2.0}).theta[0] == [np.abs(x[0] - 2.0).mean()]
    assert fit(LAPLACE, x, {"loc": 2.0}).status[1] is Status.NO_MAXIMUM
    assert fit(LAPLACE, x, {"scale": 2.0}).theta.tolist() == [[3.0], [2.0]]


def test_degenerate_data():
    constant, ties, outlier = np.full(6, 0.1), np.array([1.0, 1, 1, 2, 2, 3]), np.array([0.0, 1, 2, 3, 4, 1e6])
    found = fit(LAPLACE, np.stack([constant, ties, outlier]))
    assert found.status.tolist() == [Status.NO_MAXIMUM, Status.CONVERGED, Status.CONVERGED]
    np.testing.assert_array_equal(
        found.theta[1:], [[1.5, 4.0 / 6.0], [2.5, (2.5 + 1.5 + 0.5 + 0.5 + 1.5 + 1e6 - 2.5) / 6]]
    )
    assert fit(LAPLACE, [1.0]).status is Status.NO_MAXIMUM
    assert fit(LAPLACE, [1.0, np.nan, 2.0]).status is Status.NOT_FINITE


def test_the_score_at_an_observation_is_halfway():
    score, _ = LAPLACE.score(np.array([1.0, 2.0, 3.0]), (2.0, 4.0))
    assert score.tolist() == [-0.25, 0.0, 0.25]


@pytest.mark.parametrize("n", [5, 11])
def test_the_variance_of_the_median_is_exact(n):
    """The median of n = 2m + 1 has density n!/(m!)² [F(1 − F)]ᵐ f."""
    m = n // 2
    factor = math.factorial(n) / math.factorial(m) ** 2

    def density(z):
        return factor * (stats.laplace.cdf(z) * stats.laplace.sf(z)) ** m * stats.laplace.pdf(z)

    variance = 2.0 * integrate.quad(lambda z: z * z * density(z), 0.0, np.inf)[0]
    x = LAPLACE.sample(np.random.default_rng(n), (1.0, 2.0), (40_000, n))
    assert_mean(fit(LAPLACE, x).theta[:, 0], 1.0, 4.0 * variance)


def test_the_estimated_scale_is_exact_with_a_known_location():
    """n·ŝ/s is gamma with shape n."""
    x = LAPLACE.sample(np.random.default_rng(1), (0.0, 2.0), (40_000, 4))
    assert_mean(fit(LAPLACE, x, {"loc": 0.0}).theta[:, 0], 2.0, 4.0 / 4)
