"""Expectations under a family from its log-density alone, each with a bound on its error.

The sample space is mapped to the real line, x = x(v), so that power laws at its ends become exponential, and
v = c + w·sinh t makes them double exponential (Takahasi & Mori 1974). What is left is smooth in t and is summed over
Gauss–Legendre panels; panels of twice the length tell the error. Sums over panels give the distribution function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.contract.coordinates import coordinate
from simstudy.contract.precision import EPS
from simstudy.families.base import Family
from simstudy.families.sample_space import SampleSpace, VectorSpace
from simstudy.parameters import Array

_PILOT = 1001
_PANEL = 0.25
# Panels of a plane are this many times longer, since their number is squared.
_COARSER = 2.0
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


class _Line(NamedTuple):
    """Nodes and weights (m,) of one coordinate, uncertainty of the density, numbers of nodes up to some points."""

    x: Array
    weights: Array
    blur: Array
    edges: Array
    below: NDArray[np.intp]


class _Grid(NamedTuple):
    """Observations (m,) or (m, width), weights and blur (m,); they are the product of the lines of the coordinates."""

    x: Array
    weights: Array
    blur: Array
    lines: tuple[_Line, ...]


class Marginal(NamedTuple):
    """The distribution function of one coordinate of an observation at some points."""

    take: Callable[[Array], Array]
    points: Array
    probability: Array


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
        self._space = family.sample_space
        pilot = np.asarray(family.sample(np.random.default_rng(1), theta, (1, _PILOT)))[0].astype(float)
        self._grids = [_grid(self._space, pilot, length) for length in (2.0, 1.0)]
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
        return self.expect(lambda x: np.ones(x.shape[1]))

    def distributions(self) -> Iterator[Marginal]:
        """Yield the distribution function of each coordinate of an observation."""
        grid, mass = self._grids[-1], self._masses[-1]
        joint = mass.reshape([len(line.x) for line in grid.lines])
        for axis, line in enumerate(grid.lines):
            others = tuple(other for other in range(joint.ndim) if other != axis)
            yield Marginal(self._coordinate(axis), line.edges, np.cumsum(joint.sum(axis=others))[line.below - 1])

    def _coordinate(self, axis: int) -> Callable[[Array], Array]:
        space = self._space
        return (lambda x: x) if isinstance(space, SampleSpace) else lambda x: space.take_apart(x)[axis]


def _grid(space: SampleSpace | VectorSpace, pilot: Array, length: float) -> _Grid:
    """Return the product of the rules of all coordinates."""
    if isinstance(space, SampleSpace):
        line = _line(space, np.sort(pilot), length)
        return _Grid(line.x, line.weights, line.blur, (line,))
    coarse = length * (1.0 if len(space.parts) == 1 else _COARSER)
    coordinates = space.take_apart(pilot)
    lines = tuple(_line(part, np.sort(c), coarse) for part, c in zip(space.parts, coordinates, strict=True))
    x, slope = space.assemble([np.ravel(c) for c in np.meshgrid(*(line.x for line in lines), indexing="ij")])
    weights, blurs = (
        [np.ravel(part) for part in np.meshgrid(*(line[field] for line in lines), indexing="ij")] for field in (1, 2)
    )
    return _Grid(x, np.prod(weights, axis=0) * slope, np.sum(blurs, axis=0), lines)


def _line(space: SampleSpace, pilot: Array, length: float) -> _Line:
    return (_counts if space.discrete else _panels)(space, pilot, length)


def _panels(space: SampleSpace, pilot: Array, length: float) -> _Line:
    """Cover a continuous sample space by Gauss–Legendre panels in t; an atom at its upper end is a node of its own."""
    if space.atom:
        inner = _panels(replace(space, atom=False), pilot[pilot < space.upper], length)
        end, last = np.array([space.upper]), np.array([len(inner.x) + 1])
        before = np.minimum(inner.edges, np.nextafter(space.upper, -np.inf))  # an edge rounded to the end is not there
        return _Line(
            np.append(inner.x, end), np.append(inner.weights, 1.0), np.append(inner.blur, 0.0),
            np.append(before, end), np.append(inner.below, last),
        )  # fmt: skip
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
    return _Line(inside, weights, EPS * np.abs(place.x) / place.distance, edges, below)


def _counts(space: SampleSpace, pilot: Array, length: float) -> _Line:
    """Sum over the integers within 20 ranges of the pilot draws, or 10 on the coarse level."""
    spread = (20.0 + 20.0 * (pilot[-1] - pilot[0])) / length
    first = max(np.floor(pilot[0] - spread), space.lower)
    last = min(np.ceil(pilot[-1] + spread), space.upper if space.upper_included else space.upper - 1.0)
    x = np.arange(first, last + 1.0)
    return _Line(x, np.ones_like(x), np.full_like(x, 0.0), x, np.arange(1, len(x) + 1))
