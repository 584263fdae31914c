"""The chi-squared family."""

import mpmath
import numpy as np
import pytest
from scipy import special, stats

import simstudy
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from tests.families.fits import SIZES, assert_highest, assert_shares, assert_zero_score, quiet
from tests.precise import POSITIVE, information

FAMILY = FAMILIES["chi_squared"]
FORMULA = "(df/2 - 1)*log(x/2) - x/2 - log(2) - loggamma(df/2)"


def draws(df, size, seed=1):
    return FAMILY.sample(np.random.default_rng(seed), [np.asarray(df)], size)


def exact(x, df):
    with mpmath.workdps(40):
        half, a = mpmath.mpf(float(x)) / 2, mpmath.mpf(df) / 2
        return float((a - 1) * mpmath.log(half) - half - mpmath.log(2) - mpmath.loggamma(a))


@pytest.mark.parametrize("df", [0.1, 1.0, 2.0, 30.0, 1e3, 1e6])
def test_log_density(df):
    x = np.concatenate([df * np.logspace(-100, 4, 60), np.maximum(draws(df, 40), 1e-300)])
    np.testing.assert_allclose(FAMILY.log_density(x, [np.asarray(df)]), [exact(v, df) for v in x], rtol=1e-12)


def test_log_density_is_that_of_scipy():
    x = draws(4.0, 200)
    np.testing.assert_allclose(FAMILY.log_density(x, [np.asarray(4.0)]), stats.chi2.logpdf(x, 4.0), rtol=1e-12)
    assert FAMILY.log_density(np.array([-1.0]), [np.asarray(4.0)])[0] == -np.inf


@pytest.mark.parametrize("df", [0.2, 0.5, 7.0, 100.0, 1e5])
def test_expected_information(df):
    found = simstudy.expected_information("chi_squared", {"df": df}).to_numpy()
    np.testing.assert_allclose(found, information(FORMULA, ("df",), POSITIVE, (df,)), rtol=1e-13)


@pytest.mark.parametrize("n", SIZES)
def test_fits(n):
    df = 10.0 ** np.random.default_rng(n).uniform(-1.0, 6.0, (60, 1))
    x = np.maximum(draws(df, (60, n), n), 1e-300)  # of df = 0.1 one draw in 10¹⁶ is below
    found = quiet(FAMILY, x)
    assert all(status is Status.CONVERGED for status in found.status)
    assert found.iterations.max() <= 5
    some = slice(0, max(2, 60 // n))
    assert_zero_score(FAMILY, FORMULA, x[some], quiet(FAMILY, x[some]))
    assert_highest(FAMILY, x, found, [0, 1])


def test_estimates_have_their_distribution():
    """Of one observation ψ(k̂/2) = log(x/2), so k̂ ≤ q where x ≤ 2 exp ψ(q/2)."""
    found = quiet(FAMILY, draws(3.0, (40_000, 1), 6)).theta[:, 0]
    values = np.array([1.5, 3.0, 8.0])
    assert_shares(found, values, stats.chi2.cdf(2.0 * np.exp(special.digamma(values / 2.0)), 3.0))


def test_degenerate_data():
    x = np.array([[5.0] * 4, [5.0, 5.0, 7.0, 7.0], [1.0, 1.0, 1.0, 1e6], [1e-300] * 4, [1e12] * 4, [0.0, 1, 1, 1]])
    found = quiet(FAMILY, x)
    assert list(found.status) == [*[Status.CONVERGED] * 5, Status.NOT_FINITE]
    assert_zero_score(FAMILY, FORMULA, x[:5], quiet(FAMILY, x[:5]))
