"""Nested samples: what the fits of a few long draws look like as n grows, stored as ``paths/<scenario>.npz``.

Path r follows replicate r of the scenario's largest sample size N: its data are the first n observations of that one
data set, at about 40 sample sizes n up to N, where the path ends at the stored replicate, bit for bit. A file holds the
record of all fits, path by path, and the identity of what made them; one made for other sample sizes is superseded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from simstudy.errors import FamilyError, ForeignFileError, SimstudyError, UnusableFileError, UnusableResultsError
from simstudy.families.plugin import told as said
from simstudy.files import make_below, read_file, told, write_atomically
from simstudy.running.block import draw, estimate
from simstudy.running.record import (
    DamagedRecordError,
    ForeignRecordError,
    decode_rows,
    encode,
    layout,
    most_bytes,
    record_identity,
)
from simstudy.running.store import REMEDY, check_name
from simstudy.study import models
from simstudy.study.replicates import Replicates, concatenate
from simstudy.study.scenario import Scenario, Study
from simstudy.study.streams import block_size

PATHS = 8
"""Long draws that are followed."""
POINTS = 40
"""Sample sizes of a path at most, evenly spaced on a log scale."""


@dataclass(frozen=True)
class Nested:
    """The paths of one scenario.

    Attributes
    ----------
    scenario
        Its cell at the largest sample size, without intervals.
    seed
        Seed of the study.
    sizes
        Sample sizes of a path, ascending.
    """

    scenario: Scenario
    seed: int
    sizes: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Fits in all."""
        return PATHS * len(self.sizes)

    @property
    def identity(self) -> str:
        """Canonical JSON of all that determines the numbers; what may change from run to run is under ``paths``."""
        content = json.loads(record_identity(replace(self.scenario, n=0), self.seed, 0, 0))
        del content["blocks"]
        content["paths"] = [PATHS, *self.sizes]
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    def file(self, folder: Path) -> Path:
        """Return the file in a results folder."""
        return folder / "paths" / f"{check_name(self.scenario.name, 'scenario')}.npz"


def sizes(least: int, smallest: int, largest: int) -> tuple[int, ...]:
    """Return sample sizes from half the smallest one of the scenario, but at least the least usable, to its largest.

    >>> sizes(2, 10, 20), sizes(2, 2, 2)
    ((5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20), (2,))
    """
    first = max(least, smallest // 2)
    return tuple(int(n) for n in np.unique(np.geomspace(first, largest, POINTS).round()))


def nested(study: Study, name: str) -> Nested:
    """Return the paths of a scenario (KeyError where it has none)."""
    cells = [cell for cell in study.scenarios if cell.name == name and cell.paths]
    if not cells:
        message = f"no scenario '{name}' with paths: true"
        raise KeyError(message)
    longest = replace(max(cells, key=lambda cell: cell.n), intervals=())
    least = models.fitted(longest).family.minimum_size(longest.free)
    return Nested(longest, study.seed, sizes(least, min(cell.n for cell in cells), longest.n))


def all_nested(study: Study) -> list[Nested]:
    """Return the paths of all scenarios that have some."""
    return [nested(study, name) for name in dict.fromkeys(cell.name for cell in study.scenarios if cell.paths)]


def simulate(paths: Nested) -> Replicates:
    """Return the record of all fits, path by path, each from the smallest n to the largest.

    Raises
    ------
    FamilyError
        If a family raises an exception.
    """
    scenario, records = paths.scenario, list[Replicates]()
    try:
        for block in range(-(-PATHS // block_size(scenario.n))):
            # A row alone is laid out otherwise in memory, and its sums may differ in the last bit: none is cut off yet.
            records.append(_followed(scenario, paths.sizes, draw(scenario, paths.seed, block)[:PATHS]))
    except (SimstudyError, MemoryError):
        raise
    except Exception as error:
        message = f"scenario '{scenario.name}', paths: {said(error)}"
        raise FamilyError(message) from error
    return concatenate(records).head(paths.rows)


def _followed(scenario: Scenario, at: tuple[int, ...], x: np.ndarray) -> Replicates:
    """Return the fits to the first n of data sets (R, N, …) at each n, data set by data set."""
    fits = [estimate(replace(scenario, n=n), np.ascontiguousarray(x[:, :n])) for n in at]
    order = np.arange(len(at) * len(x)).reshape(len(at), len(x)).T.ravel()
    joined = concatenate(fits)
    return Replicates(**{name: values[order] for name, values in vars(joined).items()})


class _SupersededError(UnusableResultsError):
    """Paths of the same scenario at other sample sizes."""


def read(folder: Path, paths: Nested) -> Replicates:
    """Read the paths of a scenario, checking every byte, shape and the identity.

    Raises
    ------
    UnusableResultsError
        If they are missing or superseded.
    UnusableFileError
        If they are damaged, or another scenario, seed or version made them.
    """
    file, shapes = paths.file(folder), layout(paths.rows, len(paths.scenario.free))
    if not os.path.lexists(file):
        message = f"{file}: missing: run the study again to simulate it"
        raise UnusableResultsError(message)
    with told(file, "read"):
        content = read_file(file, most_bytes(layout(PATHS * POINTS, len(paths.scenario.free)), paths.identity))
    try:
        return decode_rows(content, shapes, paths.identity)
    except DamagedRecordError as error:
        raise UnusableFileError(file, f"damaged: {error}; {REMEDY}") from error
    except ForeignRecordError as error:
        if error.keys == ("paths",):
            message = f"{file}: its sample sizes are not those of the study; run the study again"
            raise _SupersededError(message) from error
        raise ForeignFileError(file, f"made by another study: {error}; {REMEDY}") from error


def missing(folder: Path, paths: Nested) -> bool:
    """Tell whether there are no such paths yet, or only superseded ones; raises as `read` does."""
    if not os.path.lexists(paths.file(folder)):
        return True
    try:
        read(folder, paths)
    except _SupersededError:
        return True
    return False


def check(folder: Path, paths: Nested) -> Iterator[UnusableResultsError]:
    """Yield what is wrong with stored paths."""
    try:
        missing(folder, paths)
    except UnusableResultsError as error:
        yield error


def complete(folder: Path, study: Study) -> None:
    """Simulate and store the paths that a folder lacks."""
    for paths in all_nested(study):
        if missing(folder, paths):
            file, content = paths.file(folder), encode(simulate(paths), paths.identity)
            make_below(folder, file.parent)
            write_atomically(file, content)
