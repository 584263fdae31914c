"""Logarithms of ratios against mpmath."""

import mpmath
import numpy as np
import pytest

from simstudy.numerics.logs import log_ratio


@pytest.mark.parametrize("spread", [1e-15, 1e-8, 1e-3, 9e-3, 0.02, 1.0, 100.0])
def test_keeps_its_digits(spread):
    reference = np.array([0.3])
    x = reference * np.exp(spread * np.random.default_rng(1).random((1, 50)))
    with mpmath.workdps(40):
        expected = [float(mpmath.log(mpmath.mpf(float(v)) / mpmath.mpf(0.3))) for v in x[0]]
    # A ratio rounds by ε; where the row is taken as far, logarithms are 0.01 in the root mean square.
    bound = 2.0**-51 * (np.abs(expected) + (1.0 if np.square(expected).mean() >= 1e-4 else 0.0))
    assert (np.abs(log_ratio(x, reference)[0] - expected) <= bound).all()


def test_rows_are_told_apart():
    x = np.array([[1.0 + 1e-10, 1.0], [2.0, 3.0]])
    found = log_ratio(x, np.array([1.0, 1.0]))
    for row in range(2):
        np.testing.assert_array_equal(found[row], log_ratio(x[row : row + 1], np.array([1.0]))[0])
