"""The generalized extreme value likelihood of a block of data sets.

With z = (x − μ)/σ, y = log(1 + ξz)/ξ, t = e⁻ʸ, a = t − (1 + ξ), w = ∂y/∂z, k = zw, f = ∂y/∂ξ, g = ∂²y/∂ξ²:

    log p = −log σ − (1 + ξ)y − t       score (−aw/σ, −(1 + ak)/σ, af − y)       with c = (1 + ξ)(t − ξ) and
    e = 1 + tf + ak       Hessian [[−cw²/σ², (aw − ckw)/σ², we/σ], [·, (1 + 2ak − ck²)/σ², ke/σ], [·, ·, ag − 2f − tf²]]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.families.reduced_variate import Rows, by_form, reduced
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import Array, Columns

_SUBSAMPLE = 256


class Centred(NamedTuple):
    """Data of R data sets relative to a middle observation.

    Attributes
    ----------
    deviation : (R, n)
        x − origin.
    origin, spread : (R,)
        A middle observation, and how widely data lie around it; the spread is not finite where data are not.
    low, high : (R,)
        Distances of the least and the largest observation from the origin, not negative.
    sample : (R, m)
        Deviations of some of the observations, in order.
    """

    deviation: Array
    origin: Array
    spread: Array
    low: Array
    high: Array
    sample: Array


def centre(x: Array) -> Centred:
    """Return data (R, n) relative to the median of some observations; their spread is half the interquartile range."""
    sample = np.sort(x[:, :: -(-x.shape[1] // _SUBSAMPLE)], axis=-1)
    size = sample.shape[1]
    origin = sample[:, (size - 1) // 2]
    sample = sample - origin[:, np.newaxis]
    deviation = x - origin[:, np.newaxis]
    low, high = -deviation.min(axis=-1), deviation.max(axis=-1)
    spread = 0.5 * (sample[:, size - 1 - size // 4] - sample[:, size // 4])
    spread = np.where(spread > 0.0, spread, np.where(low + high > 0.0, low + high, 1.0))
    return Centred(deviation, origin, np.where(np.isfinite(low + high), spread, np.nan), low, high, sample)


class Means(NamedTuple):
    """Means over a data set of log p at σ = 1, the unit score, the packed unit Hessian, and products of the score."""

    value: Array
    score: list[Array]
    hessian: list[Array]
    products: list[Array]


class _Moments(NamedTuple):
    """Means over a data set of y, t, w, k, f, of products of them, and of ag."""

    y: Array
    t: Array
    w: Array
    k: Array
    f: Array
    tw: Array
    tk: Array
    tf: Array
    ww: Array
    kw: Array
    kk: Array
    tww: Array
    tkw: Array
    tkk: Array
    tfw: Array
    tfk: Array
    tff: Array
    ag: Array


class ExtremeValueLikelihood(FamilyLikelihood):
    """The likelihood of centred data."""

    def __init__(self, data: Centred) -> None:
        self.data = data
        self.rows, self.size = data.deviation.shape
        self.usable = np.isfinite(data.spread)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data; −∞ where an observation lies outside the support."""
        location, scale, shape = (np.broadcast_to(np.asarray(c, dtype=float), (self.rows,)) for c in theta)
        data = self.data
        means = unit_means(data.deviation, location - data.origin, scale, shape, shape * data.spread / scale)
        value = means.value - np.log(scale)
        per_scale: list[Any] = [1.0 / scale, 1.0 / scale, 1.0]

        def scaled(entries: Sequence[Array], sign: float) -> list[Entry]:
            return [sign * e * per_scale[i] * per_scale[j] for e, (i, j) in zip(entries, pairs(3), strict=True)]

        return Evaluation(
            np.where(np.isnan(value), -np.inf, value),
            [entry * factor for entry, factor in zip(means.score, per_scale, strict=True)],
            scaled(means.hessian, -1.0),
            scaled(means.products, 1.0) if products else [],
        )

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(Centred(*(part[rows] for part in self.data)))


def unit_means(
    data: NDArray[np.floating], place: Array, scale: Array, shape: Array, typical: Array, *, rough: bool = False
) -> Means:
    """Return the means at z = (data − place)/scale, in the precision of the data.

    A typical size of ξz decides which formulas are used. What is rough will do for a step of Newton's method: the score
    is exact, the Hessian loses some digits, and the products are left out.
    """
    inverse = 1.0 / scale

    def of_rows(rows: Rows, short: bool) -> list[Array]:
        means = _short_means if short else _long_means
        return means(data[rows], place[rows] * inverse[rows], inverse[rows], shape[rows], rough=rough)

    value, *rest = by_form(typical, of_rows)
    return Means(value, rest[:3], rest[3:9], rest[9:])


def _column(values: Array, data: NDArray[np.floating]) -> Any:
    return values.astype(data.dtype)[:, np.newaxis]


