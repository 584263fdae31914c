"""The general optimiser from every start that a family proposes, inside what the family admits and on its faces."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from simstudy.families.status import Status
from simstudy.inference.likelihood import Likelihood, check_entries
from simstudy.inference.newton import Maximum, maximise
from simstudy.parameters import Array, Columns, Parametrisation

# A face is higher than the interior only by more than rounding.
_ROUNDING = 1e-12


def optimise(likelihood: Likelihood) -> Maximum:
    """Run the general optimiser from every start the family proposes and keep the best, CONVERGED before others.

    A start that is NaN is none. One that the family does not admit lies on a face of what it admits, and is followed
    there, where the family has faces; so are all starts of a data set that has no maximum inside.
    """
    family = likelihood.family
    starts = family.starts(likelihood.reduced, known_base(likelihood))
    faces = family.faces if likelihood.is_base and not likelihood.known else ()
    inside = [_allowed(likelihood, start) if faces else np.ones(likelihood.rows, dtype=bool) for start in starts]
    found = (_maximise_from(likelihood, start, rows) for start, rows in zip(starts, inside, strict=True))
    best = _canonical(likelihood, _best(_admitted(likelihood, each) for each in found))
    for face in faces:
        best = _against_face(likelihood, face, zip(starts, inside, strict=True), best)
    status = best.status
    if family.unbounded:
        status = np.where(status == Status.CONVERGED, status, Status.NO_MAXIMUM)
    status = np.where(likelihood.reduced.usable, status, Status.NOT_FINITE).astype(np.int8)
    return best._replace(status=status)


def known_base(likelihood: Likelihood) -> dict[int, Array]:
    """Return the known base parameters by index: those that do not depend on the free parameters."""
    if not likelihood.known:
        return {}
    phi = likelihood.full([np.asarray(np.nan)] * len(likelihood.kept))
    base = phi if likelihood.is_base else likelihood.parametrisation.to_base(phi)
    return {i: np.asarray(value) for i, value in enumerate(base) if not np.isnan(value).any()}


def _allowed(likelihood: Likelihood, start: Columns) -> NDArray[np.bool_]:
    return np.broadcast_to(np.asarray(likelihood.family.admits(start)), (likelihood.rows,))


def _best(maxima: Iterable[Maximum]) -> Maximum:
    best, *others = maxima
    for found in others:
        best = found.where(_better(found, best), best)
    return best


def _maximise_from(likelihood: Likelihood, start: Columns, wanted: NDArray[np.bool_]) -> Maximum:
    """Maximise the rows wanted that have a start; the others are left at it, MAX_ITERATIONS."""
    check_entries(likelihood.family, "start", start, len(likelihood.family.parameters))
    phi = start if likelihood.is_base else likelihood.parametrisation.from_base(start)
    free = [np.array(np.broadcast_to(np.asarray(phi[i], dtype=float), (likelihood.rows,))) for i in likelihood.kept]
    rows = np.flatnonzero(wanted & ~np.isnan(free).any(axis=0))
    if len(rows) == likelihood.rows:
        return maximise(likelihood, free)
    status = np.full(likelihood.rows, Status.MAX_ITERATIONS, dtype=np.int8)
    idle = Maximum(free, np.full(likelihood.rows, -np.inf), status, np.zeros(likelihood.rows, dtype=np.int16))
    if not len(rows):
        return idle
    return idle.with_rows(rows, maximise(likelihood.select(rows), [column[rows] for column in free]))


def _better(new: Maximum, old: Maximum) -> NDArray[np.bool_]:
    converged = new.status == Status.CONVERGED
    return np.asarray(converged & ((old.status != Status.CONVERGED) | (new.value > old.value)))


def _base(likelihood: Likelihood, found: Maximum) -> Columns:
    return likelihood.parametrisation.to_base(likelihood.full(found.theta))


def _admitted(likelihood: Likelihood, found: Maximum) -> Maximum:
    """Turn a maximum where the family admits none into a BOUNDARY."""
    beyond = (found.status == Status.CONVERGED) & ~np.asarray(likelihood.family.admits(_base(likelihood, found)))
    return found._replace(status=np.where(beyond, Status.BOUNDARY, found.status).astype(np.int8))


def _canonical(likelihood: Likelihood, found: Maximum) -> Maximum:
    """Name the estimates as the family does, where nothing that is known names them already."""
    if likelihood.known or not likelihood.is_base:
        return found
    return found._replace(theta=[np.asarray(column) for column in likelihood.family.canonical(found.theta)])


def _against_face(
    likelihood: Likelihood,
    face: Parametrisation,
    starts: Iterable[tuple[Columns, NDArray[np.bool_]]],
    best: Maximum,
) -> Maximum:
    """Put the maximum of a face, as a BOUNDARY, in the place of an interior one that is lower."""
    there = Likelihood(likelihood.family, likelihood.reduced, face)
    lost = best.status != Status.CONVERGED
    found = _best(_maximise_from(there, start, lost | ~inside) for start, inside in starts)
    theta = [np.asarray(np.broadcast_to(column, (likelihood.rows,))) for column in face.to_base(found.theta)]
    unset = lost & (best.status != Status.BOUNDARY)
    higher = unset | ~(found.value <= best.value + _ROUNDING)
    boundary = np.full_like(found.status, Status.BOUNDARY)
    on_face = Maximum(theta, found.value, boundary, found.iterations)
    return on_face.where((found.status == Status.CONVERGED) & higher, best)
