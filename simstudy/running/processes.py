"""Worker processes of this machine, by loky: an executor for each, so that the death of one concerns its task alone."""

from __future__ import annotations

import contextlib
import os
import time
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait

from joblib.externals.loky.process_executor import ProcessPoolExecutor, ShutdownExecutorError

from simstudy.errors import one_line
from simstudy.running.agenda import Job
from simstudy.running.backends import Ended
from simstudy.running.pool import preparation, undisturbed
from simstudy.running.store import Store
from simstudy.running.threads import ONE_THREAD
from simstudy.running.worker import RAISED, Done, do, failed


class _Worker:
    """One process, started at once, that does one job at a time."""

    def __init__(self) -> None:
        initializer, arguments = preparation()
        self.executor = ProcessPoolExecutor(1, initializer=initializer, initargs=arguments, env=ONE_THREAD)
        self.ready: float | None = None
        with undisturbed():
            self.executor.submit(os.getpid).add_done_callback(self._note)

    def _note(self, future: Future[int]) -> None:
        with contextlib.suppress(Exception):  # where it died at once, its job will tell
            future.result()
            self.ready = time.monotonic()

    def kill(self, *, wait: bool = False) -> None:
        """End the process at once."""
        self.executor.shutdown(wait=wait, kill_workers=True)


class Processes:
    """So many worker processes; one that died is replaced when there is work for it."""

    def __init__(self, store: Store, jobs: int) -> None:
        self.store, self.slots = store, jobs
        self.idle: list[_Worker] = []
        self.busy: dict[Future[Done], tuple[Job, _Worker, float]] = {}

    def start(self, job: Job) -> None:
        """Give a job to a worker that is idle, or to a new one."""
        worker = self.idle.pop() if self.idle else _Worker()
        try:
            future: Future[Done] = worker.executor.submit(do, self.store, job)
        except Exception:  # it died since its last task: that is no fault of this one
            worker = _Worker()
            future = worker.executor.submit(do, self.store, job)
        self.busy[future] = job, worker, time.monotonic()

    def since(self, job: Job) -> float | None:
        """Return when a job was begun; None while its worker starts."""
        worker, given = next((worker, given) for own, worker, given in self.busy.values() if own is job)
        return None if worker.ready is None else max(worker.ready, given)

    def ended(self, seconds: float) -> list[Ended]:
        """Wait until a job ends, or so many seconds."""
        finished = wait(self.busy, seconds, FIRST_COMPLETED).done
        return [self._ended(future) for future in finished]

    def _ended(self, future: Future[Done]) -> Ended:
        job, worker, _ = self.busy.pop(future)
        error = future.exception()
        if error is None:
            self.idle.append(worker)
            return job, future.result()
        worker.kill()
        if isinstance(error, (BrokenExecutor, ShutdownExecutorError)):
            return job, None
        return job, failed(job, one_line(error), RAISED)

    def end(self, job: Job) -> None:
        """Kill the worker of a job."""
        next(worker for own, worker, _ in self.busy.values() if own is job).kill()

    def close(self) -> None:
        """Kill all workers; none is left when this returns."""
        workers = [*self.idle, *(worker for _, worker, _ in self.busy.values())]
        for worker in workers:
            worker.kill(wait=True)
