"""Bring a results folder up to one shard of a study, while other shards may be at work in the same folder.

A shard touches no task but its own. What all share, the manifest, is read and written again in the gate alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simstudy.errors import ForeignResultsError, UnusableFileError, UnusableResultsError
from simstudy.files import refuse_links, remove_leftovers
from simstudy.running import manifest, preflight, quarantine, unfinished
from simstudy.running.backends import Engine
from simstudy.running.complete import Run, existing_manifest
from simstudy.running.execute import UnfinishedTasksError
from simstudy.running.gate import gate, shards_at_work
from simstudy.running.plan import Task, disk_bytes
from simstudy.running.progress import Display
from simstudy.running.resources import free_disk
from simstudy.running.shards import Shard, Share, shares
from simstudy.running.stopping import Course, never
from simstudy.running.store import Store
from simstudy.study.config import to_dict
from simstudy.study.scenario import Study


class PartCourse(Course):
    """The part of a cell that is a shard's, on its way: a single stage."""

    def __init__(self, share: Share, store: Store) -> None:
        super().__init__(share.scenario, store, never)
        self.share = share

    def advance(self) -> tuple[int, Iterator[Task]]:
        """Go on to the tasks that are not stored; arguments as of the whole."""
        stored = self.store.stored(self.scenario)
        rows = self.share.missing_rows(stored)
        self.settled = not rows
        return rows, self.share.missing(stored) if rows else iter(())

    @property
    def most(self) -> int:
        """Replicates that the part lacks."""
        return self.share.missing_rows(self.store.stored(self.scenario))


def complete_shard(folder: Path, study: Study, engine: Engine, command: str, shown: Display, shard: Shard) -> None:
    """Simulate and store what a folder lacks of a shard; call it under the lock of the shard.

    What is damaged or foreign of the shard's own goes into quarantine and is made again.

    Raises
    ------
    ForeignResultsError
        If the folder is another study's, or shards of the study as it was are at work there.
    UnusableResultsError
        If the shard does not fit on the disk or in memory.
    UnfinishedTasksError
        If some of its tasks could not be done; all others are stored.
    """
    parts = [share for share in shares(study, shard) if len(share)]
    store = Store(folder, study.seed)
    refuse_links(folder, quarantine.WRITTEN)
    with gate(folder):
        _enter(store, study, command, shard, shown)
    quarantine.put_all_away(folder, _unusable(store, parts), shown)
    _check_space(folder, parts, None if engine.scheduler else engine.workers)
    for share in parts:
        _remove_superseded(store, share)
    run = Run(store, [PartCourse(share, store) for share in parts], engine, shown)
    if not run.agenda:
        return
    try:
        entry = run.simulate() | {"shard": str(shard)}
    except UnfinishedTasksError as error:
        _note(store, study, left=unfinished.entries(error.outcomes))
        raise
    _note(store, study, run=entry)


def _note(store: Store, study: Study, run: dict[str, Any] | None = None, left: Sequence[dict[str, Any]] = ()) -> None:
    """Add to the manifest a run that has ended, or tasks that it could not do."""
    with gate(store.folder):
        state = manifest.read(store.folder)
        before = unfinished.carried(state, store, study).get(unfinished.KEY, [])
        still = [*left, *(entry for entry in before if _place(entry) not in {_place(each) for each in left})]
        state = {key: value for key, value in state.items() if key != unfinished.KEY}
        state["runs"] = [*state["runs"], *([run] if run else [])]
        manifest.write(store.folder, state | ({unfinished.KEY: still} if still else {}))


def _place(entry: dict[str, Any]) -> tuple[Any, ...]:
    return entry["scenario"], entry["n"], entry["last"]


def _enter(store: Store, study: Study, command: str, shard: Shard, shown: Display) -> None:
    """Write the manifest where it is missing or the study has changed, which it must not while others are at work."""
    folder = store.folder
    before, others = existing_manifest(folder, study), shards_at_work(folder, but=str(shard))
    changed = before is None or before["config"] != to_dict(study)
    if before is not None and changed and others:
        other, by = next(iter(others.items()))
        reason = f"shard {other} is at work there{by} on the study as it was before"
        message = f"{folder}: {reason}; wait for it or use another results folder"
        raise ForeignResultsError(message)
    if before is None and os.path.lexists(folder / manifest.NAME):
        error = UnusableFileError(folder / manifest.NAME, "damaged; run the study again")
        quarantine.put_all_away(folder, iter([error]), shown)
    quarantine.put_all_away(folder, _misnamed(store, study), shown)
    if changed:
        state = manifest.make(study, command, before["runs"] if before else [])
        manifest.write(folder, state | (unfinished.carried(before, store, study) if before else {}))
    if not others:
        remove_leftovers(folder)


def _misnamed(store: Store, study: Study) -> Iterator[UnusableResultsError]:
    """Yield what is wrong with files that are no task's, and so no shard's."""
    for scenario in study.scenarios:
        for path in store.listed(scenario):
            try:
                store.blocks(path, scenario)
            except UnusableFileError as error:
                yield error


def _unusable(store: Store, parts: Sequence[Share]) -> Iterator[UnusableResultsError]:
    """Yield what is wrong with the stored files of a shard; those of others may be in the making."""
    for share in parts:
        for first, lasts in store.files(share.scenario).items():
            for last in lasts if share.holds(first) else []:
                try:
                    store.read_blocks(share.scenario, first, last)
                except UnusableResultsError as error:
                    yield error


def _check_space(folder: Path, parts: Sequence[Share], jobs: int | None) -> None:
    """Refuse what cannot fit on the disk, or whose tasks cannot fit in memory."""
    needed = sum(disk_bytes(share.scenario) * share.replicates // share.scenario.replicates for share in parts)
    free = free_disk(folder)
    stored = 0 if needed <= free else sum(path.lstat().st_size for path in (folder / "blocks").rglob("*.npz"))
    faults = [] if jobs is None else preflight.memory_faults([share.scenario for share in parts], jobs)
    if needed > free + stored:
        faults.insert(
            0,
            f"{folder}: no space: the shard takes about {needed:,} bytes, and {free:,} are free; "
            "use another results folder or more shards",
        )
    if faults:
        raise UnusableResultsError("\n".join(faults))


def _remove_superseded(store: Store, share: Share) -> None:
    for first, lasts in store.files(share.scenario).items():
        if len(lasts) > 1 and share.holds(first):
            store.remove_superseded(share.scenario, first)
