"""Newton's method for regressions with canonical link, which is iteratively reweighted least squares, batched.

The log-likelihood is concave in the coefficients. It has a maximum unless it rises for ever along some direction d of
the coefficients (Albert & Anderson 1984, Biometrika 71, 1–10, call the data separated): such a direction, found, is
the proof that there is none. Estimates that diverge turn into that direction: completely separated data are told by
the coefficients themselves, others by the Newton step, whose bounded part dies out like e⁻ⁱ in i iterations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.families.orthogonal import Basis
from simstudy.families.status import Status
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import pairs, solve
from simstudy.parameters import Array

if TYPE_CHECKING:
    from simstudy.families.generalized_linear import GeneralizedLinear

_ITERATIONS = 80
_HALVINGS = 40
_TOLERANCE = 1e-20
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
    """What is left to be done, one row per data set: responses, offset, columns, coefficients, η, log-likelihood."""

    y: Array
    offset: Array
    columns: list[Array]
    own: Array
    predictor: Array
    value: Array
    last: Array

    def take(self, rows: NDArray[np.bool_]) -> _State:
        columns = [column[rows] for column in self.columns]
        return _State(self.y[rows], self.offset[rows], columns, self.own[:, rows], *(a[rows] for a in self[4:]))


def maximise(family: GeneralizedLinear, y: Array, offset: Array, basis: Basis) -> Found:
    """Maximise the likelihood of every data set.

    Parameters
    ----------
    family
        Gives the response, a first guess and the test of recession.
    y, offset : (R, n)
        Responses, and the part of η that is known.
    basis
        Orthonormal columns of the rest.
    """
    rows, size = len(y), len(basis.columns)
    own, status = np.zeros((size, rows)), np.full(rows, Status.MAX_ITERATIONS, dtype=np.int8)
    iterations = np.zeros(rows, dtype=np.int16)
    if not rows:
        return Found(own, status, iterations)
    left, state = np.arange(rows), _first(family, y, offset, basis)
    for count in range(_ITERATIONS):
        state, verdict = _iterate(family, state, count)
        own[:, left], status[left] = state.own, verdict
        iterations[left] += 1
        going = verdict == Status.MAX_ITERATIONS
        if not going.any():
            break
        if not going.all():
            left, state = left[going], state.take(going)
    return Found(own, status, iterations)


def _first(family: GeneralizedLinear, y: Array, offset: Array, basis: Basis) -> _State:
    """Start from weighted least squares on a guess of η at each observation."""
    guess, weight = family.first_guess(y)
    gradient = [mean_product(q, weight * (guess - offset)) for q in basis.columns]
    step, definite = solve(_squares(basis.columns, weight), gradient)
    own = np.stack([np.where(definite & np.isfinite(entry), entry, 0.0) for entry in step])
    predictor = offset + _combine(basis.columns, own)
    value = family.response(y, predictor).log_density.mean(axis=-1)
    return _State(y, offset, basis.columns, own, predictor, value, np.full(len(y), np.inf))


def _iterate(family: GeneralizedLinear, state: _State, count: int) -> tuple[_State, NDArray[np.int8]]:
    """Take one Newton step, halved until the log-likelihood does not fall, and judge where it led."""
    _, slope, weight = family.response(state.y, state.predictor)
    gradient = [mean_product(slope, q) for q in state.columns]
    step, definite = solve(_squares(state.columns, weight), gradient)
    moved = np.stack([np.where(definite & np.isfinite(entry), entry, 0.0) for entry in step])
    direction = _combine(state.columns, moved)
    longest = np.abs(direction).max(axis=-1)
    decrement = np.asarray(sum(g * d for g, d in zip(gradient, moved, strict=True)))
    rounding = (decrement <= _NEARLY) & (decrement > 0.25 * state.last)
    verdict = np.full(len(state.y), Status.MAX_ITERATIONS, dtype=np.int8)
    verdict[definite & ((decrement <= _TOLERANCE) | rounding) & (longest < _LONG)] = Status.CONVERGED
    along = _obstacle(family, state.y, direction) <= _ALIGNED * longest
    whole = state.predictor - state.offset
    recedes = (_obstacle(family, state.y, whole) == 0.0) & (np.abs(whole).max(axis=-1) > 0.0)
    verdict[(along & (longest > _LONG) & (count > 0)) | recedes] = Status.NO_MAXIMUM
    return _halved(family, state, moved, direction, decrement)._replace(last=decrement), verdict


def _obstacle(family: GeneralizedLinear, y: Array, direction: Array) -> Array:
    """Return what keeps a direction of η from being one of recession."""
    return np.asarray(family.receding(y, direction).max(axis=-1))


def _halved(family: GeneralizedLinear, state: _State, moved: Array, direction: Array, decrement: Array) -> _State:
    """Move as far as the log-likelihood does not fall; where the gain would drown in rounding, all the way."""
    share, size = np.ones(len(state.y)), 1.0 + np.abs(state.value)
    unseen = decrement <= _UNSEEN * size
    for _ in range(_HALVINGS):
        predictor = state.predictor + share[:, np.newaxis] * direction
        value = family.response(state.y, predictor).log_density.mean(axis=-1)
        good = unseen | (value >= state.value - _SLACK * size)
        if good.all():
            break
        share = np.where(good, share, 0.5 * share)
    own = state.own + np.where(good, share, 0.0) * moved
    predictor = state.offset + _combine(state.columns, own)
    return state._replace(own=own, predictor=predictor, value=np.where(good, value, state.value))


def _combine(columns: list[Array], own: Array) -> Array:
    total = own[0][:, np.newaxis] * columns[0]
    for c, q in zip(own[1:], columns[1:], strict=True):
        total += c[:, np.newaxis] * q
    return np.asarray(total)


def _squares(columns: list[Array], weight: Array) -> list[Array]:
    weighted = [weight * column for column in columns]
    return [mean_product(weighted[i], columns[j]) for i, j in pairs(len(columns))]
