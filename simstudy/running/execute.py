"""Run tasks in worker processes, as long as any can still be done; what is finished is never lost.

A killed worker ends a whole call of joblib's `Parallel`. The outcomes it gave are kept, and another call
takes the tasks that are missing, those that were under way when the worker died last. A task that was under
way at two deaths runs alone; if its worker dies there twice as well, it is given up and the others go on.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any, ClassVar, cast

from joblib import Parallel, cpu_count, delayed

from simstudy.errors import SimstudyError, UnusableResultsError
from simstudy.running.memory import keep_freed_memory
from simstudy.running.plan import Task
from simstudy.running.pool import workers
from simstudy.running.store import Store
from simstudy.running.worker import Outcome, perform

SUSPECT_DEATHS = 2
"""Deaths after which a task is run alone."""
MOST_DEATHS = 4
"""Deaths after which a task is given up: two in company, two alone."""
FRUITLESS_DEATHS = 20
"""Deaths in a row, without any task finished between, after which nothing more is tried."""
_SHOWN = 20
_KEPT = "all other tasks are stored; run the same command again to try these once more"
_KILLED = "its worker was killed each time, by the system (out of memory?) or by a crash"


class UnfinishedTasksError(SimstudyError):
    """Some tasks could not be done; all others are stored."""

    exit_code: ClassVar[int] = 3

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = tuple(outcomes)
        lines = [f"{outcome.task}: {outcome.error}" for outcome in outcomes[:_SHOWN]]
        more = [f"… and {len(outcomes) - _SHOWN} more tasks"] if len(outcomes) > _SHOWN else []
        super().__init__("\n".join([*lines, *more, _KEPT]))
        for trace in dict.fromkeys(outcome.traceback for outcome in outcomes[:_SHOWN] if outcome.traceback):
            self.add_note(trace)


def default_jobs() -> int:
    """Return the number of processors this process may use."""
    return int(cpu_count())


def execute(store: Store, tasks: Sequence[Task], jobs: int, note: Callable[[str], None]) -> Generator[Outcome]:
    """Do all tasks and yield the outcomes of those that succeeded, as they come.

    Parameters
    ----------
    jobs
        Worker processes; with 1 the tasks run in this process.
    note
        Is told, in one line, of what happened on the way and was mended.

    Raises
    ------
    UnfinishedTasksError
        After all others were done, if tasks raised or killed their workers.
    UnusableResultsError
        At once, if the results folder cannot be written.
    """
    unfinished = []
    chosen = _inside(store, tasks) if jobs == 1 else _outside(store, tasks, jobs, note)
    with contextlib.closing(chosen) as outcomes:  # so that workers end with the run, whatever ended it
        for outcome in outcomes:
            if outcome.stop:
                raise UnusableResultsError(outcome.error)
            if outcome.error:
                unfinished.append(outcome)
            else:
                yield outcome
    if unfinished:
        raise UnfinishedTasksError(unfinished)


def _inside(store: Store, tasks: Sequence[Task]) -> Generator[Outcome]:
    keep_freed_memory()
    for task in tasks:
        yield perform(store, task)


def _outside(store: Store, tasks: Sequence[Task], jobs: int, note: Callable[[str], None]) -> Generator[Outcome]:
    deaths, fruitless, waiting = Counter[Task](), 0, list(tasks)
    while waiting and fruitless < FRUITLESS_DEATHS:
        batch = [task for task in waiting if deaths[task] < SUSPECT_DEATHS] or waiting[:1]
        started: list[Task] = []
        done: set[Task] = set()
        try:
            with contextlib.closing(_stream(store, batch, jobs, started)) as outcomes:
                for outcome in outcomes:
                    done.add(outcome.task)
                    yield outcome
            done.update(batch)
        except BrokenExecutor:
            suspects = [task for task in started if task not in done]
            deaths.update(suspects)
            fruitless = 0 if done else fruitless + 1
            note(f"a worker was killed; trying {len(suspects)} tasks that were under way again")
        late = [task for task in waiting if deaths[task] and task not in done]
        waiting = [task for task in waiting if not deaths[task] and task not in done] + late
        for task in [task for task in waiting if deaths[task] >= MOST_DEATHS]:
            waiting.remove(task)
            yield Outcome(task, error=_KILLED)
    for task in waiting:
        yield Outcome(task, error=f"not run: {FRUITLESS_DEATHS} workers in a row were killed")


def _stream(store: Store, tasks: Sequence[Task], jobs: int, started: list[Task]) -> Generator[Outcome]:
    """Yield outcomes of one call of Parallel, and list the tasks as they are handed out."""
    outcomes = _start(store, tasks, jobs, started)
    try:
        for outcome in outcomes:  # not `yield from`, which would close them outside of the filter below
            yield cast(Outcome, outcome)
    finally:
        with warnings.catch_warnings():  # joblib warns of the tasks that a stopped run leaves undone
            warnings.simplefilter("ignore")
            outcomes.close()


def _start(store: Store, tasks: Sequence[Task], jobs: int, started: list[Task]) -> Any:
    def calls() -> Iterator[Any]:
        for task in tasks:
            started.append(task)
            yield delayed(perform)(store, task)

    count = max(2, min(jobs, len(tasks)))  # one would run in this process, and take it down if it dies
    with workers():
        return Parallel(n_jobs=count, return_as="generator_unordered", batch_size=1)(calls())
