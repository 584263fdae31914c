"""Workers of a dask cluster: a running one, or one of this machine's own that lives as long as the run.

Futures are submitted and waited for here, one for each slot: what dask does about dead workers is to raise
`KilledWorker`, and what to do about that is decided where all back ends are driven. Workers write to the results folder
themselves, so they must see it under the same path.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any
from uuid import uuid4

from simstudy.errors import ConfigError, SimstudyError, UnusableResultsError, one_line
from simstudy.families import REGISTRY
from simstudy.running.agenda import Job
from simstudy.running.backends import Ended, Engine
from simstudy.running.on_cluster import Needed, made_by, on_worker
from simstudy.running.pool import undisturbed
from simstudy.running.store import Store
from simstudy.running.threads import ONE_THREAD
from simstudy.running.worker import RAISED, Done, failed

SCRATCH = ".dask.{}.tmp"
"""Folder for what dask itself may write, in the results folder."""
NO_WORKERS_SECONDS = 60.0
"""Time without any worker after which a run is ended; what is stored is kept."""
STALLED_SECONDS = 60.0
"""Time after which a task that no worker knows of is taken for lost."""
_POLL_SECONDS = 0.01
_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 1.0
_LOOK_SECONDS = 1.0
_CHANCES = 3
_LOGGING = ("distributed", "tornado", "asyncio")
_SILENT = logging.CRITICAL + 1
_RESUME = "finished tasks are kept; run the same command again to go on"
_SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.nanny.environ": ONE_THREAD,
    "distributed.nanny.pre-spawn-environ": ONE_THREAD,
    "distributed.comm.timeouts.connect": f"{_CONNECT_SECONDS:g}s",
}


@contextlib.contextmanager
def cluster(engine: Engine, store: Store) -> Iterator[Cluster]:
    """Give the cluster of an engine, connected; one of this machine's own ends with the block.

    Raises
    ------
    ConfigError
        If dask is not installed, or its workers have other versions of what makes the numbers.
    UnusableResultsError
        If no scheduler answers at the address, or its workers do not see the results folder.
    """
    try:
        import dask
        import distributed
    except ImportError:
        message = "--backend dask: dask is not installed; install the extra with pip install 'simstudy[dask]'"
        raise ConfigError(message) from None
    with dask.config.set(_SETTINGS), _silence(), contextlib.ExitStack() as stack:
        address = engine.scheduler or stack.enter_context(_local(distributed, engine, store))
        client = stack.enter_context(_client(distributed, address))
        yield Cluster(client, store, engine)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep dask from logging the deaths of workers and the like, with tracebacks: they are told in one line here."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _LOGGING]
    loggers = [logging.getLogger(name) for name in {*names, *_LOGGING}]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(_SILENT)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def _local(distributed: Any, engine: Engine, store: Store) -> Iterator[Any]:
    """Give a cluster of this machine, one thread to a worker, that opens no port to others."""
    scratch = store.folder / SCRATCH.format(os.getpid())
    found = _started(distributed, engine.workers, scratch)
    try:
        yield found
    finally:
        _kill(found)
        with contextlib.suppress(Exception):
            found.close(timeout=_CLOSE_SECONDS)
        shutil.rmtree(scratch, ignore_errors=True)


def _started(distributed: Any, workers: int, scratch: Path) -> Any:
    """Start a cluster; one whose workers die while they start is given two more chances."""
    for chance in range(_CHANCES):
        try:
            with undisturbed():
                return distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                    memory_limit=0,
                    local_directory=str(scratch),
                    silence_logs=_SILENT,
                )
        except (OSError, RuntimeError, TimeoutError) as error:
            if chance == _CHANCES - 1:
                message = f"the dask cluster of this machine does not start: {one_line(error)}; {_RESUME}"
                raise UnusableResultsError(message) from None
    raise AssertionError


def _kill(found: Any) -> None:
    """Kill the workers at once, so that none is left if dask cannot end in time."""
    for nanny in list(found.workers.values()):
        process: Any = getattr(getattr(nanny, "process", None), "process", None)
        with contextlib.suppress(Exception):
            os.kill(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _client(distributed: Any, address: Any) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        message = (
            f"--scheduler {address}: no dask scheduler answers there: {one_line(error)}; start it, or mend the address"
        )
        raise UnusableResultsError(message) from None
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=_CLOSE_SECONDS)


class Cluster:
    """A connected dask cluster with one future for each slot."""

    def __init__(self, client: Any, store: Store, engine: Engine) -> None:
        distributed: Any = importlib.import_module("distributed")
        self.client, self.most = client, engine.jobs
        self.store = Store(store.folder.resolve(), store.seed)
        self.needed = Needed(made_by(), REGISTRY.sources)
        self.ready: Any = distributed.as_completed(loop=client.loop, raise_errors=False)
        self.futures: dict[Any, tuple[Job, float]] = {}
        self.begun: dict[str, float] = {}
        self.timed = engine.task_timeout is not None
        self.lost: list[Job] = []
        self.threads, self.looked = 0, 0.0
        self.seen = self.checked = time.monotonic()
        self._look()

    @property
    def slots(self) -> int:
        """Threads of all workers, at most the number of jobs that was asked for."""
        return self.threads if self.most is None else min(self.threads, self.most)

    def start(self, job: Job) -> None:
        """Submit a job."""
        key = f"simstudy-{uuid4().hex}"
        future = self.client.submit(on_worker, self.store, job, self.needed, key=key, pure=False, retries=0)
        self.futures[future] = job, time.monotonic()
        self.ready.add(future)

    def since(self, job: Job) -> float | None:
        """Return when a job was first seen to be under way, within a second or so, where there is a limit of time."""
        key = next((future.key for future, (own, _) in self.futures.items() if own is job), "")
        return self.begun.get(key)

    def ended(self, seconds: float) -> list[Ended]:
        """Wait until a future is done, or so many seconds.

        Raises
        ------
        UnusableResultsError
            If the scheduler is gone, or there have been no workers for a minute.
        """
        limit = time.monotonic() + seconds
        while not (self.futures and self.ready.has_ready()) and time.monotonic() < limit:
            time.sleep(_POLL_SECONDS)
        self._look()
        done = self.ready.next_batch(block=False) if self.futures and self.ready.has_ready() else []
        return [self._ended(future) for future in done if future in self.futures] + self._stalled()

    def _ended(self, future: Any) -> Ended:
        from distributed import KilledWorker

        job, _ = self.futures.pop(future)
        self.begun.pop(future.key, None)
        try:
            found: Done = future.result(timeout=_CONNECT_SECONDS)
        except SimstudyError:
            raise
        except (KilledWorker, CancelledError, TimeoutError, OSError):
            return job, None
        except Exception as error:
            return job, failed(job, one_line(error), RAISED)
        return job, found

    def end(self, job: Job) -> None:
        """Restart the worker of a job, by its nanny."""
        future = next(own for own, (held, _) in self.futures.items() if held is job)
        workers = [address for address, keys in self.client.processing().items() if future.key in keys]
        del self.futures[future]
        future.cancel(force=True)
        self.lost.append(job)
        with contextlib.suppress(Exception):  # a worker without a nanny goes on, and its thread with it
            self.client.restart_workers(workers, timeout=_CONNECT_SECONDS, raise_for_error=False)

    def _look(self) -> None:
        """Count the threads of all workers, and see what they are at, every second."""
        now = time.monotonic()
        if now - self.looked < _LOOK_SECONDS:
            return
        self.looked = now
        try:
            self.threads = sum(self.client.nthreads().values())
            waiting = [future.key for future in self.futures if future.key not in self.begun] if self.timed else []
            at_work = self.client.call_stack(keys=waiting) if waiting else {}
        except (OSError, RuntimeError, TimeoutError, CancelledError) as error:
            message = f"the dask scheduler is gone: {one_line(error)}; {_RESUME}"
            raise UnusableResultsError(message) from None
        self.begun |= {key: now for stacks in at_work.values() for key in stacks}
        if self.threads:
            self.seen = now
        elif now - self.seen > NO_WORKERS_SECONDS:
            message = f"the dask cluster has had no workers for {NO_WORKERS_SECONDS:g} s; {_RESUME}"
            raise UnusableResultsError(message)

    def _stalled(self) -> list[Ended]:
        """Give up futures that no worker knows of, long after they were submitted."""
        now, lost = time.monotonic(), self.lost
        self.lost = []
        late = [future for future, (_, given) in self.futures.items() if now - given > STALLED_SECONDS]
        if late and self.threads and now - self.checked > STALLED_SECONDS:
            self.checked = now
            known = {key for keys in self.client.processing().values() for key in keys}
            for future in late:
                if future.key not in known and not future.done():
                    lost.append(self.futures.pop(future)[0])
                    future.cancel()
        return [(job, None) for job in lost]
