"""Levenberg–Newton ascent of a block of surfaces, for families that choose their own coordinates and boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.numerics import trace
from simstudy.numerics.symmetric import position, select, solve
from simstudy.parameters import Array

Places = list[Array]
Flags = NDArray[np.bool_]

_TOLERANCE, _NEARLY = 1e-18, 1e-13
_SLACK = 1e-13
_ITERATIONS, _DAMPINGS = 200, 40
# Starts are climbed from together, as many as fit into the cache.
_NUMBERS = 2**17


class Slope(NamedTuple):
    """Value (R,), gradient (p of them) and minus the second derivatives (packed) at one place per row."""

    value: Array
    gradient: Sequence[Array]
    information: Sequence[Array]


class Surface(Protocol):
    """One function of p coordinates per row."""

    @property
    def rows(self) -> int:
        """Number R of rows."""

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates."""

    def evaluate(self, at: Places) -> Slope:
        """Return value, gradient and information at a place per row."""

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the rows."""

    def move(self, at: Places, step: Places) -> Places:
        """Return where a step leads, shortened where it would be too long or leave the coordinates' range."""

    def leaving(self, at: Places, slope: Slope) -> Flags:
        """Tell which rows have come so near to the boundary that no maximum inside is sought any more."""


class Summit(NamedTuple):
    """Where the ascent of each row ended, the value there, whether at a maximum, or at the boundary, and iterations."""

    at: Places
    value: Array
    reached: Flags
    left: Flags
    iterations: NDArray[np.int16]

    def take(self, rows: slice) -> Summit:
        """Return some of the rows."""
        _, value, reached, left, iterations = self
        return Summit([u[rows] for u in self.at], value[rows], reached[rows], left[rows], iterations[rows])


def climb(surface: Surface, start: Sequence[Array]) -> Summit:
    """Ascend from one place per row by steps (𝒥 + λD)Δ = g, D the diagonal of |𝒥|.

    λ grows until 𝒥 + λD is positive definite and the value does not fall, and shrinks to 0. A row is at its maximum
    when the decrement gᵀ𝒥⁻¹g is 10⁻¹⁸, or has fallen as far as rounding allows, and one more step has been taken.
    Finished rows rest, whatever their neighbours do.
    """
    rows = surface.rows
    at = [np.array(np.broadcast_to(column, (rows,)), dtype=float) for column in start]
    done = [np.zeros(rows, dtype=bool) for _ in range(2)]
    whole = Summit(at, np.full(rows, -np.inf), done[0], done[1], np.zeros(rows, dtype=np.int16))
    index, damping, last = np.arange(rows), np.zeros(rows), np.full(rows, np.inf)
    place, slope = at, surface.evaluate(at)
    watched = trace.begin("Levenberg–Newton in the family's coordinates")
    for _ in range(_ITERATIONS):
        step, definite = solve(slope.information, slope.gradient)
        decrement = np.asarray(sum(g * d for g, d in zip(slope.gradient, step, strict=True)))
        rounding = (decrement <= _NEARLY) & (decrement > 0.5 * last)
        if watched:
            named = dict(zip(surface.coordinates, place, strict=True))
            watched.note(index, named, objective=slope.value, decrement=decrement)
        reached = definite & ((decrement <= _TOLERANCE) | rounding)
        left = ~reached & surface.leaving(place, slope)
        final = surface.move(place, step)
        for column, now, then in zip(whole.at, place, final, strict=True):
            column[index] = np.where(reached, then, now)
        whole.value[index], whole.reached[index], whole.left[index] = slope.value, reached, left
        going = ~(reached | left) & np.isfinite(slope.value)
        last = np.where(definite, decrement, np.inf)
        if not going.any():
            break
        if not going.all():
            keep = np.flatnonzero(going)
            index, surface = index[keep], surface.select(keep)
            place, slope, damping, last = [u[keep] for u in place], _take(slope, keep), damping[keep], last[keep]
        whole.iterations[index] += 1
        before = place
        place, slope, damping = _advance(surface, place, slope, damping)
        if watched:
            watched.follow(index, damping=damping, safeguard=trace.damped(before, place, damping))
    return whole


