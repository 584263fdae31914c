"""A block of log-likelihoods in unconstrained coordinates, and damped Newton steps there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.inference.likelihood import Likelihood
from simstudy.numerics.symmetric import Entry, position, solve
from simstudy.parameters import Array

_DAMPINGS = 30


class Point(NamedTuple):
    """Coordinates u, value, gradient and packed information in unconstrained coordinates, one row per data set."""

    real: list[Array]
    value: Array
    gradient: list[Array]
    information: list[Array]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Point:
        """Return some of the rows."""
        return Point(
            [u[rows] for u in self.real],
            self.value[rows],
            [g[rows] for g in self.gradient],
            [h[rows] for h in self.information],
        )

    def where(self, chosen: NDArray[np.bool_], other: Point) -> Point:
        """Return these rows where chosen, the other's elsewhere."""

        def pick(new: Sequence[Array], old: Sequence[Array]) -> list[Array]:
            return [np.where(chosen, a, b) for a, b in zip(new, old, strict=True)]

        return Point(
            pick(self.real, other.real),
            np.where(chosen, self.value, other.value),
            pick(self.gradient, other.gradient),
            pick(self.information, other.information),
        )


def evaluate(likelihood: Likelihood, real: list[Array]) -> Point:
    """Evaluate and carry gradient and information to the unconstrained coordinates."""
    theta = [domain.from_real(u) for domain, u in zip(likelihood.domains, real, strict=True)]
    result = likelihood.evaluate(theta)
    slopes = [domain.derivatives(t) for domain, t in zip(likelihood.domains, theta, strict=True)]
    rows, size = likelihood.rows, len(real)

    def spread(entry: Entry) -> Array:
        return np.array(np.broadcast_to(np.asarray(entry, dtype=float), (rows,)))

    gradient = [spread(result.score[i] * slopes[i][0]) for i in range(size)]
    information = []
    for i in range(size):
        for j in range(i, size):
            entry = result.information[position(i, j, size)] * slopes[i][0] * slopes[j][0]
            information.append(spread(entry - result.score[i] * slopes[i][1] if i == j else entry))
    return Point(real, spread(result.value), gradient, information)


def diagonal_scale(point: Point) -> list[Array]:
    """Return |𝒥ᵢᵢ|, or gᵢ² where that is larger, so that damping has the units of each coordinate."""
    size = len(point.gradient)
    return [
        np.maximum(np.abs(point.information[position(i, i, size)]), g * g) + 1e-300
        for i, g in enumerate(point.gradient)
    ]


def damped_step(point: Point, damping: Array) -> tuple[list[Array], Array]:
    """Return (𝒥 + λD)⁻¹g with λ raised until the matrix is positive definite."""
    size = len(point.gradient)
    diagonal = [position(i, i, size) for i in range(size)]
    scale = diagonal_scale(point)
    for _ in range(_DAMPINGS):
        matrix = list(point.information)
        for k, s in zip(diagonal, scale, strict=True):
            matrix[k] = matrix[k] + damping * s
        step, definite = solve(matrix, point.gradient)
        if definite.all():
            break
        damping = np.where(definite, damping, np.maximum(4.0 * damping, 1e-3))
    return [np.where(definite & np.isfinite(d), d, 0.0) for d in step], damping
