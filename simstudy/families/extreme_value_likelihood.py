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

from simstudy.families.extreme_value_information import unit_information
from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.families.reduced_variate import Rows, by_form, reduced
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry, pairs, solve
from simstudy.parameters import Array, Columns

_SUBSAMPLE = 256
# Of standardised data.
_TYPICAL = 0.5
_LONGEST_STEP = 0.7
_NEAR = 0.02
_SCORING_SHAPES = (-0.4, 1.0)
# A step may take 1 + ξz, at the extreme observations, down to this share of what it was.
_CLOSER = 0.1
_HALVINGS = 40


class Standardised(NamedTuple):
    """Data of R data sets in convenient units.

    Attributes
    ----------
    z : (R, n)
        (x − origin)/unit.
    origin, unit : (R,)
        A middle observation, and a power of two near the spread; not finite where the data are not.
    low, high : (R,)
        Distances of the least and the largest of z from 0, not negative.
    sample : (R, m)
        Some observations of each data set, in order.
    """

    z: Array
    origin: Array
    unit: Array
    low: Array
    high: Array
    sample: Array


def standardise(x: Array) -> Standardised:
    """Return data (R, n) relative to the median of some observations, in units of their spread."""
    sample = np.sort(x[:, :: max(1, x.shape[1] // _SUBSAMPLE)], axis=-1)
    size = sample.shape[1]
    origin = sample[:, (size - 1) // 2]
    spread = sample[:, size - 1 - size // 4] - sample[:, size // 4]
    z = x - origin[:, np.newaxis]
    low, high = -z.min(axis=-1), z.max(axis=-1)
    spread = np.where(spread > 0.0, spread, low + high)
    unit = np.ldexp(1.0, np.frexp(np.where(spread > 0.0, spread, 1.0))[1])
    unit = np.where(np.isfinite(low + high), unit, np.nan)
    z *= (1.0 / unit)[:, np.newaxis]
    return Standardised(
        z, origin, unit, low / unit, high / unit, (sample - origin[:, np.newaxis]) / unit[:, np.newaxis]
    )


class Means(NamedTuple):
    """Means over a data set of log p at σ = 1, the unit score and the packed unit Hessian, and score products."""

    value: Array
    score: list[Array]
    hessian: list[Array]
    products: list[Array]


class ExtremeValueLikelihood(FamilyLikelihood):
    """The likelihood of standardised data."""

    def __init__(self, data: Standardised) -> None:
        self.data = data
        self.rows, self.size = data.z.shape
        self.usable = np.isfinite(data.unit)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data; −∞ where an observation lies outside the support."""
        location, scale, shape = (np.broadcast_to(np.asarray(c, dtype=float), (self.rows,)) for c in theta)
        place = (location - self.data.origin) / self.data.unit
        means = unit_means(self.data.z, place, scale / self.data.unit, shape, products=products)
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
        return type(self)(Standardised(*(part[rows] for part in self.data)))


def unit_means(
    data: NDArray[np.floating], place: Array, scale: Array, shape: Array, *, products: bool = False
) -> Means:
    """Return the means at z = (data − place)/scale, in the precision of the data."""
    inverse = 1.0 / scale
    factor, shift = (part.astype(data.dtype)[:, np.newaxis] for part in (inverse, place * inverse))

    def of_rows(rows: Rows, short: bool) -> list[Array]:
        z = data[rows] * factor[rows]
        z -= shift[rows]
        return _means(z, shape[rows], short=short, products=products)

    value, *rest = by_form(_TYPICAL * shape * inverse, of_rows)
    return Means(value, rest[:3], rest[3:9], rest[9:])


def _terms(z: Any, shape: Any, *, short: bool) -> tuple[Any, Any, Any, Any]:
    """Return y, w, f and, not by the short formulas, g."""
    if not short:
        return reduced(z, shape)
    inverse = 1.0 / shape
    s = z * shape
    s += 1.0
    w = 1.0 / s
    y = np.log(s, out=s)
    y *= inverse
    f = z * w
    f -= y
    f *= inverse
    return y, w, f, None


def _means(z: Any, shape: Array, *, short: bool, products: bool) -> list[Array]:
    """Return the mean of log p, those of the unit score and the packed unit Hessian, and the score products."""
    column = shape.astype(z.dtype)[:, np.newaxis]
    y, w, f, g = _terms(z, column, short=short)
    k = z * w
    t = np.exp(-y)
    tw, tk, tf = t * w, t * k, t * f
    m = 1.0 + shape
    mean_y, mean_w, mean_k, mean_f = (part.mean(axis=-1) for part in (y, w, k, f))
    aw, ak, af = (part.mean(axis=-1) - m * plain for part, plain in ((tw, mean_w), (tk, mean_k), (tf, mean_f)))
    kw, kk, tkw, tkk = mean_product(k, w), mean_product(k, k), mean_product(tk, w), mean_product(tk, k)
    akk = tkk - m * kk
    ag = -(akk + 2.0 * af) / shape if short else mean_product(t, g) - m * g.mean(axis=-1)
    return [
        -m * mean_y - t.mean(axis=-1),
        -aw,
        -1.0 - ak,
        af - mean_y,
        -m * (mean_product(tw, w) - shape * mean_product(w, w)),
        aw - m * (tkw - shape * kw),
        mean_w + mean_product(tf, w) + tkw - m * kw,
        1.0 + 2.0 * ak - m * (tkk - shape * kk),
        mean_k + mean_product(tf, k) + akk,
        ag - 2.0 * mean_f - mean_product(tf, f),
        *(_products(y, (tw, tk, tf), (w, k, f), 1.0 + column) if products else []),
    ]


def _products(y: Array, with_t: Sequence[Array], without: Sequence[Array], m: Array) -> list[Array]:
    """Return the mean products of aw, 1 + ak and y − af, with the signs of the score."""
    for part, plain in zip(with_t, without, strict=True):
        plain *= m
        part -= plain
    _, second, third = with_t
    second += 1.0
    third -= y
    signs = (-1.0, -1.0, 1.0)
    return [signs[i] * signs[j] * mean_product(with_t[i], with_t[j]) for i, j in pairs(3)]


def newton_step(data: NDArray[np.floating], state: list[Array], last: Array) -> tuple[tuple[Array, ...], Array]:
    """Take one step in (μ, log σ, ξ), of a state that carries the extremes of the data as well.

    The step is Newton's where the information is positive definite and the decrement is small or falls; elsewhere it is
    that of Fisher scoring, and the decrement counts as infinite, as it does where the step has to be shortened.
    """
    place, log_scale, shape, low, high = state
    scale = np.exp(log_scale)
    _, score, hessian, _ = unit_means(data, place, scale, shape)
    score = [np.asarray(entry, dtype=float) for entry in score]
    matrix = [-np.asarray(entry, dtype=float) for entry in hessian]
    matrix[3] = matrix[3] - score[1]  # log σ in the place of σ
    step, definite = solve(matrix, score)
    decrement = sum(a * b for a, b in zip(step, score, strict=True))
    sound = definite & ((decrement < _NEAR) | (decrement < 0.5 * last))
    if not sound.all():
        scoring, _ = solve(unit_information(np.clip(shape, *_SCORING_SHAPES)), score)
        step = [np.where(sound, a, b) for a, b in zip(step, scoring, strict=True)]
    longest = np.max([np.abs(entry) for entry in step], axis=0)
    share = np.minimum(1.0, _LONGEST_STEP / longest)
    room = _CLOSER * _least(place, scale, shape, low, high)
    for _ in range(_HALVINGS):
        at = place + share * step[0] * scale, log_scale + share * step[1], shape + share * step[2]
        near = _least(at[0], np.exp(at[1]), at[2], low, high) < room
        if not near.any():
            break
        share = np.where(near, 0.5 * share, share)
    whole = sound & (share == 1.0)
    moved = [np.where(np.isfinite(new), new, old) for new, old in zip(at, state[:3], strict=True)]
    return (*moved, low, high), np.where(whole, decrement, np.inf)


def _least(place: Array, scale: Array, shape: Array, low: Array, high: Array) -> Array:
    """Return the least of 1 + ξz."""
    slope = shape / scale
    return np.asarray(1.0 + np.minimum(slope * (high - place), -slope * (low + place)))
