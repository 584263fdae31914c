"""What a worker process does: simulate one task, write its file, tell in a few bytes how it went.

Arrays do not travel between processes, and a worker imports neither pandas nor anything that draws.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simstudy.errors import SimstudyError, Stopped, TimeoutReached, UnusableResultsError
from simstudy.families import REGISTRY
from simstudy.families.plugin import Source, told
from simstudy.families.status import Status
from simstudy.running.agenda import Job
from simstudy.running.block import simulate
from simstudy.running.costs import Trial
from simstudy.running.locating import located
from simstudy.running.memory import keep_freed_memory
from simstudy.running.plan import Task
from simstudy.running.store import Store
from simstudy.study.replicates import Replicates

_PR_SET_PDEATHSIG = 1


RAISED, OUT_OF_MEMORY, CRASHED, TIMED_OUT = "raised", "out of memory", "crashed", "timed out"
"""Why a task could not be done."""


@dataclass(frozen=True)
class Outcome:
    """How a task ended: replicates simulated, how many of them failed, seconds, and the error if any.

    Attributes
    ----------
    kind
        Of an error: ``raised``, ``out of memory``, ``crashed`` or ``timed out``.
    replicate
        The first replicate that raises, where it could be found.
    stop
        Set where no other task can do better, such as with a full disk.
    """

    task: Task
    rows: int = 0
    failed: int = 0
    seconds: float = 0.0
    error: str = ""
    kind: str = ""
    replicate: int | None = None
    traceback: str = ""
    stop: bool = False


@dataclass(frozen=True)
class Tried:
    """What a trial told: seconds of so many replicates; none where it failed, for the tasks will tell why."""

    trial: Trial
    rows: int = 0
    seconds: float = 0.0


Done = Outcome | Tried


def failed(job: Job, error: str, kind: str) -> Done:
    """Return the end of a job that failed as a whole."""
    return Tried(job) if isinstance(job, Trial) else Outcome(job, error=error, kind=kind)


def prepare(parent: int, plugins: Sequence[Source] = ()) -> None:
    """Make this process a worker: deaf to Ctrl-C, which its parent handles, and not outliving it (Linux).

    Parameters
    ----------
    parent
        Process number of the parent.
    plugins
        The plug-in files that it has loaded.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    keep_freed_memory()
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)
    REGISTRY.restore(plugins)


def do(store: Store, job: Job) -> Done:
    """Do a job; nothing that it raises gets out, so that the others go on."""
    if isinstance(job, Task):
        return perform(store, job)
    try:
        return Tried(job, *job.seconds())
    except (Stopped, TimeoutReached, KeyboardInterrupt):
        raise
    except BaseException:
        return Tried(job)


def perform(store: Store, task: Task) -> Outcome:
    """Simulate and store one task; an exception becomes an outcome."""
    start = time.perf_counter()
    try:
        replicates = _made_before(store, task)
        if replicates is None:
            simulated = simulate(task.scenario, store.seed, task.stored_block + 1, task.last_block)
            replicates = store.write(task, simulated)
    except (Stopped, TimeoutReached, KeyboardInterrupt):
        raise
    except BaseException as error:  # a plug-in may raise SystemExit
        return _raised(store.seed, task, error)
    failures = int(np.count_nonzero(replicates.status[-task.rows :] != Status.CONVERGED))
    return Outcome(task, task.rows, failures, time.perf_counter() - start)


def _raised(seed: int, task: Task, error: BaseException) -> Outcome:
    trace = traceback.format_exc()
    if isinstance(error, UnusableResultsError):
        return Outcome(task, error=str(error), kind=RAISED, traceback=trace, stop=True)
    replicate = located(task.scenario, seed, task.stored_block + 1, task.last_block)
    if isinstance(error, MemoryError):
        return Outcome(task, error="out of memory", kind=OUT_OF_MEMORY, replicate=replicate, traceback=trace)
    message = str(error) if isinstance(error, SimstudyError) else told(error)
    return Outcome(task, error=message, kind=RAISED, replicate=replicate, traceback=trace)


def _made_before(store: Store, task: Task) -> Replicates | None:
    """Return the task's rows where a worker wrote its file and was killed before it could say so."""
    scenario, first, last = task.scenario, task.first_block, task.last_block
    if not store.path(scenario, first, last).exists():
        return None
    store.remove_superseded(scenario, first)
    return store.read_blocks(scenario, first, last)
