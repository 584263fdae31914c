"""Moments of vectors about their means, and from them those about any centre.

Arrays have the index of coordinates first and the data sets last, so that all arithmetic is elementwise over data sets;
pairs of coordinates are packed, the upper triangle row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import combinations_with_replacement
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import constant_rows
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import factor, pairs, position
from simstudy.parameters import Array

_FAR = 1e-3


class Triangle(NamedTuple):
    """Index arrays: rows and columns (m,) of packed pairs, and the packed position (d, d) of a pair."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    position: NDArray[np.intp]


@cache
def triangle(size: int) -> Triangle:
    """Return the index arrays of symmetric matrices of that size."""
    rows, columns = (np.array(index, dtype=np.intp) for index in zip(*pairs(size), strict=True))
    places = [[position(i, j, size) for j in range(size)] for i in range(size)]
    return Triangle(rows, columns, np.array(places, dtype=np.intp))


def along(matrix: Array, tensor: Array) -> Array:
    """Return Σⱼ matrix[i, j] tensor[j, …], the data sets last."""
    return np.stack([_combined(row, tensor) for row in matrix])


def _combined(weights: Array, tensor: Array) -> Array:
    total = weights[0] * tensor[0]
    for weight, part in zip(weights[1:], tensor[1:], strict=True):
        total += weight * part
    return np.asarray(total)


def along_both(matrix: Array, packed: Array) -> Array:
    """Apply a matrix to both indices of the pairs on the first axis."""
    rows, columns, place = triangle(len(matrix))
    half = along(matrix, packed[place])
    return np.asarray(along(matrix, np.swapaxes(half, 0, 1))[rows, columns])


class Spread(NamedTuple):
    """Covariances of a vector z and its packed products z zᵀ: of singles, of singles and pairs, and of pairs."""

    single: Array
    mixed: Array
    double: Array


@dataclass(frozen=True)
class Moments:
    """Moments of R data sets about their means, from which those about any centre follow.

    Third and fourth moments are those of the residuals e of each coordinate from its regression on those before it:
    where coordinates are nearly collinear, these keep digits that moments of the deviations d would lose.

    Attributes
    ----------
    origin, rest : (d, R)
        The means x̄ = origin + rest, kept apart so that x̄ − μ loses no digits where x̄ is large.
    scatter : (m, R)
        Packed S, the mean of d dᵀ.
    mixing : (d, d, R)
        Unit lower L with d = Le.
    second : (m, R)
        Mean of eₖeₗ.
    third : (d, m, R)
        Mean of eₛ eₖeₗ.
    fourth : (m, m, R)
        Covariance of eᵢeⱼ and eₖeₗ.
    """

    origin: Array
    rest: Array
    scatter: Array
    mixing: Array
    second: Array
    third: Array
    fourth: Array

    @classmethod
    def of(cls, x: Array) -> Self:
        """Reduce data (R, n, d)."""
        columns = np.ascontiguousarray(np.moveaxis(np.asarray(x, dtype=float), -1, 0))
        origin = columns.mean(axis=-1)
        d = columns - origin[..., np.newaxis]
        rest = d.mean(axis=-1)
        d -= rest[..., np.newaxis]
        scatter = _means(d, d)
        _clear_constant(scatter, origin, columns)
        mixing = _separate(d, scatter)
        squares = [d[i] * d[j] for i, j in pairs(len(d))]
        second = _means(d, d)
        third = np.stack([[mean_product(one, square) for square in squares] for one in d])
        fourth = _fourth(squares, len(d)) - second * second[:, np.newaxis]
        return cls(origin, rest, scatter, mixing, second, third, fourth)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the moments of some of the rows."""
        return type(self)(*(getattr(self, field.name)[..., rows] for field in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the moments of the rows of all parts, in order."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names))

    def spread(self, matrix: Array, u: Array) -> Spread:
        """Return the covariances of z = Me + u and its products, for M (d, d, R) and u (d, R)."""
        second = along_both(matrix, self.second)
        pairs_first = along_both(matrix, np.swapaxes(self.third, 0, 1))
        third = along(matrix, np.swapaxes(pairs_first, 0, 1))
        fourth = along_both(matrix, np.swapaxes(along_both(matrix, self.fourth), 0, 1))
        i, j, place = triangle(len(u))
        everyone = np.arange(len(u))[:, np.newaxis]
        mixed = third + u[i] * second[place[everyone, j]] + u[j] * second[place[everyone, i]]
        left = fourth + u[i][:, np.newaxis] * third[j] + u[j][:, np.newaxis] * third[i]
        right = u[i] * np.swapaxes(mixed[j], 0, 1) + u[j] * np.swapaxes(mixed[i], 0, 1)
        return Spread(second, mixed, left + right)


def _means(one: Array, two: Array) -> Array:
    return np.stack([mean_product(one[i], two[j]) for i, j in pairs(len(one))])


def _clear_constant(scatter: Array, origin: Array, columns: Array) -> None:
    """Set the variance of constant coordinates to 0, of which the mean may round."""
    for i, one in enumerate(columns):
        variance = scatter[position(i, i, len(columns))]
        suspect = np.flatnonzero(variance <= (_FAR * origin[i]) ** 2)
        if len(suspect):
            variance[suspect[constant_rows(one[suspect])]] = 0.0


def _separate(d: Array, scatter: Array) -> Array:
    """Turn deviations into residuals in place; return L, which is the identity where the scatter is singular."""
    size, rows = d.shape[:2]
    lower, _, definite = factor(list(scatter))
    mixing = np.zeros((size, size, rows))
    for i in range(size):
        mixing[i, i] = 1.0
        for k in range(i):
            mixing[i, k] = np.where(definite, lower[i, k], 0.0)
            d[i] -= mixing[i, k][:, np.newaxis] * d[k]
    return mixing


def _fourth(squares: Sequence[Array], size: int) -> Array:
    """Return the means of eᵢeⱼeₖeₗ, each computed once."""
    index = pairs(size)
    found = {
        (i, j, k, m): mean_product(squares[position(i, j, size)], squares[position(k, m, size)])
        for i, j, k, m in combinations_with_replacement(range(size), 4)
    }
    return np.stack([[found[tuple(sorted((*one, *two)))] for two in index] for one in index])  # type: ignore[index]
