"""A running dask cluster: used by address, gone in the middle, not there at all."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from tests.faults.program import blocks, call, ended, environment, start, until
from tests.faults.test_processes import SMALL

LONG = SMALL.replace("500000", "4000000")


@pytest.fixture
def cluster(tmp_path):
    """A scheduler with two workers that know nothing of the study: its address, and the processes."""
    (tmp_path / "small.yaml").write_text(SMALL)
    file = tmp_path / "scheduler.json"
    scheduler = [*_module("scheduler"), "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    worker = [*_module("worker"), "--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path / "scratch")]
    processes = [_started([*scheduler, "--scheduler-file", str(file)])]
    until(file.exists)
    processes += [_started([*worker, "--scheduler-file", str(file)]) for _ in range(2)]
    yield json.loads(file.read_text())["address"], processes
    for process in reversed(processes):
        process.kill()
        process.wait()


def _module(name):
    return [sys.executable, "-m", f"distributed.cli.dask_{name}"]


def _started(words):
    quiet = subprocess.DEVNULL
    return subprocess.Popen(words, env=environment(), stdout=quiet, stderr=quiet, start_new_session=True)


def test_a_running_cluster(tmp_path, cluster):
    address, _ = cluster
    done = call(tmp_path, "run", "small.yaml", "--scheduler", address)
    assert done.returncode == 0, done.stderr
    assert call(tmp_path, "run", "small.yaml", "--jobs", 1, "--results", "here").returncode == 0
    assert blocks(tmp_path / "results") == blocks(tmp_path / "here")
    (run,) = json.loads((tmp_path / "results/small/manifest.json").read_text())["runs"]
    assert run["backend"] == "dask"


@pytest.mark.slow
def test_a_scheduler_that_goes_away(tmp_path, cluster):
    address, processes = cluster
    (tmp_path / "small.yaml").write_text(LONG)
    process = start(tmp_path, "run", "small.yaml", "--scheduler", address)
    until(lambda: blocks(tmp_path / "results") or process.poll() is not None)
    processes[0].kill()
    clock = time.monotonic()
    done = ended(process)
    assert time.monotonic() - clock < 60.0
    assert done.returncode == 5, done.stderr
    assert "error: the dask scheduler is gone: " in done.stderr
    assert done.stderr.rstrip().endswith("finished tasks are kept; run the same command again to go on")
    assert "Traceback" not in done.stderr


def test_no_scheduler_there(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)
    done = call(tmp_path, "run", "small.yaml", "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 5, done.stderr
    assert "--scheduler tcp://127.0.0.1:1: no dask scheduler answers there: " in done.stderr
    assert "Traceback" not in done.stderr
