"""Differences of log Γ and its derivatives over a step of one half, without cancellation, batched.

With D(x) = log Γ(x + ½) − log Γ(x) − ½ log x, the recurrence of Γ gives

    D(x) − D(x + 1) = ½ log (x(x + 1)/(x + ½)²),

whose terms and derivatives are all of one sign; ten of them lead to where the asymptotic series
D(x) = Σ (2⁻ᵏ − 2) Bₖ₊₁/(k(k+1)xᵏ), k = 1, 3, 5, … (Abramowitz & Stegun 6.1.40, 23.1.21), is exact to rounding.
"""

from __future__ import annotations

import numpy as np

from simstudy.numerics.special import BERNOULLI, horner
from simstudy.parameters import Array

_SHIFTS = 10
_FACTORS = tuple((2.0**-k - 2.0) * b for k, b in zip(range(1, 17, 2), BERNOULLI, strict=True))
_VALUE = tuple(f / (k * (k + 1)) for k, f in zip(range(1, 17, 2), _FACTORS, strict=True))
_SLOPE = tuple(-f / (k + 1) for k, f in zip(range(1, 17, 2), _FACTORS, strict=True))


def log_gamma_step(x: Array) -> Array:
    """Return log Γ(x + ½) − log Γ(x) − ½ log x for x > 0 with full relative precision."""
    x = np.asarray(x, dtype=float)
    product = np.zeros_like(x)
    for k in range(1, _SHIFTS):
        square = np.square(x + (k + 0.5))
        product += -0.25 / square - 0.25 / square * product
    first = x * (x + 1.0) / np.square(x + 0.5)
    first = np.where(x < 1.0, np.log(first), np.log1p(-0.25 / np.square(x + 0.5)))
    inverse = 1.0 / (x + _SHIFTS)
    return np.asarray(0.5 * (first + np.log1p(product)) + inverse * horner(_VALUE, inverse * inverse))


def digamma_step(x: Array) -> Array:
    """Return ψ(x + ½) − ψ(x) − 1/(2x) for x > 0 with full relative precision."""
    x = np.asarray(x, dtype=float)
    inverse = 1.0 / (x + _SHIFTS)
    square = inverse * inverse
    total = square * horner(_SLOPE, square)
    for k in reversed(range(_SHIFTS)):
        y = x + k
        total += 0.25 / (y * (y + 0.5) * (y + 1.0))
    return np.asarray(total)


def trigamma_step(x: Array) -> Array:
    """Return ψ′(x + ½) − ψ′(x) + 1/(2x²) for x > 0 with full relative precision."""
    x = np.asarray(x, dtype=float)
    inverse = 1.0 / (x + _SHIFTS)
    square = inverse * inverse
    total = square * inverse * horner(_FACTORS, square)
    for k in reversed(range(_SHIFTS)):
        y = x + k
        one, half, two = 1.0 / y, 1.0 / (y + 0.5), 1.0 / (y + 1.0)
        total -= 0.25 * one * half * two * (one + half + two)
    return np.asarray(total)


def trigamma_step_rest(x: Array) -> Array:
    """Return what is left of `trigamma_step` after the first term −1/(4x³) of its series, for x ≥ 16."""
    inverse = 1.0 / np.asarray(x, dtype=float)
    square = inverse * inverse
    return np.asarray(square * square * inverse * horner(_FACTORS[1:], square))
