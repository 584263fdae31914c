"""Newton's method for a block of data sets, first in single and then in double precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simstudy.parameters import Array

# Largest decrements before the last step. Convergence is quadratic; single precision leaves errors of about 1e-7.
_ROUGH, _ROUGH_ITERATIONS = 1e-7, 6
_TOLERANCE, _ITERATIONS = 1e-13, 40

Step = Callable[[Any, list[Array], Array], tuple[Sequence[Array], Array]]
"""(data, columns of the state, last decrement) ↦ new columns, decrement before the step."""


def newton(data: Array, state: Sequence[Array], step: Step) -> tuple[list[Array], NDArray[np.bool_], NDArray[np.int16]]:
    """Iterate until the Newton decrement is at rounding.

    Single precision costs half as much, and goes as far as it can improve.

    Parameters
    ----------
    data : (R, n)
        Data of about unit scale.
    state : arrays (R,)
        Where to start; columns that a step needs to know but leaves as they are may be among them.
    step
        One step for some of the rows.

    Returns
    -------
    state, done, iterations
        Last state, where the decrement came to rounding, and how many steps it took.
    """
    rough, _, first = _iterate(data.astype(np.float32), state, step, _ROUGH, _ROUGH_ITERATIONS)
    found, done, second = _iterate(data, rough, step, _TOLERANCE, _ITERATIONS)
    return found, done, first + second


def _iterate(
    data: NDArray[np.floating], state: Sequence[Array], step: Step, tolerance: float, most: int
) -> tuple[list[Array], NDArray[np.bool_], NDArray[np.int16]]:
    columns, rows = [column.copy() for column in state], len(state[0])
    count, done, last = np.zeros(rows, dtype=np.int16), np.zeros(rows, dtype=bool), np.full(rows, np.inf)
    left = np.arange(rows)
    for _ in range(most):
        moved, decrement = step(data, [column[left] for column in columns], last[left])
        fresh = ~done[left]  # a finished row stays as it is, however long its neighbours take
        for column, new in zip(columns, moved, strict=True):
            column[left] = np.where(fresh, new, column[left])
        last[left] = decrement
        count[left] += fresh
        done[left] |= decrement <= tolerance
        going = ~done[left]
        if not going.any():
            break
        if going.sum() < 0.5 * len(going):
            left, data = left[going], data[going]
    return columns, done, count
