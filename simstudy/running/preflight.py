"""What a study takes, against what this machine has: refused, with the numbers, before anything is allocated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from simstudy.errors import UnusableResultsError
from simstudy.files import told
from simstudy.running.footprint import WORKER_BYTES, task_bytes
from simstudy.running.plan import disk_bytes, missing_tasks, needed_tasks
from simstudy.running.resources import available_memory, free_disk, own_memory
from simstudy.running.store import Store
from simstudy.study.scenario import Scenario, Study

Takes = Callable[[Scenario], int]


def check(folder: Path, study: Study, jobs: int | None) -> None:
    """Refuse a study that cannot fit on the disk of a folder, or whose tasks cannot fit in memory.

    Nothing is listed, so that it takes a moment for as many replicates as there may be.

    Parameters
    ----------
    jobs
        Workers of this machine; None where all are elsewhere.

    Raises
    ------
    UnusableResultsError
        One line for each of disk and memory: what the study takes, what there is, and what to do.
    """
    faults = disk_faults(folder, study)
    if jobs is not None and memory_faults(study.scenarios, jobs):
        store = Store(folder, study.seed)
        lacking = [cell for cell in study.scenarios if any(missing_tasks(cell, store.stored(cell)))]
        faults += memory_faults(lacking, jobs)
    if faults:
        raise UnusableResultsError("\n".join(faults))


def disk_faults(folder: Path, study: Study) -> list[str]:
    """Return what is wrong where the files of a study, beside those that are stored, do not fit on the disk."""
    needed = sum(disk_bytes(scenario) for scenario in study.scenarios)
    with told(folder, "read"):
        free = free_disk(folder)
        stored = 0 if needed <= free else sum(path.lstat().st_size for path in (folder / "blocks").rglob("*.npz"))
    if needed <= free + stored:
        return []
    most = "at most" if any(scenario.precision for scenario in study.scenarios) else "about"
    kept = f" and {stored:,} are stored already" if stored else ""
    takes = f"{folder}: no space: the study takes {most} {needed:,} bytes, and {free:,} are free{kept}"
    return [f"{takes}; use another results folder or fewer replicates"]


def memory_faults(scenarios: Sequence[Scenario], jobs: int, takes: Takes = task_bytes) -> list[str]:
    """Return what is wrong where a worker cannot hold a task, or so many workers cannot hold theirs together.

    Parameters
    ----------
    takes
        Bytes that a task of a scenario takes beside those of every worker.
    """
    sizes = [WORKER_BYTES + takes(scenario) for scenario in scenarios]
    if not sizes:
        return []
    size, free = max(sizes), available_memory()
    most, together = min(free, WORKER_BYTES + own_memory()), _largest(scenarios, sizes, jobs)
    if size <= most and sum(together) <= free:
        return []
    scenario = scenarios[sizes.index(size)]
    head = f"scenario '{scenario.name}', n = {scenario.n}: no memory: a task takes about {size:,} bytes"
    if size > most:
        return [f"{head}, and {most:,} are available; use smaller sample sizes or a machine with more memory"]
    count = f"{len(together)} tasks at a time {sum(together):,}"
    return [f"{head}, {count}, and {free:,} are available; use --jobs {free // size} or smaller sample sizes"]


def _largest(scenarios: Sequence[Scenario], sizes: Sequence[int], jobs: int) -> list[int]:
    """Return the sizes of the largest tasks that so many workers may have at once."""
    found: list[int] = []
    for size, scenario in sorted(zip(sizes, scenarios, strict=True), key=lambda pair: -pair[0]):
        found += [size] * min(jobs - len(found), needed_tasks(scenario))
        if len(found) == jobs:
            break
    return found


def check_held(scenario: Scenario, rows: int, size: int) -> None:
    """Refuse to hold so many replicates of a cell in memory at once where there is not enough.

    Raises
    ------
    UnusableResultsError
        With the bytes that it takes, and those that there are.
    """
    free = min(available_memory(), own_memory())
    if size > free:
        message = (
            f"scenario '{scenario.name}', n = {scenario.n}: no memory: to hold {rows:,} replicates takes about "
            f"{size:,} bytes, and {free:,} are available; take fewer rows, or read them in parts"
        )
        raise UnusableResultsError(message)
