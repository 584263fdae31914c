"""The replicates that did not converge and the tasks that could not be done, each with its replay command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.errors import SimstudyError, UnusableResultsError
from simstudy.families.status import Status
from simstudy.results import Results
from simstudy.running import unfinished
from simstudy.running.commands import plugin_files, replay_command
from simstudy.running.plan import needed_blocks, task_blocks
from simstudy.running.store import Store
from simstudy.running.unfinished import Unfinished
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

if TYPE_CHECKING:
    import pandas as pd


class Part(NamedTuple):
    """The statuses of some replicates of a cell, from ``first`` on."""

    scenario: Scenario
    first: int
    status: NDArray[np.int8]

    @property
    def failed(self) -> NDArray[np.intp]:
        """Numbers of the replicates that did not converge."""
        return self.first + np.flatnonzero(self.status != Status.CONVERGED)


class Failed(NamedTuple):
    """One failed replicate."""

    scenario: Scenario
    replicate: int
    status: Status


class Failures:
    """The failures of a results folder, read part by part; one part is in memory at a time.

    Parameters
    ----------
    folder
        What a run wrote.
    scenario, n
        Only of these cells; None for all.

    Attributes
    ----------
    results
        The results, opened.
    cells
        The cells that are looked at.
    unreadable
        One line for each file that could not be read when the parts were last gone through.
    """

    def __init__(self, folder: str | Path, scenario: str | None = None, n: int | None = None) -> None:
        self.results = Results(folder)
        every = self.results.study.scenarios
        self.cells = [cell for cell in every if scenario in {None, cell.name} and n in {None, cell.n}]
        self.unreadable: list[str] = []

    def parts(self) -> Iterator[Part]:
        """Yield the statuses of all stored replicates of the study, in their order."""
        self.unreadable = []
        store = Store(self.results.folder, self.results.study.seed)
        for cell in self.cells:
            yield from self._of(store, cell)

    def _of(self, store: Store, cell: Scenario) -> Iterator[Part]:
        try:
            stored = store.stored(cell)
        except SimstudyError as error:
            self.unreadable.append(str(error))
            return
        for first in range(0, needed_blocks(cell), task_blocks(cell.n, len(cell.free))):
            if first in stored:
                begin = first * block_size(cell.n)
                status = self._statuses(store, cell, first, stored[first])[: cell.replicates - begin]
                yield Part(cell, begin, status)

    def _statuses(self, store: Store, cell: Scenario, first: int, last: int) -> NDArray[np.int8]:
        """Return the statuses of one file, none where it cannot be read."""
        try:
            return store.read_blocks(cell, first, last).status
        except SimstudyError as error:
            self.unreadable.append(str(error))
            return np.empty(0, dtype=np.int8)

    def failed(self) -> Iterator[Failed]:
        """Yield the replicates that did not converge."""
        for part in self.parts():
            for replicate in part.failed.tolist():
                yield Failed(part.scenario, replicate, Status(part.status[replicate - part.first]))

    def tasks(self) -> tuple[list[Unfinished], list[str]]:
        """Return the tasks that could not be done and are not done yet, and what of their record cannot be read."""
        found, damaged = unfinished.recorded(self.results.manifest)
        wanted = {(cell.name, cell.n) for cell in self.cells}
        store = Store(self.results.folder, self.results.study.seed)
        mine = [task for task in found if (task.scenario, task.n) in wanted]
        try:
            return unfinished.current(mine, store, self.results.study), damaged
        except SimstudyError:  # the file that stands in the way is among the unreadable ones
            return mine, damaged

    def command(self, scenario: Scenario, replicate: int) -> str:
        """Return the command that replays a replicate."""
        files = plugin_files(scenario.families)
        return replay_command(self.results.folder, scenario.name, scenario.n, replicate, files)


def failures(folder: str | Path) -> pd.DataFrame:
    """List the replicates of a study that did not converge, and after them the tasks that could not be done.

    Parameters
    ----------
    folder
        What a run wrote. It may be unfinished.

    Returns
    -------
    DataFrame
        ``scenario``, ``n``, ``replicate``, ``status`` (such as ``BOUNDARY``; of a task ``raised``, ``out of memory``,
        ``crashed`` or ``timed out``), ``message`` (what it means, or what happened), and ``command``, which replays
        it. Of a task, the replicate is the one whose data raise an exception, or else the first that is missing.

    Raises
    ------
    UnusableResultsError
        If a file of replicates is damaged: the list would not be whole.
    """
    import pandas as pd

    found = Failures(folder)
    rows = [
        (cell.name, cell.n, replicate, status.name, status.sentence, found.command(cell, replicate))
        for cell, replicate, status in found.failed()
    ]
    if found.unreadable:
        raise UnusableResultsError("\n".join(found.unreadable))
    cells = {(cell.name, cell.n): cell for cell in found.cells}
    for task in found.tasks()[0]:
        command = found.command(cells[task.scenario, task.n], task.suspect)
        message = f"replicates {task.first}-{task.last}: {task.message}"
        rows.append((task.scenario, task.n, task.suspect, task.kind, message, command))
    return pd.DataFrame(rows, columns=["scenario", "n", "replicate", "status", "message", "command"])
