"""Kolmogorov distance of draws to the standard normal distribution, each half of them read where the other is farthest.

In a bin of Φ, from u to u + w, the empirical distribution function F̂ cannot be farther above Φ than F̂ at its end less
u, nor farther below than u + w less F̂ at its beginning; and where the bin has a draw, it falls short of that by w at
most. So one pass that counts the draws in each bin leaves few bins in which the greatest distance may lie: those are
counted in finer bins, or, once they hold few draws, these are looked at themselves. The result is exact, whatever the
parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simstudy.analysis.influence import wilson
from simstudy.analysis.reductions import Sums, Total
from simstudy.analysis.streaming import Steps
from simstudy.parameters import Array

Draws = Callable[[Any], Array]
"""A function of a part: its draws (m,)."""
_Places = NDArray[np.int64]

_BINS = 2**14
_FINER = 2**6
_FEW = 2**17


class Farthest(NamedTuple):
    """Where the distribution function of draws is farthest from Φ.

    Attributes
    ----------
    point
        The draw.
    above
        Whether it is farthest above there; else below, just before it.
    """

    point: float
    above: bool


class _Bins(NamedTuple):
    """Bins of Φ: the interval from k/resolution to (k + 1)/resolution for each place k, ascending."""

    resolution: int
    places: _Places

    def of(self, normal: Array) -> tuple[_Places, NDArray[np.bool_]]:
        """Return for values of Φ the index of their bin, and whether it is one of these."""
        own = np.minimum((normal * self.resolution).astype(np.int64), self.resolution - 1)
        if len(self.places) == self.resolution:
            return own, np.ones(len(own), bool)
        index = np.minimum(np.searchsorted(self.places, own), len(self.places) - 1)
        return index, self.places[index] == own

    def between(self, normal: Array) -> _Places:
        """Return how many values of Φ, in none of the bins, lie just before each of them."""
        own = np.minimum((normal * self.resolution).astype(np.int64), self.resolution - 1)
        return np.bincount(np.searchsorted(self.places, own), minlength=len(self.places) + 1)[:-1]

    def finer(self, chosen: NDArray[np.bool_]) -> _Bins:
        """Return the chosen bins, each cut into some."""
        cut = self.places[chosen][:, None] * _FINER + np.arange(_FINER)
        return _Bins(self.resolution * _FINER, cut.ravel())


class _Half(NamedTuple):
    """Draws of a half, whether all are numbers, and how many are in each bin and before it."""

    draws: int
    numbers: bool
    inside: _Places
    before: _Places


@dataclass(frozen=True, eq=False)
class _Counted:
    """Draws in each bin, and before it."""

    of: Draws
    bins: _Bins

    def fold(self, state: _Half | None, part: Any) -> _Half:
        """Count a part."""
        size, draws = len(self.bins.places), self.of(part)
        state = state or _Half(0, True, np.zeros(size, np.int64), np.zeros(size, np.int64))
        if np.isnan(draws).any():
            return state._replace(numbers=False)
        normal = special.ndtr(draws)
        index, member = self.bins.of(normal)
        inside = np.bincount(index[member], minlength=size)
        before = np.cumsum(self.bins.between(normal[~member])) + np.cumsum(inside) - inside
        return _Half(state.draws + len(draws), state.numbers, state.inside + inside, state.before + before)


@dataclass(frozen=True, eq=False)
class _Collected:
    """Draws in some bins."""

    of: Draws
    bins: _Bins

    def fold(self, state: list[Array] | None, part: Any) -> list[Array]:
        """Add those of a part."""
        draws = self.of(part)
        return [*(state or []), draws[self.bins.of(special.ndtr(draws))[1]]]


def farthest(of: Draws) -> Steps[Farthest | None]:
    """Return where draws are farthest from normal; None where one is not a number, or there is none."""
    bins = _Bins(_BINS, np.arange(_BINS))
    half: _Half = yield _Counted(of, bins)
    if not half.numbers or not half.draws:
        return None
    chosen = _candidates(half, bins)
    while half.inside[chosen].sum() > _FEW and bins.resolution < 2**44:
        bins = bins.finer(chosen)
        half = yield _Counted(of, bins)
        chosen = _candidates(half, bins)
    bins = _Bins(bins.resolution, bins.places[chosen])
    parts = yield _Collected(of, bins)
    draws = np.sort(np.concatenate(parts))
    ranks = np.concatenate([b + np.arange(k) for b, k in zip(half.before[chosen], half.inside[chosen], strict=True)])
    return _farthest_of(draws, ranks, half.draws)


def _candidates(half: _Half, bins: _Bins) -> NDArray[np.bool_]:
    """Tell which bins may have the draw at which the distance is greatest."""
    low, width = bins.places / bins.resolution, 1.0 / bins.resolution
    most = np.maximum((half.before + half.inside) / half.draws - low, low + width - half.before / half.draws)
    most = np.where(half.inside > 0, most, -np.inf)
    # a little more, for what rounding may do to Φ
    return np.asarray(most >= most.max() - width * (1.0 + 1e-6) - 1e-12)


def _farthest_of(draws: Array, ranks: _Places, total: int) -> Farthest:
    """Return where sorted draws of given ranks are farthest.

    The empirical distribution function jumps: it is farthest above Φ at a draw, farthest below just before one.
    """
    normal = special.ndtr(draws)
    above, below = (ranks + 1) / total - normal, normal - ranks / total
    over, under = int(np.argmax(above)), int(np.argmax(below))
    highest = bool(above[over] >= below[under])
    return Farthest(float(draws[over if highest else under]), highest)


def _reading(of: Draws, at: Farthest) -> Steps[tuple[float, float]]:
    """Return the signed distance of draws at a point, and its error."""

    def hits(part: Any) -> Array:
        draws = of(part)
        return np.asarray(draws <= at.point if at.above else draws < at.point, dtype=float)[None]

    found: Total = yield Sums(hits)
    share = float(found.sum[0]) / found.rows
    distance = share - float(special.ndtr(at.point))
    return distance if at.above else -distance, float(wilson(share * (1.0 - share), found.rows))


def cross_fitted(first: Draws, second: Draws) -> Steps[tuple[float, float]]:
    """Return the mean of the two readings and the root of the mean of their squared errors."""
    of_first, of_second = yield farthest(first), farthest(second)
    if of_first is None or of_second is None:
        return float("nan"), float("nan")
    readings = np.array((yield _reading(second, of_first), _reading(first, of_second)))
    return float(readings[:, 0].mean()), float(np.sqrt(np.square(readings[:, 1]).mean()))
