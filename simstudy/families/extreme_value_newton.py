"""Newton's method for the generalized extreme value family."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simstudy.families.endpoint_profile import weighed
from simstudy.families.extreme_value_information import unit_information
from simstudy.families.extreme_value_likelihood import unit_means
from simstudy.numerics.symmetric import solve
from simstudy.parameters import Array

_LONGEST_STEP = 0.7
_NEAR = 0.02
_SCORING = unit_information(np.array([0.1]))
# A step may take 1 + ξz, at the extreme observations, down to this share of what it was.
_CLOSER = 0.1
_HALVINGS = 40


def newton_step(
    data: NDArray[np.floating], state: list[Array], constants: list[Array], last: Array
) -> tuple[list[Array], Array]:
    """Take one step in (μ, log σ, ξ), given spread and extremes of the data.

    The step is Newton's where the information is positive definite and the decrement is small or falls; elsewhere it is
    that of a fixed matrix, and the decrement counts as infinite, as it does where the step has to be shortened.
    """
    place, log_scale, shape = state
    spread, low, high = constants
    scale = np.exp(log_scale)
    means = unit_means(data, place, scale, shape, shape * spread / scale, rough=True)
    score, matrix = np.array(means.score, dtype=float), -np.array(means.hessian, dtype=float)
    matrix[3] -= score[1]  # log σ in the place of σ
    newton, definite = solve(list(matrix), list(score))
    step = np.array(newton)
    decrement = (step * score).sum(axis=0)
    sound = definite & ((decrement < _NEAR) | (decrement < 0.5 * last))
    if not sound.all():
        step = np.where(sound, step, np.array(solve(_SCORING, list(score))[0]))
    length = np.abs(step).max(axis=0)
    step[0] *= scale
    share = np.minimum(1.0, _LONGEST_STEP / length)
    room = _CLOSER * _least(place, scale, shape, low, high)
    for _ in range(_HALVINGS):
        moved = state + share * step
        near = _least(moved[0], np.exp(moved[1]), moved[2], low, high) < room
        if not near.any():
            break
        share = np.where(near, 0.5 * share, share)
    known = np.isfinite(length)
    if not known.all():
        moved = np.where(known, moved, state)
    return list(moved), np.where(sound & known & (share == 1.0), weighed(decrement, shape), np.inf)


def _least(place: Array, scale: Array, shape: Array, low: Array, high: Array) -> Array:
    """Return the least of 1 + ξz."""
    slope = shape / scale
    return np.asarray(1.0 + np.minimum(slope * (high - place), -slope * (low + place)))
