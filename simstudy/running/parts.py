"""The stored replicates of one cell, read part by part, so that no more than one part need be in memory.

A part holds the rows of one stored file, or of several that follow each other where files are small: as many as keep
within 2¹⁶ rows and 2²⁶ bytes. Its boundaries depend on n, p and R alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from simstudy.errors import UnusableResultsError
from simstudy.running.plan import TASK_ROWS, needed_blocks, task_blocks
from simstudy.running.record import row_bytes, scenario_layout
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

if TYPE_CHECKING:
    from simstudy.running.store import Store

PART_BYTES = 2**26
"""Most bytes of a part that is joined from several files."""
_TRIES = 8


def files_together(n: int, size: int) -> int:
    """Return the number of consecutive whole files that make one part, at least 1.

    >>> files_together(50, 2), files_together(100_000, 2), files_together(10**9, 2)
    (1, 392, 65536)
    """
    rows = task_blocks(n, size) * block_size(n)
    return max(1, min(TASK_ROWS // rows, PART_BYTES // (rows * row_bytes(size))))


@dataclass(frozen=True)
class StoredParts:
    """The first R replicates of a cell: sized, and to be iterated over as often as wanted, in replicate order.

    Whenever they are read, files are checked as by `Store.read_blocks`; a file that a longer one replaces meanwhile,
    because a run makes the study grow, is followed.
    """

    store: Store
    scenario: Scenario

    def __len__(self) -> int:
        return self.scenario.replicates

    def __iter__(self) -> Iterator[Replicates]:
        return self.between(0, len(self))

    def between(self, first: int, stop: int) -> Iterator[Replicates]:
        """Yield the rows from ``first`` up to but not with ``stop``; only the files that hold them are read.

        Raises
        ------
        UnusableResultsError
            If any of the R replicates are missing, or a file is damaged.
        """
        cell, files = self.scenario, self._files()
        size, together = self._file_rows, files_together(cell.n, len(cell.free))
        wanted = ((row, last) for row, last in files if row < stop and row + size > first)
        while group := list(islice(wanted, together)):
            yield self._joined(group, max(first, group[0][0]), min(stop, group[-1][0] + size))

    def whole(self) -> Replicates:
        """Return all R replicates at once; raises as `between` does."""
        return self._joined(list(self._files()), 0, len(self))

    @property
    def _file_rows(self) -> int:
        """Rows of a whole file."""
        return task_blocks(self.scenario.n, len(self.scenario.free)) * block_size(self.scenario.n)

    def _joined(self, files: Sequence[tuple[int, int]], start: int, end: int) -> Replicates:
        """Return rows start … end − 1, which these files hold."""
        if len(files) == 1:
            return self._rows(*files[0], start, end)
        shapes = scenario_layout(self.scenario, end - start)
        joined = Replicates(**{name: np.empty(shape, dtype) for name, (shape, dtype) in shapes.items()})
        for row, last in files:  # one by one, so that nothing is held twice
            part, at = self._rows(row, last, start, end), max(row, start) - start
            for name in shapes:
                getattr(joined, name)[at : at + len(part)] = getattr(part, name)
        return joined

    def _rows(self, row: int, last: int, start: int, end: int) -> Replicates:
        """Return those of the rows start … end − 1 that the file holds which begins with a row."""
        part = self._read(row, last).head(end - row)
        return part.tail(len(part) - max(0, start - row))

    def _files(self) -> Iterator[tuple[int, int]]:
        """Return the first row and the last block of every file in order, once it is known that all are there."""
        rows = block_size(self.scenario.n)
        stored, needed = self.store.stored(self.scenario), needed_blocks(self.scenario)
        size = self._file_rows // rows
        for first in range(0, needed, size):
            last = stored.get(first, first - 1)
            if last < min(first + size, needed) - 1:
                raise UnusableResultsError(self._unfinished((last + 1) * rows))
        return ((first * rows, stored[first]) for first in range(0, needed, size))

    def _read(self, row: int, last: int) -> Replicates:
        """Return one file, or the longer one that has taken its place."""
        first = row // block_size(self.scenario.n)
        for _ in range(_TRIES):
            try:
                return self.store.read_blocks(self.scenario, first, last)
            except UnusableResultsError as error:
                longer = self.store.stored(self.scenario).get(first, -1)
                if not isinstance(error.__cause__, FileNotFoundError) or longer <= last:
                    raise
                last = longer
        return self.store.read_blocks(self.scenario, first, last)

    def _unfinished(self, row: int) -> str:
        return (
            f"{self.store.cell(self.scenario)}: unfinished: of {self.scenario.replicates} replicates those from {row} "
            "on are missing; run the study again to simulate them"
        )
