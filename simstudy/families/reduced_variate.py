"""The reduced variate of extreme-value families, y = log(1 + ξz)/ξ, which is z at ξ = 0, and its derivatives.

With u = ξz, h = 1/(2 + u), r = uh = tanh(ξy/2), b = 2zh and A(r²) = (artanh r − r)/r³:

    y = b(1 + r²A)      ∂y/∂ξ = −½b²(c + rA)      ∂²y/∂ξ² = ½b³(c² + A)      c = 1/(1 + r)

No digits cancel in these sums, at ξ = 0 as little as elsewhere. A is a polynomial near r = 0 and comes from the
logarithm, artanh r = ½ log(1 + u), further out.

Away from ξ = 0 there are shorter formulas, with k = z ∂y/∂z: ∂y/∂ξ = (k − y)/ξ and ∂²y/∂ξ² = −(k² + 2 ∂y/∂ξ)/ξ. They
round by 1/u and 1/u² units, which is well for means over observations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

from simstudy.parameters import Array

# Where r² is larger the logarithm loses at most a factor of thirty of its rounding, in a term that counts for little.
_NEAR = 0.04
# Where |ξz| is typically larger the short formulas do for means.
_SHORT = 0.05

Rows = NDArray[np.intp] | slice


def _near_zero(degree: int) -> list[float]:
    """Return the coefficients, highest first, of a polynomial of A(q) = Σ qᵏ/(2k + 3) for 0 ≤ q ≤ _NEAR."""
    series = Polynomial([1.0 / (2 * k + 3) for k in range(16)])
    fitted = Chebyshev.interpolate(series, degree, domain=[0.0, _NEAR])
    return [float(value) for value in fitted.convert(kind=Polynomial).coef[::-1]]


# Their errors are 2e-17 and 2e-9.
_COEFFICIENTS = {"d": _near_zero(7), "f": _near_zero(3)}


class Reduced(NamedTuple):
    """y, w = ∂y/∂z = 1/(1 + ξz), f = ∂y/∂ξ and g = ∂²y/∂ξ², elementwise; not numbers where 1 + ξz < 0."""

    y: Array
    w: Array
    f: Array
    g: Array


class _Parts(NamedTuple):
    """1 + u, r, b and A."""

    s: Array
    r: Array
    b: Array
    a: Array


def variate(z: Array, shape: Array) -> Array:
    """Return y alone, in the precision of z."""
    with np.errstate(all="ignore"):
        return _variate(_parts(z, shape))


def reduced(z: Array, shape: Array) -> Reduced:
    """Return y and its derivatives, in the precision of z."""
    with np.errstate(all="ignore"):
        parts = _parts(z, shape)
        _, r, b, a = parts
        c = 1.0 / (1.0 + r)
        square = b * b
        square *= 0.5
        f = r * a
        f += c
        f *= square
        c *= c
        c += a
        c *= b
        c *= square
        return Reduced(_variate(parts), 1.0 / parts.s, -f, c)


def from_variate(y: Array, shape: Array | float) -> Array:
    """Return z = (eˢ − 1)/ξ, s = ξy, the inverse of `variate`."""
    shape = np.asarray(shape, dtype=float)
    if not (shape == 0.0).any():
        z = y * shape
        np.expm1(z, out=z)
        z *= 1.0 / shape
        return np.asarray(z)
    flat = shape == 0.0
    return np.where(flat, y, from_variate(np.where(flat, 0.0, y), np.where(flat, 1.0, shape)))


def by_form(typical: Array, means: Callable[[Rows, bool], Sequence[Array]]) -> list[Array]:
    """Return means over observations, taken by the short formulas in the rows where these do.

    Parameters
    ----------
    typical : (R,)
        A typical size of ξz in each data set.
    means
        (rows, whether by the short formulas) ↦ means of these rows.
    """
    short = np.abs(typical) >= _SHORT
    if short.all() or not short.any():
        return list(means(slice(None), bool(short.all())))
    parts = [(rows, means(rows, bool(short[rows[0]]))) for rows in (np.flatnonzero(short), np.flatnonzero(~short))]
    merged = []
    for one, other in zip(*(part for _, part in parts), strict=True):
        whole = np.empty(len(typical))
        whole[parts[0][0]], whole[parts[1][0]] = one, other
        merged.append(whole)
    return merged


def _parts(z: Array, shape: Array) -> _Parts:
    u: Any = z * shape
    s = u + 1.0
    b = 1.0 / (s + 1.0)
    u *= b
    b *= z
    b *= 2.0
    return _Parts(s, u, b, _excess(u, s))


def _variate(parts: _Parts) -> Array:
    y = parts.r * parts.r
    y *= parts.a
    y += 1.0
    y *= parts.b
    return np.asarray(y)


def _excess(r: Array, s: Array) -> Array:
    """Return A(r²) = (artanh r − r)/r³ with artanh r = ½ log s."""
    square = r * r
    first, second, *others = _COEFFICIENTS[square.dtype.char]
    near = square * first
    near += second
    for coefficient in others:
        near *= square
        near += coefficient
    far = np.log(s)
    far *= 0.5
    far -= r
    far /= r
    far /= square
    return np.where(square < _NEAR, near, far)
