"""Real worker processes, some of which are killed, raise or never get to speak.

Stand-ins for `do` are nested functions: those travel to workers by value.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from simstudy.errors import ConfigError, UnusableResultsError
from simstudy.running import backends, processes
from simstudy.running import execute as execute_module
from simstudy.running.agenda import Agenda
from simstudy.running.backends import default_jobs, engine
from simstudy.running.costs import Costs
from simstudy.running.execute import Execution, UnfinishedTasksError, opened
from simstudy.running.plan import Task
from simstudy.running.store import Store
from simstudy.running.worker import Outcome, perform


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, 5)


@pytest.fixture
def tasks(scenario):
    """Six small tasks."""
    return [Task(scenario(name=f"s{i}", n=5000), 0, 1, -1) for i in range(6)]


@pytest.fixture
def instead(monkeypatch):
    """Return a function that puts another function in the place of `do`."""

    def put(function):
        for module in (backends, processes):
            monkeypatch.setattr(module, "do", function)

    return put


def files(store):
    return {str(path.relative_to(store.folder)): path.read_bytes() for path in store.folder.rglob("*.npz")}


def run(store, tasks, jobs=2, **choices):
    """Return the outcomes and the notes."""
    notes: list[str] = []
    agenda, chosen = Agenda(Costs()), engine(jobs, **choices)
    for task in tasks:
        agenda.add(iter([task]))
    with opened(chosen, store) as backend:
        return list(Execution(agenda, backend, chosen, notes.append, lambda _: None).outcomes()), notes


def unfinished(outcomes):
    return {outcome.task.scenario.name: outcome for outcome in outcomes if outcome.error}


def test_processes_do_not_change_bytes(tasks, tmp_path):
    here, there = Store(tmp_path / "1", 5), Store(tmp_path / "2", 5)
    inside, _ = run(here, tasks, 1)
    outside, notes = run(there, tasks, 2)
    assert files(here) == files(there)
    assert len(files(here)) == 6
    assert notes == []
    assert {o.task: (o.rows, o.failed) for o in inside} == {o.task: (o.rows, o.failed) for o in outside}


def test_a_killed_worker_costs_one_try(store, tasks, instead, tmp_path):
    once = str(tmp_path / "once")

    def fragile(store, task):
        if task.scenario.name == "s2" and not Path(once).exists():
            Path(once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return perform(store, task)

    instead(fragile)
    outcomes, notes = run(store, tasks)
    assert len(outcomes) == len(files(store)) == 6
    said = "its worker was killed; it is tried again, alone, when all others are done"
    assert notes == [f"scenario 's2', n = 5000, replicates 0-25: {said}"]


def test_a_worker_killed_after_it_wrote_is_not_repeated(store, tasks, instead, tmp_path):
    once = str(tmp_path / "once")

    def fragile(store, task):
        outcome = perform(store, task)
        if task.scenario.name == "s2" and not Path(once).exists():
            Path(once).write_text(str(store.path(task.scenario, 0, 1).stat().st_mtime_ns))
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome

    instead(fragile)
    outcomes, _ = run(store, tasks)
    assert len(outcomes) == 6
    written = store.path(tasks[2].scenario, 0, 1).stat().st_mtime_ns
    assert written == int(Path(once).read_text())


def test_a_task_that_always_kills_its_worker_is_given_up(store, tasks, instead, tmp_path):
    tries = str(tmp_path / "tries")

    def killer(store, task):
        if task.scenario.name == "s0":
            with Path(tries).open("a") as file:
                file.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return perform(store, task)

    instead(killer)
    outcomes, notes = run(store, tasks)
    assert unfinished(outcomes) == {"s0": outcomes[-1]}
    assert outcomes[-1].kind == "crashed"
    assert outcomes[-1].error.startswith("its worker was killed each time")
    assert len(notes) == 2
    assert len(files(store)) == 5
    assert Path(tries).read_text() == "xxx"


def test_an_unfinished_run_says_so(tasks):
    error = UnfinishedTasksError([Outcome(tasks[0], error="x", kind="raised", replicate=7)], Path("my results"))
    assert error.exit_code == 3
    assert str(error).splitlines() == [
        (
            "scenario 's0', n = 5000, replicates 0-25: x (replicate 7); "
            "to replay: simstudy replay 'my results' --scenario s0 --n 5000 --replicate 7"
        ),
        "all other tasks are stored; run the same command again to try these once more",
    ]


def test_a_second_try_is_alone(store, tasks, instead, tmp_path):
    """What was under way when a task was tried for the second time: nothing else."""
    log = str(tmp_path / "log")

    def fragile(store, task):
        name, first = task.scenario.name, not Path(log).exists() or "s0" not in Path(log).read_text()
        with Path(log).open("a") as file:
            file.write(f"+{name} ")
        if name == "s0" and first:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.1)
        outcome = perform(store, task)
        with Path(log).open("a") as file:
            file.write(f"-{name} ")
        return outcome

    instead(fragile)
    outcomes, _ = run(store, tasks)
    assert len(outcomes) == 6
    assert not unfinished(outcomes)
    assert Path(log).read_text().endswith("+s0 -s0 ")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_task_that_never_ends_is_ended(store, tasks, instead, jobs):
    def hanging(store, task):
        while task.scenario.name == "s3":
            time.sleep(0.01)
        return perform(store, task)

    instead(hanging)
    outcomes, notes = run(store, tasks, jobs, task_timeout=0.5)
    assert notes == []
    assert {name: outcome.kind for name, outcome in unfinished(outcomes).items()} == {"s3": "timed out"}
    assert unfinished(outcomes)["s3"].error == "not done within 0.5 s, the limit of --task-timeout"
    assert len(outcomes) == 6
    assert len(files(store)) == 5


def test_a_long_silence_is_told(store, tasks, instead, monkeypatch):
    monkeypatch.setattr(execute_module, "SILENCE_SECONDS", 0.6)

    def slow(store, task):
        time.sleep(2.0)
        return perform(store, task)

    instead(slow)
    _, notes = run(store, tasks[:2])
    assert "under way: scenario 's0', n = 5000, replicates 0-25, scenario 's1'" in notes[0]


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"backend": "loki"}, "--backend: loky, sequential, dask are possible, got 'loki'; did you mean 'loky'?"),
        ({"backend": "loky", "scheduler": "tcp://a:1"}, "--scheduler: needs --backend dask, got --backend loky"),
        ({"backend": "sequential", "jobs": 3}, "--jobs: --backend sequential does one task at a time, got 3"),
        ({"scheduler": "localhost"}, "--scheduler: an address such as tcp://host:8786 is wanted, got 'localhost'"),
        ({"task_timeout": 0.0}, "--task-timeout: a positive number of seconds is wanted, got 0"),
        ({"task_timeout": float("nan")}, "--task-timeout: a positive number of seconds is wanted, got nan"),
    ],
)
def test_choices_that_do_not_go(choices, says):
    with pytest.raises(ConfigError) as caught:
        engine(**choices)
    assert str(caught.value).startswith(says)


def test_the_default_back_end():
    assert engine(1).backend == "sequential"
    assert engine(2).backend == "loky"
    assert engine(1, "loky").backend == "loky"
    assert engine(scheduler="tcp://host:8786").backend == "dask"


def test_workers_that_all_die_end_the_run(store, tasks, instead, monkeypatch):
    monkeypatch.setattr(execute_module, "FRUITLESS_DEATHS", 2)

    def killer(store, task):
        os.kill(os.getpid(), signal.SIGKILL)

    instead(killer)
    outcomes, _ = run(store, tasks)
    assert len(outcomes) == 6
    assert {outcome.error for outcome in outcomes} == {"not run: 2 workers in a row were killed"}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_task_that_raises_does_not_stop_the_others(store, tasks, instead, jobs):
    def faulty(store, task):
        if task.scenario.name in {"s1", "s3"}:
            return perform(store, replace(task, scenario=replace(task.scenario, family="nosuch")))
        return perform(store, task)

    instead(faulty)
    outcomes, _ = run(store, tasks, jobs)
    assert {name: outcome.kind for name, outcome in unfinished(outcomes).items()} == {"s1": "raised", "s3": "raised"}
    assert "Traceback" in UnfinishedTasksError(outcomes, store.folder).__notes__[0]
    assert len(files(store)) == 4


def test_many_unfinished_tasks_are_not_all_listed(tasks):
    error = UnfinishedTasksError([Outcome(task, error="x") for task in tasks * 5], Path("r"))
    assert len(str(error).splitlines()) == 22
    assert str(error).splitlines()[-2] == "… and 10 more tasks"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_that_cannot_be_written_stops_the_run(store, tasks, jobs):
    (store.folder / "blocks").touch()
    with pytest.raises(UnusableResultsError, match="Not a directory"):
        run(store, tasks, jobs)


def test_default_jobs():
    assert 1 <= default_jobs() <= (os.cpu_count() or 1)


def test_a_worker_imports_neither_tables_nor_plots():
    code = "import sys, simstudy.running.worker; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name.split(".")[0] for name in printed.split()}
    assert "numpy" in loaded
    assert loaded.isdisjoint({"pandas", "matplotlib", "seaborn", "pydantic", "yaml", "jinja2", "rich", "typer"})
    assert "scipy.stats" not in printed.split()


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_workers_do_not_outlive_a_killed_parent(tmp_path):
    code = """
import os, time
from joblib import Parallel, delayed, parallel_config
from simstudy.running.worker import prepare
def work():
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(100)
with parallel_config("loky", initializer=prepare, initargs=(os.getpid(),)):
    Parallel(n_jobs=2)(delayed(work)() for _ in range(2))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
    deadline = time.monotonic() + 2
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))
