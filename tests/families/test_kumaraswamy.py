"""The Kumaraswamy family: of alpha = 1 or beta = 1 it is a beta."""

from itertools import combinations

import mpmath
import numpy as np
import pytest

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
from tests.precise import UNIT, information

FAMILY, BETA = FAMILIES["kumaraswamy"], FAMILIES["beta"]
FORMULA = "log(alpha*beta) + (alpha - 1)*log(x) + (beta - 1)*log(1 - x**alpha)"
NAMES = ("alpha", "beta")


@pytest.mark.parametrize("phi", [(2.0, 3.0), (0.01, 0.5), (300.0, 40.0), (1e-3, 1e6)])
def test_log_density_and_survival(phi):
    x = np.array([1e-300, 1e-8, 0.1, 0.5, 0.9, 1.0 - 1e-12, 1.0 - 2.0**-53])
    expected = exact_log_density(FORMULA, NAMES, x, phi)
    with np.errstate(over="ignore"):
        found, survival = FAMILY.log_density(x, phi), FAMILY.log_survival(x, phi)
    # Of log α + log β + (α − 1) log x + (β − 1) log(1 − xᵅ) the terms may cancel.
    terms = np.abs(np.log(phi)).sum() + np.abs((phi[0] - 1.0) * np.log(x)) + np.abs((phi[1] - 1.0) / phi[1] * survival)
    np.testing.assert_array_less(np.abs(found - expected), 8 * 2.0**-52 * (1.0 + terms))
    expected = exact_log_density("beta*log(1 - x**alpha)", NAMES, x, phi)
    np.testing.assert_allclose(survival[x >= 1e-8], np.array(expected)[x >= 1e-8], rtol=1e-12)


@pytest.mark.parametrize("alpha", [1.0, 4.0])
def test_a_power_of_it_is_a_beta(alpha):
    """If x has (α, β), xᵅ is beta distributed with 1 and β."""
    x = np.array([0.001, 0.3, 0.99])
    expected = BETA.log_density(x**alpha, (1.0, 2.5)) + np.log(alpha) + (alpha - 1.0) * np.log(x)
    np.testing.assert_allclose(FAMILY.log_density(x, (alpha, 2.5)), expected, rtol=1e-12)


@pytest.mark.parametrize("phi", [(1.0, 1.0), (0.5, 2.0), (3.0, 0.4), (3.0, 30.0)])
def test_expected_information(phi):
    expected = information(FORMULA, NAMES, UNIT, phi)
    unit = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    for count in range(2):
        for known in combinations(NAMES, count):
            kept = np.ix_(*[[i for i, name in enumerate(NAMES) if name not in known]] * 2)
            found = limits(Scenario("k", "kumaraswamy", NAMES, phi, "kumaraswamy", known, 1, 2, 0.95)).hessian
            np.testing.assert_allclose(found / unit[kept], (expected / unit)[kept], atol=1e-13)


@pytest.mark.parametrize("beta", [1e-3, 0.1, 0.999, 1.0 + 1e-9, 1.49, 1.51, 2.0 - 1e-9, 2.001, 2.5, 1e3, 1e6])
def test_expected_information_near_its_removable_singularities(beta):
    """Against ∫ v log v (1 − v)^(β−2) dv and its like, at 50 digits, where the formula has its poles moved aside."""
    with mpmath.workdps(50):
        b = mpmath.mpf(beta)
        gap, bend = mpmath.psi(0, 2) - mpmath.psi(0, b), mpmath.psi(1, 2) - mpmath.psi(1, b)
        first = 1 + b / (b - 2) * (gap**2 + bend)
        cross = (mpmath.psi(0, 2) - mpmath.psi(0, b + 1)) / (b - 1)
    found = FAMILY.expected_information((np.array(1.0), np.array(beta)))
    # For small β the first entry is β times a difference of numbers of order one.
    np.testing.assert_allclose(found, [float(first), float(cross), beta**-2.0], rtol=2e-15 * (4.0 + 1.0 / beta))


def test_expected_information_in_the_limit_of_its_poles():
    found = [FAMILY.expected_information((np.array(1.0), np.array(b))) for b in (1.0, 2.0)]
    assert float(found[0][1]) == pytest.approx(-float(mpmath.psi(1, 2)), rel=1e-15)
    assert float(found[1][0]) == pytest.approx(1.0 - 2.0 * float(mpmath.psi(2, 2)), rel=1e-15)


