"""Differences of special functions without cancellation, batched."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from simstudy.parameters import Array

_SHIFTS = 10
_LARGE = 30.0
_TAYLOR = 30
# Bernoulli numbers B₂ … B₁₆ of the asymptotic series
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def horner(coefficients: tuple[float, ...], x: Array) -> Array:
    """Return Σ cₖ xᵏ."""
    result = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = result * x + coefficient
    return result


def trigamma_excess(x: Array) -> Array:
    """Return ψ′(x) − 1/x for x > 0 with full relative precision.

    ψ′(x) − 1/x = Σₖ 1/((x+k)²(x+k+1)) + [ψ′(y) − 1/y], y = x + 10, with the asymptotic series
    ψ′(y) − 1/y = 1/(2y²) + Σ B₂ⱼ/y²ʲ⁺¹ (Abramowitz & Stegun 6.4.12).
    """
    x = np.asarray(x, dtype=float)
    y = x + _SHIFTS
    inverse = 1.0 / y
    square = inverse * inverse
    total = square * (0.5 + inverse * horner(BERNOULLI, square))
    for k in reversed(range(_SHIFTS)):
        z = x + k
        total += 1.0 / (z * z * (z + 1.0))
    return total


def trigamma(x: Array) -> Array:
    """Return ψ′(x) for x > 0; eight times faster than scipy's polygamma."""
    return np.asarray(1.0 / np.asarray(x, dtype=float) + trigamma_excess(x))


def digamma_quotient(x: float, h: Array) -> Array:
    """Return (ψ(x + h) − ψ(x))/h for x ≥ 2 and x + h > 0, also at h = 0.

    Near 0 by Taylor's series Σₖ (−h)ᵏ ζ(k+2, x) (Abramowitz & Stegun 6.4.10).
    """
    return _quotient(special.digamma, x, h, [(-1.0) ** k * special.zeta(k + 2, x) for k in range(_TAYLOR)])


def trigamma_quotient(x: float, h: Array) -> Array:
    """Return (ψ′(x + h) − ψ′(x))/h for x ≥ 2 and x + h > 0, also at h = 0; near 0 by Taylor's series likewise."""
    return _quotient(trigamma, x, h, [(-1.0) ** (k + 1) * (k + 2) * special.zeta(k + 3, x) for k in range(_TAYLOR)])


def _quotient(function: Callable[[Array], Array], x: float, h: Array, series: list[float]) -> Array:
    """Return the quotient of differences, by its Taylor series for |h| < ½, where terms fall by a quarter."""
    h = np.asarray(h, dtype=float)
    near = np.abs(h) < 0.5
    safe = np.where(near, 0.5, h)
    direct = (function(x + safe) - function(np.asarray(x))) / safe
    return np.where(near, horner(tuple(series), np.where(near, h, 0.0)), direct)


def log_minus_digamma(x: Array) -> Array:
    """Return log x − ψ(x) for x > 0 with full relative precision.

    Above 30 by the asymptotic series 1/(2x) + Σ B₂ⱼ/(2j x²ʲ) (Abramowitz & Stegun 6.3.18); below, the difference
    is at least 1/60 and loses no more than two digits.
    """
    return _either(x, lambda x: np.log(x) - special.digamma(x), _digamma_series)


def log_gamma_minus_stirling(x: Array) -> Array:
    """Return log Γ(x) − (x log x − x) for x > 0 without cancellation at large x.

    Above 30 by ½ log(2π/x) + Σ B₂ⱼ/(2j(2j−1)x²ʲ⁻¹) (Abramowitz & Stegun 6.1.41).
    """
    return _either(x, lambda x: special.gammaln(x) - x * (np.log(x) - 1.0), _stirling_series)


def _either(x: Array, direct: Callable[[Array], Array], series: Callable[[Array], Array]) -> Array:
    """Return the direct formula below 30 and the series above; a formula that no entry needs is not computed."""
    x = np.asarray(x, dtype=float)
    large = x >= _LARGE
    if large.all():
        return series(x)
    if not large.any():
        return direct(x)
    return np.where(large, series(np.maximum(x, _LARGE)), direct(np.minimum(x, _LARGE)))


def _digamma_series(x: Array) -> Array:
    inverse = 1.0 / x
    coefficients = tuple(b / (2 * j) for j, b in enumerate(BERNOULLI, start=1))
    return np.asarray(inverse * (0.5 + inverse * horner(coefficients, inverse * inverse)))


def _stirling_series(x: Array) -> Array:
    inverse = 1.0 / x
    coefficients = tuple(b / (2 * j * (2 * j - 1)) for j, b in enumerate(BERNOULLI, start=1))
    return np.asarray(0.5 * np.log(2.0 * np.pi * inverse) + inverse * horner(coefficients, inverse * inverse))
