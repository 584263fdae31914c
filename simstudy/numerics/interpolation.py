"""A smooth function of parameters at very many points, from its values at a few: by splines in what it depends on.

Coordinates on which the function does not depend, such as location and scale of what is invariant under them, are found
by exchanging them between points. What is left, one coordinate or two, is covered by a quintic spline whose nodes are
doubled until the function itself, at points of its own, agrees.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simstudy.parameters import Array

Function = Callable[[Array], Array]
"""Points (r, p) ↦ values (r, k)."""

FEW = 200
"""Points at which the function is evaluated directly."""
_PROBES, _CHECKS = 16, 48
_SAME = 1e-9
_NODES = {1: (17, 33, 65, 129, 257, 513), 2: (13, 25, 49)}
_DEGREE = 5


def everywhere(function: Function, points: Array, tolerance: float) -> Array | None:
    """Return the function at points (p, m) as (k, m), or None.

    None where it is not finite at some point, or there are too many points and it depends on more than two coordinates
    or is not smooth.

    Parameters
    ----------
    function
        A function of unconstrained coordinates, with values of order one.
    points : (p, m)
        Where.
    tolerance
        Error allowed on the average; a single one of m points may have √m times as much.
    """
    few = points.shape[1] <= FEW
    checks = np.arange(points.shape[1]) if few else _spread(points, _CHECKS)
    exact = function(np.ascontiguousarray(points[:, checks].T))
    if few or not np.isfinite(exact).all():
        return np.ascontiguousarray(exact.T) if np.isfinite(exact).all() else None
    allowed = np.full(len(checks), tolerance)
    allowed[: 2 * len(points)] *= np.sqrt(points.shape[1])
    active = _active(function, points[:, _spread(points, _PROBES)])
    if not active:
        found = np.broadcast_to(exact[:1].T, (exact.shape[1], points.shape[1]))
        return found if _agrees(found[:, checks], exact, allowed) else None
    for nodes in _NODES.get(len(active), ()):
        spline = _spline(function, points, active, nodes)
        if spline is not None and _agrees(spline(points[:, checks]), exact, allowed):
            return spline(points)
    return None


def _spread(points: Array, count: int) -> NDArray[np.intp]:
    """Return the least and greatest of each coordinate, then points here and there, which are in no order."""
    ends = [end(row) for row in points for end in (np.argmin, np.argmax)]
    return np.array([*ends, *np.linspace(0, points.shape[1] - 1, count).astype(int)])


def _agrees(found: Array, exact: Array, allowed: Array) -> bool:
    return bool((np.abs(found - exact.T) <= allowed).all())


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


def _spline(function: Function, points: Array, active: list[int], nodes: int) -> Function | None:
    """Return a spline through the function on a grid of the active coordinates, the others at those of one point."""
    from scipy.interpolate import NdBSpline, make_interp_spline

    rotation = _rotation(points[active])
    turned = np.einsum("ij,jm->im", rotation, points[active])
    grids = [np.linspace(row.min(), row.max(), nodes) for row in turned]
    mesh = np.stack([part.ravel() for part in np.meshgrid(*grids, indexing="ij")])
    at = np.repeat(points[:, :1], mesh.shape[1], axis=1)
    at[active] = np.einsum("ji,jm->im", rotation, mesh)
    values = function(np.ascontiguousarray(at.T))
    if not np.isfinite(values).all() or not all(np.ptp(grid) > 0.0 for grid in grids):
        return None
    knots, coefficients = [], values.reshape(*(len(grid) for grid in grids), values.shape[1])
    for axis, grid in enumerate(grids):
        one = make_interp_spline(grid, np.moveaxis(coefficients, axis, 0), k=_DEGREE)
        knots.append(one.t)
        coefficients = np.moveaxis(one.c, 0, axis)
    spline = NdBSpline(tuple(knots), np.ascontiguousarray(coefficients), _DEGREE)
    return lambda where: np.ascontiguousarray(spline(np.einsum("ij,jm->mi", rotation, where[active])).T)


def _rotation(points: Array) -> Array:
    """Return the principal axes of points (d, m), as rows: a grid along them has few nodes far from all points."""
    centred = points - points.mean(axis=-1, keepdims=True)
    return np.ascontiguousarray(np.linalg.eigh(np.einsum("im,jm->ij", centred, centred))[1].T)
