"""Covariance matrices of which some entries are known: one that is positive definite, and the way up from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simstudy.families.base import Family
from simstudy.families.likelihood import FamilyLikelihood
from simstudy.families.moments import triangle
from simstudy.families.vectors import definite
from simstudy.numerics import trace
from simstudy.numerics.symmetric import pairs, position, select, solve
from simstudy.parameters import Array, Columns

# Correlations of the sample are shrunk by this, so that a sample without n > d will do.
_SHRUNK = 0.9
# Least eigenvalues, in units of variances, that are tried one after the other, and projections for each of them.
_FLOORS = (0.1, 1e-2, 1e-3, 1e-4, 1e-6)
_PROJECTIONS = 100
# Free variances are raised by this factor each time.
_ROOM = 4.0
_SCORINGS, _HALVINGS = 60, 30
_NEARLY = 1e-8

Held = Mapping[tuple[int, int], Array]
"""Known entries (i, j), i ≤ j."""


def completed(sample: Sequence[Array], held: Held, size: int) -> list[Array]:
    """Return a packed matrix (m arrays) near the sample's with the known entries, positive definite if one is found."""
    rows = len(sample[0])
    near = np.stack([np.broadcast_to(column, (rows,)) for column in _shrunk(sample, held, size)])
    for floor in _FLOORS:
        left = np.flatnonzero(~definite(list(near), size))
        if not len(left):
            break
        for i in range(size):
            near[position(i, i, size), left] *= 1.0 if (i, i) in held else _ROOM
        near[:, left] = _projected(near[:, left], held, size, floor)
    return list(near)


def _shrunk(sample: Sequence[Array], held: Held, size: int) -> list[Array]:
    """Return the known entries, and correlations of the sample a little shrunk in place of the others."""
    variance = [sample[position(i, i, size)] for i in range(size)]
    sd = [np.sqrt(np.where(v > 0.0, v, 1.0)) for v in variance]
    scale = [np.sqrt(held[i, i]) if (i, i) in held else sd[i] for i in range(size)]

    def entry(i: int, j: int) -> Array:
        if i == j:
            return np.asarray(scale[i] * scale[i])
        return np.asarray(_SHRUNK * sample[position(i, j, size)] / (sd[i] * sd[j]) * scale[i] * scale[j])

    return [np.asarray(held.get((i, j), entry(i, j))) for i, j in pairs(size)]


def _projected(packed: Array, held: Held, size: int, floor: float) -> Array:
    """Project by turns on matrices with no eigenvalue below the floor and on those with the known entries.

    Source: Higham (2002), Computing the nearest correlation matrix, IMA J. Numer. Anal. 22, 329–343.
    """
    first, second, place = triangle(size)
    scale = np.sqrt(packed[[position(i, i, size) for i in range(size)]])
    unit = scale[first] * scale[second]
    matrix, known = packed / unit, [position(i, j, size) for i, j in held]
    given = matrix[known]
    for _ in range(_PROJECTIONS):
        values, vectors = np.linalg.eigh(np.moveaxis(np.nan_to_num(matrix[place]), -1, 0))
        raised, vectors = np.maximum(values, floor).T, np.moveaxis(vectors, 0, -1)
        matrix = np.asarray(sum(raised[k] * vectors[first, k] * vectors[second, k] for k in range(size)))
        matrix[known] = given
        if definite(list(matrix), size).all():
            break
    return np.asarray(matrix * unit)


def scored(family: Family, likelihood: FamilyLikelihood, start: Columns, free: Sequence[int]) -> list[Array]:
    """Return where Fisher's method of scoring leads from a start, which is near the maximum.

    In covariances the log-likelihood is concave only near its maximum, but I(θ) is positive definite everywhere. Steps
    are halved until they lead up.
    """
    theta, size = [np.array(column) for column in start], len(start)
    left = np.arange(likelihood.rows)
    watched = trace.begin("Fisher scoring")
    for _ in range(_SCORINGS):
        part, at = likelihood.select(left), [column[left] for column in theta]
        found = part.evaluate(at)
        information = [np.asarray(entry) for entry in select(family.expected_information(at), free, size)]
        score = [np.asarray(found.score[i]) for i in free]
        step, _ = solve([np.broadcast_to(entry, (len(left),)) for entry in information], score)
        length = _length(part, at, step, free, found.value)
        for i, move in zip(free, step, strict=True):
            theta[i][left] += np.where(length > 0.0, length * move, 0.0)
        decrement = np.asarray(sum(g * move for g, move in zip(score, step, strict=True)))
        if watched:
            named = {family.parameters[i].name: at[i] for i in free}
            halved = {"step halved": length < 1.0}
            watched.note(left, named, objective=found.value, decrement=decrement, safeguard=halved)
        left = left[(length > 0.0) & (decrement > _NEARLY)]
        if not len(left):
            break
    return theta


def _length(part: FamilyLikelihood, at: Columns, step: Sequence[Array], free: Sequence[int], value: Array) -> Array:
    """Return 1, ½, ¼, … for each data set, the first that does not lead down, or 0 where none does."""
    length, found = np.ones(part.rows), np.zeros(part.rows, dtype=bool)
    for _ in range(_HALVINGS):
        trial = list(at)
        for i, move in zip(free, step, strict=True):
            trial[i] = at[i] + length * move
        found = part.evaluate(trial).value >= value
        if found.all():
            break
        length = np.where(found, length, 0.5 * length)
    return np.where(found, length, 0.0)
