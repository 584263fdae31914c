"""The Gumbel family, which is minus the logarithm of a Weibull."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario
from tests.families.ends import ROWS, SIZES, assert_maxima, assert_none_higher, log_uniform
from tests.precise import REAL, information

GUMBEL, WEIBULL = FAMILIES["gumbel"], FAMILIES["weibull"]
FORMULA = "-log(scale) - (x - loc)/scale - exp(-(x - loc)/scale)"
NAMES = ("loc", "scale")


@pytest.mark.parametrize(("loc", "scale"), [(0.0, 1.0), (-3.0, 0.01), (1e3, 1e4)])
def test_log_density(loc, scale):
    x = loc + scale * np.array([-6.5, -3.0, -1e-9, 0.3, 2.0, 40.0, 1e5])
    np.testing.assert_allclose(GUMBEL.log_density(x, (loc, scale)), stats.gumbel_r.logpdf(x, loc, scale), rtol=1e-12)


@pytest.mark.parametrize("phi", [(0.0, 1.0), (2.0, 0.25), (5.0, 1e3)])
def test_expected_information(phi):
    expected = information(FORMULA, NAMES, REAL, phi)
    for count in range(2):
        for known in combinations(NAMES, count):
            kept = [i for i, name in enumerate(NAMES) if name not in known]
            found = limits(Scenario("g", "gumbel", NAMES, phi, "gumbel", known, 1, 2, 0.95)).hessian
            np.testing.assert_allclose(found, expected[np.ix_(kept, kept)], rtol=1e-13)


@pytest.mark.parametrize("n", SIZES)
def test_fits(n):
    rng = np.random.default_rng(n)
    scale = log_uniform(rng, 1e-8, 1e8)
    x = GUMBEL.sample(rng, (scale * rng.normal(0.0, 30.0, (ROWS, 1)), scale), (ROWS, n))
    found = assert_maxima(GUMBEL, x)
    assert_none_higher(GUMBEL, x, found, np.flatnonzero(np.abs(np.log(scale[:, 0])) < 4.0)[:2])


def test_equivariance():
    """Estimates of a + bx are a + bm̂ and bŝ; powers of two scale without rounding."""
    x = GUMBEL.sample(np.random.default_rng(0), (1.0, 2.0), (50, 20))
    plain, scaled, moved = (fit(GUMBEL, data).theta for data in (x, 2.0**40 * x, x + 100.0))
    np.testing.assert_allclose(scaled, 2.0**40 * plain, rtol=1e-13)
    np.testing.assert_allclose(moved[:, 0] - 100.0, plain[:, 0], rtol=1e-10)
    np.testing.assert_allclose(moved[:, 1], plain[:, 1], rtol=1e-12)


def test_minus_the_logarithm_of_a_weibull():
    x = WEIBULL.sample(np.random.default_rng(0), (1.7, 3.0), (50, 20))
    shape, scale = fit(WEIBULL, x).theta.T
    np.testing.assert_allclose(
        fit(GUMBEL, -np.log(x)).theta, np.stack([-np.log(scale), 1.0 / shape], axis=-1), rtol=1e-12
    )


def test_known_parameters():
    x = GUMBEL.sample(np.random.default_rng(2), (1.0, 2.0), (ROWS, 15))
    closed = -2.0 * np.log(np.exp(-x / 2.0).mean(axis=1))
    np.testing.assert_allclose(fit(GUMBEL, x, {"scale": 2.0}).theta[:, 0], closed, rtol=1e-12)
    # A location far below, amid and above the data.
    for loc in (-1e6, 1.0, 20.0, 1e6):
        found = fit(GUMBEL, x, {"loc": loc})
        assert set(found.status) == {Status.CONVERGED}
        z = (x - loc) / found.theta
        np.testing.assert_allclose((z * -np.expm1(-z)).mean(axis=1), 1.0, rtol=1e-9)
    assert fit(GUMBEL, [3.0, 3.0], {"loc": 3.0}).status is Status.NO_MAXIMUM


def test_degenerate_data():
    constant, ties, outlier = np.full(6, 0.1), np.array([1.0, 1, 1, 2, 2, 3]), np.array([0.0, 1, 2, 3, 4, 1e6])
    assert fit(GUMBEL, constant).status is Status.NO_MAXIMUM
    assert_maxima(GUMBEL, np.stack([ties, outlier, -outlier, 1e8 + ties]))
    for bad in (np.nan, np.inf, -np.inf):
        assert fit(GUMBEL, [1.0, bad, 2.0]).status is Status.NOT_FINITE
