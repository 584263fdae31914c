"""Expectations under a family from its log-density alone, each with a bound on its error.

The sample space is mapped to the real line, x = x(v), so that power laws at its ends become exponential, and
v = c + w·sinh t makes them double exponential (Takahasi & Mori 1974). What is left is smooth in t and is summed over
Gauss–Legendre panels; panels of twice the length tell the error. Sums over panels give the distribution function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.contract.coordinates import coordinate
from simstudy.contract.precision import EPS
from simstudy.families.base import Family
from simstudy.families.sample_space import SampleSpace
from simstudy.parameters import Array

_PILOT = 1001
_PANEL = 0.25
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
# log p is rounded in its largest term, which may be some times larger than log p itself.
_ROUNDING = 64.0 * EPS
# Near a finite end the distance to it is known to ε|x| only; the integral of distance^(b−1) up to there is 1/b times
# what the last node gives, and b ≥ 0.1.
_BLUR = 10.0
# Less than this adds nothing to an expectation, unless of a function larger than a power of the density can be.
_NO_MASS = 1e-30


class Integral(NamedTuple):
    """An integral and a bound on its error."""

    value: float
    error: float


class _Grid(NamedTuple):
    """Nodes and weights (m,), relative uncertainty of the density there, and the numbers of nodes below some points."""

    x: Array
    weights: Array
    blur: Array
    edges: Array
    below: NDArray[np.intp]


class Quadrature:
    """Expectations under one member of a family.

    Parameters
    ----------
    family
        The family; its sampler only tells where to look.
    theta
        Base parameters as arrays (1, 1).
    """

    def __init__(self, family: Family, theta: Sequence[Array]) -> None:
        draws = family.sample(np.random.default_rng(1), theta, (1, _PILOT))
        pilot = np.sort(np.ravel(draws).astype(float))
        make = _counts if family.sample_space.discrete else _panels
        self._grids = [make(family.sample_space, pilot, length) for length in (2.0, 1.0)]
        self._masses, self._uncertainty = [], np.zeros(())
        for grid in self._grids:
            log_density = np.ravel(family.log_density(grid.x[np.newaxis], theta)).astype(float)
            mass = np.where(np.isfinite(log_density), grid.weights * np.exp(log_density), 0.0)
            self._masses.append(mass)
            self._uncertainty = _ROUNDING * (1.0 + np.abs(log_density)) + np.minimum(1.0, _BLUR * grid.blur)

    def expect(self, function: Callable[[Array], Array]) -> Integral:
        """Return E[f(X)] for f of arrays (1, m), asked for where there is mass only."""
        terms = []
        for grid, mass in zip(self._grids, self._masses, strict=True):
            there = mass > _NO_MASS
            terms.append(mass[there] * np.ravel(function(grid.x[np.newaxis, there])))
        coarse, fine = terms
        total = float(fine.sum())
        rounding = float((np.abs(fine) * self._uncertainty[there]).sum())
        return Integral(total, float(abs(total - coarse.sum())) + rounding)

    @property
    def mass(self) -> Integral:
        """The integral of the density."""
        return self.expect(np.ones_like)

    def distribution(self) -> tuple[Array, Array]:
        """Return points and the distribution function there."""
        grid, mass = self._grids[-1], self._masses[-1]
        return grid.edges, np.cumsum(mass)[grid.below - 1]


def _panels(space: SampleSpace, pilot: Array, length: float) -> _Grid:
    """Cover a continuous sample space by Gauss–Legendre panels in t."""
    at, centre, width, reach = coordinate(space, pilot)
    last = np.arcsinh(reach / width)
    ends = np.linspace(-last, last, int(np.ceil(2.0 * last / (_PANEL * length))) + 1)
    half = 0.5 * np.diff(ends)[:, np.newaxis]
    t = np.ravel(ends[:-1, np.newaxis] + half * (1.0 + _NODES))
    place = at(centre + width * np.sinh(t))
    weights = np.ravel(half * _WEIGHTS) * width * np.cosh(t) * place.slope
    inside = np.clip(place.x, np.nextafter(space.lower, np.inf), np.nextafter(space.upper, -np.inf))
    edges = at(centre + width * np.sinh(ends[1:-1])).x
    below = len(_NODES) * np.arange(1, len(ends) - 1)
    return _Grid(inside, weights, EPS * np.abs(place.x) / place.distance, edges, below)


def _counts(space: SampleSpace, pilot: Array, length: float) -> _Grid:
    """Sum over the integers within 20 ranges of the pilot draws, or 10 on the coarse level."""
    spread = (20.0 + 20.0 * (pilot[-1] - pilot[0])) / length
    first = max(np.floor(pilot[0] - spread), space.lower)
    last = min(np.ceil(pilot[-1] + spread), space.upper)
    x = np.arange(first, last + 1.0)
    return _Grid(x, np.ones_like(x), np.full_like(x, 0.0), x, np.arange(1, len(x) + 1))
