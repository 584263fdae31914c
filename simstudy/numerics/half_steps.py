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
    y, inverse = _shifted(x)
    square = np.square(y + 0.5)
    terms = np.where(y < 1.0, np.log(y * (y + 1.0) / square), np.log1p(-0.25 / square))
    return np.asarray(0.5 * terms.sum(axis=-1) + inverse * horner(_VALUE, inverse * inverse))


def digamma_step(x: Array) -> Array:
    """Return ψ(x + ½) − ψ(x) − 1/(2x) for x > 0 with full relative precision."""
    y, inverse = _shifted(x)
    square = inverse * inverse
    terms = 0.25 / (y * (y + 0.5) * (y + 1.0))
    return np.asarray(terms.sum(axis=-1) + square * horner(_SLOPE, square))


def trigamma_step(x: Array) -> Array:
    """Return ψ′(x + ½) − ψ′(x) + 1/(2x²) for x > 0 with full relative precision."""
    y, inverse = _shifted(x)
    square = inverse * inverse
    one, half, two = 1.0 / y, 1.0 / (y + 0.5), 1.0 / (y + 1.0)
    terms = -0.25 * one * half * two * (one + half + two)
    return np.asarray(terms.sum(axis=-1) + square * inverse * horner(_FACTORS, square))


def _shifted(x: Array) -> tuple[Array, Array]:
    """Return x + k for the shifts k along a last axis, and 1/(x + 10)."""
    x = np.asarray(x, dtype=float)
    return x[..., np.newaxis] + np.arange(_SHIFTS), 1.0 / (x + _SHIFTS)


def trigamma_step_rest(x: Array) -> Array:
    """Return what is left of `trigamma_step` after the first term −1/(4x³) of its series, for x ≥ 16."""
    inverse = 1.0 / np.asarray(x, dtype=float)
    square = inverse * inverse
    return np.asarray(square * square * inverse * horner(_FACTORS[1:], square))
