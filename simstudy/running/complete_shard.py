"""Bring a results folder up to one shard of a study, while other shards may be at work in the same folder.

A shard touches no task but its own. What all share, the manifest, is read and written again in the gate alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simstudy.errors import ForeignResultsError, SimstudyError, UnusableResultsError
from simstudy.files import remove_leftovers
from simstudy.running import manifest
from simstudy.running.backends import Engine
from simstudy.running.complete import Run, existing_manifest
from simstudy.running.gate import gate, shards_at_work
from simstudy.running.plan import disk_bytes
from simstudy.running.progress import Display
from simstudy.running.shards import PartCourse, Shard, Share, shares
from simstudy.running.store import Store
from simstudy.study.config import to_dict
from simstudy.study.scenario import Study


def complete_shard(folder: Path, study: Study, engine: Engine, command: str, shown: Display, shard: Shard) -> None:
    """Simulate and store what a folder lacks of a shard; call it under the lock of the shard.

    Raises
    ------
    ForeignResultsError
        If the folder is another study's, or shards of the study as it was are at work there.
    UnusableResultsError
        If a stored file of the shard is damaged, or the shard does not fit on the disk.
    """
    parts = [share for share in shares(study, shard) if len(share)]
    store = Store(folder, study.seed)
    existing_manifest(folder, study)
    _check_stored(store, parts)
    _check_space(folder, parts)
    with gate(folder):
        _enter(folder, study, command, shard)
    for share in parts:
        _remove_superseded(store, share)
    run = Run(store, [PartCourse(share, store) for share in parts], engine, shown)
    if run.agenda:
        entry = run.simulate() | {"shard": str(shard)}
        with gate(folder):
            state = manifest.read(folder)
            state["runs"].append(entry)
            manifest.write(folder, state)


def _enter(folder: Path, study: Study, command: str, shard: Shard) -> None:
    """Write the manifest where it is missing or the study has changed, which it must not while others are at work."""
    before, others = existing_manifest(folder, study), shards_at_work(folder, but=str(shard))
    changed = before is None or before["config"] != to_dict(study)
    if before is not None and changed and others:
        other, by = next(iter(others.items()))
        reason = f"shard {other} is at work there{by} on the study as it was before"
        message = f"{folder}: {reason}; wait for it or use another results folder"
        raise ForeignResultsError(message)
    if changed:
        manifest.write(folder, manifest.make(study, command, _runs(before)))
    if not others:
        remove_leftovers(folder)


def _runs(before: dict[str, Any] | None) -> list[dict[str, Any]]:
    return before["runs"] if before else []


def _check_stored(store: Store, parts: Sequence[Share]) -> None:
    """Refuse unusable files of the shard, all of them named; those of others may be in the making."""
    errors = list(unusable(store, parts))
    if errors:
        kind: type[SimstudyError] = type(errors[0])
        raise kind("\n".join(str(error) for error in errors))


def unusable(store: Store, parts: Sequence[Share]) -> Iterator[SimstudyError]:
    """Yield what is wrong with the stored files of a shard, one error per file."""
    for share in parts:
        for first, last in store.stored(share.scenario).items():
            if share.holds(first):
                try:
                    store.read_blocks(share.scenario, first, last)
                except (UnusableResultsError, ForeignResultsError) as error:
                    yield error


def _check_space(folder: Path, parts: Sequence[Share]) -> None:
    """Refuse what cannot fit on the disk."""
    needed = sum(disk_bytes(share.scenario) * share.replicates // share.scenario.replicates for share in parts)
    free = shutil.disk_usage(folder).free
    if needed <= free:
        return
    stored = sum(path.stat().st_size for path in (folder / "blocks").rglob("*.npz"))
    if needed > free + stored:
        message = (
            f"{folder}: no space: the shard takes about {needed:,} bytes, and {free:,} are free; "
            "use another results folder or more shards"
        )
        raise UnusableResultsError(message)


def _remove_superseded(store: Store, share: Share) -> None:
    for first, lasts in store.files(share.scenario).items():
        if len(lasts) > 1 and share.holds(first):
            store.remove_superseded(share.scenario, first)
