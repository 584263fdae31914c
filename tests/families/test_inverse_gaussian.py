"""The inverse Gaussian family."""

import mpmath
import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from tests.exact import of_formula
from tests.families.fits import SIZES, assert_highest, assert_shares, assert_zero_score, quiet

FAMILY = FAMILIES["inverse_gaussian"]
NAMES = ("mean", "shape")
FORMULA = "log(shape/(2*pi))/2 - 3*log(x)/2 - shape*(x - mean)**2/(2*mean**2*x)"
POINTS = [(1.0, 2.0), (0.2, 20.0), (5.0, 0.2), (1e8, 3e8), (2e-8, 1e-10), (1.0, 1e6)]


def exact(x, mean, shape):
    with mpmath.workdps(40):
        x, mean, shape = (mpmath.mpf(float(value)) for value in (x, mean, shape))
        part = mpmath.log(shape / (2 * mpmath.pi)) / 2 - 3 * mpmath.log(x) / 2
        return float(part - shape * (x - mean) ** 2 / (2 * mean**2 * x))


def information(mean, shape):
    """E[s sᵀ] by the trapezoidal rule in v = log(x/μ), in which the density falls double exponentially at both ends."""
    phi = shape / mean
    step, reach = min(1.0 / 64.0, 1.0 / (16.0 * np.sqrt(phi))), np.log(1.0 + 200.0 / phi) + 60.0 * min(1.0, phi**-0.5)
    functions = of_formula(FORMULA, NAMES)
    with mpmath.workdps(40):
        theta = [mpmath.mpf(mean), mpmath.mpf(shape)]
        total = mpmath.zeros(2, 2)
        whole = mpmath.mpf(0)
        for k in range(-int(reach / step), int(reach / step) + 1):
            x = theta[0] * mpmath.exp(mpmath.mpf(step) * k)
            log_mass = functions.log_density(x, *theta) + mpmath.log(x * step)
            if log_mass > -80:
                mass, score = mpmath.exp(log_mass), mpmath.matrix(functions.score(x, *theta))
                whole, total = whole + mass, total + mass * score * score.T
        assert abs(whole - 1) < 1e-18
        return np.array(total.tolist(), dtype=float)


def draws(mean, shape, size, seed=1):
    return FAMILY.sample(np.random.default_rng(seed), [np.asarray(mean), np.asarray(shape)], size)


@pytest.mark.parametrize(("mean", "shape"), POINTS)
def test_log_density(mean, shape):
    x = mean * np.concatenate([np.logspace(-100, 100, 41), draws(1.0, shape / mean, 40)])
    found = FAMILY.log_density(x, [np.asarray(mean), np.asarray(shape)])
    np.testing.assert_allclose(found, [exact(value, mean, shape) for value in x], rtol=1e-12)


def test_log_density_is_that_of_scipy():
    x = draws(1.5, 2.0, 200)
    found = FAMILY.log_density(x, [np.asarray(1.5), np.asarray(2.0)])
    np.testing.assert_allclose(found, stats.invgauss.logpdf(x, 1.5 / 2.0, scale=2.0), rtol=1e-12)


@pytest.mark.parametrize("phi", POINTS)
def test_expected_information(phi):
    exact = information(*phi)
    unit = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    values = dict(zip(NAMES, phi, strict=True))
    found = simstudy.expected_information("inverse_gaussian", values).to_numpy()
    np.testing.assert_allclose(found / unit, exact / unit, rtol=0, atol=1e-14)
    for i, name in enumerate(NAMES):
        alone = simstudy.expected_information("inverse_gaussian", values, known=[name]).to_numpy()
        np.testing.assert_allclose(alone, exact[1 - i, 1 - i], rtol=1e-14)


@pytest.mark.parametrize("n", SIZES)
def test_fits(n):
    rng = np.random.default_rng(n)
    mean = 10.0 ** rng.uniform(-8.0, 8.0, (60, 1))
    shape = mean * 10.0 ** rng.uniform(-3.0, 4.0, (60, 1))
    x = draws(mean, shape, (60, n), n)
    found = quiet(FAMILY, x)
    assert all(status is Status.CONVERGED for status in found.status)
    some = slice(0, max(2, 60 // n))
    assert_zero_score(FAMILY, FORMULA, x[some], quiet(FAMILY, x[some]))
    assert_highest(FAMILY, x, found, [0, 1])
    for name, values in (("mean", mean), ("shape", shape)):
        known = {name: float(values[0, 0])}
        assert_zero_score(FAMILY, FORMULA, x[:1], quiet(FAMILY, x[:1], known), known)


@pytest.mark.parametrize("spread", [1e-4, 1e-8, 1e-12])
def test_data_that_vary_little(spread):
    x = 3.0 * (1.0 + spread * np.random.default_rng(5).standard_normal((4, 20)))
    assert_zero_score(FAMILY, FORMULA, x, quiet(FAMILY, x))


def test_estimates_have_their_distribution():
    """μ̂ is inverse Gaussian (μ, nλ), and nλ/λ̂ chi-squared with n − 1 degrees of freedom (Tweedie 1957)."""
    n, mean, shape, probabilities = 5, 2.0, 3.0, np.array([0.05, 0.5, 0.95])
    found = quiet(FAMILY, draws(mean, shape, (40_000, n), 9)).theta
    law = stats.invgauss(mean / (n * shape), scale=n * shape)
    assert_shares(found[:, 0], law.ppf(probabilities), probabilities)
    assert_shares(n * shape / found[:, 1], stats.chi2.ppf(probabilities, n - 1), probabilities)


def test_draws_far_out_in_the_tails_are_positive():
    """The textbook form of the smaller root cancels there, to 0 or below."""
    x = draws(1.0, 1e-12, 100_000)
    assert x.min() > 0.0
    assert_shares(1e-12 / x, stats.chi2.ppf([0.05, 0.5, 0.95], 1), [0.05, 0.5, 0.95])  # Lévy as λ/μ → 0


def test_degenerate_data():
    x = np.array([[0.1] * 3, [0.1, 0.1, 0.3], [1.0, 1.0, 1e6], [0.0, 1.0, 2.0], [-1.0, 1.0, 2.0]])
    ends = [Status.NO_MAXIMUM, Status.CONVERGED, Status.CONVERGED, Status.NOT_FINITE, Status.NOT_FINITE]
    assert list(quiet(FAMILY, x).status) == ends
    assert_zero_score(FAMILY, FORMULA, x[1:3], quiet(FAMILY, x[1:3]))
    assert list(quiet(FAMILY, x[:2], {"mean": 0.1}).status) == [Status.NO_MAXIMUM, Status.CONVERGED]
    assert quiet(FAMILY, x[:1], {"mean": 0.2}).status[0] is Status.CONVERGED
    constant = quiet(FAMILY, x[:1], {"shape": 2.0})
    assert (constant.status[0], constant.theta[0, 0]) == (Status.CONVERGED, 0.1)
    assert quiet(FAMILY, x[1:2, :1]).status[0] is Status.NO_MAXIMUM
