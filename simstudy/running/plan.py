"""What there is to simulate: tasks of whole blocks with boundaries that depend on n and p alone; what they cost.

A block holds B(n) = `block_size(n)` replicates. A task is a run of K(n, p) = `task_blocks(n, p)` consecutive blocks, p
the number of free parameters: task t holds blocks tK … (t+1)K − 1. R replicates need blocks 0 … ⌈R/B⌉ − 1, so the last
task may be cut short; growing R lengthens it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from simstudy.running.record import row_bytes
from simstudy.study.scenario import Scenario, Study
from simstudy.study.streams import block_size

TASK_ROWS = 2**16
"""Most replicates in a task: what a worker holds in memory and loses when it is killed."""
TASK_DRAWS = 2**24
"""Most draws in a task of several blocks: about a second of work."""
TASK_BYTES = 2**28
"""Most bytes of the record of a task of several blocks; it matters from fifteen free parameters on."""
_FILE_BYTES = 4096

Cost = Callable[[Scenario], float]
"""Seconds of one core that one replicate of a scenario takes."""


def task_blocks(n: int, size: int = 1) -> int:
    """Return max(1, ⌊min(2¹⁶ rows, 2²⁴ draws, 2²⁸ bytes) ÷ block⌋), the blocks of a whole task of p free parameters."""
    rows = block_size(n)
    return max(1, min(TASK_ROWS // rows, TASK_DRAWS // (rows * n), TASK_BYTES // (rows * row_bytes(size))))


def needed_blocks(scenario: Scenario) -> int:
    """Return ⌈R/B(n)⌉."""
    return -(-scenario.replicates // block_size(scenario.n))


def needed_tasks(scenario: Scenario) -> int:
    """Return the number of tasks, and of files, that R replicates take."""
    return -(-needed_blocks(scenario) // task_blocks(scenario.n, len(scenario.free)))


@dataclass(frozen=True)
class Task:
    """Blocks ``first_block … last_block`` of a scenario, of which those up to ``stored_block`` are stored."""

    scenario: Scenario
    first_block: int
    last_block: int
    stored_block: int

    @property
    def rows(self) -> int:
        """Replicates to simulate."""
        return (self.last_block - self.stored_block) * block_size(self.scenario.n)

    @property
    def first(self) -> int:
        """The first replicate to simulate."""
        return (self.stored_block + 1) * block_size(self.scenario.n)

    def __str__(self) -> str:
        span = f"{self.first}-{self.first + self.rows - 1}"
        return f"scenario '{self.scenario.name}', n = {self.scenario.n}, replicates {span}"


def missing_tasks(scenario: Scenario, stored: Mapping[int, int]) -> Iterator[Task]:
    """Yield the tasks a scenario lacks.

    Parameters
    ----------
    stored
        For the first block of each stored task, the last block stored.
    """
    size, needed = task_blocks(scenario.n, len(scenario.free)), needed_blocks(scenario)
    for first in range(0, needed, size):
        last = min(first + size, needed) - 1
        have = stored.get(first, first - 1)
        if have < last:
            yield Task(scenario, first, last, have)


def missing_rows(scenario: Scenario, stored: Mapping[int, int]) -> int:
    """Return the replicates of all tasks that a scenario lacks; arguments as of `missing_tasks`."""
    size, needed = task_blocks(scenario.n, len(scenario.free)), needed_blocks(scenario)
    have = sum(min(last + 1, first + size, needed) - first for first, last in stored.items() if first < needed)
    return (needed - have) * block_size(scenario.n)


@dataclass(frozen=True)
class Estimate:
    """What a cell takes: replicates in whole blocks, draws, seconds of one core, bytes on disk."""

    scenario: Scenario
    rows: int
    draws: int
    seconds: float
    size: int


def disk_bytes(scenario: Scenario) -> int:
    """Return the bytes that all files of a scenario take, a little rounded up."""
    each = row_bytes(len(scenario.free), len(scenario.stored_intervals))
    return needed_blocks(scenario) * block_size(scenario.n) * each + needed_tasks(scenario) * _FILE_BYTES


def estimate(study: Study, cost: Cost) -> list[Estimate]:
    """Estimate every cell of a study as if nothing of it were stored."""
    found = []
    for scenario in study.scenarios:
        rows = needed_blocks(scenario) * block_size(scenario.n)
        seconds = rows * cost(scenario)
        found.append(Estimate(scenario, rows, rows * scenario.n, seconds, disk_bytes(scenario)))
    return found


def human_seconds(seconds: float) -> str:
    """Return a duration as people say it.

    >>> human_seconds(0.2), human_seconds(75), human_seconds(7300), human_seconds(200000)
    ('1 s', '1 min 15 s', '2 h 1 min', '2 d 7 h')
    """
    whole = max(1, math.ceil(seconds)) if seconds > 0 else 0
    for unit, name, part, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            rest = whole % unit // part
            return f"{whole // unit} {name}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"
