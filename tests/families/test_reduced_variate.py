"""y = log(1 + ξz)/ξ and its derivatives against hundreds of digits, on both sides of every switch."""

import mpmath
import numpy as np
import pytest

from simstudy.families import extreme_value_likelihood, generalized_pareto_likelihood
from simstudy.families.reduced_variate import from_variate, reduced, variate

SHAPES = [0.0, 1e-12, -1e-12, 1e-8, -1e-8, 1e-4, -1e-4, 1e-3, -1e-3, 0.049, 0.051, -0.2, 0.5, -0.9, 3.0]
EPS = 2.0**-52
# Beside the switch of A the logarithm has lost ½/r³ = 60 of its roundings, of which at most a half count.
ROUNDINGS = 40.0
ROWS = 20


def exact(z, shape):
    """Return y, ∂y/∂z, ∂y/∂ξ and ∂²y/∂ξ²."""
    z, xi = mpmath.mpf(float(z)), mpmath.mpf(float(shape))
    if xi == 0:
        return z, mpmath.mpf(1), -z * z / 2, 2 * z**3 / 3
    y, w = mpmath.log(1 + xi * z) / xi, 1 / (1 + xi * z)
    f = (z * w - y) / xi
    return y, w, f, -((z * w) ** 2 + 2 * f) / xi


def arguments(shape):
    z = np.concatenate([np.linspace(-9.0, 9.0, 73), [1e-60, 1e-9, 1e-3, -1e-3, 30.0, 1e3, 1e6, 1e15, -1e3]])
    near_the_switch = [u / shape for u in (0.49, 0.5, 0.51, -0.33, -0.34, 1e4, -0.999)] if abs(shape) > 1e-13 else []
    z = np.append(z, near_the_switch)
    return z[1.0 + shape * z > 1e-4]


@pytest.mark.parametrize("shape", SHAPES)
def test_all_digits_are_right(shape):
    z = arguments(shape)
    found = reduced(z, np.asarray(shape))
    with mpmath.workdps(300):
        for k, value in enumerate(z):
            # 1 + ξz is rounded, which near 0 is more than a rounding of z
            condition = max(1.0, 1.0 / (1.0 + shape * value))
            for entry, wanted in zip(found, exact(value, shape), strict=True):
                assert abs(entry[k] - wanted) <= ROUNDINGS * EPS * condition * abs(wanted)
    np.testing.assert_array_equal(variate(z, np.asarray(shape)), found.y)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_inverse(shape):
    z = arguments(shape)
    z = z[(1.0 + shape * z > 0.1) & (shape * z < 1e3)]
    back = from_variate(variate(z, np.asarray(shape)), shape)
    np.testing.assert_allclose(back, z, rtol=64 * EPS, atol=0.0)


def test_the_inverse_of_rows_of_which_some_are_exponential():
    y = np.linspace(-2.0, 2.0, 10).reshape(2, 5)
    found = from_variate(y, np.array([[0.0], [0.5]]))
    np.testing.assert_array_equal(found, [y[0], np.expm1(0.5 * y[1]) / 0.5])


def test_nothing_beyond_the_endpoint():
    z = np.array([3.0, 2.5, 2.0])
    for entry in reduced(z, np.asarray(-0.4))[:1]:
        assert np.isnan(entry[0])
        assert np.isfinite(entry[2])


def test_single_precision_has_its_own_digits():
    z = np.linspace(-4.0, 30.0, 200, dtype=np.float32)
    found, wanted = (reduced(z.astype(kind), np.asarray(0.2, dtype=kind)) for kind in (np.float32, np.float64))
    for entry, other in zip(found, wanted, strict=True):
        assert entry.dtype == np.float32
        np.testing.assert_allclose(entry, other, rtol=ROUNDINGS * 2.0**-23 / 0.2)


def draws(shape, n):
    y = -np.log(np.random.default_rng(n).standard_exponential((ROWS, n)))
    return np.expm1(shape * y) / shape


@pytest.mark.parametrize("n", [10, 1000])
@pytest.mark.parametrize("shape", [0.05, -0.05, 0.2, -0.3, 0.8])
def test_short_and_long_formulas_have_the_same_means(shape, n):
    """The short ones round by up to 1/ξ² units, and means of both by some tens."""
    x, shapes, ones = draws(shape, n), np.full(ROWS, shape), np.ones(ROWS)
    pairs = [
        [
            kind(x, 0.0 * ones, 0.9 * ones, shapes, rough=False)
            for kind in (extreme_value_likelihood._short_means, extreme_value_likelihood._long_means)
        ],
        [
            kind(0.9 * np.abs(x), shapes, products=True)
            for kind in (generalized_pareto_likelihood._short_means, generalized_pareto_likelihood._long_means)
        ],
    ]
    for short, long in pairs:
        for one, other in zip(short, long, strict=True):
            size = np.sqrt(np.mean(np.square(other)))
            np.testing.assert_allclose(one, other, rtol=0.0, atol=32 * EPS * size * (1.0 + shape**-2))
