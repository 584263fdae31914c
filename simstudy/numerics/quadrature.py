"""Expectations under a family by quadrature or summation, batched over parameters.

The numerical default for families without closed forms, and the oracle that tests those closed forms. A fixed
sample of the family tells where its mass lies; Gauss–Legendre panels cover the middle and double-exponential rules
the two ends (Takahasi & Mori 1974), so that infinite ranges and end-point singularities cost no accuracy. Counts
are summed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np

from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array, Columns

Sampler = Callable[[np.random.Generator, Columns, tuple[int, ...]], Array]
Function = Callable[[Array, Columns], Array]
Breaks = Callable[[Columns], Sequence[Array]]


class Space(Protocol):
    """The part of a sample space that a rule needs."""

    @property
    def lower(self) -> float:
        """Lower end."""

    @property
    def upper(self) -> float:
        """Upper end."""

    @property
    def discrete(self) -> bool:
        """Whether only integers belong to it."""

    @property
    def circular(self) -> bool:
        """Whether its ends are one point, as of angles."""


_PILOT = 2000
# So close that in a tail like x^(−1.3) no panel ends at more than ten times its beginning.
_LOWER_CUTS = (0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.15, 0.3)
_CUTS = (*_LOWER_CUTS, 0.5, *(1.0 - cut for cut in reversed(_LOWER_CUTS)))
_LEGENDRE = np.polynomial.legendre.leggauss(20)
_STEP = 1.0 / 16.0
# The same tail has 10⁻⁴⁰ of its mass beyond the last node.
_FARTHEST = 6.0
# Ends of panels of a circle in median distances from the mean direction; the last reaches all around.
_REACHES = np.array([0.0, 0.75, 1.5, 2.5, 4.0, 6.0, 9.0, 14.0, 25.0, np.inf])
_ROWS_AT_ONCE = 512


def expected_products(
    sample: Sampler,
    log_density: Function,
    score: Callable[[Array, Columns], Sequence[Array]],
    space: Space,
    theta: Columns,
    breaks: Breaks | None = None,
) -> list[Array]:
    """Return E[sᵢsⱼ] packed, of the shape that the parameters θ broadcast to; NaN where θ is not finite."""
    shape = np.broadcast_shapes(*(np.shape(column) for column in theta))
    flat = [np.broadcast_to(np.asarray(column, dtype=float), shape).reshape(-1) for column in theta]
    known = np.isfinite(flat).all(axis=0)
    if not known.all():  # samplers may refuse NaN
        flat = [column[known] for column in flat]
    packed = _products(sample, log_density, score, space, flat, breaks)
    found = np.full((len(packed), *known.shape), np.nan)
    found[:, known] = packed
    return [entry.reshape(shape) for entry in found]


def _products(
    sample: Sampler,
    log_density: Function,
    score: Callable[[Array, Columns], Sequence[Array]],
    space: Space,
    flat: Sequence[Array],
    breaks: Breaks | None,
) -> Array:
    """Return E[sᵢsⱼ] of rows θ (R,), one row of the result per packed entry."""
    packed: list[list[Array]] = [[np.empty(0)] for _ in pairs(len(flat))]
    for columns in _slices(flat):
        x, weights = rule(sample, space, columns, breaks(columns) if breaks else ())
        mass = weights * np.exp(log_density(x, columns))
        scores = score(x, columns)
        for entry, (i, j) in zip(packed, pairs(len(flat)), strict=True):
            entry.append(weighted_sum(mass, scores[i] * scores[j]))
    return np.array([np.concatenate(entry) for entry in packed])


def weighted_sum(mass: Array, values: Array) -> Array:
    """Return Σ mass·values along the last axis; where there is no mass, infinite values do not count."""
    with np.errstate(all="ignore"):
        return np.asarray(np.where(mass > 0.0, mass * values, 0.0).sum(axis=-1))


def _slices(flat: Sequence[Array]) -> Iterator[list[Array]]:
    for first in range(0, len(flat[0]), _ROWS_AT_ONCE):
        yield [column[first : first + _ROWS_AT_ONCE, np.newaxis] for column in flat]


def rule(sample: Sampler, space: Space, theta: Columns, breaks: Sequence[Array] = ()) -> tuple[Array, Array]:
    """Return nodes and weights (R, m) for ∫ f(x) dx or Σ f(x) over the sample space, for θ as p arrays (R, 1).

    Breaks, arrays (R, 1), are points where f or one of its derivatives jumps.
    """
    rows = len(theta[0])
    pilot = np.sort(sample(np.random.default_rng(0), theta, (rows, _PILOT)), axis=-1)
    if space.discrete:
        return _counts(pilot, space)
    if space.circular:
        return _circle(pilot, space)
    cuts = np.quantile(pilot, _inner_cuts(space), axis=-1).T
    if breaks:
        cuts = np.sort(np.concatenate([cuts, *(np.broadcast_to(at, (rows, 1)) for at in breaks)], axis=-1), axis=-1)
    parts = [_lower_end(cuts, space), *_panels(cuts), _upper_end(cuts, space)]
    nodes, weights = (np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True))
    return np.clip(nodes, np.nextafter(space.lower, np.inf), np.nextafter(space.upper, -np.inf)), weights


def _inner_cuts(space: Space) -> list[float]:
    """Return the probabilities of the cuts; a finite end may be singular, and its rule reaches to the median."""
    lower = 0.5 if np.isfinite(space.lower) else 0.0
    upper = 0.5 if np.isfinite(space.upper) else 1.0
    return [cut for cut in _CUTS if lower <= cut <= upper]


def _panels(cuts: Array) -> Iterator[tuple[Array, Array]]:
    nodes, weights = _LEGENDRE
    for left, right in zip(cuts.T[:-1, :, np.newaxis], cuts.T[1:, :, np.newaxis], strict=True):
        half = (right - left) / 2.0
        yield left + half * (1.0 + nodes), half * weights


def _lower_end(cuts: Array, space: Space) -> tuple[Array, Array]:
    edge, width = cuts[:, :1], cuts[:, -1:] - cuts[:, :1]
    if np.isfinite(space.lower):
        share, slope = unit_rule()
        return space.lower + (edge - space.lower) * share, (edge - space.lower) * slope
    reach, slope = half_line_rule()
    return edge - width * reach, width * slope


def _upper_end(cuts: Array, space: Space) -> tuple[Array, Array]:
    edge, width = cuts[:, -1:], cuts[:, -1:] - cuts[:, :1]
    if np.isfinite(space.upper):
        share, slope = unit_rule()
        return space.upper - (space.upper - edge) * share, (space.upper - edge) * slope
    reach, slope = half_line_rule()
    return edge + width * reach, width * slope


def unit_rule(least: float = -5.0, step: float = _STEP) -> tuple[Array, Array]:
    """Tanh-sinh rule on (0, 1), dense towards 0, from exp(π sinh(least)) on."""
    at = np.arange(least, 3.4, step)
    small = np.exp(-np.abs(np.pi * np.sinh(at)))
    share = np.where(at < 0.0, small, 1.0) / (1.0 + small)
    return share, step * np.pi * np.cosh(at) * small / (1.0 + small) ** 2


def half_line_rule(step: float = _STEP, most: float = _FARTHEST) -> tuple[Array, Array]:
    """Exp-sinh rule on (0, ∞), up to exp(½π sinh(most))."""
    at = np.arange(-4.0, most, step)
    reach = np.exp(0.5 * np.pi * np.sinh(at))
    return reach, step * 0.5 * np.pi * np.cosh(at) * reach


def _circle(pilot: Array, space: Space) -> tuple[Array, Array]:
    """Cover a circle by panels that get longer away from the mean direction; one begins where the numbers do."""
    length = space.upper - space.lower
    turn = 2.0 * np.pi / length
    centre = np.arctan2(np.sin(turn * pilot).mean(axis=-1), np.cos(turn * pilot).mean(axis=-1))[:, np.newaxis] / turn
    away = np.abs(_within(pilot - centre, -0.5 * length, length))
    reach = np.minimum(np.median(away, axis=-1, keepdims=True) * _REACHES, 0.5 * length)
    begin = _within(space.lower - centre, -0.5 * length, length)
    cuts = np.sort(np.concatenate([-reach, reach[:, 1:], begin], axis=-1), axis=-1)
    parts = list(_panels(cuts))
    nodes, weights = (np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True))
    return _within(centre + nodes, space.lower, length), weights


def _within(x: Array, lower: float, length: float) -> Array:
    """Return points of a circle as numbers in [lower, lower + length)."""
    return np.asarray(x - length * np.floor((x - lower) / length))


def _counts(pilot: Array, space: Space) -> tuple[Array, Array]:
    spread = 20.0 + 6.0 * (pilot[:, -1] - pilot[:, 0])
    first = np.maximum(np.floor(pilot[:, 0] - spread), space.lower)
    last = np.minimum(np.ceil(pilot[:, -1] + spread), space.upper)
    nodes = np.asarray(first[:, np.newaxis] + np.arange(float((last - first).max()) + 1.0))
    return nodes, (nodes <= last[:, np.newaxis]).astype(float)
