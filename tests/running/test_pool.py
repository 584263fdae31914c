"""Worker processes that compute things in order."""

from __future__ import annotations

import inspect
import os
import signal
import warnings

import psutil
from joblib.externals.loky import process_executor

from simstudy.running.pool import in_order, undisturbed

MODULE = process_executor.__name__
REPLACED = "A worker stopped while some jobs were given to the executor. This can be caused by a memory leak."


def test_the_warning_of_a_replaced_worker_cannot_end_the_thread_that_it_comes_from():
    """It is raised in a thread of the pool, long after the call; as an error it would leave all waiting for ever."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with undisturbed():
            pass
        warnings.warn_explicit(REPLACED, UserWarning, "process_executor.py", 1, module=MODULE)


def test_the_warning_is_still_worded_so():
    text = "".join(line.strip().strip('"') for line in inspect.getsource(process_executor).splitlines())
    assert "A worker stopped while some jobs were given to the executor" in text


def test_results_come_in_order_from_other_processes():
    found = list(in_order(lambda item: (item, os.getpid()), range(20), 2))
    assert [item for item, _ in found] == list(range(20))
    assert os.getpid() not in {process for _, process in found}


def test_one_job_is_this_process():
    assert list(in_order(lambda _: os.getpid(), range(3), 1)) == [os.getpid()] * 3


def test_what_a_killed_worker_had_is_computed_here():
    own = os.getpid()

    def fragile(item):
        if item == 5 and os.getpid() != own:
            os.kill(os.getpid(), signal.SIGKILL)
        return item, os.getpid() == own

    found = list(in_order(fragile, range(10), 2))
    assert [item for item, _ in found] == list(range(10))
    assert found[5] == (5, True)
    assert all(here for _, here in found[5:])


def test_workers_end_with_the_loop_that_is_left():
    pids = []
    for pid in in_order(lambda _: os.getpid(), range(100), 2):
        pids.append(pid)
        break
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)
