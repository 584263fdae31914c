"""Worker processes that compute things in order."""

from __future__ import annotations

import inspect
import warnings

from joblib.externals.loky import process_executor

from simstudy.running.pool import workers

MODULE = process_executor.__name__
REPLACED = "A worker stopped while some jobs were given to the executor. This can be caused by a memory leak."


def test_the_warning_of_a_replaced_worker_cannot_end_the_thread_that_it_comes_from():
    """It is raised in a thread of the pool, long after the call; as an error it would leave all waiting for ever."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with workers():
            pass
        warnings.warn_explicit(REPLACED, UserWarning, "process_executor.py", 1, module=MODULE)


def test_the_warning_is_still_worded_so():
    text = "".join(line.strip().strip('"') for line in inspect.getsource(process_executor).splitlines())
    assert "A worker stopped while some jobs were given to the executor" in text
