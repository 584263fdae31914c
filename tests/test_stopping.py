"""Runs that are stopped, killed, or met by another: nothing finished is lost, and a rerun ends the same.

Workers are found by their process group: each run is started in its own session.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

CONFIG = """
study: long
seed: 3
replicates: {replicates}
sample_sizes: [500, 5000]
scenarios:
  - {{family: normal, parameters: {{mean: 0, sd: 1}}}}
  - {{family: poisson, parameters: {{mean: 3}}}}
"""


def start(folder, replicates, jobs=2):
    (folder / "long.yaml").write_text(CONFIG.format(replicates=replicates))
    return subprocess.Popen(
        [sys.executable, "-m", "simstudy", "run", "long.yaml", "--jobs", str(jobs)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(folder, replicates, jobs=2):
    run = start(folder, replicates, jobs)
    stdout, stderr = run.communicate(timeout=300)
    assert run.returncode == 0, stderr
    return stdout, stderr


def stored(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.npz")}


def results(folder):
    """All that a run makes but times and locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in (folder / "results").rglob("*")
        if path.is_file() and path.name not in {"manifest.json", ".lock", ".lock-holder"}
    }


def wait_for_files(folder, count, run):
    deadline = time.monotonic() + 60
    while len(list(folder.rglob("*.npz"))) < count:
        assert run.poll() is None, run.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def session(pid):
    """Processes of a session that are not dead."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if entry.name.isdigit() and int(fields[3]) == pid and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def assert_all_gone(pid, seconds=2.0):
    deadline = time.monotonic() + seconds
    while session(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert session(pid) == []


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(folder, 6_000)
    return results(folder)


linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")


@linux
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("number", "code", "group"), [(signal.SIGINT, 130, True), (signal.SIGTERM, 143, False)])
def test_a_signal_keeps_what_is_finished_and_says_how_to_resume(tmp_path, jobs, number, code, group):
    """Ctrl-C reaches the workers too, a termination only the parent."""
    with start(tmp_path, 400_000, jobs) as run:
        wait_for_files(tmp_path, 2, run)
        kept = set(stored(tmp_path))
        asked = time.monotonic()
        (os.killpg if group else os.kill)(run.pid, number)
        stdout, stderr = run.communicate(timeout=20)
        assert time.monotonic() - asked < 5
    assert run.returncode == code
    assert stdout == ""
    said = f"stopped; finished tasks are kept. To resume: simstudy run long.yaml --jobs {jobs}"
    assert stderr.splitlines()[-1] == said
    assert "Traceback" not in stderr
    assert "Warning" not in stderr
    assert_all_gone(run.pid)
    assert kept <= set(stored(tmp_path))
    assert not list(tmp_path.rglob("*.tmp"))


@linux
def test_a_second_run_is_refused_while_the_first_goes_on(tmp_path):
    with start(tmp_path, 400_000) as first:
        wait_for_files(tmp_path, 1, first)
        with start(tmp_path, 400_000) as second:
            stdout, stderr = second.communicate(timeout=30)
        assert (second.returncode, stdout) == (4, "")
        assert stderr.startswith(f"error: results/long: locked by process {first.pid} on ")
        assert len(stderr.splitlines()) == 1
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=20)


def kill_and_rerun(folder, rng, undisturbed):
    with start(folder, 6_000) as run:
        time.sleep(rng.uniform(0.3, 2.5))
        run.kill()
        run.communicate()
    assert_all_gone(run.pid)
    finish(folder, 6_000)
    assert results(folder) == undisturbed


@linux
def test_a_killed_run_is_finished_by_the_next(tmp_path, undisturbed):
    with start(tmp_path, 6_000) as run:
        wait_for_files(tmp_path, 1, run)
        run.kill()
        run.communicate()
    assert_all_gone(run.pid)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("[0-9]*.npz")}
    assert kept
    (tmp_path / "results/long/.manifest.json.1.tmp").touch()
    finish(tmp_path, 6_000)
    assert results(tmp_path) == undisturbed
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@linux
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_random_times(tmp_path, undisturbed, seed):
    kill_and_rerun(tmp_path, random.Random(seed), undisturbed)


@linux
def test_a_worker_killed_from_outside_costs_nothing(tmp_path, undisturbed):
    with start(tmp_path, 6_000) as run:
        wait_for_files(tmp_path, 1, run)
        workers = [pid for pid in session(run.pid) if b"popen_loky_posix" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(workers[0], signal.SIGKILL)
        _, stderr = run.communicate(timeout=120)
    assert run.returncode == 0, stderr
    assert results(tmp_path) == undisturbed
