"""Every stored file of a results folder looked at, one at a time: whole, in its place, of this study, none missing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from simstudy.errors import UnusableResultsError
from simstudy.files import read_file, told
from simstudy.running import paths
from simstudy.running.lock import holder_at_work
from simstudy.running.plan import needed_blocks, task_blocks
from simstudy.running.quarantine import FOLDER, MOST_BYTES
from simstudy.running.record import DamagedRecordError, identity_of
from simstudy.running.store import NAME, Store
from simstudy.study.scenario import Scenario, Study
from simstudy.study.streams import block_size

_TEMPORARY = re.compile(r"\..*\.tmp")
_STRANGE = "not a file that a run writes; move it elsewhere"
_LEFT = "left by a run that was killed; run the study again, which removes it"


@dataclass
class Tally:
    """What was found: faults, one line each, and the stored files that are whole.

    Attributes
    ----------
    faults
        ``path: what is wrong; what to do``.
    files, rows, size
        Whole stored files, the replicates and the bytes in them.
    other
        Whole files of scenarios and sizes that the study does not have, or no longer has.
    quarantined
        Files in quarantine.
    holder
        The run that is at work in the folder; empty where none is.
    """

    faults: list[str] = field(default_factory=list)
    files: int = 0
    rows: int = 0
    size: int = 0
    other: int = 0
    quarantined: int = 0
    holder: str = ""

    def count(self, path: Path, rows: int) -> None:
        """Count a whole file."""
        self.files += 1
        self.rows += rows
        with told(path, "read"):
            self.size += path.stat().st_size

    def fault(self, path: Path, says: str) -> None:
        """Note a fault."""
        self.faults.append(f"{path}: {says}")


def examine(folder: Path, study: Study | None, tally: Tally) -> None:
    """Check all that a run stores in a folder; nothing is written.

    Parameters
    ----------
    study
        Of its manifest, None where that cannot be read: the files are then checked by what they say of themselves.
    """
    tally.holder = holder_at_work(folder)
    known = {Store(folder, 0).cell(cell): cell for cell in study.scenarios} if study else {}
    for cell, scenario in known.items():
        if study:
            _cell(Store(folder, study.seed), scenario, tally)
            _strange(cell, tally)
    for path in _files(folder / "blocks"):
        if known.keys().isdisjoint(path.parents):
            _other(path, study, tally, depth=len(path.relative_to(folder).parts) == 4)
    _paths(folder, study, tally)
    for path in _files(folder):
        if path.is_relative_to(folder / FOLDER):
            tally.quarantined += 1
        elif _TEMPORARY.fullmatch(path.name) and not tally.holder:
            tally.fault(path, _LEFT)


def _files(folder: Path) -> Iterator[Path]:
    """Yield all below a folder that is no folder, and links, in order."""

    def refused(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            with told(Path(error.filename or folder), "read"):
                raise error

    if folder.exists() and not folder.is_dir():
        yield folder
    for root, inner, names in os.walk(folder, onerror=refused):
        inner.sort()
        links = [name for name in inner if Path(root, name).is_symlink()]
        yield from (Path(root, name) for name in sorted([*names, *links]))


def _cell(store: Store, scenario: Scenario, tally: Tally) -> None:
    """Check the files of one cell, those that are written meanwhile as well, and that none is missing."""
    seen: set[Path] = set()
    try:
        while fresh := [path for path in store.listed(scenario) if path not in seen]:
            for path in fresh:
                _stored(store, scenario, path, tally)
            seen.update(fresh)
        lasts = _lasts(store, scenario)
    except UnusableResultsError as error:
        tally.faults.append(str(error))
        return
    for first, each in lasts.items() if not tally.holder else ():
        for last in each[:-1]:
            tally.fault(store.path(scenario, first, last), f"a longer file has taken its place; {_LEFT}")
    if missing := _missing(scenario, {first: each[-1] for first, each in lasts.items()}):
        tally.fault(store.cell(scenario), missing)


def _stored(store: Store, scenario: Scenario, path: Path, tally: Tally) -> None:
    try:
        first, last = store.blocks(path, scenario)
        store.read_blocks(scenario, first, last)
        tally.count(path, (last - first + 1) * block_size(scenario.n))
    except UnusableResultsError as error:
        if not isinstance(error.__cause__, FileNotFoundError):  # a run put a longer file in its place
            tally.faults.append(str(error))


def _lasts(store: Store, scenario: Scenario) -> dict[int, list[int]]:
    """Return the last blocks of all files by their first block; names of no task have been told of."""
    found: dict[int, list[int]] = {}
    for path in store.listed(scenario):
        try:
            first, last = store.blocks(path, scenario)
        except UnusableResultsError:
            continue
        found.setdefault(first, []).append(last)
    return {first: sorted(found[first]) for first in sorted(found)}


def _missing(scenario: Scenario, stored: dict[int, int]) -> str:
    """Say how many of the replicates asked for have no file, and from which one on."""
    size, needed = task_blocks(scenario.n, len(scenario.free)), needed_blocks(scenario)
    rows, lacking, start = block_size(scenario.n), 0, -1
    for first in range(0, needed, size):
        end, have = min(first + size, needed), max(stored.get(first, first - 1), first - 1) + 1
        if have < end:
            start = have * rows if start < 0 else start
            lacking += min(end * rows, scenario.replicates) - have * rows
    if not lacking:
        return ""
    return (
        f"unfinished: {lacking} of {scenario.replicates} replicates are missing, the first of them {start}; "
        "run the study again to simulate them"
    )


def _strange(cell: Path, tally: Tally) -> None:
    """Name what lies beside the stored files of a cell."""
    for path in _files(cell):
        name = path.relative_to(cell).parts[0]  # what is in a folder that has the name of a file goes with it
        if not (NAME.fullmatch(name) or _TEMPORARY.fullmatch(name)):
            tally.fault(path, _STRANGE)


def _other(path: Path, study: Study | None, tally: Tally, *, depth: bool) -> None:
    """Check a file of a scenario or a size that the study does not have (any more)."""
    if _TEMPORARY.fullmatch(path.name):
        return
    if path.suffix != ".npz" or not depth:
        tally.fault(path, _STRANGE)
        return
    try:
        with told(path, "read"):
            found = identity_of(read_file(path, MOST_BYTES))
    except UnusableResultsError as error:
        tally.faults.append(str(error))
        return
    except DamagedRecordError as error:
        tally.fault(path, f"damaged: {error}; move it elsewhere: the study does not need it")
        return
    if study and _seed(found) != study.seed:
        tally.fault(path, f"made by another study: its seed is {_seed(found)!r:.50}; move it elsewhere")
    tally.other += 1


def _seed(identity: dict[str, object]) -> object:
    data = identity.get("data")
    return data[1] if isinstance(data, list) and len(data) > 1 else None


def _paths(folder: Path, study: Study | None, tally: Tally) -> None:
    known = {nested.file(folder): nested for nested in paths.all_nested(study)} if study else {}
    for file, nested in known.items():
        try:
            paths.read(folder, nested)
            tally.count(file, nested.rows)
        except UnusableResultsError as error:
            tally.faults.append(str(error))
    for path in _files(folder / "paths"):
        if path not in known:
            _other(path, study, tally, depth=path.parent == folder / "paths")
