"""Worker processes that Ctrl-C does not reach, that know the plug-ins, and that do not outlive this process."""

from __future__ import annotations

import contextlib
import os
import signal
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from multiprocessing import resource_tracker
from typing import TypeVar, cast

from joblib.externals.loky.process_executor import ProcessPoolExecutor

from simstudy.families import REGISTRY
from simstudy.running.threads import ONE_THREAD
from simstudy.running.worker import prepare

T = TypeVar("T")
R = TypeVar("R")

_REPLACED = "A worker stopped while some jobs were given to the executor"


def executor(count: int) -> ProcessPoolExecutor:
    """Return so many workers to be, which are started when they are first given something."""
    arguments = (os.getpid(), REGISTRY.sources)
    return ProcessPoolExecutor(count, initializer=prepare, initargs=arguments, env=ONE_THREAD)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Within it, workers can be started that Ctrl-C does not reach before `prepare` does."""
    # A worker that has grown is replaced, which harms nothing. The warning of it comes from a thread of the pool at any
    # later time, and ends that thread, so that all wait for ever, where warnings are errors.
    warnings.filterwarnings("ignore", _REPLACED, UserWarning, r"joblib\.externals\.loky\.process_executor")
    # Workers inherit the mask of signals. Starting the resource tracker would clear it, so that comes first.
    resource_tracker.ensure_running()
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def in_order(function: Callable[[T], R], items: Sequence[T], jobs: int) -> Generator[R]:
    """Yield function(item) of every item in their order, with 1 job in this process.

    What was in the hands of a worker that was killed, and all after it, is computed in this process.
    """
    done = 0
    if jobs > 1 and len(items) > 1:
        with contextlib.suppress(BrokenExecutor):
            for result in _outside(function, items, min(jobs, len(items))):
                yield result
                done += 1
    for item in items[done:]:
        yield function(item)


def _outside(function: Callable[[T], R], items: Sequence[T], count: int) -> Generator[R]:
    workers = executor(count)
    try:
        with undisturbed():
            futures = [workers.submit(function, item) for item in items]
        for future in futures:
            yield cast(R, future.result())
    finally:
        workers.shutdown(kill_workers=True)
