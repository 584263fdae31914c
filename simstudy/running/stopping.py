"""Stop at a wanted precision: at fixed checkpoints it is decided, from the replicates so far, whether a cell goes on.

The checkpoints are whole blocks and depend on n and p alone, and a decision is a function of the first replicates of
the cell alone. So neither jobs nor restarts, nor what is already stored beyond a checkpoint, change where a cell stops.

A cell stops a little more readily where its replicates happen to spread little. Few checkpoints, the first of them
late, keep what that does to an estimate small beside its Monte Carlo error. For the empirical standard error of an
exponential rate, whose errors are skewed, it is a bias of 0.1 to 0.3 of the target at n = 10 and below 0.1 at n = 200;
intervals of two errors hold the truth in 90 to 93% and in 94 to 95% of studies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import takewhile

from simstudy.running.plan import Task, missing_rows, missing_tasks, task_blocks
from simstudy.running.store import Store
from simstudy.study.replicates import Parts
from simstudy.study.scenario import Scenario, Stop
from simstudy.study.streams import block_size

FIRST = 500
"""Least replicates at the first checkpoint: fewer say little about their own Monte Carlo error."""

Precise = Callable[[Scenario, Parts], bool]
"""Tells whether the replicates given are enough for the targets of their scenario."""


def never(_: Scenario, __: Parts) -> bool:
    """Find no number of replicates enough, so that every cell goes on to its cap."""
    return False


def checkpoints(n: int, size: int) -> Iterator[int]:
    """Yield, without end, the numbers of blocks after which it is decided whether a cell of p free parameters goes on.

    The first has at least 500 replicates. From one to the next, c becomes ⌊(3c + 1)/2⌋ blocks up to a whole task, which
    is the next after these; then the same in tasks.

    >>> from itertools import islice
    >>> list(islice(checkpoints(n=50, size=2), 12))
    [1, 2, 3, 5, 8, 12, 18, 27, 41, 50, 100, 150]
    """
    first, whole = -(-FIRST // block_size(n)), task_blocks(n, size)
    yield from takewhile(lambda blocks: blocks < whole, _growing(first))
    for tasks in _growing(max(1, -(-first // whole))):
        yield whole * tasks


def _growing(count: int) -> Iterator[int]:
    while True:
        yield count
        count = (3 * count + 1) // 2


def stages(scenario: Scenario) -> Iterator[int]:
    """Yield the numbers of replicates at which a cell may stop, the last of which is its cap."""
    if scenario.precision:
        rows = (blocks * block_size(scenario.n) for blocks in checkpoints(scenario.n, len(scenario.free)))
        yield from takewhile(lambda reached: reached < scenario.replicates, rows)
    yield scenario.replicates


class Course:
    """One cell on its way through its stages.

    Attributes
    ----------
    scenario
        The cell, with its cap of replicates.
    replicates
        Replicates of the stage it is at.
    stop
        How it ended, once it has; None for ever where it has no targets.
    settled
        Whether all it needs is stored.
    """

    def __init__(self, scenario: Scenario, store: Store, precise: Precise) -> None:
        self.scenario, self.store, self.precise = scenario, store, precise
        self.stages = stages(scenario)
        self.replicates = next(self.stages)
        self.stop: Stop | None = None
        self.settled = False

    def advance(self) -> tuple[int, Iterator[Task]]:
        """Go on as far as the stored replicates allow.

        Returns
        -------
        rows, tasks
            Replicates that the next stage lacks, and its tasks; none where the cell has ended.
        """
        while not self.settled:
            reached = replace(self.scenario, replicates=self.replicates)
            stored = self.store.stored(reached)
            if rows := missing_rows(reached, stored):
                return rows, missing_tasks(reached, stored)
            self._decide(reached)
        return 0, iter(())

    def _decide(self, reached: Scenario) -> None:
        enough = not reached.precision or self.precise(reached, self.store.parts(reached))
        self.settled = enough or self.replicates == self.scenario.replicates
        if not self.settled:
            self.replicates = next(self.stages)
        elif reached.precision:
            self.stop = Stop(self.scenario.replicates, enough)

    @property
    def most(self) -> int:
        """Replicates that the cell lacks up to its cap, whether or not it needs them."""
        return missing_rows(self.scenario, self.store.stored(self.scenario))
