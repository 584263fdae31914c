"""Where tasks are done: in this process, in worker processes of this machine, or by workers of a dask cluster."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from joblib import cpu_count

from simstudy.errors import ConfigError, TimeoutReached, nearest
from simstudy.running.agenda import Job
from simstudy.running.memory import keep_freed_memory
from simstudy.running.store import Store
from simstudy.running.worker import TIMED_OUT, Done, do, failed

BACKENDS = ("loky", "sequential", "dask")

Ended = tuple[Job, Done | None]
"""A job and how it ended; None where its worker died."""


@dataclass(frozen=True)
class Engine:
    """How to do the tasks of a run; no number depends on it.

    Attributes
    ----------
    backend
        ``loky``: worker processes of this machine; ``sequential``: this process; ``dask``: a cluster.
    jobs
        Tasks at a time; None for as many as there are processors, here or in the cluster.
    scheduler
        Address of the scheduler of a running dask cluster; None for one of this machine's own.
    task_timeout
        Seconds after which a task is ended; None for never.
    """

    backend: str
    jobs: int | None = None
    scheduler: str | None = None
    task_timeout: float | None = None

    @property
    def workers(self) -> int:
        """Processes of this machine that are wanted."""
        return self.jobs or default_jobs()


def default_jobs() -> int:
    """Return the number of processors this process may use."""
    return int(cpu_count())


def engine(
    jobs: int | None = None,
    backend: str | None = None,
    scheduler: str | None = None,
    task_timeout: float | None = None,
) -> Engine:
    """Return the engine asked for: by default loky, or this process for a single job.

    Raises
    ------
    ConfigError
        If there is no such back end, the address is none, or the choices do not go together.
    """
    chosen = backend or ("dask" if scheduler else "sequential" if (jobs or default_jobs()) == 1 else "loky")
    faults = []
    if chosen not in BACKENDS:
        faults.append(f"--backend: {', '.join(BACKENDS)} are possible, got '{chosen}'{nearest(chosen, BACKENDS)}")
    elif scheduler and chosen != "dask":
        faults.append(f"--scheduler: needs --backend dask, got --backend {chosen}; leave one of them out")
    if chosen == "sequential" and (jobs or 1) > 1:
        faults.append(f"--jobs: --backend sequential does one task at a time, got {jobs}; leave one of them out")
    if scheduler and not scheduler.startswith(("tcp://", "tls://")):
        faults.append(f"--scheduler: an address such as tcp://host:8786 is wanted, got '{scheduler}'")
    if task_timeout is not None and not task_timeout > 0.0:
        faults.append(f"--task-timeout: a positive number of seconds is wanted, got {task_timeout:g}")
    if faults:
        raise ConfigError(faults)
    return Engine(chosen, jobs, scheduler, task_timeout)


class Backend(Protocol):
    """Does jobs one by one in each of its slots."""

    @property
    def slots(self) -> int:
        """Jobs that can be under way at a time; it may change."""

    def start(self, job: Job) -> None:
        """Start a job; call it with less than ``slots`` under way only."""

    def since(self, job: Job) -> float | None:
        """Return when a job under way was begun, by `time.monotonic`; None where it waits for its worker to start."""

    def ended(self, seconds: float) -> list[Ended]:
        """Wait until any job ends, but not much longer than so many seconds, and return those that did."""

    def end(self, job: Job) -> None:
        """End a job that takes too long, and its worker with it; `ended` then returns it as dead."""


def late(seconds: float | None) -> str:
    """Say that a task took too long."""
    return f"not done within {seconds:g} s, the limit of --task-timeout"


class Sequential:
    """Does jobs in this process, when it is asked for their end.

    A task that takes too long is ended between two steps of Python; one that does not come back from compiled code is
    not ended before it does.
    """

    slots = 1

    def __init__(self, store: Store, task_timeout: float | None) -> None:
        self.store, self.task_timeout = store, task_timeout
        self.waiting: list[Job] = []
        keep_freed_memory()

    def start(self, job: Job) -> None:
        """Put a job off until `ended` is called."""
        self.waiting.append(job)

    def since(self, job: Job) -> float | None:
        """Return nothing: no other process looks after the time."""
        return None

    def ended(self, seconds: float) -> list[Ended]:
        """Do the jobs."""
        jobs, self.waiting = self.waiting, []
        return [(job, self._done(job)) for job in jobs]

    def _done(self, job: Job) -> Done:
        try:
            with alarm(self.task_timeout):
                return do(self.store, job)
        except TimeoutReached:
            return failed(job, late(self.task_timeout), TIMED_OUT)

    def end(self, job: Job) -> None:
        """Do nothing: a job that is asked for has ended."""


@contextlib.contextmanager
def alarm(seconds: float | None) -> Iterator[None]:
    """Raise TimeoutReached within the block when its time is over, where the system and the thread can."""
    possible = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not possible:
        yield
        return

    def ring(_: int, __: FrameType | None) -> None:
        raise TimeoutReached

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)
