"""The likelihood of Student's t family: one pass over the data gives value, score, information and score products.

With z = (x − μ)/σ, a = z²/ν, q = 1/(1 + a) and b = aq = 1 − q, all are made of means of log(1 + a) and of products of
z, q and b. Where ν is large, b and log(1 + a) − b are small and keep their digits.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.numerics.half_steps import digamma_step, log_gamma_step, trigamma_step
from simstudy.numerics.special import horner
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array, Columns

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
# Beyond it the density is normal to rounding; up to it, powers of ν are finite.
_NORMAL = 1e100
# Above this ν, log(1 + a) and b are too near to each other to be subtracted.
_LARGE = 64.0
_SMALL_B = 0.2
_SERIES = tuple(2.0 / (2 * k + 3) for k in range(9))


def finite_df(df: Array) -> Array:
    """Return ν, or a number beyond which the density does not change."""
    return np.asarray(np.minimum(df, _NORMAL), dtype=float)


def log_gap(log: Array, b: Array, df: Array) -> Array:
    """Return log(1 + a) − b; where ν is large by the series sb + s³(2/3 + 2s²/5 + …), s = b/(2 − b), if b is small."""
    gap = log - b
    large = np.broadcast_to(df > _LARGE, gap.shape) & (b < _SMALL_B)
    if large.any():
        small = b[large]
        s = small / (2.0 - small)
        square = s * s
        gap[large] = s * (small + square * horner(_SERIES, square))
    return np.asarray(gap)


class Means(NamedTuple):
    """Means over the observations of a data set, each (R,): of log(1 + a), log(1 + a) − b, b, b², zq and zqb."""

    log: Array
    gap: Array
    b: Array
    bb: Array
    zq: Array
    zqb: Array

    def value(self, df: Array) -> Array:
        """Return the mean of log p + log σ."""
        return np.asarray(log_gamma_step(0.5 * df) - HALF_LOG_2PI - 0.5 * (df + 1.0) * self.log)

    def slope_df(self, df: Array) -> Array:
        """Return the mean score in ν."""
        return np.asarray(0.5 * (digamma_step(0.5 * df) - self.gap + self.b / df))

    def information(self, df: Array) -> tuple[Array, Array, Array, Array, Array, Array]:
        """Return minus the second derivatives in (μ, log σ, ν), packed, in units of σ = 1."""
        inverse, bq = 1.0 / df, self.b - self.bb
        more, zqq = 1.0 + inverse, self.zq - self.zqb
        return (
            more * (1.0 - 3.0 * self.b + 2.0 * self.bb),
            2.0 * more * zqq,
            inverse * (inverse * self.zq - more * self.zqb),
            2.0 * (df + 1.0) * bq,
            inverse * bq - self.bb,
            -0.5 * (0.5 * trigamma_step(0.5 * df) + inverse * (self.bb - inverse * (self.b + bq))),
        )


class _Pass(NamedTuple):
    """Arrays (R, n) of b, zq and log(1 + a) − b, and the means."""

    b: Array
    zq: Array
    gap: Array
    means: Means


class StudentLikelihood(FamilyLikelihood):
    """The likelihood of ordered data, kept relative to their median, with a rough scale."""

    def __init__(self, deviation: Array, origin: Array, unit: Array) -> None:
        self.deviation, self.origin, self.unit = deviation, origin, unit
        self.rows, self.size = deviation.shape
        self.usable = np.isfinite(deviation[:, 0]) & np.isfinite(deviation[:, -1])

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data."""
        place, scale, df = (np.broadcast_to(np.asarray(column, dtype=float), (self.rows,)) for column in theta)
        df = finite_df(df)
        over = self._pass(place - self.origin, scale, df)
        means, inverse = over.means, 1.0 / scale
        excess = (df + 1.0) * means.b - 1.0
        place_place, place_log, place_df, log_log, log_df, df_df = means.information(df)
        more = 1.0 + 1.0 / df
        score = [more * means.zq * inverse, excess * inverse, means.slope_df(df)]
        information = [
            place_place * inverse * inverse,
            place_log * inverse * inverse,
            place_df * inverse,
            (log_log + excess) * inverse * inverse,
            log_df * inverse,
            df_df,
        ]
        outer = _products(over, inverse, df) if products else []
        return Evaluation(means.value(df) - np.log(scale), score, information, outer)

    def means(self, place: Array, scale: Array, df: Array) -> Means:
        """Return the means at a location relative to the origin."""
        return self._pass(place, scale, df).means

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.deviation[rows], self.origin[rows], self.unit[rows])

    def _pass(self, place: Array, scale: Array, df: Array) -> _Pass:
        inverse = 1.0 / scale
        z = self.deviation * inverse[:, np.newaxis]
        z -= (place * inverse)[:, np.newaxis]
        b = z * z
        b *= (1.0 / df)[:, np.newaxis]
        log = np.log1p(b)
        q = b + 1.0
        np.reciprocal(q, out=q)
        b *= q
        z *= q
        gap = log_gap(log, b, df[:, np.newaxis])
        means = Means(
            log.mean(axis=-1),
            gap.mean(axis=-1),
            b.mean(axis=-1),
            mean_product(b, b),
            z.mean(axis=-1),
            mean_product(z, b),
        )
        return _Pass(b, z, gap, means)


def _products(over: _Pass, inverse: Array, df: Array) -> list[Array]:
    """Return the mean products of the scores (wz/σ, (wz² − 1)/σ, s_ν), wz = (1 + 1/ν)zq, wz² = (ν + 1)b."""
    means, more, count = over.means, 1.0 + 1.0 / df, df + 1.0
    slope = over.b * (1.0 / df)[:, np.newaxis]
    slope -= over.gap
    slope += digamma_step(0.5 * df)[:, np.newaxis]
    slope *= 0.5
    return [
        more * count * (means.b - means.bb) * inverse * inverse,
        more * (count * means.zqb - means.zq) * inverse * inverse,
        more * mean_product(over.zq, slope) * inverse,
        (count * (count * means.bb - 2.0 * means.b) + 1.0) * inverse * inverse,
        (count * mean_product(over.b, slope) - slope.mean(axis=-1)) * inverse,
        mean_product(slope, slope),
    ]
