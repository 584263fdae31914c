"""Stored replicates of a study: which tasks a results folder holds, reading them in order, writing one.

``blocks/<scenario>/n=<n>/<first>-<last>.npz`` holds the replicates first … last of one task. A file never
changes; when R grows, the last task of the old run may be cut short, and a longer file then takes the place
of the shorter one. A kill between the two steps leaves both: readers take the longer one, the next run
removes the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simstudy.errors import ConfigError, ForeignResultsError, SimstudyError, UnusableResultsError
from simstudy.files import told, write_atomically
from simstudy.running.parts import StoredParts
from simstudy.running.plan import Task, task_blocks
from simstudy.running.record import (
    DamagedRecordError,
    ForeignRecordError,
    decode,
    encode,
    record_identity,
)
from simstudy.study import names
from simstudy.study.replicates import Replicates, concatenate
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

_NAME = re.compile(r"(0|[1-9]\d{0,17})-(0|[1-9]\d{0,17})\.npz")


def check_name(name: str, what: str) -> str:
    """Return a name that can be a folder, or refuse it (those of a config were checked with their line)."""
    if wrong := names.fault(name):
        message = f"{what}: its name {wrong}"
        raise ConfigError(message)
    return name


@dataclass(frozen=True)
class Store:
    """The blocks of one study in one folder; plain data, so that workers can have it."""

    folder: Path
    seed: int

    def cell(self, scenario: Scenario) -> Path:
        """Return the folder of one scenario at one n."""
        return self.folder / "blocks" / check_name(scenario.name, "scenario") / f"n={scenario.n}"

    def path(self, scenario: Scenario, first_block: int, last_block: int) -> Path:
        """Return the file of a run of blocks."""
        size = block_size(scenario.n)
        return self.cell(scenario) / f"{first_block * size}-{(last_block + 1) * size - 1}.npz"

    def files(self, scenario: Scenario) -> dict[int, list[int]]:
        """Return the last blocks of all stored files, longest last, by the first block of their task.

        Raises
        ------
        UnusableResultsError
            If a file's name does not fit the task boundaries.
        """
        cell, found = self.cell(scenario), dict[int, list[int]]()
        with told(cell, "read"):
            found_names = [path.name for path in cell.iterdir()] if cell.exists() else []
        for name in found_names:
            if match := _NAME.fullmatch(name):
                first, last = self._blocks(cell / name, scenario, int(match[1]), int(match[2]))
                found.setdefault(first, []).append(last)
        return {first: sorted(found[first]) for first in sorted(found)}

    def _blocks(self, path: Path, scenario: Scenario, first_row: int, last_row: int) -> tuple[int, int]:
        size, blocks = block_size(scenario.n), task_blocks(scenario.n, len(scenario.free))
        first, last = first_row // size, (last_row + 1) // size - 1
        fits = (first * size, (last + 1) * size - 1) == (first_row, last_row)
        if not fits or first % blocks or not first <= last < first + blocks:
            message = f"{path}: its name is not that of a stored task; move the file away and run again"
            raise UnusableResultsError(message)
        return first, last

    def stored(self, scenario: Scenario) -> dict[int, int]:
        """Return the last stored block of each task, by its first block."""
        return {first: lasts[-1] for first, lasts in self.files(scenario).items()}

    def read_blocks(self, scenario: Scenario, first_block: int, last_block: int) -> Replicates:
        """Read one file, checking every byte, shape and the identity.

        Raises
        ------
        UnusableResultsError
            If it is damaged or cannot be opened.
        ForeignResultsError
            If another scenario, seed or version made it.
        """
        path = self.path(scenario, first_block, last_block)
        with told(path, "read"):
            content = path.read_bytes()
        try:
            return decode(content, scenario, self.seed, first_block, last_block)
        except DamagedRecordError as error:
            message = f"{path}: damaged: {error}; delete it and run again, which recomputes it alone"
            raise UnusableResultsError(message) from error
        except ForeignRecordError as error:
            message = f"{path}: made by another study: {error}; use another results folder or study name"
            raise ForeignResultsError(message) from error

    def read(self, scenario: Scenario) -> Replicates:
        """Read the first R replicates of a scenario.

        Raises
        ------
        UnusableResultsError
            If any are missing or damaged.
        """
        return self.parts(scenario).whole()

    def parts(self, scenario: Scenario) -> StoredParts:
        """Return the first R replicates of a scenario, to be read part by part."""
        return StoredParts(self, scenario)

    def check(self, scenario: Scenario) -> Iterator[SimstudyError]:
        """Yield what is wrong with the stored files of a scenario, one error per file."""
        try:
            stored = self.stored(scenario)
        except UnusableResultsError as error:
            yield error
            return
        for first, last in stored.items():
            try:
                self.read_blocks(scenario, first, last)
            except (UnusableResultsError, ForeignResultsError) as error:
                yield error

    def write(self, task: Task, simulated: Replicates) -> Replicates:
        """Store a task: the rows it already had, then those just simulated; return all of them."""
        scenario, first = task.scenario, task.first_block
        if task.stored_block >= first:
            simulated = concatenate([self.read_blocks(scenario, first, task.stored_block), simulated])
        path = self.path(scenario, first, task.last_block)
        with told(path.parent, "made"):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, encode(simulated, record_identity(scenario, self.seed, first, task.last_block)))
        self.remove_superseded(scenario, first)
        return simulated

    def remove_superseded(self, scenario: Scenario, first_block: int | None = None) -> None:
        """Remove files that a longer one of the same task has replaced."""
        for first, lasts in self.files(scenario).items():
            for last in lasts[:-1] if first_block in {None, first} else []:
                path = self.path(scenario, first, last)
                with told(path, "removed"):
                    path.unlink(missing_ok=True)
