"""Newton's method for regressions with canonical link, which is iteratively reweighted least squares, batched.

The log-likelihood is concave in the coefficients. It has a maximum unless it rises for ever along some direction d of
the coefficients (Albert & Anderson 1984, Biometrika 71, 1–10, call the data separated): such a direction, found, is
the proof that there is none. Estimates that diverge turn into that direction: completely separated data are told by
the coefficients themselves, others by the Newton step, whose bounded part dies out like e⁻ⁱ in i iterations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.families.orthogonal import Basis
from simstudy.families.status import Status
from simstudy.numerics import trace
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import pairs, solve
from simstudy.parameters import Array

if TYPE_CHECKING:
    from simstudy.families.generalized_linear import GeneralizedLinear

_ITERATIONS = 80
_HALVINGS = 40
_TOLERANCE = 1e-27
_PATIENCE = 2
_NEARLY = 1e-13
_SLACK, _UNSEEN = 1e-14, 1e-11
# What keeps a direction from being one of recession, relative to its length: rounding of data sets that it is.
_ALIGNED = 1e-8
_LONG = 0.1


class Found(NamedTuple):
    """Coefficients of the orthonormal columns (p, R), status and iterations (R,)."""

    own: Array
    status: NDArray[np.int8]
    iterations: NDArray[np.int16]


class _State(NamedTuple):
    """What is left to be done, one row per data set: responses, columns, coefficients, what is known of η, and η."""

    y: Array
    columns: list[Array]
    own: Array
    offset: Array
    predictor: Array
    log_density: Array
    slope: Array
    weight: Array
    value: Array
    last: Array

    def take(self, rows: NDArray[np.bool_]) -> _State:
        columns = [column[rows] for column in self.columns]
        return _State(self.y[rows], columns, self.own[:, rows], *(array[rows] for array in self[3:]))


class _Step(NamedTuple):
    """A Newton step in the coefficients and in η, its largest change of η, decrement, and where it is finite."""

    own: Array
    direction: Array
    longest: Array
    decrement: Array
    definite: NDArray[np.bool_]

    def take(self, rows: NDArray[np.bool_]) -> _Step:
        return _Step(
            self.own[:, rows], self.direction[rows], self.longest[rows], self.decrement[rows], self.definite[rows]
        )


def maximise(family: GeneralizedLinear, y: Array, offset: Array, basis: Basis, names: Sequence[str]) -> Found:
    """Maximise the likelihood of every data set.

    Parameters
    ----------
    family
        Gives the response, a first guess and the test of recession.
    y, offset : (R, n)
        Responses, and the part of η that is known.
    basis
        Orthonormal columns of the rest.
    names
        Of the coefficients of the columns from which these were made.
    """
    rows, size = len(y), len(basis.columns)
    own, status = np.zeros((size, rows)), np.full(rows, Status.MAX_ITERATIONS, dtype=np.int8)
    iterations = np.zeros(rows, dtype=np.int16)
    if not rows:
        return Found(own, status, iterations)
    left, state = np.arange(rows), _first(family, y, offset, basis)
    watched = trace.begin("Newton, iteratively reweighted least squares")
    for count in range(_ITERATIONS):
        step = _step(state)
        verdict = _judge(family, state, step, count)
        if watched:
            named = zip(names, basis.select(left).coefficients(list(state.own)), strict=True)
            watched.note(left, dict(named), objective=state.value, decrement=step.decrement)
        own[:, left], status[left] = state.own + step.own, verdict
        iterations[left] += 1
        going = verdict == Status.MAX_ITERATIONS
        if not going.any():
            break
        if not going.all():
            left, state, step = left[going], state.take(going), step.take(going)
        whole = state.own + step.own
        state = _advance(family, state, step)
        if watched:
            watched.follow(left, safeguard={"step halved": (state.own != whole).any(axis=0)})
    return Found(own, status, iterations)


def _first(family: GeneralizedLinear, y: Array, offset: Array, basis: Basis) -> _State:
    """Start from weighted least squares on a guess of η at each observation."""
    guess, weight = family.first_guess(y)
    gradient = [mean_product(q, weight * (guess - offset)) for q in basis.columns]
    step, definite = solve(_squares(basis.columns, weight), gradient)
    own = np.stack([np.where(definite & np.isfinite(entry), entry, 0.0) for entry in step])
    predictor = offset + _combine(basis.columns, own)
    response = family.response(y, predictor)
    value = response.log_density.mean(axis=-1)
    return _State(y, basis.columns, own, offset, predictor, *response, value, np.full(len(y), np.inf))


def _step(state: _State) -> _Step:
    gradient = [mean_product(state.slope, q) for q in state.columns]
    step, definite = solve(_squares(state.columns, state.weight), gradient)
    own = np.stack([np.where(definite & np.isfinite(entry), entry, 0.0) for entry in step])
    direction = _combine(state.columns, own)
    decrement = np.asarray(sum(g * d for g, d in zip(gradient, own, strict=True)))
    return _Step(own, direction, np.abs(direction).max(axis=-1), decrement, definite)


def _judge(family: GeneralizedLinear, state: _State, step: _Step, count: int) -> NDArray[np.int8]:
    """Tell which data sets a last whole step will finish, and which are separated.

    A step that changes η by at most δ, and so no weight by more than a share of about δ, leaves a decrement of at most
    δ² times its own.
    """
    rounding = (step.decrement <= _NEARLY) & (step.decrement > 0.25 * state.last)
    last = (step.decrement * step.longest * step.longest <= _TOLERANCE) | rounding
    verdict = np.full(len(state.y), Status.MAX_ITERATIONS, dtype=np.int8)
    verdict[step.definite & last & (step.longest < _LONG)] = Status.CONVERGED
    far = np.flatnonzero((step.longest >= _LONG) | ~step.definite)
    if count < _PATIENCE or not len(far):
        return verdict
    y, direction, whole = state.y[far], step.direction[far], state.predictor[far] - state.offset[far]
    along = (_obstacle(family, y, direction) <= _ALIGNED * step.longest[far]) & (step.longest[far] >= _LONG)
    complete = (_obstacle(family, y, whole) == 0.0) & (np.abs(whole).max(axis=-1) > 0.0)
    verdict[far[along | complete]] = Status.NO_MAXIMUM
    return verdict


def _obstacle(family: GeneralizedLinear, y: Array, direction: Array) -> Array:
    """Return what keeps a direction of η from being one of recession."""
    return np.asarray(family.receding(y, direction).max(axis=-1))


def _advance(family: GeneralizedLinear, state: _State, step: _Step) -> _State:
    """Move as far as the log-likelihood does not fall; where the gain would drown in rounding, all the way."""
    share, size = np.ones(len(state.y)), 1.0 + np.abs(state.value)
    unseen = step.decrement <= _UNSEEN * size
    for _ in range(_HALVINGS):
        predictor = state.predictor + share[:, np.newaxis] * step.direction
        response = family.response(state.y, predictor)
        value = response.log_density.mean(axis=-1)
        good = unseen | (value >= state.value - _SLACK * size)
        if good.all():
            break
        share = np.where(good, share, 0.5 * share)
    own = state.own + share * step.own
    return _State(state.y, state.columns, own, state.offset, predictor, *response, value, step.decrement)


def _combine(columns: list[Array], own: Array) -> Array:
    total = own[0][:, np.newaxis] * columns[0]
    for c, q in zip(own[1:], columns[1:], strict=True):
        total += c[:, np.newaxis] * q
    return np.asarray(total)


def _squares(columns: list[Array], weight: Array) -> list[Array]:
    weighted = [weight * column for column in columns]
    return [mean_product(weighted[i], columns[j]) for i, j in pairs(len(columns))]
