"""Bring the blocks of a results folder up to what a study asks for."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simstudy.errors import SimstudyError, UnusableResultsError
from simstudy.files import remove_leftovers
from simstudy.running import manifest, paths, reached
from simstudy.running.agenda import Agenda
from simstudy.running.backends import Engine
from simstudy.running.costs import Costs, trials
from simstudy.running.execute import Execution, UnfinishedTasksError, opened
from simstudy.running.plan import disk_bytes
from simstudy.running.progress import Display, State
from simstudy.running.stopping import Course, Precise, never
from simstudy.running.store import Store
from simstudy.running.worker import Outcome
from simstudy.study.scenario import Study

TRIAL_SECONDS = 1.0
"""Estimated time of a run above which the costs of the scenarios are tried out first."""


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


def complete(
    folder: Path, study: Study, engine: Engine, command: str, shown: Display, precise: Precise = never
) -> None:
    """Simulate and store what a folder lacks of a study; call it under the folder's lock.

    All that is stored is checked first, and nothing is written where anything is wrong.

    Parameters
    ----------
    engine
        How to do the tasks.
    precise
        Tells at a checkpoint whether a cell with targets of precision has enough replicates.
    """
    before = existing_manifest(folder, study)
    store = Store(folder, study.seed)
    _check_stored(store, study)
    _check_space(folder, study)
    courses = [Course(scenario, store, precise) for scenario in study.scenarios]
    run = Run(store, courses, engine, shown)
    state = manifest.make(study, command, before["runs"] if before else []) | reached.entry(courses)
    if before and not run.agenda:
        state |= {key: before[key] for key in ("versions", "platform") if key in before}
    manifest.write(folder, state)  # from here on, the folder is known to be this study's
    remove_leftovers(folder)
    for scenario in study.scenarios:
        store.remove_superseded(scenario)
    if run.agenda:
        state["runs"].append(run.simulate())
        manifest.write(folder, state | reached.entry(courses))
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
        most = "at most" if any(scenario.precision for scenario in study.scenarios) else "about"
        message = (
            f"{folder}: no space: the study takes {most} {needed:,} bytes, and {free:,} are free; "
            "use another results folder or fewer replicates"
        )
        raise UnusableResultsError(message)


class Run:
    """Simulates what the cells lack, all from one queue.

    A cell goes on to its next stage as soon as it has finished one, while workers are busy with others. One with a task
    that could not be done rests, and the others go on.
    """

    def __init__(self, store: Store, courses: Sequence[Course], engine: Engine, shown: Display) -> None:
        self.store, self.engine, self.shown = store, engine, shown
        self.courses = {course.scenario.place: course for course in courses}
        self.agenda = Agenda(Costs())
        self.left: dict[tuple[str, int], int] = {}
        self.unfinished: list[Outcome] = []
        for course in courses:
            self._advance(course)
        most = [(course.scenario, course.most) for course in courses if not course.settled]
        bound = any(scenario.precision for scenario, _ in most)
        self.state = State(most, self.agenda.costs, bound=bound)

    def simulate(self) -> dict[str, Any]:
        """Do all tasks, and return what the manifest says of this run."""
        started, clock, count = datetime.now(UTC), time.monotonic(), 0
        if self.state.seconds_left > TRIAL_SECONDS:
            self.agenda.try_out(trials(self.courses[place].scenario for place in self.left))
        with opened(self.engine, self.store) as backend:
            execution = Execution(self.agenda, backend, self.engine, self.shown.note, self._show)
            for outcome in execution.outcomes():
                count += 1
                self._take(outcome)
        if self.unfinished:
            raise UnfinishedTasksError(self.unfinished)
        return {
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 3),
            "backend": self.engine.backend,
            "jobs": execution.most,
            "tasks": count,
            "retried": execution.retried,
            "replicates": self.state.done_rows,
            "failed": self.state.failed,
            "versions": manifest.versions(),
        }

    def _take(self, outcome: Outcome) -> None:
        """Count the end of a task, and go on with its cell where it was the last of a stage."""
        if outcome.error:
            self.unfinished.append(outcome)
            return
        self.state.advance(outcome)
        place = outcome.task.scenario.place
        self.left[place] -= outcome.rows
        if not self.left[place]:
            course = self.courses[place]
            self._advance(course)
            if course.settled:
                self.state.spare(course.scenario)

    def _advance(self, course: Course) -> None:
        rows, tasks = course.advance()
        self.left[course.scenario.place] = rows
        self.agenda.add(tasks)

    def _show(self, execution: Execution) -> None:
        self.state.slots, self.state.under_way = execution.slots, execution.under_way()
        self.shown.show(self.state)
