"""Differences over a step of one half, against mpmath."""

import mpmath
import numpy as np
import pytest

from simstudy.numerics.half_steps import digamma_step, log_gamma_step, trigamma_step, trigamma_step_rest

# A handful of operations, and up to ten terms of one sign.
TOLERANCE = 16 * 2.0**-52
X = 10.0 ** np.arange(-6.0, 12.0, 0.37)


def exact(function, x):
    with mpmath.workdps(100):
        x = mpmath.mpf(float(x))
        if function is log_gamma_step:
            return float(mpmath.loggamma(x + 0.5) - mpmath.loggamma(x) - mpmath.log(x) / 2)
        if function is digamma_step:
            return float(mpmath.psi(0, x + 0.5) - mpmath.psi(0, x) - 1 / (2 * x))
        step = mpmath.psi(1, x + 0.5) - mpmath.psi(1, x) + 1 / (2 * x * x)
        return float(step if function is trigamma_step else step + 1 / (4 * x**3))


@pytest.mark.parametrize("function", [log_gamma_step, digamma_step, trigamma_step, trigamma_step_rest])
def test_full_relative_precision(function):
    x = X[X >= 16.0] if function is trigamma_step_rest else X
    np.testing.assert_allclose(function(x), [exact(function, value) for value in x], rtol=TOLERANCE)


@pytest.mark.parametrize("function", [log_gamma_step, digamma_step, trigamma_step])
def test_any_shape(function):
    x = np.array([[0.5, 2.0], [30.0, 1e6]])
    np.testing.assert_array_equal(function(x), [[float(function(v)) for v in row] for row in x])
