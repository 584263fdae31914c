"""Bessel functions of the von Mises distribution without cancellation, batched.

With density ∝ exp(κ cos φ) on the circle: A(κ) = E[cos φ] = I₁(κ)/I₀(κ), and A′(κ) = Var(cos φ) = 1 − A/κ − A².
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.polynomial import polynomial
from scipy import special

from simstudy.parameters import Array

# Up to here the trapezoidal rule, whose error is I₆₄(κ)/I₀(κ) < 10⁻²⁰; above it the series, cut at less than 10⁻¹⁸.
_LARGE = 40.0
_PARTS, _TERMS = 32, 20


class Resultant(NamedTuple):
    """Moments of cos φ and sin φ: the mean resultant length A, 1 − A, Var(cos φ) = A′, Var(sin φ) = A/κ."""

    length: Array
    gap: Array
    variance: Array
    across: Array


def resultant(kappa: Array) -> Resultant:
    """Return A(κ), 1 − A(κ), A′(κ) and A(κ)/κ for κ ≥ 0 with full relative precision."""
    kappa = np.asarray(kappa, dtype=float)
    flat = kappa.reshape(-1)
    gap, variance = np.empty_like(flat), np.empty_like(flat)
    large = flat > _LARGE
    for part, moments in ((~large, _by_sums), (large, _by_series)):
        if part.any():
            gap[part], variance[part] = moments(flat[part])
    length = special.i1e(flat) / special.i0e(flat)
    across = gap * (1.0 + length) - variance
    return Resultant(*(entry.reshape(kappa.shape) for entry in (length, gap, variance, across)))


def log_normaliser(kappa: Array) -> Array:
    """Return log ∫ exp(κ(cos φ − 1)) dφ = log(2π I₀(κ)) − κ."""
    return np.asarray(math.log(2.0 * math.pi) + np.log(special.i0e(kappa)))


def _by_sums(kappa: Array) -> tuple[Array, Array]:
    """Return 1 − A and A′ from the moments of u = (1 − cos φ)/2 by the trapezoidal rule on half the circle."""
    w = np.exp(-2.0 * kappa[:, np.newaxis] * _SHARES) * _WEIGHTS
    total = w.sum(axis=-1)
    mean = (w * _SHARES).sum(axis=-1) / total
    spread = (w * np.square(_SHARES - mean[:, np.newaxis])).sum(axis=-1) / total
    return 2.0 * mean, 4.0 * spread


def _by_series(kappa: Array) -> tuple[Array, Array]:
    """Return 1 − A = Σ aₘκ⁻ᵐ and A′ = Σ m aₘκ⁻ᵐ⁻¹."""
    inverse = 1.0 / kappa
    gap = inverse * polynomial.polyval(inverse, _SERIES)
    slope = polynomial.polyval(inverse, _SERIES * np.arange(1.0, _TERMS + 1.0))
    return gap, inverse * inverse * slope


def _coefficients() -> Array:
    """Return a₁, a₂, …, which A′ = 1 − A/κ − A² determines: 2aₘ = (m−2)aₘ₋₁ + Σ aᵢaₘ₋ᵢ, a₁ = ½."""
    a = [0.5]
    for m in range(2, _TERMS + 1):
        products = sum(a[i] * a[m - 2 - i] for i in range(m - 1))
        a.append(0.5 * ((m - 2) * a[-1] + products))
    return np.array(a)


_SHARES = np.square(np.sin(0.5 * math.pi * np.arange(_PARTS + 1) / _PARTS))
_WEIGHTS = np.array([0.5, *[1.0] * (_PARTS - 1), 0.5])
_SERIES = _coefficients()
