"""The generalized Pareto likelihood of a block of data sets.

With z = x/σ, y = log(1 + ξz)/ξ, w = ∂y/∂z, k = zw, f = ∂y/∂ξ, g = ∂²y/∂ξ², m = 1 + ξ:

    log p = −log σ − my      score ((mk − 1)/σ, −y − mf)
    Hessian [[(1 − m(2k − ξk²))/σ², k(1 − mk)/σ], [·, −2f − mg]]
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.families.reduced_variate import Rows, by_form, reduced
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array, Columns

# A typical observation, in the units of the data.
_TYPICAL = 0.7


class GeneralizedParetoLikelihood(FamilyLikelihood):
    """The likelihood of data kept in units near their mean, with the largest and an ordered part of each data set."""

    def __init__(self, z: Array, unit: Array, high: Array, sample: Array) -> None:
        self.z, self.unit, self.high, self.sample = z, unit, high, sample
        self.rows, self.size = z.shape
        self.usable = np.isfinite(unit)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data; −∞ where an observation lies outside the support."""
        scale, shape = (np.broadcast_to(np.asarray(column, dtype=float), (self.rows,)) for column in theta)
        m, inverse = 1.0 + shape, 1.0 / scale
        y, k, kk, f, g, *outer = unit_means(self.z, self.unit * inverse, shape, products=products)
        value = -np.log(scale) - m * y
        score = [(m * k - 1.0) * inverse, -y - m * f]
        information = [
            (m * (2.0 * k - shape * kk) - 1.0) * inverse * inverse,
            (m * kk - k) * inverse,
            2.0 * f + m * g,
        ]
        if products:
            outer = [outer[0] * inverse * inverse, outer[1] * inverse, outer[2]]
        return Evaluation(np.where(np.isnan(value), -np.inf, value), score, information, outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.z[rows], self.unit[rows], self.high[rows], self.sample[rows])


def unit_means(data: NDArray[np.floating], factor: Array, shape: Array, *, products: bool = False) -> list[Array]:
    """Return the means of y, k = z/(1 + ξz), k², f and g at z = data·factor, and the products of the unit score."""

    def of_rows(rows: Rows, short: bool) -> list[Array]:
        z = data[rows] * factor[rows].astype(data.dtype)[:, np.newaxis]
        return (_short_means if short else _long_means)(z, shape[rows], products=products)

    return by_form(_TYPICAL * shape * factor, of_rows)


def _short_means(z: Any, shape: Array, *, products: bool) -> list[Array]:
    """Return the means by way of ξk = u/(1 + u), ξy = log(1 + u) and ξ²f = ξk − ξy, u = ξz."""
    column = shape.astype(z.dtype)[:, np.newaxis]
    z *= column
    k = z / (1.0 + z)
    y = np.log1p(z, out=z)
    f = k - y
    square = shape * shape
    mean_f, kk = f.mean(axis=-1) / square, mean_product(k, k) / square
    means = [y.mean(axis=-1) / shape, k.mean(axis=-1) / shape, kk, mean_f, -(kk + 2.0 * mean_f) / shape]
    if not products:
        return means
    # ξ times the score in log σ, and ξ² times minus that in ξ, which is y + (1 + ξ)f
    f += k * column
    k *= 1.0 + column
    k -= column
    factors = (1.0 / square, -1.0 / (square * shape), 1.0 / (square * square))
    outer = (mean_product(k, k), mean_product(k, f), mean_product(f, f))
    return [*means, *(mean * factor for mean, factor in zip(outer, factors, strict=True))]


def _long_means(z: Any, shape: Array, *, products: bool) -> list[Array]:
    column = shape.astype(z.dtype)[:, np.newaxis]
    y, w, f, g = reduced(z, column)
    k = z * w
    means = [y.mean(axis=-1), k.mean(axis=-1), mean_product(k, k), f.mean(axis=-1), g.mean(axis=-1)]
    if not products:
        return means
    first, second = (1.0 + column) * k - 1.0, -y - (1.0 + column) * f
    return [*means, mean_product(first, first), mean_product(first, second), mean_product(second, second)]