def _short_means(data: NDArray[np.floating], shift: Array, inverse: Array, shape: Array, *, rough: bool) -> list[Array]:
    """Return what `_assembled` returns, by way of u = ξz, ξy = log(1 + u), ξk = 1 − w and ξ²f = ξk − ξy."""
    # Stacked, since a call of numpy costs as much as some thousand observations.
    firsts, seconds = np.empty((6, *data.shape), data.dtype), np.empty((2, *data.shape), data.dtype)
    y, f, t, w, tw, tf = firsts
    k, tk = seconds
    u = np.multiply(data, _column(shape * inverse, data), out=y)
    u -= _column(shape * shift, data)
    np.add(u, 1.0, out=w)
    np.divide(1.0, w, out=w)
    np.multiply(u, w, out=k)
    np.log1p(u, out=y)
    np.subtract(k, y, out=f)
    np.multiply(y, _column(-1.0 / shape, data), out=t)
    np.exp(t, out=t)
    np.multiply(t, w, out=tw)
    np.multiply(t, f, out=tf)
    if rough:
        return _assembled(_short_moments(firsts, None, shape), shape)
    np.multiply(t, k, out=tk)
    assembled = _assembled(_short_moments(firsts, seconds, shape), shape)
    m = _column(1.0 + shape, data)
    w *= m
    w -= tw
    t += w
    t -= 1.0
    f *= m
    y *= _column(shape, data)
    tf -= f
    tf -= y
    return [*assembled, *_products((w, t, tf), (1.0, -1.0 / shape, 1.0 / (shape * shape)))]


def _short_moments(firsts: Any, seconds: Any, shape: Array) -> _Moments:
    """Return the moments from (ξy, ξ²f, t, w, tw, ξ²tf) and (ξk, ξtk); without the latter some lose digits."""
    inverse = 1.0 / shape
    square = inverse * inverse
    y, f, t, w, tw, tf = np.add.reduce(firsts, axis=-1) / firsts.shape[-1]
    ww, tww, tfw = _each_with(firsts[3:], firsts[3])
    squares = (1.0 - w - (w - ww), t - tw - (tw - tww)) if seconds is None else _each_with(seconds, seconds[0])
    kk, tkk = squares[0] * square, squares[1] * square
    tff = mean_product(firsts[5], firsts[1]) * (square * square)
    y, f, tf, tfw = y * inverse, f * square, tf * square, tfw * square
    k, tk, kw, tkw, tfk = np.array([1.0 - w, t - tw, w - ww, tw - tww, tf - tfw]) * inverse
    ag = -(tkk + 2.0 * tf - (1.0 + shape) * (kk + 2.0 * f)) * inverse
    return _Moments(y, t, w, k, f, tw, tk, tf, ww, kw, kk, tww, tkw, tkk, tfw, tfk, tff, ag)


def _each_with(stack: Any, other: Any) -> Array:
    """Return the mean product of each array of a stack with another array."""
    return np.asarray(np.einsum("arn,rn->ar", stack, other) / other.shape[-1])


def _long_means(data: NDArray[np.floating], shift: Array, inverse: Array, shape: Array, *, rough: bool) -> list[Array]:
    """Return what `_assembled` returns, with no division by ξ."""
    z: Any = data * _column(inverse, data)
    z -= _column(shift, data)
    y, w, f, g = reduced(z, _column(shape, data))
    k, t = z * w, np.exp(-y)
    tw, tk, tf = t * w, t * k, t * f
    firsts = (part.mean(axis=-1) for part in (y, t, w, k, f, tw, tk, tf))
    factors = ((w, w), (k, w), (k, k), (tw, w), (tk, w), (tk, k), (tf, w), (tf, k), (tf, f))
    seconds = (mean_product(*both) for both in factors)
    ag = mean_product(t, g) - (1.0 + shape) * g.mean(axis=-1)
    assembled = _assembled(_Moments._make([*firsts, *seconds, ag]), shape)
    if rough:
        return assembled
    m = _column(1.0 + shape, data)
    return [*assembled, *_products((m * w - tw, m * k - tk - 1.0, tf - m * f - y), (1.0, 1.0, 1.0))]


def _assembled(mean: _Moments, shape: Array) -> list[Array]:
    """Return the mean of log p, those of the unit score, and those of the packed unit Hessian."""
    m = 1.0 + shape
    aw, ak, af = mean.tw - m * mean.w, mean.tk - m * mean.k, mean.tf - m * mean.f
    return [
        -m * mean.y - mean.t,
        -aw,
        -1.0 - ak,
        af - mean.y,
        -m * (mean.tww - shape * mean.ww),
        aw - m * (mean.tkw - shape * mean.kw),
        mean.w + mean.tfw + mean.tkw - m * mean.kw,
        1.0 + 2.0 * ak - m * (mean.tkk - shape * mean.kk),
        mean.k + mean.tfk + mean.tkk - m * mean.kk,
        mean.ag - 2.0 * mean.f - mean.tff,
    ]


def _products(score: Sequence[Array], factors: Sequence[Array | float]) -> list[Array]:
    """Return the mean products of the unit score, given up to factors."""
    return [mean_product(score[i], score[j]) * factors[i] * factors[j] for i, j in pairs(3)]
