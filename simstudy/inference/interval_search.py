"""One end of an interval for every data set of a block: a bracketed root on the profile of the log-likelihood.

The signed root t of `criteria` is 0 at the estimate and z at the end. Newton's step for t = z along the profile
corrects the nuisance coordinates as it goes (Venzon & Moolgavkar 1988); a bracket keeps it near the root, and where
the nuisance coordinates are too far off their maximum they are brought there first, the followed one held.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.inference.interval_steps import LONGEST_STEP, Bracket, Task, levelled_off, outward
from simstudy.inference.likelihood import Likelihood
from simstudy.inference.profile import profile
from simstudy.inference.unconstrained import Point, damped_step, evaluate
from simstudy.numerics.symmetric import select
from simstudy.parameters import REAL, Array

_ITERATIONS = 100
# Shares of the deviance that the nuisance coordinates may miss: for a step along the profile, for a bracket.
_NEAR, _RELIABLE = 0.1, 0.05
# A step is taken back where the deviance grows to more than this many times itself and z² together.
_FAR = 9.0
_SLACK = 1e-13
_NOISE = 16.0 * float(np.finfo(float).eps)
# A share of a step this small, or a damping this large, leads nowhere.
_LEAST_SHARE, _GREATEST_DAMPING = 1e-6, 1e8
_TIGHT = 4.0 * float(np.finfo(float).eps)
_CROWD = 0.75


class _State(NamedTuple):
    """Where the search of each data set stands, (R,) each.

    Attributes
    ----------
    point
        The last point taken.
    start
        The followed coordinate at the estimate.
    highest
        Mean log-likelihood there.
    bracket
        Of the distance from there.
    share
        How much of the next step to take: less after one that led too far.
    damping
        Of the next step of the nuisance coordinates, where the followed one is held.
    """

    point: Point
    start: Array
    highest: Array
    bracket: Bracket
    share: Array
    damping: Array

    def take(self, rows: NDArray[np.intp]) -> _State:
        """Return some of the rows."""
        point, start, highest, bracket, share, damping = self
        return _State(point.take(rows), start[rows], highest[rows], bracket.take(rows), share[rows], damping[rows])


class _Plan(NamedTuple):
    """What is decided of each row: its step along the profile, whether the followed coordinate is held, and if it ends.

    Attributes
    ----------
    found
        Rows that one more step takes to the end.
    level
        Rows whose end is that of the domain.
    lost
        Rows whose end cannot be found.
    """

    steps: list[Array]
    held: NDArray[np.bool_]
    found: NDArray[np.bool_]
    level: NDArray[np.bool_]
    lost: NDArray[np.bool_]


def find_end(likelihood: Likelihood, estimate: Point, task: Task) -> Array:
    """Return the end (R,) of each interval in the parameter itself.

    It is the end of the domain, or half a period from the estimate, where t never comes to z; NaN where the search
    fails.
    """
    state, part, left = _begin(likelihood, estimate, task), likelihood, np.arange(likelihood.rows)
    ends, resting = np.full(likelihood.rows, np.nan), ~np.isfinite(state.bracket.error)
    for _ in range(_ITERATIONS):
        if resting.mean() > 1.0 - _CROWD:
            kept = np.flatnonzero(~resting)
            part, state, left, resting = part.select(kept), state.take(kept), left[kept], resting[kept]
        if not len(left):
            break
        state, plan = _look(part, state, task)
        # A finished row stays as it is, however long its neighbours take.
        finished = ~resting & (plan.found | plan.level)
        ends[left[finished]] = _value(state, plan, task)[finished]
        resting = resting | finished | plan.lost
        if resting.all():
            break
        state = _advance(part, state, plan, task)
    return ends


def _begin(likelihood: Likelihood, estimate: Point, task: Task) -> _State:
    rows, at = likelihood.rows, profile(estimate, task.places)
    error = 1.0 / np.sqrt(likelihood.reduced.size * at.curvature)
    bracket = Bracket(np.zeros(rows), np.full(rows, np.inf), error)
    return _State(estimate, estimate.real[task.place], estimate.value, bracket, np.ones(rows), np.zeros(rows))


def _look(likelihood: Likelihood, state: _State, task: Task) -> tuple[_State, _Plan]:
    """Read t, tighten the bracket, and decide what becomes of each row."""
    n, z, point = likelihood.reduced.size, task.z, state.point
    at = profile(point, task.places)
    reading = task.criterion.read(likelihood, point, at, state.highest, task.places, task.side)
    travelled, missed, gap = task.side * (point.real[task.place] - state.start), n * at.gain, z - reading.root
    deviance = 2.0 * n * (state.highest - point.value) - missed
    unsure = np.minimum(np.abs(z * z - reading.root * reading.root), z * z)
    reliable = at.definite & (missed <= _RELIABLE * unsure)
    bracket = state.bracket.tightened(travelled, gap, reliable)
    step = outward(reading, bracket, travelled, task)
    rounding = _NOISE * n * (1.0 + np.abs(state.highest)) / z
    near = np.abs(gap) <= task.criterion.tolerance * z + rounding
    settled = at.definite & (missed <= task.criterion.settled + rounding * z)
    tight = at.definite & (bracket.width <= _TIGHT * (np.abs(state.start) + bracket.inside))
    level = (gap > 0.0) & levelled_off(reading, bracket, travelled, task)
    held = ~(at.definite & (missed <= _NEAR * np.maximum(z * z, deviance))) | (level & ~reliable)
    lost = (state.share < _LEAST_SHARE) | (state.damping > _GREATEST_DAMPING) | np.isnan(at.gain)
    plan = _Plan(at.step(task.side * step), held, (settled & near) | tight, level & reliable, lost)
    return state._replace(bracket=bracket), plan


def _value(state: _State, plan: _Plan, task: Task) -> Array:
    """Return the ends of rows that are finished."""
    beyond = task.domain.upper if task.side > 0.0 else task.domain.lower
    last = state.start + task.side * task.reach if np.isfinite(task.reach) else beyond
    return np.where(plan.level, last, task.domain.from_real(state.point.real[task.place] + plan.steps[-1]))


def _advance(likelihood: Likelihood, state: _State, plan: _Plan, task: Task) -> _State:
    """Try the planned moves; a row that goes too far stays, and tries a shorter one next."""
    steps, damping = [state.share * step for step in plan.steps], state.damping
    rows = np.flatnonzero(plan.held)
    if len(rows):
        # Without nuisance coordinates nothing is held but what is lost: a point that is not finite.
        moves, damping = _nuisance_step(state, rows, task)
        for whole, move in zip(steps, [*moves, np.zeros(len(rows))], strict=True):
            whole[rows] = move
    real = list(state.point.real)
    for place, step in zip(task.places, steps, strict=True):
        limited = step if likelihood.domains[place] is REAL else np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        real[place] = real[place] + limited
    trial = evaluate(likelihood, real)
    taken = _acceptable(likelihood, state, trial, plan.held, task)
    relaxed = np.where(damping > 1e-6, damping / 10.0, 0.0)
    return state._replace(
        point=trial.where(taken, state.point),
        share=np.where(taken | plan.held, 1.0, 0.5 * state.share),
        damping=np.where(taken, relaxed, np.where(plan.held, np.maximum(10.0 * damping, 1e-3), damping)),
    )


def _nuisance_step(state: _State, rows: NDArray[np.intp], task: Task) -> tuple[list[Array], Array]:
    """Return damped Newton steps of the nuisance coordinates of some rows, and the damping of all."""
    nuisance, size = task.places[:-1], len(state.point.real)
    part = state.point.take(rows)
    inner = Point(
        [part.real[place] for place in nuisance],
        part.value,
        [part.gradient[place] for place in nuisance],
        [np.asarray(entry) for entry in select(part.information, nuisance, size)],
    )
    steps, own = damped_step(inner, state.damping[rows]) if nuisance else ([], state.damping[rows])
    damping = state.damping.copy()
    damping[rows] = own
    return steps, damping


def _acceptable(
    likelihood: Likelihood, state: _State, trial: Point, held: NDArray[np.bool_], task: Task
) -> NDArray[np.bool_]:
    """Tell which trials are finite and higher, where the followed coordinate is held, or else not too far down."""
    n, before = likelihood.reduced.size, state.point.value
    finite = np.isfinite(trial.value)
    for entry in (*trial.gradient, *trial.information):
        finite = finite & np.isfinite(entry)
    higher = trial.value >= before - _SLACK * (1.0 + np.abs(before))
    deviance, allowed = 2.0 * n * (state.highest - trial.value), 2.0 * n * (state.highest - before)
    near = deviance <= _FAR * (task.z * task.z + np.maximum(allowed, 0.0))
    return np.asarray(finite & np.where(held, higher, near))
