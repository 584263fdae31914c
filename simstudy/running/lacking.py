"""What folders that are to be joined lack, cell by cell, with the command that makes it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from simstudy.errors import UnusableResultsError
from simstudy.running.plan import Task, task_blocks
from simstudy.running.shards import dealing_order, dealt
from simstudy.running.sources import Source, number_of_shards
from simstudy.running.store import Store
from simstudy.study.streams import block_size

_SHOWN = 20


def unfinished_cells(
    missing: Mapping[tuple[str, int], Sequence[Task]], into: Path, sources: Sequence[Source], largest: Source
) -> Iterator[UnusableResultsError]:
    """Yield an error for each cell that lacks tasks, with the command that makes them."""
    study = largest.study
    of, order = number_of_shards(sources) or 0, dealing_order(study)
    where = [] if into.name != study.name or into.parent == Path("results") else ["--results", str(into.parent)]
    command = f"{largest.manifest.get('command', 'simstudy run')} {shlex.join(where)}".strip()
    for place, tasks in islice(missing.items(), _SHOWN):
        scenario = tasks[0].scenario
        rows = sum(_wanted(task) for task in tasks)
        cell = Store(into, study.seed).cell(scenario)
        head = f"{cell}: unfinished: {rows:,} of {scenario.replicates:,} replicates are missing"
        size, at = task_blocks(scenario.n, len(scenario.free)), order.index(place) if of else 0
        shards = sorted({dealt(at, task.first_block // size, len(order), of) for task in tasks}) if of else []
        yield UnusableResultsError(f"{head}; make them with: {command}{_shards(shards, of)}")
    if len(missing) > _SHOWN:
        yield UnusableResultsError(f"… and {len(missing) - _SHOWN} more cells")


def _wanted(task: Task) -> int:
    """Return the replicates that a task lacks, as far as the study wants them."""
    size = block_size(task.scenario.n)
    return min((task.last_block + 1) * size, task.scenario.replicates) - (task.stored_block + 1) * size


def _shards(shards: Sequence[int], of: int) -> str:
    if len(shards) <= 1:
        return "".join(f" --shard {shard}/{of}" for shard in shards)
    more = ", …" if len(shards) > _SHOWN else ""
    return f" --shard k/{of}, k = {', '.join(map(str, shards[:_SHOWN]))}{more}"
