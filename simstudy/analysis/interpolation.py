"""A smooth function of parameters at very many points, from its values at a few: by splines in what it depends on.

Coordinates on which the function does not depend, such as location and scale of what is invariant under them, are found
by exchanging them between points. What is left, one coordinate or two, is covered by a quintic spline whose nodes are
doubled until the function itself, at points of its own, agrees. All points are looked at first, part by part; the
function is then had at each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis.reductions import Extent, JointMoment, JointMoments, Range
from simstudy.analysis.streaming import Rows, Steps
from simstudy.parameters import Array

Function = Callable[[Array], Array]
"""Points (r, p) ↦ values (r, k)."""

FEW = 200
"""Points at which the function is evaluated directly."""
_PROBES, _CHECKS = 16, 48
_SAME = 1e-9
_NODES = {1: (17, 33, 65, 129, 257, 513), 2: (13, 25, 49)}
_DEGREE = 5


def everywhere(function: Function, of: Rows, count: int, tolerance: float) -> Steps[Function | None]:
    """Return the function of points (p, r) that gives (k, r) at the points of all parts, or None.

    None where it is not finite at some point, or there are too many points and it depends on more than two coordinates
    or is not smooth.

    Parameters
    ----------
    function
        A function of unconstrained coordinates, with values of order one.
    of, count
        The points (p, r) of a part, and how many there are in all.
    tolerance
        Error allowed on the average; a single one of m points may have √m times as much.
    """
    few = count <= FEW
    checked, probed = (np.arange(count),) * 2 if few else (_places(count, _CHECKS), _places(count, _PROBES))
    places = np.unique(np.concatenate([checked, probed]))
    found, spread = yield _Chosen(of, tuple(places.tolist())), JointMoments(of)
    checks = found.at(checked) if few else np.concatenate([found.ends, found.at(checked)], axis=1)
    exact = function(np.ascontiguousarray(checks.T))
    if not np.isfinite(exact).all():
        return None
    if few:
        return lambda points: np.ascontiguousarray(function(np.ascontiguousarray(points.T)).T)
    allowed = np.full(checks.shape[1], tolerance)
    allowed[: found.ends.shape[1]] *= np.sqrt(count)

    def agrees(candidate: Function) -> bool:
        return bool((np.abs(candidate(checks) - exact.T) <= allowed).all())

    active = _active(function, np.concatenate([found.ends, found.at(probed)], axis=1))
    if not active:
        constant = _constant(exact[:1].T)
        return constant if agrees(constant) else None
    return (yield from _spline(function, of, active, spread, found.at(np.zeros(1, np.intp)), agrees))


def _places(count: int, some: int) -> NDArray[np.intp]:
    """Return the first place and others here and there in the order of the points, which are in none."""
    return np.linspace(0, count - 1, some).astype(np.intp)


def _constant(value: Array) -> Function:
    return lambda points: np.broadcast_to(value, (len(value), points.shape[1]))


class _Points(NamedTuple):
    """Points of all parts that were chosen.

    Attributes
    ----------
    ends : (p, 2p)
        The points with the least and the greatest of each coordinate.
    places, chosen : (c,), (p, c)
        Places in the order of the points, and the points there.
    """

    ends: Array
    places: NDArray[np.intp]
    chosen: Array

    def at(self, places: NDArray[np.intp]) -> Array:
        """Return the points at some of the places."""
        return np.ascontiguousarray(self.chosen[:, np.searchsorted(self.places, places)])


@dataclass(frozen=True)
class _Chosen:
    """`_Points` of what is given for each part, at these places."""

    of: Rows
    places: tuple[int, ...]

    def fold(self, state: _Points | None, part: Any) -> _Points:
        """Look at the points of a part."""
        points, places = self.of(part), np.array(self.places, np.intp)
        here = slice(*np.searchsorted(places, [part.first, part.first + points.shape[1]]))
        chosen = points[:, places[here] - part.first]
        if state is None:
            return _Points(_ends(points), places, chosen)
        ends = _ends(np.concatenate([state.ends, _ends(points)], axis=1))
        return _Points(ends, places, np.concatenate([state.chosen, chosen], axis=1))


def _ends(points: Array) -> Array:
    """Return the points with the least and the greatest of each coordinate."""
    if not points.shape[1]:
        return points
    return np.ascontiguousarray(points[:, [int(end(row)) for row in points for end in (np.argmin, np.argmax)]])


def _active(function: Function, points: Array) -> list[int]:
    """Return the coordinates that the function depends on: it changes where they are exchanged between points."""
    here = function(np.ascontiguousarray(points.T))
    result = []
    for k in range(len(points)):
        moved = points.copy()
        moved[k] = np.roll(moved[k], 1)
        there = function(np.ascontiguousarray(moved.T))
        if not (np.abs(there - here) <= _SAME * (1.0 + np.abs(here))).all():
            result.append(k)
    return result


def _spline(
    function: Function,
    of: Rows,
    active: list[int],
    spread: JointMoment,
    point: Array,
    agrees: Callable[[Function], bool],
) -> Steps[Function | None]:
    """Return the first spline of those with ever more nodes that agrees with the function."""
    if len(active) not in _NODES:
        return None
    # principal axes, as rows: a grid along them has few nodes far from all points
    rotation = np.ascontiguousarray(np.linalg.eigh(spread.cross[np.ix_(active, active)])[1].T)

    def turned(points: Array) -> Array:
        return np.asarray(np.einsum("ij,jm->im", rotation, points[active]))

    extent: Extent = yield Range(lambda part: turned(of(part)))
    for nodes in _NODES[len(active)]:
        grids = [np.linspace(low, high, nodes) for low, high in zip(extent.low, extent.high, strict=True)]
        spline = _through(function, grids, active, rotation, point)
        if spline is not None:
            candidate = _turning(spline, turned)
            if agrees(candidate):
                return candidate
    return None


def _turning(spline: Function, turned: Function) -> Function:
    return lambda points: np.ascontiguousarray(spline(turned(points).T).T)


def _through(
    function: Function, grids: list[Array], active: list[int], rotation: Array, point: Array
) -> Function | None:
    """Return a spline through the function on a grid of the turned coordinates, those not active as at a point."""
    from scipy.interpolate import NdBSpline, make_interp_spline

    mesh = np.stack([part.ravel() for part in np.meshgrid(*grids, indexing="ij")])
    at = np.repeat(point, mesh.shape[1], axis=1)
    at[active] = np.einsum("ji,jm->im", rotation, mesh)
    values = function(np.ascontiguousarray(at.T))
    if not np.isfinite(values).all() or not all(np.ptp(grid) > 0.0 for grid in grids):
        return None
    knots, coefficients = [], values.reshape(*(len(grid) for grid in grids), values.shape[1])
    for axis, grid in enumerate(grids):
        one = make_interp_spline(grid, np.moveaxis(coefficients, axis, 0), k=_DEGREE)
        knots.append(one.t)
        coefficients = np.moveaxis(one.c, 0, axis)
    return NdBSpline(tuple(knots), np.ascontiguousarray(coefficients), _DEGREE)  # type: ignore[no-any-return]
