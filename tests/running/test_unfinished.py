from __future__ import annotations

import pytest

from simstudy.running import manifest, unfinished, worker
from simstudy.running.backends import engine
from simstudy.running.complete import complete
from simstudy.running.execute import UnfinishedTasksError
from simstudy.running.plan import Task
from simstudy.running.progress import Silent
from simstudy.running.store import Store
from simstudy.running.unfinished import Unfinished
from simstudy.running.worker import Outcome
from simstudy.study.config import loads
from simstudy.study.streams import block_size

STUDY = loads("""
study: s
seed: 1
replicates: 10
sample_sizes: [20, 9000]
scenarios:
  - {name: a, family: normal, parameters: {mean: 0, sd: 1}}
  - {name: b, family: normal, parameters: {mean: 1, sd: 1}}
""")


def run(folder):
    complete(folder, STUDY, engine(1), "simstudy run s.yaml", Silent())
    return manifest.read(folder)


def entry(**changes):
    found = {"scenario": "a", "n": 20, "first": 0, "last": 3275, "replicate": None}
    return found | {"kind": "raised", "message": "m", "traceback": "t"} | changes


def failing(name, error):
    """Return a simulation that raises in one scenario."""
    sound = worker.simulate

    def simulate(scenario, *rest):
        if scenario.name == name:
            raise error
        return sound(scenario, *rest)

    return simulate


def test_an_entry_has_all_that_is_known_of_a_task(scenario):
    cell = scenario(n=50)
    size = block_size(50)
    (found,) = unfinished.entries(
        [Outcome(Task(cell, 0, 3, 1), error="e", traceback="t", kind="timed out", replicate=2700)]
    )
    assert found == {
        "scenario": "base",
        "n": 50,
        "first": 2 * size,
        "last": 4 * size - 1,
        "replicate": 2700,
        "kind": "timed out",
        "message": "e",
        "traceback": "t",
    }
    assert unfinished.recorded({"unfinished": [found]}) == ([Unfinished(**found)], [])


def test_the_traceback_is_kept_of_the_first_hundred(scenario):
    found = unfinished.entries([Outcome(Task(scenario(), 0, 0, -1), error="e", traceback="t")] * 130)
    assert [each["traceback"] for each in found] == ["t"] * 100 + [""] * 30


def test_a_task_that_raises_is_recorded_and_forgotten_when_it_is_done(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(worker, "simulate", failing("b", ZeroDivisionError("once")))
        with pytest.raises(UnfinishedTasksError):
            run(tmp_path)
    found = manifest.read(tmp_path)["unfinished"]
    tasks = {(each["scenario"], each["n"], each["first"], each["last"]) for each in found}
    assert tasks == {("b", 20, 0, 3275), ("b", 9000, 0, 13)}
    assert all(each["kind"] == "raised" and "ZeroDivisionError" in each["traceback"] for each in found)
    assert all(each["message"] == "ZeroDivisionError: once" for each in found)
    assert "unfinished" not in run(tmp_path)


def test_a_run_that_is_stopped_keeps_what_is_unfinished_still(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(worker, "simulate", failing("b", ZeroDivisionError("once")))
        with pytest.raises(UnfinishedTasksError):
            run(tmp_path)
        before = manifest.read(tmp_path)["unfinished"]
        patch.setattr(worker, "simulate", failing("b", KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    assert manifest.read(tmp_path)["unfinished"] == before


def test_what_was_stored_since_is_not_unfinished(tmp_path):
    run(tmp_path)
    store = Store(tmp_path, STUDY.seed)
    found, damaged = unfinished.recorded(
        {"unfinished": [entry(), entry(first=3276, last=6551), entry(n=9000, last=20)]}
    )
    assert not damaged
    assert unfinished.current(found, store, STUDY) == [found[2]]  # the second lies beyond the study
    gone = [Unfinished(**entry(scenario="z")), Unfinished(**entry(n=21))]
    assert unfinished.current(gone, store, STUDY) == []


@pytest.mark.parametrize(
    "changes",
    [{"n": "20"}, {"n": 0}, {"first": 9, "last": 8}, {"first": -1}, {"replicate": 1.5}, {"kind": 3}, {"more": 1}],
)
def test_a_damaged_entry_is_one_line_and_the_others_are_read(changes):
    found, damaged = unfinished.recorded({"unfinished": [entry(**changes), entry()]})
    assert found == [Unfinished(**entry())]
    assert damaged == ["unfinished, entry 1: damaged: its keys or their values are not those of a task"]


@pytest.mark.parametrize("listed", [[3], [None], [[]], ["abc"]])
def test_an_entry_that_is_no_mapping_is_one_line(listed):
    assert unfinished.recorded({"unfinished": listed}) == (
        [],
        ["unfinished, entry 1: damaged: its keys or their values are not those of a task"],
    )


def test_a_record_that_is_no_list_is_one_line():
    assert unfinished.recorded({"unfinished": {}}) == ([], ["unfinished: damaged: it is no list"])
    assert unfinished.recorded({}) == ([], [])
