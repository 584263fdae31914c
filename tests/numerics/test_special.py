import mpmath
import numpy as np
import pytest

from simstudy.numerics import special

# From where 1/x² would overflow if squared again, through both branches and their seams, to where 1/x² vanishes.
POINTS = np.unique(
    np.concatenate([np.logspace(-150, 150, 301), np.linspace(0.01, 60.0, 600), 30.0 + np.array([-1e-13, 0.0, 1e-13])])
)
EPS = 2.0**-52

# The library calls them with warnings off: where a term overflows its reciprocal is rightly 0.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


def excess(x):
    return mpmath.psi(1, x) - 1 / x


def gap(x):
    return mpmath.log(x) - mpmath.digamma(x)


def remainder(x):
    return mpmath.loggamma(x) - (x * mpmath.log(x) - x)


def exactly(function):
    with mpmath.workdps(400):  # at 1e150 the differences lose 300 digits
        return np.array([float(function(mpmath.mpf(x))) for x in POINTS])


@pytest.mark.parametrize(
    ("found", "exact", "digits"),
    [
        # A sum of positive terms keeps all digits.
        (special.trigamma_excess, excess, 1.0),
        (special.trigamma, lambda x: mpmath.psi(1, x), 1.0),
        # Below 30 a difference of at least 1/60 between numbers up to 3.4.
        (special.log_minus_digamma, gap, 60 * 3.4),
    ],
)
def test_full_relative_precision(found, exact, digits):
    expected = exactly(exact)
    assert (np.abs(found(POINTS) - expected) <= 16 * EPS * digits * np.abs(expected)).all()


def test_log_gamma_without_stirling():
    """Crosses zero near 6.5, below which its terms are up to 100, above 30 no larger than itself."""
    expected = exactly(remainder)
    terms = np.where(POINTS < 30.0, 3.0 * (1.0 + POINTS * np.abs(np.log(POINTS))), 0.0) + np.abs(expected)
    assert (np.abs(special.log_gamma_minus_stirling(POINTS) - expected) <= 8 * EPS * terms).all()


@pytest.mark.parametrize(
    "function",
    [special.trigamma_excess, special.trigamma, special.log_minus_digamma, special.log_gamma_minus_stirling],
)
def test_shapes_and_neighbours(function):
    assert np.shape(function(2.0)) == ()
    assert function(np.ones((3, 4))).shape == (3, 4)
    together = function(POINTS)
    alone = [function(POINTS[k : k + 1])[0] for k in range(0, len(POINTS), 50)]
    np.testing.assert_array_equal(together[::50], alone)


def test_gaps_keep_all_digits():
    near = np.concatenate([np.logspace(-150, 1, 152), 0.25 + np.array([-1e-15, 0.0, 1e-15])])
    t = np.concatenate([near, [1e8], -near[near < 1.0], [-1.0 + EPS]])
    with mpmath.workdps(400):
        logarithm = [float(mpmath.mpf(v) - mpmath.log1p(mpmath.mpf(v))) for v in t]
        exponential = [float(mpmath.exp(-mpmath.mpf(v)) - 1 + mpmath.mpf(v)) for v in near]
    np.testing.assert_allclose(special.log1p_gap(t), logarithm, rtol=8 * EPS)
    np.testing.assert_allclose(special.exp_gap(near), exponential, rtol=8 * EPS)
    np.testing.assert_allclose(special.exp_gap(np.array([0.0, 800.0])), [0.0, 799.0])


def test_rising_sums_keep_all_digits():
    x = np.array([[0.0, 1.0, 2.0, 9.0, 10.0, 11.0, 12.0, 100.0, 1e6, 1e12]])
    r = np.logspace(-6, 12, 19)[:, np.newaxis]
    first, second = special.rising_sums(x, r)
    with mpmath.workdps(60):
        pairs = [[(mpmath.mpf(v), mpmath.mpf(v) + mpmath.mpf(k)) for k in x[0]] for v in r[:, 0]]
        gaps = [[float(gap(a) - gap(b)) for a, b in row] for row in pairs]
        excesses = [[float(excess(a) - excess(b)) for a, b in row] for row in pairs]
    np.testing.assert_allclose(first, gaps, rtol=8 * EPS)
    np.testing.assert_allclose(second, excesses, rtol=8 * EPS)
    np.testing.assert_array_equal(special.rising_sums(np.array([np.nan, -1.0]), np.array(2.0))[0][1:], 0.0)


@pytest.mark.parametrize(("function", "order"), [(special.digamma_quotient, 0), (special.trigamma_quotient, 1)])
@pytest.mark.parametrize("x", [2.0, 3.0])
def test_quotients_of_differences(function, order, x):
    """Both branches and their seams; by the formula a difference loses digits where it is small beside its terms."""
    h = np.concatenate([-np.logspace(-12, -0.302, 40), np.logspace(-12, 8, 60), -x + np.logspace(-3, 0, 10)])
    with mpmath.workdps(60):
        expected = [(mpmath.psi(order, x + mpmath.mpf(v)) - mpmath.psi(order, x)) / mpmath.mpf(v) for v in h]
    np.testing.assert_allclose(function(x, h), np.array(expected, dtype=float), rtol=32 * EPS)
    np.testing.assert_allclose(function(x, np.zeros(2)), float(mpmath.psi(order + 1, x)), rtol=2 * EPS)
