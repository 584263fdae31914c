"""The profile of a log-likelihood in one parameter, to first and second order at a point near it.

Of the unconstrained coordinates u, one is followed; the others, the nuisance coordinates, are at their maximum
given that one, or near it. With 𝒥 the observed information, the followed coordinate last, 𝒥 = LDLᵀ has in its
leading pivots the information of the nuisance coordinates, and in its last pivot that of the profile. Forward
substitution y = L⁻¹g of the gradient leaves in its last entry the score of the profile. So one factorisation gives all
that a step along the profile needs, with the nuisance coordinates corrected on the way (Venzon & Moolgavkar 1988,
Applied Statistics 37).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.inference.unconstrained import Point
from simstudy.numerics.symmetric import Entry, factor, order, pairs, position
from simstudy.parameters import Array


class Profile(NamedTuple):
    """The profile of the mean log-likelihood at a point, one row per data set.

    Attributes
    ----------
    score, curvature : (R,)
        First and negative second derivative of the profile, corrected for nuisance coordinates off their maximum.
    gain : (R,)
        Newton decrement of the nuisance coordinates: twice what the log-likelihood gains where they are corrected.
    definite : (R,)
        Whether their information is positive definite.
    correction : arrays (R,)
        D⁻¹y of the nuisance coordinates.
    lower
        Entries of L below its unit diagonal.
    """

    score: Array
    curvature: Array
    gain: Array
    definite: NDArray[np.bool_]
    correction: list[Array]
    lower: dict[tuple[int, int], Array]

    def step(self, along: Array) -> list[Array]:
        """Return the step to the maximum of the nuisance coordinates where the followed one moves by ``along``."""
        return self._substitute(self.correction, along)

    def tangent(self, along: Array) -> list[Array]:
        """Return how the nuisance coordinates at their maximum move where the followed one moves by ``along``."""
        return self._substitute([np.zeros_like(along)] * len(self.correction), along)

    def _substitute(self, begin: Sequence[Array], along: Array) -> list[Array]:
        steps, size = [*begin, along], len(begin)
        for k in reversed(range(size)):
            for i in range(k + 1, size + 1):
                steps[k] = steps[k] - self.lower[i, k] * steps[i]
        return steps


def profile(point: Point, places: Sequence[int]) -> Profile:
    """Return the profile at a point; ``places`` are those of the nuisance coordinates, then of the followed one."""
    size, count = len(point.real), len(places)
    matrix = [point.information[position(places[a], places[b], size)] for a, b in pairs(count)]
    lower, pivots, _ = factor(matrix)
    y = [point.gradient[place] for place in places]
    for i in range(count):
        for k in range(i):
            y[i] = y[i] - lower[i, k] * y[k]
    gain, definite = np.zeros_like(point.value), np.ones(len(point.value), dtype=bool)
    for value, pivot in zip(y[:-1], pivots[:-1], strict=True):
        gain = gain + value * value / pivot
        definite = definite & (pivot > 0.0) & (pivot < np.inf)
    correction = [value / pivot for value, pivot in zip(y[:-1], pivots[:-1], strict=True)]
    return Profile(y[-1], pivots[-1], gain, definite, correction, lower)


def last_pivot(matrix: Sequence[Entry]) -> Array:
    """Return 1/(M⁻¹)ₖₖ for the last row k of packed positive definite M, elementwise; NaN where it is not."""
    size = order(len(matrix))
    _, pivots, definite = factor([np.asarray(entry, dtype=float) for entry in matrix])
    return np.where(definite, pivots[size - 1], np.nan)
