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

from joblib import Parallel, delayed, parallel_config

from simstudy.families import REGISTRY
from simstudy.running.worker import prepare

T = TypeVar("T")
R = TypeVar("R")

_REPLACED = "A worker stopped while some jobs were given to the executor"


def preparation() -> tuple[Callable[..., None], tuple[object, ...]]:
    """Return the function that makes a process of this machine a worker, and its arguments."""
    return prepare, (os.getpid(), REGISTRY.sources)


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


@contextlib.contextmanager
def workers() -> Iterator[None]:
    """Within it, a call of `joblib.Parallel` starts such workers."""
    initializer, arguments = preparation()
    with (
        undisturbed(),
        parallel_config("loky", inner_max_num_threads=1, initializer=initializer, initargs=arguments),
    ):
        yield


def in_order(function: Callable[[T], R], items: Sequence[T], jobs: int) -> Generator[R]:
    """Yield function(item) of every item in their order, with 1 job in this process.

    What was in the hands of a worker that was killed, and all after it, is computed in this process.
    """
    done = 0
    if jobs > 1 and len(items) > 1:
        try:
            for result in _outside(function, items, min(jobs, len(items))):
                yield result
                done += 1
        except BrokenExecutor:
            pass
    for item in items[done:]:
        yield function(item)


def _outside(function: Callable[[T], R], items: Sequence[T], count: int) -> Generator[R]:
    with workers():
        calls = (delayed(function)(item) for item in items)
        results = Parallel(n_jobs=count, return_as="generator", batch_size=1)(calls)
    try:
        for result in results:  # not `yield from`, which would close them outside of the filter below
            yield cast(R, result)
    finally:
        with warnings.catch_warnings():  # joblib warns of the items that are left undone
            warnings.simplefilter("ignore")
            results.close()
