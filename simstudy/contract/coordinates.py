"""Maps of the real line onto a sample space, after which power laws at its ends are exponential."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from simstudy.families.sample_space import SampleSpace
from simstudy.parameters import Array

# v runs to ±600: a density like x^(a−1) at 0 then leaves out a mass of e^(−600a), nothing for a > 0.06.
_REACH = 600.0
_REACH_REAL = 115.0


class Place(NamedTuple):
    """x(v), dx/dv, and the distance of x to the nearest finite end of the sample space."""

    x: Array
    slope: Array
    distance: Array


class Coordinate(NamedTuple):
    """An increasing map v ↦ x, its inverse, and where the mass lies: around a centre, within a width and a reach."""

    at: Callable[[Array], Place]
    inverse: Callable[[Array], Array]
    centre: float
    width: float
    reach: float


def coordinate(space: SampleSpace, draws: Array) -> Coordinate:
    """Return the coordinate of a continuous sample space that suits some draws."""
    quartiles = np.quantile(draws[np.isfinite(draws)], (0.25, 0.5, 0.75))
    lower, upper = np.isfinite(space.lower), np.isfinite(space.upper)
    if lower and upper:
        return _interval(space.lower, space.upper, quartiles)
    if lower:
        return _half_line(space.lower, 1.0, quartiles)
    if upper:
        return _half_line(space.upper, -1.0, quartiles)
    return _line(quartiles)


def _line(quartiles: Array) -> Coordinate:
    """x = median + range·sinh v."""
    middle, unit = quartiles[1], _positive(quartiles[2] - quartiles[0])

    def at(v: Array) -> Place:
        return Place(middle + unit * np.sinh(v), unit * np.cosh(v), np.full_like(v, np.inf))

    return Coordinate(at, lambda x: np.arcsinh((x - middle) / unit), 0.0, 1.5, _REACH_REAL)


def _half_line(end: float, sign: float, quartiles: Array) -> Coordinate:
    """x = end ± exp(±v)."""

    def at(v: Array) -> Place:
        distance = np.exp(sign * v)
        return Place(end + sign * distance, distance, distance)

    def inverse(x: Array) -> Array:
        return np.asarray(sign * np.log(sign * (x - end)))

    low, middle, high = inverse(quartiles)
    return Coordinate(at, inverse, float(middle), _positive(high - low), _REACH)


def _interval(lower: float, upper: float, quartiles: Array) -> Coordinate:
    """(x − lower)/(upper − x) = exp v."""
    length = upper - lower

    def at(v: Array) -> Place:
        small = np.exp(-np.abs(v))
        share = small / (1.0 + small)
        x = np.where(v < 0.0, lower + length * share, upper - length * share)
        return Place(x, length * share / (1.0 + small), length * share)

    def inverse(x: Array) -> Array:
        return np.asarray(np.log(x - lower) - np.log(upper - x))

    low, middle, high = inverse(quartiles)
    return Coordinate(at, inverse, float(middle), _positive(high - low), _REACH)


def _positive(width: float) -> float:
    """Return a width, or one where the draws do not tell it."""
    return float(width) if np.isfinite(width) and width > 0.0 else 1.0
