"""Fourth-order central differences in unconstrained, standardised coordinates, batched.

Scale decides whether a difference is right: a step that suits a scale of 1 is useless at 1e-8 or 1e8. So every
parameter is mapped to the real line by its domain, and the step is a fixed small fraction of 1/(typical |score|),
found per data set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array, Columns, Domain

LogDensity = Callable[[Array, Columns], Array]

# Truncation is h⁴ and rounding ε/h (score) or ε/h² (Hessian), in units of 1/|score|.
SCORE_STEP = 2e-3
HESSIAN_STEP = 6e-3
_TARGET = 0.03
_SEARCHES = 12


class Coordinates:
    """The log-density of data x as a function of steps in unconstrained coordinates around θ."""

    def __init__(self, log_density: LogDensity, x: Array, theta: Columns, domains: Sequence[Domain]) -> None:
        self._log_density, self._x, self._domains = log_density, x, domains
        self.theta = [np.asarray(column, dtype=float) for column in theta]
        self.real = [domain.to_real(column) for domain, column in zip(domains, self.theta, strict=True)]
        self.jacobian, self.curvature = zip(
            *(domain.derivatives(column) for domain, column in zip(domains, self.theta, strict=True)),
            strict=True,
        )
        self.units = [self._unit(i) for i in range(len(self.theta))]

    def at(self, steps: dict[int, Array]) -> Array:
        """Return log p(x; θ + steps), steps in unconstrained coordinates by parameter index."""
        moved = list(self.theta)
        for i, step in steps.items():
            moved[i] = self._domains[i].from_real(self.real[i] + step)
        return self._log_density(self._x, moved)

    def _unit(self, i: int) -> Array:
        """Return 1/|score| of parameter i, the length over which the log-density changes by about one.

        A step is good enough that is at most twice too long (truncation grows with its fourth power) or ten times too
        short, and is kept, so that a data set's step does not depend on how long its neighbours search.
        """
        step = np.full_like(self.real[i], 1e-3) * np.maximum(1.0, np.abs(self.real[i]))
        for _ in range(_SEARCHES):
            change = np.abs(self.at({i: step}) - self.at({i: -step})) / 2.0
            typical = _typical(change if np.ndim(step) else np.ravel(change))
            factor = _TARGET / np.maximum(typical if np.ndim(step) else typical[0], 1e-300)
            good = (factor > 0.5) & (factor < 10.0)
            if np.all(good):
                break
            step = np.where(good, step, step * np.clip(factor, 1e-4, 1e4))
        return np.asarray(step / _TARGET)


def _typical(change: Array) -> Array:
    """Return the median of the finite changes along the last axis, their mean where it is 0, ∞ where none is finite."""
    finite = np.isfinite(change)
    count = finite.sum(axis=-1, keepdims=True)
    ordered = np.sort(np.where(finite, change, np.inf), axis=-1)
    median = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    mean = np.where(finite, change, 0.0).sum(axis=-1, keepdims=True) / np.maximum(count, 1)
    return np.where(median > 0.0, median, mean)


def score(log_density: LogDensity, x: Array, theta: Columns, domains: Sequence[Domain]) -> tuple[Array, ...]:
    """Return ∂ log p(x; θ)/∂θᵢ elementwise, one array per parameter."""
    around = Coordinates(log_density, x, theta, domains)
    result = []
    for i, unit in enumerate(around.units):
        result.append(_slope(around, i, SCORE_STEP * unit) / around.jacobian[i])
    return tuple(result)


def hessian(log_density: LogDensity, x: Array, theta: Columns, domains: Sequence[Domain]) -> list[Array]:
    """Return ∂² log p(x; θ)/∂θᵢ∂θⱼ elementwise, packed."""
    around = Coordinates(log_density, x, theta, domains)
    steps = [HESSIAN_STEP * unit for unit in around.units]
    centre = around.at({})
    result = []
    for i, j in pairs(len(steps)):
        scale = around.jacobian[i] * around.jacobian[j]
        if i == j:
            slope = _slope(around, i, steps[i]) / around.jacobian[i]
            bend = _bend(around, centre, {i: steps[i]}) / steps[i] ** 2
            result.append((bend - slope * around.curvature[i]) / scale)
        else:
            together = _bend(around, centre, {i: steps[i], j: steps[j]})
            apart = _bend(around, centre, {i: steps[i], j: -steps[j]})
            result.append((together - apart) / (4.0 * steps[i] * steps[j] * scale))
    return result


def _slope(around: Coordinates, i: int, step: Array) -> Array:
    """Fourth-order first derivative along coordinate i."""
    near = around.at({i: step}) - around.at({i: -step})
    far = around.at({i: 2.0 * step}) - around.at({i: -2.0 * step})
    return np.asarray((8.0 * near - far) / (12.0 * step))


def _bend(around: Coordinates, centre: Array, steps: dict[int, Array]) -> Array:
    """Fourth-order second derivative along a direction, times the squared step."""

    def both(factor: float) -> Array:
        forward = around.at({i: factor * step for i, step in steps.items()})
        backward = around.at({i: -factor * step for i, step in steps.items()})
        return np.asarray((forward - centre) + (backward - centre))

    return np.asarray((16.0 * both(1.0) - both(2.0)) / 12.0)
