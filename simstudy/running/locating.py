"""Which replicate makes a task raise an exception: the blocks one by one, then halves of the block that raises."""

from __future__ import annotations

import time

import numpy as np

from simstudy.parameters import Array
from simstudy.running.block import draw, estimate
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

# A search that takes longer than so many times the way to the block that raises, and a second, is given up.
_PATIENCE, _GRACE = 3.0, 1.0


def located(scenario: Scenario, seed: int, first_block: int, last_block: int) -> int | None:
    """Return the first replicate of a task whose data raise an exception when they are fitted.

    The blocks are fitted one by one up to the first that raises; that one is halved until one data set is left that
    raises an exception of the same type alone. Where drawing a block raises, it is the first replicate of that block.

    Returns
    -------
    int or None
        None where no block raises alone, where neither half of one does, and where the search would take much longer
        than the task. It raises no exception of its own.
    """
    start = time.monotonic()
    for block in range(first_block, last_block + 1):
        try:
            with np.errstate(all="ignore"):
                x = draw(scenario, seed, block)
        except Exception:
            return block * block_size(scenario.n)
        raised = _raised(scenario, x)
        if raised is not None:
            now = time.monotonic()
            row = _halved(scenario, x, raised, now + _PATIENCE * (now - start) + _GRACE)
            return None if row is None else block * block_size(scenario.n) + row
    return None


def _raised(scenario: Scenario, x: Array) -> type[Exception] | None:
    """Return the type of the exception that fitting data sets raises, if it does."""
    try:
        estimate(scenario, x)
    except Exception as error:
        return type(error)
    return None


def _halved(scenario: Scenario, x: Array, raised: type[Exception], deadline: float) -> int | None:
    """Return the first row that raises; the rows below ``low`` do not."""
    low, high = 0, len(x)
    while high - low > 1:
        middle = (low + high) // 2
        if time.monotonic() > deadline:
            return None
        if _raised(scenario, x[low:middle]) is raised:
            high = middle
        else:
            low = middle
    return low if _raised(scenario, x[low:high]) is raised else None
