"""Symmetric matrices of all replicates as packed entries: one contiguous row of R numbers per entry.

Replicates run along the last axis, so that sums over them are pairwise and all else is elementwise.
"""

from __future__ import annotations

import numpy as np

from simstudy.numerics.symmetric import order, pairs, position
from simstudy.parameters import Array


def by_entry(rows: Array) -> Array:
    """Turn a record (R, k) of one row per replicate into (k, R), one contiguous row per entry."""
    return np.ascontiguousarray(rows.T)


def upper(matrix: Array) -> Array:
    """Return the packed upper triangle (q,) of a symmetric matrix, or (q, R) of matrices (R, p, p)."""
    return np.stack([matrix[..., i, j] for i, j in pairs(matrix.shape[-1])])


def full(entries: Array) -> Array:
    """Return the symmetric matrix (p, p) of packed entries (q,)."""
    size = order(len(entries))
    return np.array([[entries[position(i, j, size)] for j in range(size)] for i in range(size)])


def diagonal(entries: Array) -> Array:
    """Return the p diagonal entries of packed entries (q, …)."""
    size = order(len(entries))
    return entries[[position(j, j, size) for j in range(size)]]


def products(vectors: Array) -> Array:
    """Return the packed entries (q, R) of v vᵀ for vectors v (p, R)."""
    return np.stack([vectors[i] * vectors[j] for i, j in pairs(len(vectors))])


def quadratic(entries: Array, vectors: Array) -> Array:
    """Return vᵀMv (R,) for packed symmetric M, (q,) or (q, R), and vectors v (p, R).

    >>> quadratic(np.array([1.0, 2.0, 3.0]), np.array([[1.0], [1.0]]))
    array([8.])
    """
    total = np.zeros(vectors.shape[-1])
    for entry, (i, j) in zip(entries, pairs(len(vectors)), strict=True):
        total += entry * vectors[i] * vectors[j] * (1.0 if i == j else 2.0)
    return total


def multiplicity(entries: int) -> Array:
    """Return how often each of q packed entries stands in the full matrix: 1 on the diagonal, else 2.

    >>> multiplicity(3)
    array([1., 2., 1.])
    """
    return np.array([1.0 if i == j else 2.0 for i, j in pairs(order(entries))])


def inverse_diagonal(entries: Array) -> Array:
    """Return the diagonal (p, R) of the inverses of packed positive definite matrices (q, R).

    With M = LDLᵀ, (M⁻¹)ⱼⱼ = Σₖ (L⁻¹)ₖⱼ²/dₖ. Elementwise over replicates; NaN where a pivot is not positive.
    """
    size = order(len(entries))
    lower, pivots = _factor(entries, size)
    columns = [_column_of_inverse(lower, j, size) for j in range(size)]
    return np.stack([sum(column[k] ** 2 / pivots[k] for k in column) for column in columns])


def sandwich_diagonal(bread: Array, filling: Array) -> Array:
    """Return the diagonal (p, R) of M⁻¹KM⁻¹ for packed M and K (q, R); NaN where M is not positive definite."""
    size = order(len(bread))
    lower, pivots = _factor(bread, size)
    result = []
    for j in range(size):
        column = _column_of_inverse(lower, j, size)
        scaled = {k: column[k] / pivots[k] for k in column}
        # M⁻¹ = L⁻ᵀD⁻¹L⁻¹, so its column j is L⁻ᵀ times what is scaled here: backward substitution
        x: dict[int, Array] = {}
        for i in reversed(range(size)):
            x[i] = scaled.get(i, 0.0) - sum((lower[k, i] * x[k] for k in range(i + 1, size)), np.zeros(()))
        result.append(sum(x[a] * filling[position(a, b, size)] * x[b] for a in range(size) for b in range(size)))
    return np.stack(result)


def _column_of_inverse(lower: dict[tuple[int, int], Array], j: int, size: int) -> dict[int, Array | float]:
    """Return column j of L⁻¹, from its unit diagonal down."""
    column: dict[int, Array | float] = {j: 1.0}
    for k in range(j + 1, size):
        column[k] = -sum(lower[k, i] * column[i] for i in range(j, k))
    return column


def _factor(entries: Array, size: int) -> tuple[dict[tuple[int, int], Array], list[Array]]:
    """Return L (below its unit diagonal) and the pivots d of M = LDLᵀ."""
    lower: dict[tuple[int, int], Array] = {}
    pivots: list[Array] = []
    for j in range(size):
        scaled = [lower[j, k] * pivots[k] for k in range(j)]
        pivot = entries[position(j, j, size)] - sum(lower[j, k] * scaled[k] for k in range(j))
        pivots.append(np.where(pivot > 0.0, pivot, np.nan))
        for i in range(j + 1, size):
            inner = sum(lower[i, k] * scaled[k] for k in range(j))
            lower[i, j] = (entries[position(i, j, size)] - inner) / pivots[j]
    return lower, pivots
