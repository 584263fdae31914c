"""Bessel functions of the von Mises distribution against mpmath."""

import mpmath
import numpy as np
import pytest

from simstudy.numerics.circular import log_normaliser, resultant

KAPPAS = [1e-8, 1e-3, 0.1, 1.0, 3.7, 10.0, 25.0, 39.999, 40.0, 40.001, 55.0, 200.0, 3e3, 1e5]
# A dozen operations, and the rounding of scipy's Bessel functions.
TOLERANCE = 16 * 2.0**-52


@pytest.mark.parametrize("kappa", KAPPAS)
def test_moments(kappa):
    found = [float(entry) for entry in resultant(np.asarray(kappa))]
    with mpmath.workdps(80):
        k = mpmath.mpf(kappa)
        a = mpmath.besseli(1, k) / mpmath.besseli(0, k)
        expected = [float(entry) for entry in (a, 1 - a, 1 - a / k - a * a, a / k)]
        norm = float(mpmath.log(2 * mpmath.pi * mpmath.besseli(0, k)) - k)
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE)
    np.testing.assert_allclose(log_normaliser(np.asarray(kappa)), norm, rtol=TOLERANCE, atol=TOLERANCE)


def test_limits():
    assert [float(entry) for entry in resultant(np.asarray(0.0))] == pytest.approx([0.0, 1.0, 0.5, 0.5], abs=TOLERANCE)
    far = resultant(np.asarray(1e12))
    np.testing.assert_allclose([far.gap, far.variance, far.across], [5e-13, 5e-25, 1e-12], rtol=1e-11)


def test_an_entry_does_not_depend_on_its_neighbours():
    kappa = np.array(KAPPAS)
    together = resultant(kappa)
    for i in range(len(kappa)):
        alone = resultant(kappa[i : i + 1])
        assert [entry[0] for entry in alone] == [entry[i] for entry in together]
    assert resultant(kappa.reshape(2, 7)).gap.shape == (2, 7)
