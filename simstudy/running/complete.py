"""Bring the blocks of a results folder up to what a study asks for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simstudy.errors import UnusableResultsError
from simstudy.files import refuse_links, remove_leftovers, told
from simstudy.running import manifest, paths, preflight, quarantine, reached, unfinished
from simstudy.running.agenda import Agenda
from simstudy.running.backends import Engine
from simstudy.running.costs import Costs, trials
from simstudy.running.execute import Execution, UnfinishedTasksError, opened
from simstudy.running.progress import Display, State
from simstudy.running.stopping import Course, Precise, never
from simstudy.running.store import Store
from simstudy.running.worker import Outcome
from simstudy.study.scenario import Study

TRIAL_SECONDS = 1.0
"""Estimated time of a run above which the costs of the scenarios are tried out first."""


def existing_manifest(folder: Path, study: Study) -> dict[str, Any] | None:
    """Return the manifest of a folder that this study may be run in, None where it is new or has lost its manifest.

    Raises
    ------
    ForeignResultsError
        If the folder holds another study, or something else.
    """
    return quarantine.known_manifest(folder, study)


def complete(
    folder: Path, study: Study, engine: Engine, command: str, shown: Display, precise: Precise = never
) -> None:
    """Simulate and store what a folder lacks of a study; call it under the folder's lock.

    All that is stored is checked first; what is damaged or foreign goes into quarantine and is made again.

    Parameters
    ----------
    engine
        How to do the tasks.
    precise
        Tells at a checkpoint whether a cell with targets of precision has enough replicates.
    """
    before = existing_manifest(folder, study)
    store = Store(folder, study.seed)
    refuse_links(folder, quarantine.WRITTEN)
    quarantine.clear(folder, study, shown, known=before is not None)
    preflight.check(folder, study, None if engine.scheduler else engine.workers)
    courses = [Course(scenario, store, precise) for scenario in study.scenarios]
    run = Run(store, courses, engine, shown)
    state = manifest.make(study, command, before["runs"] if before else []) | reached.entry(courses)
    if before and not run.agenda:
        state |= {key: before[key] for key in ("versions", "platform") if key in before}
    still = unfinished.carried(before, store, study) if before and run.agenda else {}
    manifest.write(folder, state | still)  # from here on, the folder is known to be this study's
    remove_leftovers(folder)
    for scenario in study.scenarios:
        store.remove_superseded(scenario)
    if run.agenda:
        try:
            state["runs"].append(run.simulate())
        except UnfinishedTasksError as error:
            left = {unfinished.KEY: unfinished.entries(error.outcomes)}
            manifest.write(folder, state | reached.entry(courses) | left)
            raise
        finally:
            with contextlib.suppress(UnusableResultsError):  # else it would take the place of what went wrong
                remove_leftovers(folder)  # of workers that were killed while they wrote
        manifest.write(folder, state | reached.entry(courses))
    paths.complete(folder, study)


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
            raise UnfinishedTasksError(self.unfinished, self.store.folder)
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
        place, stage = course.scenario.place, course.replicates
        rows, tasks = course.advance()
        if rows and place in self.left and course.replicates == stage:
            with told(self.store.folder, "used"):
                self.store.folder.stat()
            folder = self.store.cell(course.scenario)
            message = f"{folder}: files that were just written are not there; find out who removes them, and run again"
            raise UnusableResultsError(message)
        self.left[place] = rows
        self.agenda.add(tasks)

    def _show(self, execution: Execution) -> None:
        self.state.slots, self.state.under_way = execution.slots, execution.under_way()
        self.shown.show(self.state)
