"""Do all jobs of an agenda with a back end, as long as any can still be done; what is finished is never lost.

A task whose worker died is put aside. When nothing else is left it is tried alone, twice, so that neither the hunger of
others for memory nor a stray kill is held against it; if its worker dies each time, it is given up.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from simstudy.errors import SimstudyError, UnusableResultsError
from simstudy.running.agenda import Agenda, Job
from simstudy.running.backends import Backend, Engine, Sequential, late
from simstudy.running.commands import plugin_files, replay_command
from simstudy.running.plan import Task, human_seconds
from simstudy.running.processes import Processes
from simstudy.running.store import Store
from simstudy.running.worker import CRASHED, TIMED_OUT, Done, Outcome, Tried

MOST_DEATHS = 3
"""Deaths after which a task is given up: one in company, two alone."""
FRUITLESS_DEATHS = 20
"""Deaths in a row, without any task finished between, after which nothing more is tried."""
TICK_SECONDS = 0.5
"""Time between two looks at the clock while all workers are busy."""
SILENCE_SECONDS = 300.0
"""Time without the end of any job after which it is told what is under way."""
_SHOWN = 20
_KEPT = "all other tasks are stored; run the same command again to try these once more"
_KILLED = "its worker was killed each time, by the system (out of memory?) or by a crash"


class UnfinishedTasksError(SimstudyError):
    """Some tasks could not be done; all others are stored."""

    exit_code: ClassVar[int] = 3

    def __init__(self, outcomes: Sequence[Outcome], folder: Path) -> None:
        self.outcomes = tuple(outcomes)
        lines = [_line(outcome, folder) for outcome in outcomes[:_SHOWN]]
        more = [f"… and {len(outcomes) - _SHOWN} more tasks"] if len(outcomes) > _SHOWN else []
        super().__init__("\n".join([*lines, *more, _KEPT]))
        for trace in dict.fromkeys(outcome.traceback for outcome in outcomes[:_SHOWN] if outcome.traceback):
            self.add_note(trace)


def _line(outcome: Outcome, folder: Path) -> str:
    """Say what happened to which replicates, and how to look at the first that raises, or of all."""
    cell, first = outcome.task.scenario, outcome.task.first
    replicate = first if outcome.replicate is None else outcome.replicate
    command = replay_command(folder, cell.name, cell.n, replicate, plugin_files(cell.families))
    found = "" if outcome.replicate is None else f" (replicate {replicate})"
    return f"{outcome.task}: {outcome.error}{found}; to replay: {command}"


@contextlib.contextmanager
def opened(engine: Engine, store: Store) -> Iterator[Backend]:
    """Give the back end of an engine; its workers end with the block, whatever ended that."""
    if engine.backend == "sequential":
        yield Sequential(store, engine.task_timeout)
    elif engine.backend == "loky":
        with contextlib.closing(Processes(store, engine.workers)) as processes:
            yield processes
    else:
        from simstudy.running.cluster import cluster

        with cluster(engine, store) as found:
            yield found


class Execution:
    """Jobs on their way through a back end.

    Parameters
    ----------
    note
        Is told, in one line, of what happened on the way.
    tick
        Is called now and then.

    Attributes
    ----------
    most
        Most jobs that were under way at a time.
    retried
        How often a task was tried again because its worker had died.
    """

    def __init__(
        self,
        agenda: Agenda,
        backend: Backend,
        engine: Engine,
        note: Callable[[str], None],
        tick: Callable[[Execution], None],
    ) -> None:
        self.agenda, self.backend, self.note, self.tick = agenda, backend, note, tick
        self.timeout = engine.task_timeout
        self.retried, self.most = 0, 0
        self._running: list[Job] = []
        self._alone: deque[Task] = deque()
        self._late: list[Job] = []
        self._deaths = Counter[Job]()
        self._fruitless = 0
        self._last = time.monotonic()

    @property
    def slots(self) -> int:
        """Jobs that can be under way at a time."""
        return self.backend.slots

    def under_way(self) -> Mapping[Task, float]:
        """Return the seconds that each of the tasks under way has taken."""
        now, tasks = time.monotonic(), [job for job in self._running if isinstance(job, Task)]
        return {task: now - (self.backend.since(task) or now) for task in tasks}

    def outcomes(self) -> Generator[Outcome]:
        """Yield how tasks ended, as they do, also those that could not be done.

        Whoever takes them may add to the agenda.

        Raises
        ------
        UnusableResultsError
            At once, if the results folder cannot be written or the workers are gone.
        """
        self._start()
        self.tick(self)
        while self._running or self._alone or self.agenda:
            for job, done in self.backend.ended(TICK_SECONDS):
                self._running.remove(job)
                self._last = time.monotonic()
                yield from self._ended(job, done)
            self._watch()
            self._start()
            self.tick(self)

    def _start(self) -> None:
        """Fill the slots; what is to run alone does when all else is done."""
        if any(self._deaths[job] for job in self._running):
            return
        while self.agenda and len(self._running) < self.backend.slots:
            self._begin(self.agenda.pop())
        if self._alone and not self._running and not self.agenda and self.backend.slots:
            self._begin(self._alone.popleft())

    def _begin(self, job: Job) -> None:
        self._running.append(job)
        self.most = max(self.most, len(self._running))
        self.backend.start(job)

    def _ended(self, job: Job, done: Done | None) -> Iterator[Outcome]:
        if isinstance(done, Tried):
            if done.rows:
                self.agenda.costs.add(done.trial.scenario, done.rows, done.seconds)
        elif done is not None:
            self._fruitless = 0
            if done.stop:
                raise UnusableResultsError(done.error)
            if done.rows:
                self.agenda.costs.add(done.task.scenario, done.rows, done.seconds)
            yield done
        elif isinstance(job, Task):
            yield from self._died(job)

    def _died(self, task: Task) -> Iterator[Outcome]:
        """Put a task aside to be tried alone, or give it up, or all."""
        if task in self._late:
            self._late.remove(task)
            yield Outcome(task, error=late(self.timeout), kind=TIMED_OUT)
            return
        self._deaths[task] += 1
        self._fruitless += 1
        if self._deaths[task] >= MOST_DEATHS:
            yield Outcome(task, error=_KILLED, kind=CRASHED)
        else:
            self.retried += 1
            self.note(f"{task}: its worker was killed; it is tried again, alone, when all others are done")
            self._alone.append(task)
        if self._fruitless >= FRUITLESS_DEATHS:
            for left in (*self._alone, *self.agenda.rest()):
                yield Outcome(left, error=f"not run: {FRUITLESS_DEATHS} workers in a row were killed", kind=CRASHED)
            self._alone.clear()

    def _watch(self) -> None:
        """End what takes too long, and tell of a long silence."""
        now = time.monotonic()
        limit = math.inf if self.timeout is None else self.timeout
        for job in self._running:
            since = self.backend.since(job)
            if since is not None and now - since > limit and job not in self._late:
                self._late.append(job)
                self.backend.end(job)
        if now - self._last > SILENCE_SECONDS:
            self._last = now
            waiting = ", ".join(str(job) for job in self._running[:3] if isinstance(job, Task))
            ago = human_seconds(SILENCE_SECONDS)
            self.note(f"no task has ended for {ago}; under way: {waiting}; --task-timeout SECONDS would end such tasks")
