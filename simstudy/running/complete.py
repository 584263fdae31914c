"""Bring the blocks of a results folder up to what a study asks for."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simstudy.errors import UnusableResultsError
from simstudy.files import refuse_links, remove_leftovers
from simstudy.running import manifest, paths, quarantine, reached
from simstudy.running.execute import UnfinishedTasksError, execute
from simstudy.running.plan import Task, disk_bytes, longest_first, measured_cost
from simstudy.running.progress import Display, State
from simstudy.running.stopping import Course, Precise, never
from simstudy.running.store import Store
from simstudy.running.worker import Outcome
from simstudy.study.scenario import Scenario, Study


def existing_manifest(folder: Path, study: Study) -> dict[str, Any] | None:
    """Return the manifest of a folder that this study may be run in, None where it is new or has lost its manifest.

    Raises
    ------
    ForeignResultsError
        If the folder holds another study, or something else.
    """
    return quarantine.known_manifest(folder, study)


def complete(folder: Path, study: Study, jobs: int, command: str, shown: Display, precise: Precise = never) -> None:
    """Simulate and store what a folder lacks of a study; call it under the folder's lock.

    All that is stored is checked first; what is damaged or foreign goes into quarantine and is made again.

    Parameters
    ----------
    precise
        Tells at a checkpoint whether a cell with targets of precision has enough replicates.
    """
    before = existing_manifest(folder, study)
    store = Store(folder, study.seed)
    refuse_links(folder, quarantine.WRITTEN)
    quarantine.clear(folder, study, shown, known=before is not None)
    _check_space(folder, study)
    courses = [Course(scenario, store, precise) for scenario in study.scenarios]
    tasks = [task for course in courses for task in course.tasks()]
    state = manifest.make(study, command, before["runs"] if before else []) | reached.entry(courses)
    if before and not tasks:
        state |= {key: before[key] for key in ("versions", "platform") if key in before}
    manifest.write(folder, state)  # from here on, the folder is known to be this study's
    remove_leftovers(folder)
    for scenario in study.scenarios:
        store.remove_superseded(scenario)
    if tasks:
        state["runs"].append(_Run(store, courses, jobs, shown).simulate(tasks))
        manifest.write(folder, state | reached.entry(courses))
    paths.complete(folder, study)


def _check_space(folder: Path, study: Study) -> None:
    """Refuse what cannot fit on the disk before any list of tasks is made."""
    needed, free = sum(disk_bytes(scenario) for scenario in study.scenarios), shutil.disk_usage(folder).free
    stored = sum(path.stat().st_size for path in (folder / "blocks").rglob("*.npz"))
    if needed > free + stored:
        most = "at most" if any(scenario.precision for scenario in study.scenarios) else "about"
        message = (
            f"{folder}: no space: the study takes {most} {needed:,} bytes, and {free:,} are free; "
            "use another results folder or fewer replicates"
        )
        raise UnusableResultsError(message)


class _Run:
    """Simulates in waves: all cells to their next stage, until every cell has ended."""

    def __init__(self, store: Store, courses: Sequence[Course], jobs: int, shown: Display) -> None:
        self.store, self.jobs, self.shown = store, jobs, shown
        self.courses = {_cell(course.scenario): course for course in courses}
        most = [task for course in courses if not course.settled for task in course.most()]
        self.cost = measured_cost(task.scenario for task in most)
        self.state = State(most, self.cost, bound=any(task.scenario.precision for task in most))
        self.unfinished: list[Outcome] = []

    def simulate(self, tasks: list[Task]) -> dict[str, Any]:
        """Execute the tasks, then those of the next stages, and return what the manifest says of this run."""
        started, clock, count = datetime.now(UTC), time.monotonic(), 0
        self.shown.show(self.state)
        while tasks:
            count += len(tasks)
            tasks = self._wave(tasks)
        if self.unfinished:
            raise UnfinishedTasksError(self.unfinished)
        return {
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 3),
            "jobs": self.jobs,
            "tasks": count,
            "replicates": self.state.done_rows,
            "failed": self.state.failed,
            "versions": manifest.versions(),
        }

    def _wave(self, tasks: list[Task]) -> list[Task]:
        """Execute tasks, longest first, and return those of the next stage of every cell that finished this one.

        A cell is decided on as soon as its last task is done, while workers are busy with the others; one with a task
        that could not be done rests, and the others go on.
        """
        left = Counter(_cell(task.scenario) for task in tasks)
        following: list[Task] = []
        try:
            with closing(execute(self.store, longest_first(tasks, self.cost), self.jobs, self.shown.note)) as done:
                for outcome in done:
                    self.state.advance(outcome)
                    cell = _cell(outcome.task.scenario)
                    left[cell] -= 1
                    if not left[cell]:
                        following += self._next(self.courses[cell])
                    self.shown.show(self.state)
        except UnfinishedTasksError as error:
            self.unfinished += error.outcomes
        return following

    def _next(self, course: Course) -> list[Task]:
        tasks = course.tasks()
        if course.settled:
            self.state.spare(course.most())
        return tasks


def _cell(scenario: Scenario) -> tuple[str, int]:
    return scenario.name, scenario.n
