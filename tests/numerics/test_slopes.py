"""Slopes of functions of parameters against derivatives in closed form, whatever the units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.numerics.slopes import slopes
from simstudy.parameters import POSITIVE, REAL, UNIT_INTERVAL

# Rounding ε/0.01 of a difference, and of the sums in the function.
ROUNDING = 1e-12


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_powers(unit):
    scale = unit * np.array([0.3, 1.0, 7.0])
    location = unit * np.array([-2.0, 0.0, 5.0])

    def function(theta):
        m, s = theta
        return np.stack([s**-2.0, (m / s) ** 2, m * s])

    found = slopes(function, [location, scale], [REAL, POSITIVE], np.stack([scale**-2, 2.0 * scale**-2]))
    expected = [
        [np.zeros(3), -2.0 * scale**-3],
        [2.0 * location / scale**2, -2.0 * location**2 / scale**3],
        [scale, location],
    ]
    for got, want, size in zip(found, expected, (scale**-3, 1.0 / scale, scale), strict=True):
        assert_allclose(got / size, np.array(want) / size, rtol=ROUNDING, atol=100.0 * ROUNDING)


def test_a_share():
    p = np.array([1e-4, 0.2, 0.999])
    found = slopes(lambda theta: 1.0 / (theta[0] * (1.0 - theta[0])), [p], [UNIT_INTERVAL], [1.0 / (p * (1.0 - p))])
    # The logarithm of the odds keeps p and 1 − p to ε only, and the step is a hundredth.
    assert_allclose(found[0], (2.0 * p - 1.0) / (p * (1.0 - p)) ** 2, rtol=1e-9)
