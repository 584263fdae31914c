"""The likelihood of mixtures of two normals: components, responsibilities, score and curvature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.likelihood import Evaluation, FamilyLikelihood, against_rows
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry, pairs, position
from simstudy.parameters import Array, Columns

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


class NormalMixtureLikelihood(FamilyLikelihood):
    """The likelihood of data kept relative to their mean."""

    def __init__(self, deviation: Array, origin: Array) -> None:
        self.deviation, self.origin = deviation, origin
        self.rows, self.size = deviation.shape
        self.usable = np.isfinite(origin)

    @classmethod
    def of(cls, x: Array) -> Self:
        """Sort the data, so that starts are found without another sort, and take them relative to their mean."""
        origin = x.mean(axis=-1)
        return cls(np.sort(x - origin[:, np.newaxis], axis=-1), origin)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data; the score products are part of the information."""
        w, m1, s1, m2, s2 = theta
        at = against_rows([w, m1 - self.origin, s1, m2 - self.origin, s2])
        one, two = components(self.deviation, at)
        total = np.logaddexp(one, two)
        share = np.exp(one - total)
        z1, z2 = (self.deviation - at[1]) / at[2], (self.deviation - at[3]) / at[4]
        found = scores(at, share, z1, z2)
        outer = [mean_product(found[i], found[j]) for i, j in pairs(5)]
        own = curvature(theta, _moments(share, z1), _moments(1.0 - share, z2))
        information = [product - entry for product, entry in zip(outer, own, strict=True)]
        return Evaluation(total.mean(axis=-1), [s.mean(axis=-1) for s in found], information, outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.deviation[rows], self.origin[rows])


def components(x: Array, theta: Columns) -> tuple[Array, Array]:
    """Return log(w N₁) and log((1 − w) N₂) elementwise."""
    w, m1, s1, m2, s2 = (np.asarray(column, dtype=float) for column in theta)
    one = np.log(w / s1) - _HALF_LOG_TWO_PI - 0.5 * np.square((x - m1) / s1)
    two = np.log1p(-w) - np.log(s2) - _HALF_LOG_TWO_PI - 0.5 * np.square((x - m2) / s2)
    return np.asarray(one), np.asarray(two)


def parts(x: Array, theta: Columns) -> tuple[Array, Array, Array]:
    """Return r₁, z₁ and z₂."""
    one, two = components(x, theta)
    share = np.exp(one - np.logaddexp(one, two))
    return share, (x - theta[1]) / theta[2], (x - theta[3]) / theta[4]


def scores(theta: Columns, share: Array, z1: Array, z2: Array) -> list[Array]:
    """Return r₁g₁ + r₂g₂ elementwise."""
    w, _, s1, _, s2 = theta
    other = 1.0 - share
    return [
        share / w - other / (1.0 - w),
        share * z1 / s1,
        share * (z1 * z1 - 1.0) / s1,
        other * z2 / s2,
        other * (z2 * z2 - 1.0) / s2,
    ]


def _moments(share: Array, z: Array) -> list[Array]:
    """Return the means of r zᵏ, k = 0 … 4."""
    square = z * z
    first, second = share * z, share * square
    return [
        share.mean(axis=-1), first.mean(axis=-1), second.mean(axis=-1), mean_product(first, square),
        mean_product(second, square),
    ]  # fmt: skip


def curvature(theta: Columns, one: Sequence[Array], two: Sequence[Array]) -> list[Entry]:
    """Return Σ rₖ(Hₖ + gₖgₖᵀ), packed, from r zᵏ or their means."""
    w = theta[0]
    packed: list[Entry] = [0.0] * 15
    for sign, weight, moments, (m, s), scale in (
        (1.0, w, one, (1, 2), theta[2]),
        (-1.0, 1.0 - w, two, (3, 4), theta[4]),
    ):
        mean, first, second, third, fourth = moments
        square = scale * scale
        packed[position(0, m, 5)] = sign * first / (weight * scale)
        packed[position(0, s, 5)] = sign * (second - mean) / (weight * scale)
        packed[position(m, m, 5)] = (second - mean) / square
        packed[position(m, s, 5)] = (third - 3.0 * first) / square
        packed[position(s, s, 5)] = (fourth - 5.0 * second + 2.0 * mean) / square
    return packed
