"""One replicate again: its data, the fit to them within their block as in the run, and the row that is stored."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from simstudy.errors import UnusableResultsError
from simstudy.parameters import Array
from simstudy.running.block import draw, estimate
from simstudy.running.plan import task_blocks
from simstudy.running.store import Store
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size


def place(scenario: Scenario, replicate: int) -> tuple[int, int]:
    """Return the block of a replicate and its row there."""
    return divmod(replicate, block_size(scenario.n))


def block_of(scenario: Scenario, seed: int, replicate: int) -> Array:
    """Draw the block (B, n, …) that holds a replicate."""
    with np.errstate(all="ignore"):
        return draw(scenario, seed, place(scenario, replicate)[0])


def fitted_row(scenario: Scenario, x: Array, row: int) -> Replicates:
    """Return the record of one row of data sets that are fitted together."""
    return _row(estimate(scenario, x), row)


def stored_row(store: Store, scenario: Scenario, replicate: int) -> Replicates | None:
    """Return the record of one replicate as it is stored, None where it is not.

    Raises
    ------
    UnusableResultsError
        If its file is damaged.
    ForeignResultsError
        If another study made it.
    """
    try:
        return _stored_row(store, scenario, replicate)
    except UnusableResultsError as error:
        if isinstance(error.__cause__, FileNotFoundError):  # a run just put a longer file in its place
            return _stored_row(store, scenario, replicate)
        raise


def _stored_row(store: Store, scenario: Scenario, replicate: int) -> Replicates | None:
    block, blocks = place(scenario, replicate)[0], task_blocks(scenario.n, len(scenario.free))
    first = block // blocks * blocks
    last = store.stored(scenario).get(first, -1)
    if last < block:
        return None
    part = store.read_blocks(scenario, first, last)
    return _row(part, replicate - first * block_size(scenario.n))


def _row(replicates: Replicates, row: int) -> Replicates:
    return Replicates(**{f.name: getattr(replicates, f.name)[row : row + 1].copy() for f in fields(Replicates)})


def differing(first: Replicates, second: Replicates) -> tuple[str, ...]:
    """Return the fields of two records that are not the same bit for bit."""
    pairs = ((f.name, getattr(first, f.name), getattr(second, f.name)) for f in fields(Replicates))
    return tuple(name for name, one, other in pairs if (one.dtype, one.tobytes()) != (other.dtype, other.tobytes()))
