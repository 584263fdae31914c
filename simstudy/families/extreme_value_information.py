"""I(0, 1, ξ) of the generalized extreme value family (Prescott & Walden 1980).

With p = (1+ξ)²Γ(1+2ξ), g = Γ(2+ξ) and q = g(ξψ(1+ξ) + 1 + ξ):

    μμ  p                 μσ  (g − p)/ξ                 μξ  (p − q)/ξ²
    σσ  (1 − 2g + p)/ξ²   σξ  −(1 − g − q + p + (1−γ)ξ)/ξ³
    ξξ  (1 − 2q + p + 2(1−γ)ξ + (π²/6 + (1−γ)²)ξ²)/ξ⁴

Near ξ = 0 the numerators are power series without their first terms, which vanish.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from simstudy.parameters import Array

INFINITE_INFORMATION = (
    "for shape ≤ −1/2 the score has no variance and I(θ) is infinite: the end of the support is estimated too well"
)

_EULER = float(np.euler_gamma)
_LINEAR = 1.0 - _EULER
_SQUARE = math.pi**2 / 6.0 + _LINEAR**2
# The nearest pole is at ξ = −½, so that terms shrink by 0.4; the closed forms lose a factor ξ⁻⁴.
_NEAR = 0.2
_TERMS = 48
# Powers of ξ by which the numerators are divided, in packed order.
_POWERS = (0, 1, 2, 2, 3, 4)


def unit_information(shape: Array) -> list[Array]:
    """Return I(0, 1, ξ) packed, elementwise; NaN for ξ ≤ −½, where it does not exist."""
    shape = np.asarray(shape, dtype=float)
    exists = shape > -0.5
    near = np.abs(shape) < _NEAR
    far = np.where(exists & ~near, shape, 1.0)
    small = np.where(near, shape, 0.0)
    series = _polynomials(small)
    packed = []
    for entry, numerator, power in zip(series, _numerators(far), _POWERS, strict=True):
        packed.append(np.where(exists, np.where(near, entry, numerator / far**power), np.nan))
    return packed


def _polynomials(x: Array) -> Any:
    """Return the six power series at x, along the first axis."""
    first, *others = _SERIES.reshape(-1, len(_POWERS), *(1 for _ in x.shape))
    total = first + np.zeros_like(x)
    for coefficients in others:
        total *= x
        total += coefficients
    return total


def _numerators(x: Array) -> list[Array]:
    g = special.gamma(2.0 + x)
    p = np.square(1.0 + x) * special.gamma(1.0 + 2.0 * x)
    q = g * (x * special.digamma(1.0 + x) + 1.0 + x)
    return _combined(1.0, x, np.square(x), p, g, q)


def _combined(one: Array | float, x: Array, square: Array, p: Array, g: Array, q: Array) -> list[Array]:
    """Return the numerators in packed order, of numbers or of power series."""
    return [
        p,
        g - p,
        p - q,
        one - 2.0 * g + p,
        -(one - g - q + p + _LINEAR * x),
        one - 2.0 * q + p + 2.0 * _LINEAR * x + _SQUARE * square,
    ]


def _power_series() -> Array:
    """Return the coefficients of the six entries at ξ = 0, one row per power, highest first."""
    orders = np.arange(1, _TERMS)
    log_gamma = np.zeros(_TERMS)  # of log Γ(1 + ξ)
    log_gamma[1] = -_EULER
    log_gamma[2:] = special.zeta(orders[1:]) * (-1.0) ** orders[1:] / orders[1:]
    gamma = np.zeros(_TERMS)
    gamma[0] = 1.0
    for n in orders:
        gamma[n] = (orders[:n] * log_gamma[1 : n + 1] * gamma[n - 1 :: -1]).sum() / n
    one, x, square = np.eye(3, _TERMS)
    digamma = np.append(orders * log_gamma[1:], 0.0)

    def times(a: Array, b: Array) -> Array:
        return np.convolve(a, b)[:_TERMS]

    p = times(times(one + x, one + x), gamma * 2.0 ** np.arange(_TERMS))
    g = times(one + x, gamma)
    q = times(g, times(x, digamma) + one + x)
    numerators = _combined(one, x, square, p, g, q)
    length = _TERMS - 1 - max(_POWERS)  # the last term lacks what the truncation of ψ leaves out
    columns = [entry[power : power + length][::-1] for entry, power in zip(numerators, _POWERS, strict=True)]
    return np.stack(columns, axis=-1)


_SERIES = _power_series()
