"""What a family is beyond a time c: derivatives of log S(c), S(c) = P(X > c), and what is left of I(θ) when cut at c.

With s and h the score and the Hessian of one observation (Louis 1982, J. R. Statist. Soc. B 44, 226–233):

    ∂ log S  = E[s | X > c] = σ,        ∂² log S = E[h + s sᵀ | X > c] − σσᵀ
    I_c(θ)   = E[s sᵀ; X ≤ c] + S σσᵀ

Since E[s] = 0 and E[h + s sᵀ] = 0, integrals over either side of c will do: that of the smaller probability is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.numerics.quadrature import half_line_rule, unit_rule, weighted_sum
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array, Columns

_ROWS_AT_ONCE = 256
_LOG_HALF = np.log(0.5)
_BELOW = unit_rule(-6.1, 1.0 / 32.0)
_PILOT, _CUTS = 2000, (0.5, 0.7, 0.85, 0.95, 0.98, 0.995)
_LEGENDRE = np.polynomial.legendre.leggauss(20)
_BEYOND = half_line_rule(1.0 / 24.0, 4.2)


def nodes_until(family: Family, time: float, theta: Columns) -> tuple[Array, Array]:
    """Return times and weights (1, m) for integrals over what is seen of one member, θ as p arrays (1, 1).

    Panels between quantiles of a few draws cover the middle, double-exponential rules what is below and what is left.
    """
    lower = float(family.sample_space.lower)  # type: ignore[union-attr]
    draws = np.minimum(family.sample(np.random.default_rng(0), theta, (1, _PILOT)), time)
    cuts = np.quantile(np.ravel(draws), _CUTS)
    share, slope = _BELOW
    x, weights = [lower + (cuts[0] - lower) * share], [(cuts[0] - lower) * slope]
    for left, right in pairwise(cuts):
        half = 0.5 * (right - left)
        x.append(left + half * (1.0 + _LEGENDRE[0]))
        weights.append(half * _LEGENDRE[1])
    x.append(cuts[-1] + (time - cuts[-1]) * share)
    weights.append((time - cuts[-1]) * slope)
    inside = np.clip(np.concatenate(x), np.nextafter(lower, np.inf), np.nextafter(time, -np.inf))
    return inside[np.newaxis], np.concatenate(weights)[np.newaxis]


class _Integrals(NamedTuple):
    """Integrals of s, s sᵀ and h over one side of c, divided by S(c); one row per θ."""

    beyond: NDArray[np.bool_]
    log_survival: Array
    score: list[Array]
    products: list[Array]
    hessian: list[Array]


def survival_derivatives(family: Family, time: float, theta: Columns) -> tuple[list[Array], list[Array]]:
    """Return ∂ log S(c) and, packed, ∂² log S(c), of the shape that the parameters broadcast to."""
    found, shape = _integrate(family, time, theta), _shape(theta)
    score = _conditional_score(found)
    hessian = [
        np.where(found.beyond, total, -total) - score[i] * score[j]
        for (i, j), total in zip(
            pairs(len(score)), (p + h for p, h in zip(found.products, found.hessian, strict=True)), strict=True
        )
    ]
    return [entry.reshape(shape) for entry in score], [entry.reshape(shape) for entry in hessian]


def information_until(family: Family, time: float, theta: Columns) -> list[Array]:
    """Return the information, packed, in an observation that is cut at c."""
    found, shape = _integrate(family, time, theta), _shape(theta)
    score, survival = _conditional_score(found), np.exp(found.log_survival)
    whole = [np.broadcast_to(entry, shape).reshape(-1) for entry in family.expected_information(theta)]
    result = []
    for (i, j), entry, part in zip(pairs(len(score)), whole, found.products, strict=True):
        seen = np.where(found.beyond, entry - survival * part, survival * part)
        result.append((seen + survival * score[i] * score[j]).reshape(shape))
    return result


def _conditional_score(found: _Integrals) -> list[Array]:
    return [np.where(found.beyond, entry, -entry) for entry in found.score]


def _shape(theta: Columns) -> tuple[int, ...]:
    return np.broadcast_shapes(*(np.shape(column) for column in theta))


def _integrate(family: Family, time: float, theta: Columns) -> _Integrals:
    flat = [np.broadcast_to(np.asarray(column, dtype=float), _shape(theta)).reshape(-1) for column in theta]
    size, rows = len(flat), len(flat[0])
    entries = len(pairs(size))
    out = np.zeros((1 + size + 2 * entries, rows))
    beyond = np.zeros(rows, dtype=bool)
    with np.errstate(all="ignore"):
        for first in range(0, rows, _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            columns = [column[part, np.newaxis] for column in flat]
            at = np.full((len(columns[0]), 1), time)
            out[0, part] = _log_survival(family, at, columns)[:, 0]
            beyond[part] = out[0, part] < _LOG_HALF
            for side in (True, False):
                chosen = first + np.flatnonzero(beyond[part] == side)
                if len(chosen):
                    out[1:, chosen] = _side(family, time, [c[chosen, np.newaxis] for c in flat], beyond=side)
    score, products, hessian = out[1 : 1 + size], out[1 + size : 1 + size + entries], out[1 + size + entries :]
    return _Integrals(beyond, out[0], list(score), list(products), list(hessian))


def _side(family: Family, time: float, theta: Columns, *, beyond: bool) -> Array:
    """Return the integrals over one side, for θ as p arrays (r, 1)."""
    at = np.full((len(theta[0]), 1), time)
    log_survival = _log_survival(family, at, theta)
    if beyond:
        reach, slope = _BEYOND
        width = np.exp(log_survival - family.log_density(at, theta))
        width = np.where(np.isfinite(width) & (width > 0.0), width, time)
        x, weights = time + width * reach, width * slope
    else:
        share, slope = _BELOW
        length = time - float(family.sample_space.lower)  # type: ignore[union-attr]
        lower = time - length
        x = np.where(share < 0.5, lower + length * share, time - length * (1.0 - share))[np.newaxis]
        x, weights = np.maximum(x, np.nextafter(lower, np.inf)), length * slope
    log_density, score, hessian = family.pointwise(x, theta)
    mass = weights * np.exp(log_density - log_survival)
    products = [score[i] * score[j] for i, j in pairs(len(score))]
    return np.stack([weighted_sum(mass, entry) for entry in (*score, *products, *hessian)])


def _log_survival(family: Family, at: Array, theta: Sequence[Array]) -> Array:
    found = family.log_survival(at, theta)
    if found is None:
        message = f"{family.name} has no survival function"
        raise TypeError(message)
    return np.broadcast_to(found, at.shape)
