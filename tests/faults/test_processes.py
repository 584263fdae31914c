"""Kills of the program and of its workers; tasks that raise, kill, take all memory or never end."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.program import alive, blocks, call, children, ended, start, tree, until
from tests.plugins import BASE

BACKENDS = ("loky", "dask")

SMALL = """
study: small
seed: 3
replicates: 500000
sample_sizes: [20, 40]
scenarios:
  - {name: e, family: exponential, parameters: {rate: 1.0}}
"""
"""Some 16 tasks, none longer than a fraction of a second."""

PLUGIN = (
    BASE
    + '''
import os, signal, time
from pathlib import Path

class Own(_Rayleigh):
    """A family that does harm at some sample sizes."""

    name = "own"
    formula = "log p(x) = log x − 2 log scale − x²/(2 scale²)"

    def sample(self, rng, theta, size):
        x = super().sample(rng, theta, size)
        if size[1] == 7:
            with Path("tries").open("a") as file:
                file.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        if size[1] == 8:
            time.sleep(10000)
        if size[1] == 9:
            raise ValueError("two\\nlines")
        if size[1] == 10:
            np.empty(10**15)
        if size[1] == 11 and not Path("once").exists():
            Path("once").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return x
'''
)
HARMFUL = """
study: harmful
seed: 3
replicates: 100
sample_sizes: {sizes}
scenarios:
  - {{name: s, family: own, parameters: {{scale: 1.0}}}}
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a run of the small study writes when nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "small.yaml").write_text(SMALL)
    done = call(folder, "run", "small.yaml", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    return tree(folder / "results")


@pytest.fixture
def here(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "own.py").write_text(PLUGIN)
    return tmp_path


def command(backend):
    return "run", "small.yaml", "--jobs", 2, "--backend", backend


def harm(here: Path, backend: str, sizes: list[int], *words: object):
    (here / "harmful.yaml").write_text(HARMFUL.format(sizes=sizes))
    return call(here, "run", "harmful.yaml", "--plugin", "own.py", "--backend", backend, *words)


def stored(here: Path) -> set[int]:
    """Return the sample sizes that are stored."""
    return {int(path.parent.name.removeprefix("n=")) for path in here.glob("results/*/blocks/s/*/*.npz")}


# ---- the program is killed ---------------------------------------------------------------------------------------


def killed_after(here, backend, seconds):
    """Kill the program, and wait until nothing of it is left."""
    process = start(here, *command(backend))
    time.sleep(seconds)
    family = children(process)
    process.kill()
    printed = ended(process).stderr
    until(lambda: not alive(family), 2.0)
    assert "Traceback" not in printed


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_killed_run_goes_on_where_it_was(here, undisturbed, backend):
    process = start(here, *command(backend))
    until(lambda: len(list(here.rglob("*.npz"))) > 2 or process.poll() is not None)
    family, kept = children(process), blocks(here)
    process.kill()
    assert "Traceback" not in ended(process).stderr
    until(lambda: not alive(family), 2.0)
    assert kept.items() <= blocks(here).items()
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*.npz")}
    again = call(here, *command(backend))
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert tree(here / "results") == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_fifty_kills_at_any_time(here, undisturbed, backend):
    chance, clock = random.Random(f"{backend} 5"), time.monotonic()
    assert call(here, *command(backend), "--results", "first").returncode == 0
    whole = time.monotonic() - clock
    for _ in range(50):
        killed_after(here, backend, chance.uniform(0.0, whole))
    assert call(here, *command(backend)).returncode == 0
    assert tree(here / "results") == undisturbed


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_in_order(here, backend, number, code):
    process = start(here, *command(backend))
    until(lambda: list(here.rglob("*.npz")) or process.poll() is not None)
    family, clock = children(process), time.monotonic()
    process.send_signal(number)
    done = ended(process)  # returns when its streams are closed
    assert time.monotonic() - clock < 5.0
    assert done.returncode == code, done.stderr
    assert done.stderr.splitlines()[-1] == (
        f"stopped; finished tasks are kept. To resume: simstudy run small.yaml --jobs 2 --backend {backend}"
    )
    assert "Traceback" not in done.stderr
    until(lambda: not alive(family), 2.0)
    assert not list(here.rglob("*.tmp"))


# ---- a worker is killed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_that_dies_once_costs_nothing(here, backend):
    done = harm(here, backend, [11], "--jobs", 2)
    assert done.returncode == 0, done.stderr
    assert "n = 11, replicates 0-4095: its worker was killed; it is tried again, alone" in done.stderr
    (run,) = json.loads((here / "results/harmful/manifest.json").read_text())["runs"]
    assert run["retried"] == 1
    assert run["backend"] == backend


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_workers_killed_from_outside(here, undisturbed, backend):
    """Every worker that is seen is killed, some times over."""
    process = start(here, *command(backend), "--quiet")
    until(lambda: list(here.rglob("*.npz")) or process.poll() is not None)
    for _ in range(3):
        until(lambda: workers(process) or process.poll() is not None)
        time.sleep(0.2)
        for worker in workers(process):
            worker.kill()
    assert ended(process).returncode in {0, 3}
    assert call(here, *command(backend)).returncode == 0
    assert tree(here / "results") == undisturbed


def workers(process):
    return [child for child in alive(children(process)) if "resource_tracker" not in " ".join(child.cmdline())]


@pytest.mark.parametrize("backend", BACKENDS)
def test_tasks_that_cannot_be_done(here, backend):
    """One kills its worker each time, one never ends, one raises, one wants all memory; all others are done."""
    done = harm(here, backend, [5, 6, 7, 8, 9, 10], "--jobs", 2, "--task-timeout", 3)
    assert done.returncode == 3, done.stderr
    said = {line.split(", ")[1]: line for line in done.stderr.splitlines() if line.startswith("error: scenario")}
    assert said.keys() == {"n = 7", "n = 8", "n = 9", "n = 10"}
    assert "its worker was killed each time" in said["n = 7"]
    assert "not done within 3 s, the limit of --task-timeout" in said["n = 8"]
    assert "own.py:" in said["n = 9"]
    assert "ValueError: two lines" in said["n = 9"]
    assert "out of memory" in said["n = 10"]
    assert (here / "tries").read_text() == "xxx"
    assert stored(here) == {5, 6}
    assert "Traceback" not in done.stderr


def test_a_task_that_never_ends_in_this_process(here):
    done = harm(here, "sequential", [5, 8], "--task-timeout", 1)
    assert done.returncode == 3, done.stderr
    assert "n = 8, replicates 0-4095: not done within 1 s" in done.stderr
    assert stored(here) == {5}