@pytest.mark.parametrize("n", SIZES)
def test_fits(n):
    rng = np.random.default_rng(n)
    x = FAMILY.sample(rng, (log_uniform(rng, 0.05, 100.0), log_uniform(rng, 0.4, 100.0)), (ROWS, n))
    found = assert_maxima(FAMILY, x)
    assert_none_higher(FAMILY, x, found, range(2))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_profile_has_one_maximum(n):
    """What `solve` relies on: along the profile the derivative changes its sign once, from + to −, for any data."""
    rng = np.random.default_rng(n)
    logs = np.exp(rng.normal(0.0, 1.0, (ROWS, n)) * log_uniform(rng, 0.3, 8.0))
    alpha = np.exp(np.linspace(-25.0, 5.5, 400))[:, np.newaxis, np.newaxis]
    with np.errstate(all="ignore"):
        t = alpha * logs / logs.min(axis=-1, keepdims=True)
        h, q = t / np.expm1(t), np.log1p(1.0 / np.expm1(t))
        slope = 1.0 - t.mean(axis=-1) + (1.0 / q.mean(axis=-1) - 1.0) * h.mean(axis=-1)
    assert ((np.diff(np.sign(slope), axis=0) != 0).sum(axis=0) == 1).all()
    assert (slope[0] > 0.0).all()


def test_known_alpha_is_a_closed_form():
    """−n log(1 − xᵅ) is gamma: β̂ has mean nβ/(n−1) and E[(β̂ − that)²] = n²β²/((n−1)²(n−2))."""
    n, beta = 6, 1.5
    x = FAMILY.sample(np.random.default_rng(3), (2.0, beta), (40_000, n))
    variance = n**2 * beta**2 / ((n - 1) ** 2 * (n - 2))
    assert_mean(fit(FAMILY, x, {"alpha": 2.0}).theta[:, 0], n * beta / (n - 1), variance)


def test_known_parameters():
    x = FAMILY.sample(np.random.default_rng(3), (2.0, 0.7), (ROWS, 9))
    for beta in (0.1, 0.7, 1.0, 50.0):
        found = fit(FAMILY, x, {"beta": beta})
        assert set(found.status) == {Status.CONVERGED}
        score, _ = FAMILY.score(x, (found.theta, beta))
        np.testing.assert_allclose(score.mean(axis=1) * found.theta[:, 0], 0.0, atol=1e-11)
    assert fit(FAMILY, [0.3, 0.3], {"beta": 2.0}).status is Status.CONVERGED
    assert fit(FAMILY, [0.3, 0.3], {"alpha": 2.0}).status is Status.CONVERGED


def test_equivariance():
    """Estimates of xᵖ are α̂/p and β̂."""
    x = FAMILY.sample(np.random.default_rng(3), (2.0, 0.7), (ROWS, 9))
    alpha, beta = fit(FAMILY, x).theta.T
    np.testing.assert_allclose(fit(FAMILY, np.sqrt(x)).theta, np.stack([2.0 * alpha, beta], axis=-1), rtol=1e-10)


def test_degenerate_data():
    constant, ties = np.full(6, 0.1), np.array([0.1, 0.1, 0.1, 0.2, 0.2, 0.3])
    small, large = np.array([0.5, 0.5, 0.5, 0.5, 0.5, 1e-300]), np.array([0.5, 0.5, 0.5, 0.5, 0.5, 1.0 - 1e-15])
    assert fit(FAMILY, constant).status is Status.NO_MAXIMUM
    assert_maxima(FAMILY, np.stack([ties, small, large]))
    for bad in (np.nan, np.inf, 0.0, 1.0, -0.5, 1.5):
        assert fit(FAMILY, [0.5, bad, 0.25]).status is Status.NOT_FINITE


def test_data_that_are_nearly_constant():
    """β̂ grows like eᵗ, t = α̂·min(−log x); where 1/β̂² is no number any more the likelihood has no maximum."""
    spread = 10.0 ** -np.linspace(1.0, 8.0, 57)
    x = 0.5 + 0.5 * spread[:, np.newaxis] * np.array([-1.0, -0.3, 0.2, 1.0])
    found = fit(FAMILY, x)
    assert set(found.status) == {Status.CONVERGED, Status.NO_MAXIMUM}
    exists = np.array([status is Status.CONVERGED for status in found.status])
    assert (np.diff(exists.astype(int)) <= 0).all()
    assert_maxima(FAMILY, x[exists])
    assert found.theta[exists, 1].max() > 1e130
