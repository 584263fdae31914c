"""Rayleigh, half-normal and Maxwell."""

import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from tests.families.fits import SIZES, assert_highest, assert_shares, assert_zero_score, quiet
from tests.precise import POSITIVE, information

NAMES = ["half_normal", "rayleigh", "maxwell"]
DEGREES = dict(zip(NAMES, (1, 2, 3), strict=True))
SCIPY = {"half_normal": stats.halfnorm, "rayleigh": stats.rayleigh, "maxwell": stats.maxwell}
FORMULAS = {
    "half_normal": "log(2/pi)/2 - log(scale) - x**2/(2*scale**2)",
    "rayleigh": "log(x) - 2*log(scale) - x**2/(2*scale**2)",
    "maxwell": "log(2/pi)/2 + 2*log(x) - 3*log(scale) - x**2/(2*scale**2)",
}


def draws(name, scale, size, seed=1):
    return FAMILIES[name].sample(np.random.default_rng(seed), [np.asarray(scale)], size)


@pytest.mark.parametrize("name", NAMES)
def test_log_density(name):
    x = np.concatenate([np.logspace(-100, 100, 201), draws(name, 1.0, 500)])
    for scale in (1e-8, 0.3, 1.0, 7.0, 1e8):
        found = FAMILIES[name].log_density(x * scale, [np.asarray(scale)])
        np.testing.assert_allclose(found, SCIPY[name].logpdf(x * scale, scale=scale), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_no_density_below_zero(name):
    assert FAMILIES[name].log_density(np.array([-1e-300, -1.0]), [np.asarray(1.0)]).tolist() == [-np.inf] * 2


@pytest.mark.parametrize("scale", [1e-8, 0.7, 1e8])
@pytest.mark.parametrize("name", NAMES)
def test_expected_information(name, scale):
    found = simstudy.expected_information(name, {"scale": scale}).to_numpy()
    np.testing.assert_allclose(found, information(FORMULAS[name], ("scale",), POSITIVE, (scale,)), rtol=1e-14)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_fits(name, n):
    scale = 10.0 ** np.random.default_rng(n).uniform(-8.0, 8.0, (40, 1))
    x = draws(name, scale, (40, n), n)
    found = quiet(name, x)
    assert all(status is Status.CONVERGED for status in found.status)
    some = slice(0, max(1, 60 // n))
    assert_zero_score(FAMILIES[name], FORMULAS[name], x[some], quiet(name, x[some]))
    assert_highest(FAMILIES[name], x, found, [0, 1])


@pytest.mark.parametrize("name", NAMES)
def test_estimates_have_their_distribution(name):
    """nk σ̂²/σ² is chi-squared with nk degrees of freedom."""
    n, probabilities = 4, np.array([0.05, 0.5, 0.95])
    found = quiet(name, draws(name, 3.0, (40_000, n), 8)).theta[:, 0]
    degrees = n * DEGREES[name]
    assert_shares(degrees * (found / 3.0) ** 2, stats.chi2.ppf(probabilities, degrees), probabilities)


@pytest.mark.parametrize("name", NAMES)
def test_degenerate_data(name):
    x = np.array(
        [[2.0] * 5, [2.0, 2.0, 3.0, 3.0, 3.0], [1.0, 1.0, 1.0, 1.0, 1e6], [0.0] * 5, [-1.0, 1.0, 1.0, 1.0, 1.0]]
    )
    found = quiet(name, x)
    ends = [Status.CONVERGED] * 3
    zeros = Status.NO_MAXIMUM if name == "half_normal" else Status.NOT_FINITE
    assert list(found.status) == [*ends, zeros, Status.NOT_FINITE]
    assert_zero_score(FAMILIES[name], FORMULAS[name], x[:3], quiet(name, x[:3]))
    np.testing.assert_allclose(found.score_products[0], 0.0, atol=1e-15)
