"""The log-logistic family, the logarithm of which is logistic."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario
from tests.families.ends import (
    ROWS,
    SIZES,
    assert_maxima,
    assert_none_higher,
    exact_log_density,
    log_uniform,
)
from tests.precise import POSITIVE, information

FAMILY, LOGISTIC = FAMILIES["log_logistic"], FAMILIES["logistic"]
FORMULA = "log(shape) - log(x) + shape*log(x/scale) - 2*log(1 + exp(shape*log(x/scale)))"
NAMES = ("shape", "scale")


@pytest.mark.parametrize(("shape", "scale"), [(2.5, 1.0), (0.5, 1e-5), (40.0, 1e8)])
def test_log_density_and_survival(shape, scale):
    x = scale * np.exp(np.array([-300.0, -20.0, -1.0, 1e-6, 0.5, 9.0, 300.0]) / shape)
    expected = exact_log_density(FORMULA, NAMES, x, (shape, scale))
    np.testing.assert_allclose(FAMILY.log_density(x, (shape, scale)), expected, rtol=1e-12)
    expected = exact_log_density("-log(1 + (x/scale)**shape)", NAMES, x, (shape, scale))
    np.testing.assert_allclose(FAMILY.log_survival(x, (shape, scale)), expected, rtol=1e-12)
    core = x[1:6]
    expected = stats.fisk.logpdf(core, shape, scale=scale)
    np.testing.assert_allclose(FAMILY.log_density(core, (shape, scale)), expected, rtol=1e-9)


@pytest.mark.parametrize("phi", [(1.0, 1.0), (0.4, 0.1), (10.0, 30.0)])
def test_expected_information(phi):
    expected = information(FORMULA, NAMES, POSITIVE, phi)
    unit = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    for count in range(2):
        for known in combinations(NAMES, count):
            kept = np.ix_(*[[i for i, name in enumerate(NAMES) if name not in known]] * 2)
            found = limits(Scenario("l", "log_logistic", NAMES, phi, "log_logistic", known, 1, 2, 0.95)).hessian
            np.testing.assert_allclose(found / unit[kept], (expected / unit)[kept], atol=1e-13)


@pytest.mark.parametrize("n", SIZES)
def test_fits(n):
    rng = np.random.default_rng(n)
    shape, scale = log_uniform(rng, 0.05, 200.0), log_uniform(rng, 1e-8, 1e8)
    x = FAMILY.sample(rng, (shape, scale), (ROWS, n))
    found = assert_maxima(FAMILY, x)
    assert_none_higher(FAMILY, x, found, np.flatnonzero(np.abs(np.log(shape[:, 0])) < 2.0)[:2])


def test_the_logarithm_is_logistic():
    x = FAMILY.sample(np.random.default_rng(0), (1.7, 3.0), (50, 20))
    loc, scale = fit(LOGISTIC, np.log(x)).theta.T
    np.testing.assert_array_equal(fit(FAMILY, x).theta, np.stack([1.0 / scale, np.exp(loc)], axis=-1))


def test_equivariance():
    """Estimates of c·xᵖ are k̂/p and c·λ̂ᵖ, also for p = −1, which the family allows."""
    x = FAMILY.sample(np.random.default_rng(0), (1.7, 3.0), (50, 20))
    shape, scale = fit(FAMILY, x).theta.T
    for factor, power in ((1e8, 1.0), (1.0, -1.0), (1e-3, 2.5)):
        expected = np.stack([shape / abs(power), factor * scale**power], axis=-1)
        np.testing.assert_allclose(fit(FAMILY, factor * x**power).theta, expected, rtol=1e-11)


def test_known_parameters():
    x = FAMILY.sample(np.random.default_rng(2), (2.0, 5.0), (ROWS, 15))
    by_scale, by_shape = fit(FAMILY, x, {"scale": 5.0}), fit(FAMILY, x, {"shape": 2.0})
    assert set(by_scale.status) | set(by_shape.status) == {Status.CONVERGED}
    score, _ = FAMILY.score(x, (by_scale.theta, 5.0))
    np.testing.assert_allclose(score.mean(axis=1) * by_scale.theta[:, 0], 0.0, atol=1e-12)
    _, score = FAMILY.score(x, (2.0, by_shape.theta))
    np.testing.assert_allclose(score.mean(axis=1) * by_shape.theta[:, 0], 0.0, atol=1e-12)
    assert fit(FAMILY, [5.0, 5.0], {"scale": 5.0}).status is Status.NO_MAXIMUM


def test_degenerate_data():
    constant, ties, outlier = np.full(6, 0.1), np.array([1.0, 1, 1, 2, 2, 3]), np.array([0.5, 1, 2, 3, 4, 1e6])
    assert fit(FAMILY, constant).status is Status.NO_MAXIMUM
    assert_maxima(FAMILY, np.stack([ties, outlier, 1.0 / outlier, 1e8 * ties]))
    for bad in (np.nan, np.inf, 0.0, -1.0):
        assert fit(FAMILY, [1.0, bad, 2.0]).status is Status.NOT_FINITE
