"""What would not fit is refused, with numbers, at once, before anything is allocated."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest

from simstudy.errors import UnusableResultsError
from simstudy.running import preflight
from simstudy.running.backends import engine
from simstudy.running.complete import complete
from simstudy.running.footprint import WORKER_BYTES, worker_bytes
from simstudy.running.progress import Silent
from simstudy.study.config import from_dict

GB = 10**9


def study(**changes):
    config = {
        "study": "big",
        "seed": 1,
        "replicates": 100,
        "sample_sizes": [20],
        "scenarios": [{"name": "a", "family": "normal", "parameters": {"mean": 0, "sd": 1}}],
    }
    return config | changes


@pytest.fixture
def machine(monkeypatch):
    """Return a function that gives the machine so much memory, and disk."""

    def have(memory=10**15, own=2**62, disk=10**15):
        monkeypatch.setattr(preflight, "available_memory", lambda: memory)
        monkeypatch.setattr(preflight, "own_memory", lambda: own)
        monkeypatch.setattr(preflight, "free_disk", lambda _: disk)

    return have


def test_a_study_that_fits_is_let_through(machine, tmp_path):
    machine(memory=2 * WORKER_BYTES, disk=10**6)
    preflight.check(tmp_path / "none", from_dict(study()), 1)


def test_the_disk_counts_what_is_stored_already(machine, tmp_path):
    machine()
    complete(tmp_path, from_dict(study()), engine(1), "", Silent())
    (file,) = tmp_path.rglob("*.npz")
    machine(disk=5000)
    preflight.check(tmp_path, from_dict(study()), 1)
    more = from_dict(study(replicates=10**6))
    found = rf"no space: the study takes about 147,\d+,\d+ bytes, and 5,000 are free and {file.stat().st_size:,} are"
    with pytest.raises(UnusableResultsError, match=found):
        preflight.check(tmp_path, more, 1)
    at_most = study(replicates=10**6, precision={"bias": "1%"})
    with pytest.raises(UnusableResultsError, match="takes at most 147,"):
        preflight.check(tmp_path, from_dict(at_most), 1)


def test_a_task_too_large_for_the_machine(machine, tmp_path):
    machine(memory=4 * GB)
    large = from_dict(study(sample_sizes=[20, 10**9]))
    found = (
        r"scenario 'a', n = 1000000000: no memory: a task takes about 24,\d+,\d+,\d+ bytes, and 4,000,000,000 are "
        "available; use smaller sample sizes or a machine with more memory$"
    )
    with pytest.raises(UnusableResultsError, match=found):
        preflight.check(tmp_path, large, 2)


def test_tasks_too_large_together_say_how_many_jobs_fit(machine, tmp_path):
    large = from_dict(study(sample_sizes=[10**7]))
    one = worker_bytes(large.scenarios[0])
    machine(memory=3 * one)
    preflight.check(tmp_path, large, 3)
    with pytest.raises(UnusableResultsError, match=rf"{one:,} bytes, 4 tasks at a time {4 * one:,}, .* use --jobs 3 "):
        preflight.check(tmp_path, large, 4)


def test_only_as_many_tasks_at_a_time_as_there_are(machine, tmp_path):
    """Of the large cell there are two data sets, and the other tasks are small."""
    large = from_dict(study(replicates=2, sample_sizes=[20, 2**25]))
    machine(memory=2 * worker_bytes(large.scenarios[1]) + 7 * WORKER_BYTES)
    preflight.check(tmp_path, large, 8)


def test_the_limit_of_a_process_holds_for_each(machine, tmp_path):
    machine(own=GB)
    with pytest.raises(UnusableResultsError, match=rf"and {GB + WORKER_BYTES:,} are available; use smaller sample"):
        preflight.check(tmp_path, from_dict(study(sample_sizes=[10**8])), 1)


def test_what_is_stored_takes_no_memory(machine, tmp_path):
    machine()
    complete(tmp_path, from_dict(study(sample_sizes=[20, 10**6], replicates=2)), engine(1), "", Silent())
    machine(memory=WORKER_BYTES)
    preflight.check(tmp_path, from_dict(study(sample_sizes=[20, 10**6], replicates=2)), 2)
    with pytest.raises(UnusableResultsError, match="n = 1000000: no memory"):
        preflight.check(tmp_path, from_dict(study(sample_sizes=[20, 10**6], replicates=3)), 2)


def test_disk_and_memory_are_told_together(machine, tmp_path):
    machine(memory=GB, disk=GB)
    with pytest.raises(UnusableResultsError) as caught:
        preflight.check(tmp_path, from_dict(study(sample_sizes=[10**9], replicates=10**9)), 1)
    assert [line.partition(": ")[2][:9] for line in str(caught.value).splitlines()] == ["no space:", "no memory"]


MEASURE = """
import json, resource, subprocess, sys, time
start = time.monotonic()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
seconds, peak = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(json.dumps([done.returncode, done.stdout, done.stderr, seconds, peak]))
"""
GRID = [1 + i / 10 for i in range(3200)]


def told(tmp_path, config, *arguments):
    """Return exit code, both streams, seconds and peak memory of a run of the program on a config."""
    path = tmp_path / "big.yaml"
    path.write_text(json.dumps(config))
    verb, *rest = arguments or ("run", "--results", str(tmp_path / "results"), "--quiet")
    command = [sys.executable, "-m", "simstudy", verb, str(path), *rest]
    done = subprocess.run([sys.executable, "-c", MEASURE, *command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def gamma(**values):
    return [{"family": "gamma", "parameters": {"shape": 2.0, "scale": 1.0} | values}]


REFUSED = {
    "ten million cells": (study(scenarios=gamma(shape=GRID, scale=GRID)), 2, r"10,240,000 cells .* at most 10,000$"),
    "endless sizes": (study(sample_sizes={"from": 1, "to": 10**9, "ratio": 1.0000001}), 2, "more than 10,000 steps"),
    "R of 1e18": (study(replicates=10**18), 2, "from 2 to 1,000,000,000, got 1000000000000000000$"),
    "n of 1e15": (study(sample_sizes=[10**15]), 2, "from 1 to 1,000,000,000, got 1000000000000000$"),
    "1e12 replicates": (
        study(replicates=10**9, sample_sizes={"from": 10, "to": 5000, "ratio": 1.0063}),
        5,
        r"no space: the study takes about 10\d,\d+,\d+,\d+,\d+ bytes, and [\d,]+ are free",
    ),
    "1e9 data sets of 1e9": (study(replicates=10**9, sample_sizes=[10**9]), 5, "no space: the study takes about"),
}


@pytest.fixture(scope="module")
def start():
    """Seconds and memory that the program takes to say its version with the modules of a run loaded."""
    code = "import simstudy.api, simstudy.cli"
    command = [sys.executable, "-c", MEASURE, sys.executable, "-c", code]
    *_, seconds, peak = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return seconds, peak


@pytest.mark.parametrize("case", REFUSED)
def test_the_enormous_is_refused_in_no_time_and_no_memory(tmp_path, case, start):
    config, code, message = REFUSED[case]
    found, out, err, seconds, peak = told(tmp_path, config)
    assert (found, out) == (code, "")
    assert re.search(message, err.splitlines()[0])
    assert all(line.startswith("error: ") for line in err.splitlines())
    assert seconds < 3 * start[0] + 2
    assert peak < start[1] + 30 * 10**6
    assert not list(tmp_path.rglob("*.npz"))


def test_replicates_of_the_command_line(tmp_path):
    found = told(tmp_path, study(), "check", "--replicates", "99999999999999")
    assert (found[0], found[1]) == (2, "")
    assert found[2].endswith("from 2 to 1,000,000,000, got 99999999999999\n")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are those of Linux")
def test_a_machine_of_little_memory(tmp_path):
    """Four gigabytes of address space, and a data set of eight."""
    path = tmp_path / "big.yaml"
    path.write_text(json.dumps(study(sample_sizes=[20, 10**9], replicates=2)))
    limit = 4 * 2**30
    code = (
        f"import os, resource; resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}));"
        f"os.execv({sys.executable!r}, [{sys.executable!r}, *{['-m', 'simstudy', 'run', str(path), '-j', '1']!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert re.fullmatch(
        r"error: scenario 'a', n = 1000000000: no memory: a task takes about 24,[\d,]+ bytes, and [\d,]+ are "
        r"available; use smaller sample sizes or a machine with more memory\n",
        done.stderr,
    )


def test_a_pilot_that_does_not_fit(tmp_path):
    found = told(tmp_path, study(), "plan", "--pilot", "999999999999")
    assert (found[0], found[1]) == (5, "")
    assert "n = 20: no memory: a task takes about 588,000," in found[2]


def test_a_hundred_million_replicates_are_planned_at_once(tmp_path, start):
    found, out, _, seconds, peak = told(tmp_path, study(replicates=10**8, sample_sizes=[20, 10**5]), "check")
    assert found == 0
    header, *rows, _, total = out.splitlines()
    assert header.split()[-2:] == ["disk", "memory"]
    assert {len(line) for line in (header, *rows)} == {len(header)}
    assert re.search(r"GB on disk, at most 1\d\d\.\d MB of memory in a worker$", total)
    assert peak < start[1] + 30 * 10**6
    assert seconds < 3 * start[0] + 5


def test_nothing_takes_long_for_the_largest_study(machine, tmp_path):
    """Ten thousand cells of a billion replicates."""
    machine(disk=10**18, memory=10**15)
    sizes = {"from": 1000, "to": 5 * 10**6, "ratio": 1.008}
    large = from_dict(study(replicates=10**9, scenarios=gamma(shape=GRID[:9]), sample_sizes=sizes))
    begun = time.process_time()
    preflight.check(tmp_path, large, os.cpu_count())
    assert len(large.scenarios) > 9000
    assert time.process_time() - begun < 2
