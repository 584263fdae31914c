"""Orthonormal columns of a block of designs, batched over data sets (Gram–Schmidt with reorthogonalisation)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array

_ROUNDING = 32.0 * 2.0**-52


class Basis(NamedTuple):
    """X = QT for columns (R, n) of each data set, with mean qᵢqⱼ = δᵢⱼ.

    Attributes
    ----------
    columns
        Q.
    triangle
        T, row i of columns j ≥ i as {(i, j): (R,)}.
    full : (R,)
        Whether the columns of X are linearly independent, as far as rounding lets one see.
    """

    columns: list[Array]
    triangle: dict[tuple[int, int], Array]
    full: NDArray[np.bool_]

    def coefficients(self, own: Sequence[Array]) -> list[Array]:
        """Return b with Xb = Qc."""
        size = len(self.columns)
        found = list(own)
        for i in reversed(range(size)):
            for j in range(i + 1, size):
                found[i] = found[i] - self.triangle[i, j] * found[j]
            found[i] = found[i] / self.triangle[i, i]
        return found

    def project(self, values: Array) -> list[Array]:
        """Return c = mean qᵢv, refined once by what is left of v."""
        own = [mean_product(q, values) for q in self.columns]
        rest = values - self.combine(own)
        return [c + mean_product(q, rest) for c, q in zip(own, self.columns, strict=True)]

    def combine(self, own: Sequence[Array]) -> Array:
        """Return Qc (R, n)."""
        total = np.zeros_like(self.columns[0])
        for c, q in zip(own, self.columns, strict=True):
            total += c[:, np.newaxis] * q
        return total

    def select(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Basis:
        """Return the bases of some of the data sets."""
        return Basis([q[rows] for q in self.columns], {at: t[rows] for at, t in self.triangle.items()}, self.full[rows])


def orthonormal(columns: Sequence[Array]) -> Basis:
    """Return the basis of columns (R, n)."""
    basis = Basis([], {}, np.ones(len(columns[0]), dtype=bool))
    full = basis.full
    for j, column in enumerate(columns):
        rest, size = np.array(column, dtype=float), np.abs(column).max(axis=-1)
        unit = np.where(size > 0.0, size, 1.0)
        rest /= unit[:, np.newaxis]
        for i, q in enumerate(basis.columns):
            basis.triangle[i, j] = np.zeros(len(rest))
            for _ in range(2):
                share = mean_product(q, rest)
                rest -= share[:, np.newaxis] * q
                basis.triangle[i, j] += share * unit
        length = np.sqrt(mean_product(rest, rest))
        independent = (length > _ROUNDING) & (j < rest.shape[-1])
        full = full & independent
        length = np.where(independent, length, 1.0)
        basis.triangle[j, j] = length * unit
        basis.columns.append(rest / length[:, np.newaxis])
    return basis._replace(full=full)
