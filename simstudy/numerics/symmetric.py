"""Batched small symmetric matrices as packed lists of entries, one array per entry.

A symmetric p×p matrix per replicate is kept as p(p+1)/2 arrays of shape (R,): the upper triangle row by row.
Entries that are the Python float 0.0 are structural zeros and cost nothing. Every operation is elementwise over
replicates, so the numbers of a replicate do not depend on its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.parameters import Array

Entry = Array | float
Rows = Sequence[Sequence[Entry]]


@cache
def pairs(size: int) -> tuple[tuple[int, int], ...]:
    """Return the index pairs (i, j), i ≤ j, in packed order.

    >>> pairs(2)
    ((0, 0), (0, 1), (1, 1))
    """
    return tuple((i, j) for i in range(size) for j in range(i, size))


@cache
def position(i: int, j: int, size: int) -> int:
    """Return the packed position of entry (i, j) of a symmetric matrix of that size."""
    i, j = min(i, j), max(i, j)
    return i * size - i * (i - 1) // 2 + (j - i)


@cache
def order(length: int) -> int:
    """Return p where a packed matrix has ``length`` = p(p+1)/2 entries."""
    return (math.isqrt(8 * length + 1) - 1) // 2


def is_zero(entry: Entry) -> bool:
    """Tell whether an entry is a structural zero."""
    return type(entry) is float and entry == 0.0


def times(*factors: Entry) -> Entry:
    """Multiply entries; a structural zero makes the product one, a structural one is skipped."""
    result: Entry = 1.0
    for factor in factors:
        if is_zero(factor):
            return 0.0
        if type(factor) is float and factor == 1.0:
            continue
        result = factor if type(result) is float and result == 1.0 else result * factor
    return result


def plus(*terms: Entry) -> Entry:
    """Add entries, skipping structural zeros."""
    result: Entry = 0.0
    for term in terms:
        if not is_zero(term):
            result = term if is_zero(result) else result + term
    return result


def congruence(matrix: Sequence[Entry], jacobian: Rows) -> list[Entry]:
    """Return JᵀMJ in packed form for packed M (size K) and J given as K rows of p columns."""
    size, columns = len(jacobian), len(jacobian[0])
    half = [
        [plus(*(times(matrix[position(k, m, size)], jacobian[m][j]) for m in range(size))) for j in range(columns)]
        for k in range(size)
    ]
    return [plus(*(times(jacobian[k][i], half[k][j]) for k in range(size))) for i, j in pairs(columns)]


def pull_back(vector: Sequence[Entry], jacobian: Rows) -> list[Entry]:
    """Return Jᵀv for a vector of K entries and J given as K rows of p columns."""
    return [
        plus(*(times(entry, row[j]) for entry, row in zip(vector, jacobian, strict=True)))
        for j in range(len(jacobian[0]))
    ]


def select(matrix: Sequence[Entry], kept: Sequence[int], size: int) -> list[Entry]:
    """Return the packed sub-matrix of the rows and columns kept."""
    return [matrix[position(kept[i], kept[j], size)] for i, j in pairs(len(kept))]


def fill(entries: Sequence[Entry], rows: int) -> Array:
    """Stack entries as the columns of an array (rows, len(entries)), spreading scalars over all rows."""
    out = np.empty((rows, len(entries)))
    for column, entry in enumerate(entries):
        out[:, column] = entry
    return out


def unpack(packed: Array) -> Array:
    """Turn packed symmetric matrices (…, p(p+1)/2) into full ones (…, p, p)."""
    size = order(packed.shape[-1])
    index = np.array([[position(i, j, size) for j in range(size)] for i in range(size)])
    return np.ascontiguousarray(packed[..., index])


def pack(full: Array) -> Array:
    """Turn full symmetric matrices (…, p, p) into packed ones (…, p(p+1)/2)."""
    rows, columns = zip(*pairs(full.shape[-1]), strict=True)
    return np.ascontiguousarray(full[..., list(rows), list(columns)])


class Factors(NamedTuple):
    """M = LDLᵀ: the entries of L below its unit diagonal, the pivots D, and where all of these are positive."""

    lower: dict[tuple[int, int], Array]
    pivots: list[Array]
    definite: NDArray[np.bool_]


def factor(matrix: Sequence[Array]) -> Factors:
    """Factorise packed M = LDLᵀ by Cholesky's method, elementwise over replicates.

    Where M is not positive definite, which is where a pivot is not positive and finite, the rest is meaningless.
    """
    size = order(len(matrix))
    lower: dict[tuple[int, int], Array] = {}
    pivots: list[Array] = []
    definite = np.isfinite(matrix[0])
    for j in range(size):
        scaled = [lower[j, k] * pivots[k] for k in range(j)]
        pivot = matrix[position(j, j, size)] - sum(lower[j, k] * scaled[k] for k in range(j))
        definite = definite & (pivot > 0.0) & (pivot < np.inf)
        pivots.append(pivot)
        for i in range(j + 1, size):
            inner = sum(lower[i, k] * scaled[k] for k in range(j))
            lower[i, j] = (matrix[position(i, j, size)] - inner) / pivot
    return Factors(lower, pivots, definite)


def solve(matrix: Sequence[Array], vector: Sequence[Array]) -> tuple[list[Array], NDArray[np.bool_]]:
    """Solve Mx = v by M = LDLᵀ, elementwise over replicates.

    Returns
    -------
    x
        p arrays (R,), meaningless where M is not positive definite.
    definite
        (R,), true where all pivots are positive and finite.
    """
    size = len(vector)
    lower, pivots, definite = factor(matrix)
    solution = list(vector)
    for i in range(size):
        for k in range(i):
            solution[i] = solution[i] - lower[i, k] * solution[k]
    solution = [entry / pivot for entry, pivot in zip(solution, pivots, strict=True)]
    for i in reversed(range(size)):
        for k in range(i + 1, size):
            solution[i] = solution[i] - lower[k, i] * solution[k]
    return solution, definite


def lower_inverse(factors: Factors) -> Array:
    """Return L⁻¹ as an array (p, p, …), elementwise over replicates."""
    lower, pivots, _ = factors
    size = len(pivots)
    result = np.zeros((size, size, *np.shape(pivots[0])))
    for i in range(size):
        result[i, i] = 1.0
        for j in range(i):
            result[i, j] = -(lower[i, j] + sum(lower[i, k] * result[k, j] for k in range(j + 1, i)))
    return result
