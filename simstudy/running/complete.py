"""Bring the blocks of a results folder up to what a study asks for."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simstudy.errors import SimstudyError, UnusableResultsError
from simstudy.files import remove_leftovers
from simstudy.running import manifest, paths
from simstudy.running.execute import execute
from simstudy.running.plan import Task, disk_bytes, longest_first, measured_cost, missing_tasks
from simstudy.running.progress import Display, State
from simstudy.running.store import Store
from simstudy.study.scenario import Study


def existing_manifest(folder: Path, study: Study) -> dict[str, Any] | None:
    """Return the manifest of a folder that this study may be run in, None where the folder is new.

    Raises
    ------
    ForeignResultsError
        If the folder holds another study, or something else.
    """
    before = manifest.existing(folder)
    if before is not None:
        manifest.check_same(folder, before, study)
    return before


def complete(folder: Path, study: Study, jobs: int, command: str, shown: Display) -> None:
    """Simulate and store what a folder lacks of a study; call it under the folder's lock.

    All that is stored is checked first, and nothing is written where anything is wrong.
    """
    before = existing_manifest(folder, study)
    store = Store(folder, study.seed)
    _check_stored(store, study)
    _check_space(folder, study)
    tasks = [task for scenario in study.scenarios for task in missing_tasks(scenario, store.stored(scenario))]
    state = manifest.make(study, command, before["runs"] if before else [])
    if before and not tasks:
        state |= {key: before[key] for key in ("versions", "platform") if key in before}
    manifest.write(folder, state)  # from here on, the folder is known to be this study's
    remove_leftovers(folder)
    for scenario in study.scenarios:
        store.remove_superseded(scenario)
    if tasks:
        state["runs"].append(_simulate(store, tasks, jobs, shown))
        manifest.write(folder, state)
    paths.complete(folder, study)


def _check_stored(store: Store, study: Study) -> None:
    """Refuse a folder with unusable files, all of them named."""
    errors = [error for scenario in study.scenarios for error in store.check(scenario)]
    errors += [error for each in paths.all_nested(study) for error in paths.check(store.folder, each)]
    if errors:
        kind: type[SimstudyError] = type(errors[0])
        raise kind("\n".join(str(error) for error in errors))


def _check_space(folder: Path, study: Study) -> None:
    """Refuse what cannot fit on the disk before any list of tasks is made."""
    needed, free = sum(disk_bytes(scenario) for scenario in study.scenarios), shutil.disk_usage(folder).free
    stored = sum(path.stat().st_size for path in (folder / "blocks").rglob("*.npz"))
    if needed > free + stored:
        message = (
            f"{folder}: no space: the study takes about {needed:,} bytes, and {free:,} are free; "
            "use another results folder or fewer replicates"
        )
        raise UnusableResultsError(message)


def _simulate(store: Store, tasks: list[Task], jobs: int, shown: Display) -> dict[str, Any]:
    """Execute the tasks, longest first, and return what the manifest says of this run."""
    started, clock = datetime.now(UTC), time.monotonic()
    cost = measured_cost(task.scenario for task in tasks)
    state = State(tasks, cost)
    shown.show(state)
    with closing(execute(store, longest_first(tasks, cost), jobs, shown.note)) as done:
        for outcome in done:
            state.advance(outcome)
            shown.show(state)
    return {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "jobs": jobs,
        "tasks": len(tasks),
        "replicates": state.done_rows,
        "failed": state.failed,
        "versions": manifest.versions(),
    }
