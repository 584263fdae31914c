"""Newton's method for a block of data sets, first in single and then in double precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simstudy.numerics import trace
from simstudy.parameters import Array

# Largest decrements before the last step. Convergence is quadratic; single precision leaves errors of about 1e-7.
_ROUGH, _ROUGH_ITERATIONS = 3e-7, 6
_TOLERANCE, _ITERATIONS = 7e-13, 40

Step = Callable[[Any, list[Array], list[Array], Array], tuple[Sequence[Array], Array]]
"""(data, state, constants, last decrement) ↦ new state, decrement before the step."""


def newton(
    data: Array, state: Sequence[Array], constants: Sequence[Array], step: Step, names: Sequence[str]
) -> tuple[list[Array], NDArray[np.bool_], NDArray[np.int16]]:
    """Iterate until the Newton decrement is at rounding.

    Single precision costs half as much, and goes as far as it can improve.

    Parameters
    ----------
    data : (R, n)
        Data.
    state, constants : arrays (R,)
        Where to start, and what a step needs to know of each data set.
    step
        One step for some of the rows.
    names
        What the parts of the state are called.

    Returns
    -------
    state, done, iterations
        Last state, where the decrement came to rounding, and how many steps it took.
    """
    single = data.astype(np.float32)
    rough, _, first = _iterate(single, state, constants, step, names, _ROUGH, _ROUGH_ITERATIONS)
    found, done, second = _iterate(data, rough, constants, step, names, _TOLERANCE, _ITERATIONS)
    return found, done, first + second


def _iterate(
    data: NDArray[np.floating],
    state: Sequence[Array],
    constants: Sequence[Array],
    step: Step,
    names: Sequence[str],
    tolerance: float,
    most: int,
) -> tuple[list[Array], NDArray[np.bool_], NDArray[np.int16]]:
    whole, rows = np.stack(state), len(state[0])
    count, done = np.zeros(rows, dtype=np.int16), np.zeros(rows, dtype=bool)
    left, part, fixed = np.arange(rows), whole, list(constants)
    last, resting = np.full(rows, np.inf), np.zeros(rows, dtype=bool)
    watched = trace.begin(f"Newton in {'single' if data.dtype == np.float32 else 'double'} precision")
    for _ in range(most):
        moved, decrement = step(data, list(part), fixed, last)
        if watched:
            named, other = dict(zip(names, part, strict=True)), {"another step than Newton's": np.isinf(decrement)}
            watched.note(left, named, ~resting, decrement=decrement, safeguard=other)
        # A finished row stays as it is, however long its neighbours take.
        part = np.where(resting, part, moved)
        count[left] += ~resting
        resting, last = resting | (decrement <= tolerance), decrement
        whole[:, left], done[left] = part, resting
        if resting.all():
            break
        if 2 * resting.sum() > len(left):
            going = ~resting
            left, data, part, last = left[going], data[going], part[:, going], last[going]
            fixed, resting = [column[going] for column in fixed], resting[going]
    return list(whole), done, count
