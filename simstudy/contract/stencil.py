"""Derivatives by extrapolated differences, each with an estimate of its error.

Central differences have an error in even powers of the step; Neville's scheme removes one power after the other, and
of all extrapolations the one is kept that differs least from those before it (Ridders 1982).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from simstudy.contract.precision import EPS
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array, Domain

Function = Callable[[list[Array]], Array]
"""A function of parameters, each an array without dimension, to an array of any shape."""

_LEVELS = 14
_RATIO = 1.5
# Long steps may leave the region where the function is a power series; extrapolations agree there by chance only.
_TRUSTED = 4
# The smallest of some ninety differences is smaller than a typical one.
_SAFETY = 10.0
# A function rounds in its largest term, which may be some times larger than the function.
_ROUNDING = 64.0 * EPS


class Derivative(NamedTuple):
    """A derivative and a bound on its error, elementwise."""

    value: Array
    error: Array


def gradient(function: Function, at: Sequence[Array], domains: Sequence[Domain]) -> list[Derivative]:
    """Return the first derivatives at a point."""
    steps = first_steps(function, at, domains)
    return [_first(function, at, i, step) for i, step in enumerate(steps)]


def curvature(function: Function, at: Sequence[Array], domains: Sequence[Domain]) -> list[Derivative]:
    """Return the second derivatives at a point, packed."""
    steps = first_steps(function, at, domains)
    return [_second(function, at, (i, j), steps) for i, j in pairs(len(at))]


def first_steps(function: Function, at: Sequence[Array], domains: Sequence[Domain]) -> list[float]:
    """Return first steps: inside the domains, and so short that no value of the function changes by more than one."""
    return [_first_step(function, at, i, domain) for i, domain in enumerate(domains)]


def _first_step(function: Function, at: Sequence[Array], i: int, domain: Domain) -> float:
    value = float(at[i])
    room = min(value - domain.lower, domain.upper - value)
    step = 0.4 * room if np.isfinite(room) else max(1.0, abs(value))
    for _ in range(200):
        if np.nan_to_num(_change(function, at, i, step), nan=np.inf).max() <= 1.0:
            break
        step *= 0.5
    return step


def _moved(at: Sequence[Array], steps: dict[int, float]) -> list[Array]:
    return [value + steps.get(i, 0.0) for i, value in enumerate(at)]


def _first(function: Function, at: Sequence[Array], i: int, step: float) -> Derivative:
    def difference(h: float) -> Array:
        return (function(_moved(at, {i: h * step})) - function(_moved(at, {i: -h * step}))) / (2.0 * h)

    return _scaled(_extrapolate(difference, _size(function, at, {i: step}), 1), step)


def _second(function: Function, at: Sequence[Array], pair: tuple[int, int], steps: Sequence[float]) -> Derivative:
    i, j = pair
    centre = function(list(at))

    def difference(h: float) -> Array:
        if i == j:
            there, back = (function(_moved(at, {i: s * h * steps[i]})) for s in (1.0, -1.0))
            return ((there - centre) + (back - centre)) / (h * h)
        corners = [
            s * t * function(_moved(at, {i: s * h * steps[i], j: t * h * steps[j]}))
            for s in (1.0, -1.0)
            for t in (1.0, -1.0)
        ]
        return np.asarray(sum(corners)) / (4.0 * h * h)

    size = _size(function, at, {k: steps[k] for k in pair})
    return _scaled(_extrapolate(difference, size, 2), steps[i] * steps[j])


def _size(function: Function, at: Sequence[Array], steps: dict[int, float]) -> Array:
    """Return what rounding is relative to: the function's terms, and what it changes when θ + h is rounded."""
    value = np.abs(function(list(at)))
    size = 1.0 + value + value.mean()
    for i, step in steps.items():
        size = size + _change(function, at, i, step) * abs(float(at[i]) / step)
    return np.asarray(size)


def _change(function: Function, at: Sequence[Array], i: int, step: float) -> Array:
    centre = function(list(at))
    return np.asarray(sum(np.abs(function(_moved(at, {i: s * step})) - centre) for s in (1.0, -1.0)))


def _scaled(derivative: Derivative, unit: float) -> Derivative:
    return Derivative(derivative.value / unit, derivative.error / abs(unit))


def _extrapolate(difference: Callable[[float], Array], size: Array, order: int) -> Derivative:
    """Extrapolate differences with steps 1, 1/1.5, 1/1.5², … to step 0."""
    column: list[Array] = []
    best, error = np.zeros(()), np.asarray(np.inf)
    for level in range(_LEVELS):
        h = _RATIO**-level
        rounding = _ROUNDING * size / h**order
        row = [difference(h)]
        power = 1.0
        for k in range(level):
            power *= _RATIO * _RATIO
            row.append((power * row[k] - column[k]) / (power - 1.0))
            if level < _TRUSTED or k + 1 == level:
                continue
            before = (row[k], column[k], column[k + 1])
            miss = np.max([np.abs(row[k + 1] - other) for other in before], axis=0)
            trusted = np.isfinite(miss)
            bound = np.where(trusted, _SAFETY * miss + rounding, np.inf)
            best = np.where(bound < error, row[k + 1], best)
            error = np.minimum(bound, error)
        column = row
    return Derivative(np.asarray(best), np.asarray(error))
