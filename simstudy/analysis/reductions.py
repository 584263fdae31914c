"""Sums over rows that are read in parts: moments, joint moments, extremes, plain sums.

Moments of two sets of n_a and n_b rows are joined by (Chan, Golub & LeVeque 1983, The American Statistician 37, 242)

    δ = m_b − m_a,   m = m_a + δ·n_b/n,   C = C_a + C_b + δδᵀ·n_a n_b/n,   n = n_a + n_b,

C the sum of products of deviations. Nothing cancels, and rows that are all equal have deviations of exactly zero,
however many parts there are. Sums are plain loops, not BLAS, whose bits depend on its threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from simstudy.analysis.streaming import Rows
from simstudy.parameters import Array


def centre(values: Array) -> tuple[Array, Array]:
    """Return the means (k,) of values (k, R) and the deviations from them.

    The second pass removes the rounding of the first, so that equal values have deviations of exactly zero. Row by
    row, which spares the memory of a second array.
    """
    mean = values.mean(axis=-1)
    for entry, row in enumerate(values):
        mean[entry] += (row - mean[entry]).mean()
    return mean, values - mean[:, None]


class Moment(NamedTuple):
    """Moments of values (k, m).

    Attributes
    ----------
    rows
        m.
    mean : (k,)
        Means; of infinite values infinite, NaN where both signs occur or there is no row.
    square : (k,)
        Sums of squared deviations from them; NaN where a mean is not finite.
    """

    rows: int
    mean: Array
    square: Array

    @property
    def centre(self) -> Array:
        """The means, (k,), NaN where nothing deviates from them by a number."""
        return np.where(np.isfinite(self.mean), self.mean, np.nan)

    @property
    def variance(self) -> Array:
        """Variances (k,), divisor m−1."""
        return self.square / (self.rows - 1) if self.rows > 1 else np.full_like(self.square, np.nan)


class JointMoment(NamedTuple):
    """Joint moments of values (k, m) and (l, m).

    Attributes
    ----------
    rows
        m.
    mean, other : (k,), (l,)
        Means of either.
    cross : (k, l)
        Sums of products of deviations.
    """

    rows: int
    mean: Array
    other: Array
    cross: Array


class Extent(NamedTuple):
    """Least and greatest values (k,); NaN where one of them is."""

    low: Array
    high: Array

    @property
    def size(self) -> Array:
        """Greatest absolute values (k,)."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


class Total(NamedTuple):
    """Number of rows, and sums (k,)."""

    rows: int
    sum: Array


@dataclass(frozen=True)
class Moments:
    """`Moment` of what is given for each part."""

    of: Rows

    def fold(self, state: Moment | None, part: Any) -> Moment:
        """Join the moments of a part."""
        return joined(state, moment(np.asarray(self.of(part), dtype=float)))


def moment(values: Array) -> Moment:
    """Return the moments of values (k, m)."""
    if not values.shape[-1]:
        return Moment(0, np.full(len(values), np.nan), np.zeros(len(values)))
    mean, deviation = centre(values)
    square = np.array([np.square(row).sum() for row in deviation])
    if np.isnan(mean).any():
        mean = np.where(np.isnan(mean), values.mean(axis=-1), mean)
    return Moment(values.shape[-1], mean, square)


def joined(first: Moment | None, second: Moment) -> Moment:
    """Return the moments of two sets of rows together."""
    if first is None or not first.rows:
        return second
    if not second.rows:
        return first
    count, delta = first.rows + second.rows, second.mean - first.mean
    mean = _joined_means(first.mean, second.mean, first.rows, second.rows)
    square = first.square + second.square + np.square(delta) * (first.rows * (second.rows / count))
    return Moment(count, mean, square)


def _joined_means(first: Array, second: Array, rows: int, more: int) -> Array:
    mean = first + (second - first) * (more / (rows + more))
    infinite = np.isnan(mean)
    return np.where(infinite, first + second, mean) if infinite.any() else mean


@dataclass(frozen=True)
class JointMoments:
    """`JointMoment` of two things given for each part, by default of one with itself."""

    of: Rows
    other: Rows | None = None

    def fold(self, state: JointMoment | None, part: Any) -> JointMoment:
        """Join the moments of a part."""
        values = self.of(part)
        others = values if self.other is None else self.other(part)
        rows = values.shape[-1]
        if not rows:
            return state or _no_rows(len(values), len(others))
        mean, deviation = centre(values)
        other, apart = (mean, deviation) if others is values else centre(others)
        cross = np.einsum("ar,br->ab", deviation, apart)
        if state is None or not state.rows:
            return JointMoment(rows, mean, other, cross)
        count = state.rows + rows
        pull = np.outer(mean - state.mean, other - state.other) * (state.rows * (rows / count))
        return JointMoment(
            count,
            _joined_means(state.mean, mean, state.rows, rows),
            _joined_means(state.other, other, state.rows, rows),
            state.cross + cross + pull,
        )


def _no_rows(size: int, others: int) -> JointMoment:
    return JointMoment(0, np.full(size, np.nan), np.full(others, np.nan), np.zeros((size, others)))


@dataclass(frozen=True)
class Products:
    """Σ of products of two things given for each part, (k, l), not centred."""

    of: Rows
    other: Rows

    def fold(self, state: Array | None, part: Any) -> Array:
        """Add the products of a part."""
        found = np.einsum("ar,br->ab", self.of(part), self.other(part))
        return found if state is None else np.asarray(state + found)


@dataclass(frozen=True)
class Range:
    """`Extent` of what is given for each part."""

    of: Rows

    def fold(self, state: Extent | None, part: Any) -> Extent | None:
        """Widen by a part."""
        values = self.of(part)
        if not values.shape[-1]:
            return state
        low, high = values.min(axis=-1), values.max(axis=-1)
        return Extent(low, high) if state is None else Extent(np.minimum(state.low, low), np.maximum(state.high, high))


@dataclass(frozen=True)
class Sums:
    """`Total` of what is given for each part."""

    of: Rows

    def fold(self, state: Total | None, part: Any) -> Total:
        """Add a part."""
        values = self.of(part)
        found = Total(values.shape[-1], values.sum(axis=-1))
        return found if state is None else Total(state.rows + found.rows, state.sum + found.sum)
