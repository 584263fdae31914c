"""Levenberg–Newton maximisation of a block of log-likelihoods in unconstrained coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.families.status import Status
from simstudy.inference.likelihood import Likelihood
from simstudy.inference.unconstrained import Point, damped_step, diagonal_scale, evaluate
from simstudy.numerics import trace
from simstudy.numerics.symmetric import solve
from simstudy.parameters import REAL, Array, Domain

_TOLERANCE = 1e-18
_NEARLY = 1e-13
_LEVEL = 1e-27
_ITERATIONS = 300
_SLACK = 1e-13
# A gain this small may drown in the rounding of log-densities that cancel; the step is right all the same.
_UNSEEN, _NOISE = 1e-11, 1e-10
_LONGEST_STEP = 5.0
_FLAT_STEP = 1e-2
_FARTHEST = 50.0


class Maximum(NamedTuple):
    """Free parameters, mean log-likelihood, status and iterations, one row per data set."""

    theta: list[Array]
    value: Array
    status: NDArray[np.int8]
    iterations: NDArray[np.int16]

    def where(self, chosen: NDArray[np.bool_], other: Maximum) -> Maximum:
        """Return these rows where chosen, the other's elsewhere."""
        return Maximum(
            [np.where(chosen, a, b) for a, b in zip(self.theta, other.theta, strict=True)],
            np.where(chosen, self.value, other.value),
            np.where(chosen, self.status, other.status),
            np.where(chosen, self.iterations, other.iterations),
        )

    def with_rows(self, rows: NDArray[np.intp], part: Maximum) -> Maximum:
        """Return these rows with some of them replaced."""
        source = np.zeros(len(self.status), dtype=np.intp)
        source[rows] = np.arange(len(rows))
        chosen = np.zeros(len(self.status), dtype=bool)
        chosen[rows] = True
        theta = [column[source] for column in part.theta]
        spread = Maximum(theta, part.value[source], part.status[source], part.iterations[source])
        return spread.where(chosen, self)


def maximise(likelihood: Likelihood, start: Sequence[Array]) -> Maximum:
    """Maximise from one starting point per data set.

    Steps solve (𝒥 + λD)Δu = g with D the diagonal of |𝒥|; λ grows until 𝒥 + λD is positive definite and the
    log-likelihood does not fall, and shrinks to 0. Stops on the Newton decrement gᵀ𝒥⁻¹g < 10⁻¹⁸, after which one more
    full step is exact to rounding. A decrement that small with a long step is a likelihood that levels off towards the
    boundary; a coordinate that runs away is a likelihood without a maximum.
    """
    rows = likelihood.rows
    real = [
        np.array(np.broadcast_to(domain.to_real(np.asarray(column, dtype=float)), (rows,)))
        for domain, column in zip(likelihood.domains, start, strict=True)
    ]
    best = [column.copy() for column in real]
    value = np.full(rows, -np.inf)
    status = np.full(rows, Status.MAX_ITERATIONS, dtype=np.int8)
    iterations = np.zeros(rows, dtype=np.int16)
    left, part = np.arange(rows), likelihood
    point, damping, last = evaluate(part, real), np.zeros(rows), np.full(rows, np.inf)
    watched = trace.begin("Levenberg–Newton")
    for _ in range(_ITERATIONS):
        verdict, final, last = _judge(part.domains, point, _distance(part.domains, point, real, left), damping, last)
        if watched:
            total = part.reduced.size * point.value
            watched.note(left, _named(likelihood, point.real), log_likelihood=total, decrement=last)
        value[left] = point.value
        for whole, u, du in zip(best, point.real, final, strict=True):
            whole[left] = u + np.where(verdict == Status.CONVERGED, du, 0.0)
        status[left] = verdict
        going = verdict == Status.MAX_ITERATIONS
        if not going.any():
            break
        if not going.all():
            keep = np.flatnonzero(going)
            left, part, point = left[keep], part.select(keep), point.take(keep)
            damping, last = damping[keep], last[keep]
        iterations[left] += 1
        before = point
        point, damping = _advance(part, point, damping)
        if watched:
            watched.follow(left, damping=damping, safeguard=trace.damped(before.real, point.real, damping))
    theta = [domain.from_real(u) for domain, u in zip(likelihood.domains, best, strict=True)]
    return Maximum(theta, value, status, iterations)


def _named(likelihood: Likelihood, real: Sequence[Array]) -> dict[str, Array]:
    columns = zip(likelihood.free, likelihood.domains, real, strict=True)
    return {name: domain.from_real(u) for name, domain, u in columns}


def _judge(
    domains: Sequence[Domain], point: Point, distance: Array, damping: Array, last: Array
) -> tuple[NDArray[np.int8], list[Array], Array]:
    """Tell which rows are finished and how; return their last Newton step and the decrement as well.

    A decrement that is small and no longer falls, from the last one, is down to rounding.
    """
    step, definite = solve(point.information, point.gradient)
    decrement = sum(g * d for g, d in zip(point.gradient, step, strict=True))
    flat = _longest(domains, step) > _FLAT_STEP
    rounding = (decrement <= _NEARLY) & (decrement > 0.25 * last)
    small = definite & ((decrement <= _TOLERANCE) | rounding)
    scaled = [g * g <= _LEVEL * s for g, s in zip(point.gradient, diagonal_scale(point), strict=True)]
    level = np.all(scaled, axis=0)
    verdict = np.full(len(point.value), Status.MAX_ITERATIONS, dtype=np.int8)
    verdict[small] = Status.CONVERGED
    verdict[small & flat] = Status.BOUNDARY
    verdict[~definite & level & (damping > 1.0)] = Status.NOT_CONCAVE
    verdict[distance > _FARTHEST] = Status.NO_MAXIMUM
    verdict[~np.isfinite(point.value)] = Status.NOT_FINITE
    return verdict, step, np.asarray(decrement)


def _distance(domains: Sequence[Domain], point: Point, start: list[Array], rows: NDArray[np.intp]) -> Array:
    return _longest(domains, [u - begin[rows] for u, begin in zip(point.real, start, strict=True)])


def _longest(domains: Sequence[Domain], lengths: Sequence[Array]) -> Array:
    """Return the longest of the lengths along logarithms; they have no unit, so lengths mean something."""
    logarithmic = [np.abs(du) for domain, du in zip(domains, lengths, strict=True) if domain is not REAL]
    return np.asarray(np.max([*logarithmic, np.zeros_like(lengths[0])], axis=0))


def _advance(likelihood: Likelihood, point: Point, damping: Array) -> tuple[Point, Array]:
    """Try one damped step; return the point reached (or the old one, with more damping)."""
    step, damping = damped_step(point, damping)
    trial_at = []
    for domain, u, du in zip(likelihood.domains, point.real, step, strict=True):
        trial_at.append(u + (du if domain is REAL else np.clip(du, -_LONGEST_STEP, _LONGEST_STEP)))
    trial = evaluate(likelihood, trial_at)
    gain = np.asarray(sum(g * d for g, d in zip(point.gradient, step, strict=True)))
    size = 1.0 + np.abs(point.value)
    better = trial.value >= point.value - np.where(gain <= _UNSEEN * size, _NOISE, _SLACK) * size
    relaxed = np.where(damping > 1e-6, damping / 10.0, 0.0)
    return trial.where(better, point), np.where(better, relaxed, np.maximum(10.0 * damping, 1e-3))
