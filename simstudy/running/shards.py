"""Shards: which share of the tasks of a study is whose, where N runs do one N-th of it each.

Let the cells be in the order of n descending, then of the study, so that the longest tasks come first. They are dealt
like cards, in rounds: the first task of every cell, then the second of every cell, and so on. With C cells and
g = gcd(C, N), task t of cell c goes to shard 1 + (c + C·t + m·⌊t/L⌋) mod N, where L = N/g: after L rounds, in which
all shards had as many tasks, the deal is shifted by m, the number prime to g that is nearest to 0.618 g, so that a cell
does not come to the same shards again and again. Of the tasks bN … bN + N − 1 of a cell, each shard has one.

The rule knows neither R nor what is stored: of a study that grows in R every task stays with its shard. Where cells are
added, tasks change hands, and are done unless they are stored.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simstudy.errors import ConfigError
from simstudy.running.plan import Task, needed_blocks, task_blocks
from simstudy.study.scenario import Scenario, Study
from simstudy.study.streams import block_size

MOST = 10**9
"""Most shards of a study."""
_WRITTEN = re.compile(r"([0-9]{1,10})/([0-9]{1,10})")


@dataclass(frozen=True)
class Shard:
    """Shard ``number`` of ``of``, counted from 1."""

    number: int
    of: int

    def __post_init__(self) -> None:
        """Refuse what is no shard (ConfigError)."""
        whole = {type(self.number), type(self.of)} == {int}
        if not whole or not 1 <= self.number <= self.of <= MOST:
            raise ConfigError(_fault(str(self)))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def parse(text: str) -> Shard:
    """Return the shard written as k/N.

    Raises
    ------
    ConfigError
        If it is written otherwise, or there is no such shard.

    Examples
    --------
    >>> parse("2/8")
    Shard(number=2, of=8)
    """
    found = _WRITTEN.fullmatch(text)
    if not found:
        raise ConfigError(_fault(text))
    return Shard(int(found[1]), int(found[2]))


def _fault(text: str) -> str:
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return f"--shard: k/N with whole numbers 1 ≤ k ≤ N ≤ {MOST:,} is wanted, such as 2/8, got {shown!r}"


def dealt(cell: int, task: int, cells: int, of: int) -> int:
    """Return the number of the shard to which task t of cell c goes, of C cells and N shards.

    >>> [[dealt(cell, task, 3, 4) for cell in range(3)] for task in range(4)]
    [[1, 2, 3], [4, 1, 2], [3, 4, 1], [2, 3, 4]]
    """
    common = math.gcd(cells, of)
    return 1 + (cell + cells * task + _shift(common) * (task // (of // common))) % of


@functools.cache
def _shift(common: int) -> int:
    """Return the number prime to g that is nearest to 0.618 g."""
    middle = round(0.618 * common)
    near = (middle + sign * step for step in range(common + 1) for sign in (1, -1))
    return next(number for number in near if number > 0 and math.gcd(number, common) == 1)


@dataclass(frozen=True)
class Share:
    """The tasks of one cell that one shard does; any number of them takes no time.

    Attributes
    ----------
    scenario
        The cell.
    place
        Its place among all cells, in the order in which they are dealt.
    cells
        Number of all cells.
    """

    scenario: Scenario
    place: int
    cells: int
    shard: Shard

    @property
    def _size(self) -> int:
        return task_blocks(self.scenario.n, len(self.scenario.free))

    @property
    def _all(self) -> int:
        """Tasks of the cell."""
        return -(-needed_blocks(self.scenario) // self._size)

    def holds(self, first_block: int) -> bool:
        """Tell whether the task that begins with a block is among them."""
        return dealt(self.place, first_block // self._size, self.cells, self.shard.of) == self.shard.number

    def _of_lap(self, lap: int) -> int:
        """Return the one task of bN … bN + N − 1, b the lap, that the shard has, the congruence above solved for it."""
        of, common = self.shard.of, math.gcd(self.cells, self.shard.of)
        length, shift, wanted = of // common, _shift(common), self.shard.number - 1 - self.place
        shifts = wanted * pow(shift, -1, common) % common
        left = (wanted - shift * (lap * common + shifts)) // common
        return lap * of + shifts * length + left * pow(self.cells // common, -1, length) % length

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers of the tasks."""
        count = self._all
        yield from (task for lap in range(-(-count // self.shard.of)) if (task := self._of_lap(lap)) < count)

    def __len__(self) -> int:
        laps, left = divmod(self._all, self.shard.of)
        return laps + (self._of_lap(laps) < self._all if left else 0)

    @property
    def replicates(self) -> int:
        """Replicates of its tasks, as far as the study wants them."""
        whole, count = self._size * block_size(self.scenario.n), self._all
        last = self.holds((count - 1) * self._size)
        return len(self) * whole - (count * whole - self.scenario.replicates if last else 0)

    def missing(self, stored: Mapping[int, int]) -> Iterator[Task]:
        """Yield its tasks that are not stored; ``stored`` as for `plan.missing_tasks`."""
        size, needed = self._size, needed_blocks(self.scenario)
        for first in (task * size for task in self):
            last = min(first + size, needed) - 1
            have = stored.get(first, first - 1)
            if have < last:
                yield Task(self.scenario, first, last, have)

    def missing_rows(self, stored: Mapping[int, int]) -> int:
        """Return the replicates of these, in whole blocks."""
        size, needed, count = self._size, needed_blocks(self.scenario), self._all
        cut = count * size - needed if self.holds((count - 1) * size) else 0
        own = {first: last for first, last in stored.items() if first < needed and self.holds(first)}
        have = sum(min(last + 1, first + size, needed) - first for first, last in own.items())
        return (len(self) * size - cut - have) * block_size(self.scenario.n)


def shares(study: Study, shard: Shard) -> list[Share]:
    """Return what a shard does of each cell, in the order in which they are dealt; of some it may do nothing.

    Raises
    ------
    ConfigError
        If a scenario stops by precision, which only all of its replicates can tell.
    """
    for scenario in study.scenarios:
        if scenario.precision:
            message = (
                f"--shard: scenario '{scenario.name}' stops at a precision, which all its replicates so far decide; "
                "run it without --shard, or take precision out of the config"
            )
            raise ConfigError(message)
    order = dealing_order(study)
    cells = {cell.place: cell for cell in study.scenarios}
    return [Share(cells[each], place, len(order), shard) for place, each in enumerate(order)]


def dealing_order(study: Study) -> list[tuple[str, int]]:
    """Return name and n of all cells in the order in which their tasks are dealt."""
    return [cell.place for cell in sorted(study.scenarios, key=lambda cell: -cell.n)]