def improve(
    best: Summit, surface: Surface, rows: NDArray[np.intp], starts: Sequence[Sequence[Array]], size: int
) -> None:
    """Climb from further starts, of all rows, in some rows of n observations, and write down the better summits."""
    if not len(rows):
        return
    at_once = max(1, _NUMBERS // (len(rows) * size))
    for begin in range(0, len(starts), at_once):
        some = starts[begin : begin + at_once]
        stacked = surface.select(np.tile(rows, len(some)))
        found = climb(stacked, [np.concatenate([u[rows] for u in column]) for column in zip(*some, strict=True)])
        for k in range(len(some)):
            _keep_better(best, rows, found.take(slice(k * len(rows), (k + 1) * len(rows))))


def _keep_better(best: Summit, rows: NDArray[np.intp], found: Summit) -> None:
    better = found.reached & (~best.reached[rows] | (found.value > best.value[rows]))
    for column, new in zip((*best.at, best.value), (*found.at, found.value), strict=True):
        column[rows] = np.where(better, new, column[rows])
    best.left[rows] &= found.left
    best.reached[rows] |= better
    best.iterations[rows] += found.iterations


def _advance(surface: Surface, place: Places, slope: Slope, damping: Array) -> tuple[Places, Slope, Array]:
    """Try one damped step; return the place reached, or the old one with more damping."""
    step, damping = _damped_step(slope, damping)
    there = surface.move(place, step)
    trial = surface.evaluate(there)
    better = trial.value >= slope.value - _SLACK * (1.0 + np.abs(slope.value))
    place = [np.where(better, new, old) for new, old in zip(there, place, strict=True)]
    relaxed = np.where(damping > 1e-3, damping / 10.0, 0.0)
    return place, _where(better, trial, slope), np.where(better, relaxed, np.maximum(10.0 * damping, 1e-2))


def _damped_step(slope: Slope, damping: Array) -> tuple[Places, Array]:
    """Return (𝒥 + λD)⁻¹g with λ raised until the matrix is positive definite; D is gᵢ² where |𝒥ᵢᵢ| is less."""
    size = len(slope.gradient)
    diagonal = [position(i, i, size) for i in range(size)]
    scale = [np.maximum(np.abs(slope.information[k]), g * g) for k, g in zip(diagonal, slope.gradient, strict=True)]
    for _ in range(_DAMPINGS):
        matrix = list(slope.information)
        for k, s in zip(diagonal, scale, strict=True):
            matrix[k] = matrix[k] + damping * (s + 1e-300)
        step, definite = solve(matrix, slope.gradient)
        if definite.all():
            break
        damping = np.where(definite, damping, np.maximum(4.0 * damping, 1e-2))
    return [np.where(definite & np.isfinite(d), d, 0.0) for d in step], damping


def _take(slope: Slope, rows: NDArray[np.intp]) -> Slope:
    return Slope(slope.value[rows], [g[rows] for g in slope.gradient], [h[rows] for h in slope.information])


def _where(chosen: Flags, new: Slope, old: Slope) -> Slope:
    def pick(first: Sequence[Array], second: Sequence[Array]) -> list[Array]:
        return [np.where(chosen, a, b) for a, b in zip(first, second, strict=True)]

    return Slope(
        np.where(chosen, new.value, old.value),
        pick(new.gradient, old.gradient),
        pick(new.information, old.information),
    )


def along(slope: Slope, free: Sequence[int]) -> Slope:
    """Return the slope along some of the coordinates."""
    information = [np.asarray(h) for h in select(slope.information, free, len(slope.gradient))]
    return Slope(slope.value, [slope.gradient[i] for i in free], information)
