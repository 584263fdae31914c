"""The likelihood of the skew-normal family, and the ratio ζ = φ/Φ."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array, Columns

_B = math.sqrt(2.0 / math.pi)
_LOG_B = math.log(_B)
_LOG_HALF_B = -0.5 * math.log(2.0 * math.pi)
_ROOT_HALF = math.sqrt(0.5)
_TINY = 1e-300
# Above it Φ(t) is 1 to rounding; below −10, t + ζ(t) would lose digits.
_CERTAIN, _FAR = 8.3, -10.0
_FRACTIONS = 24


def tilted(z: Array, shape: Array) -> Array:
    """Return λz; +∞ at z = 0 where λ is infinite, so that the density there is that of the half normal."""
    infinite = np.isinf(shape)
    if infinite.any():
        z = np.where(infinite & (z == 0.0), np.sign(shape), z)
    return np.asarray(z * shape)


def mills(t: Array) -> tuple[Array, Array]:
    """Return ζ(t) = φ(t)/Φ(t) and t + ζ(t), without cancellation where t is far below 0.

    There t + ζ(t) = 1/(x + 2/(x + 3/(x + …))), x = −t (Abramowitz & Stegun 26.2.14).
    """
    ratio = np.asarray(_B / special.erfcx(-_ROOT_HALF * t))
    excess = np.asarray(t + ratio)
    far = t < _FAR
    if far.any():
        x = -t[far]
        fraction = x
        for k in range(_FRACTIONS, 1, -1):
            fraction = x + k / fraction
        excess[far] = 1.0 / fraction
    return ratio, excess


class Pass(NamedTuple):
    """Arrays (R, n) of z and ζ; value, score and packed information (R,)."""

    z: Array
    ratio: Array
    value: Array
    score: list[Array]
    information: list[Array]

    def products(self, shape: Array) -> list[Array]:
        """Return the mean score products, packed."""
        lean = self.z - self.ratio * shape[:, np.newaxis]
        scores = lean, self.z * lean - 1.0, self.z * self.ratio
        return [mean_product(scores[i], scores[j]) for i, j in pairs(3)]


class SkewLikelihood(FamilyLikelihood):
    """The likelihood of data kept relative to their mean."""

    def __init__(self, deviation: Array, origin: Array) -> None:
        self.deviation, self.origin = deviation, origin
        self.rows, self.size = deviation.shape
        self.usable = np.isfinite(deviation.min(axis=-1)) & np.isfinite(deviation.max(axis=-1))

    @classmethod
    def of(cls, x: Array) -> Self:
        """Return the likelihood of data (R, n)."""
        origin = x.mean(axis=-1)
        return cls(x - origin[:, np.newaxis], origin)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data."""
        place, scale, shape = (np.broadcast_to(np.asarray(column, dtype=float), (self.rows,)) for column in theta)
        over = self.pass_over(place - self.origin, scale, shape)
        inverse = 1.0 / scale
        units = (inverse, inverse, np.ones(self.rows))
        information = [h * units[i] * units[j] for h, (i, j) in zip(over.information, pairs(3), strict=True)]
        information[3] = information[3] + over.score[1] * inverse * inverse
        outer = over.products(shape) if products else []
        outer = [p * units[i] * units[j] for p, (i, j) in zip(outer, pairs(3), strict=False)]
        return Evaluation(over.value, [s * u for s, u in zip(over.score, units, strict=True)], information, outer)

    def pass_over(self, place: Array, scale: Array, shape: Array) -> Pass:
        """Return value, score and information in (ξ/ω, log ω, λ) at a location relative to the origin.

        With t = λz, κ = ζ(t + ζ) and m = ζ − tκ, the score is (z − λζ, z(z − λζ) − 1, zζ) and the information has
        1 + λ²κ, 2z − λm, m; 2z² − tm, zm; z²κ.
        """
        inverse = 1.0 / scale
        z = self.deviation * inverse[:, np.newaxis]
        z -= (place * inverse)[:, np.newaxis]
        t = tilted(z, shape[:, np.newaxis])
        ratio, excess = mills(t)
        near = np.minimum(t, _CERTAIN)
        log = np.where(t < _CERTAIN, _LOG_HALF_B - 0.5 * near * near - np.log(np.maximum(ratio, _TINY)), 0.0)
        bend = ratio * excess
        mixed = ratio - t * bend
        mean_bend = bend.mean(axis=-1)
        first, second = z.mean(axis=-1), mean_product(z, z)
        mean, cross = ratio.mean(axis=-1), mean_product(z, ratio)
        mean_mixed, cross_mixed = mixed.mean(axis=-1), mean_product(z, mixed)
        bend *= z
        square = shape * shape
        return Pass(
            z,
            ratio,
            _LOG_B - np.log(scale) - 0.5 * second + log.mean(axis=-1),
            [first - shape * mean, second - shape * cross - 1.0, cross],
            [
                1.0 + square * mean_bend,
                2.0 * first - shape * mean_mixed,
                mean_mixed,
                2.0 * second - shape * cross_mixed,
                cross_mixed,
                mean_product(z, bend),
            ],
        )

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.deviation[rows], self.origin[rows])
