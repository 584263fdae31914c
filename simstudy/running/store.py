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

from simstudy.errors import ConfigError, ForeignFileError, UnusableFileError, UnusableResultsError
from simstudy.files import make_below, read_file, told, write_atomically
from simstudy.running.parts import StoredParts
from simstudy.running.plan import Task, task_blocks
from simstudy.running.record import (
    DamagedRecordError,
    ForeignRecordError,
    decode,
    encode,
    most_bytes,
    record_identity,
    scenario_layout,
)
from simstudy.study import names
from simstudy.study.replicates import Replicates, concatenate
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

REMEDY = "run the study again, which puts it into quarantine and makes it again"
NAME = re.compile(r"(0|[1-9]\d{0,17})-(0|[1-9]\d{0,17})\.npz")


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
        UnusableFileError
            If a file's name does not fit the task boundaries.
        """
        found = dict[int, list[int]]()
        for path in self.listed(scenario):
            first, last = self.blocks(path, scenario)
            found.setdefault(first, []).append(last)
        return {first: sorted(found[first]) for first in sorted(found)}

    def listed(self, scenario: Scenario) -> list[Path]:
        """Return all that has the name of a stored file, in the order of these names; nothing else is looked at."""
        cell = self.cell(scenario)
        with told(cell, "read"):
            found = [path for path in cell.iterdir() if NAME.fullmatch(path.name)] if cell.exists() else []
        return sorted(found, key=lambda path: (len(path.name), path.name))

    def blocks(self, path: Path, scenario: Scenario) -> tuple[int, int]:
        """Return the first and the last block of a file by its name (UnusableFileError where there is no such task)."""
        first_row, last_row = (int(number) for number in path.name.removesuffix(".npz").split("-"))
        size, blocks = block_size(scenario.n), task_blocks(scenario.n, len(scenario.free))
        first, last = first_row // size, (last_row + 1) // size - 1
        fits = (first * size, (last + 1) * size - 1) == (first_row, last_row)
        if not fits or first % blocks or not first <= last < first + blocks:
            message = f"its name is not that of a stored task; {REMEDY.removesuffix(' and makes it again')}"
            raise UnusableFileError(path, message)
        return first, last

    def stored(self, scenario: Scenario) -> dict[int, int]:
        """Return the last stored block of each task, by its first block."""
        return {first: lasts[-1] for first, lasts in self.files(scenario).items()}

    def read_blocks(self, scenario: Scenario, first_block: int, last_block: int) -> Replicates:
        """Read one file, checking every byte, shape and the identity.

        Raises
        ------
        UnusableResultsError
            If it cannot be opened.
        UnusableFileError
            If it is damaged, or another scenario, seed or version made it.
        """
        path = self.path(scenario, first_block, last_block)
        identity = record_identity(scenario, self.seed, first_block, last_block)
        rows = (last_block - first_block + 1) * block_size(scenario.n)
        with told(path, "read"):
            content = read_file(path, most_bytes(scenario_layout(scenario, rows), identity))
        try:
            return decode(content, scenario, self.seed, first_block, last_block)
        except DamagedRecordError as error:
            raise UnusableFileError(path, f"damaged: {error}; {REMEDY}") from error
        except ForeignRecordError as error:
            raise ForeignFileError(path, f"made by another study: {error}; {REMEDY}") from error

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

    def check(self, scenario: Scenario) -> Iterator[UnusableResultsError]:
        """Yield what is wrong with the stored files of a scenario, one error per file."""
        for path in self.listed(scenario):
            try:
                self.read_blocks(scenario, *self.blocks(path, scenario))
            except UnusableResultsError as error:
                yield error

    def write(self, task: Task, simulated: Replicates) -> Replicates:
        """Store a task: the rows it already had, then those just simulated; return all of them."""
        scenario, first = task.scenario, task.first_block
        if task.stored_block >= first:
            simulated = concatenate([self.read_blocks(scenario, first, task.stored_block), simulated])
        path = self.path(scenario, first, task.last_block)
        make_below(self.folder, path.parent)
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
