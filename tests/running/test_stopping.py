from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import Stopped, UnusableResultsError
from simstudy.results import Results
from simstudy.running import backends, manifest
from simstudy.running.backends import engine
from simstudy.running.block import simulate
from simstudy.running.complete import complete
from simstudy.running.execute import UnfinishedTasksError
from simstudy.running.plan import Task, task_blocks
from simstudy.running.progress import Silent
from simstudy.running.stopping import FIRST, checkpoints, stages
from simstudy.running.store import Store
from simstudy.running.worker import Outcome
from simstudy.study.config import loads, to_dict
from simstudy.study.precision import capped
from simstudy.study.replicates import concatenate
from simstudy.study.scenario import Stop
from simstudy.study.streams import block_size

SIZES = st.integers(1, 10**7)
STUDY = loads("""
study: s
seed: 1
replicates: 4000
sample_sizes: [500, 40000]
precision: {bias: 0.001}
scenarios:
  - {name: a, family: normal, parameters: {mean: 0, sd: 1}}
  - {name: plain, family: exponential, parameters: {rate: 1}, sample_sizes: [500]}
""")
STUDY = replace(STUDY, scenarios=(*STUDY.scenarios[:2], replace(STUDY.scenarios[2], precision=())))
"""Two cells that stop by precision, of 131 and 1 replicates a block, 256 and 419 blocks a task; one without targets."""


# ---- checkpoints -------------------------------------------------------------------------------------------------


@given(SIZES, st.integers(1, 40))
def test_checkpoints_grow_by_about_a_half(n, size):
    blocks = list(islice(checkpoints(n, size), 30))
    assert all(before < after for before, after in pairwise(blocks))
    whole = task_blocks(n, size)
    assert all(count < whole or count % whole == 0 for count in blocks)
    tasks = [count // whole for count in blocks if count >= whole]
    assert all(2 * after in {3 * before, 3 * before + 1} for before, after in pairwise(tasks))
    inside = [count for count in blocks if count < whole]
    assert all(2 * after in {3 * before, 3 * before + 1} for before, after in pairwise(inside))
    assert not inside or blocks[len(inside)] == whole


@given(SIZES, st.integers(1, 40))
def test_the_first_checkpoint_is_the_least_of_its_kind(n, size):
    first, whole = next(checkpoints(n, size)), task_blocks(n, size)
    assert first * block_size(n) >= FIRST
    unit = 1 if first < whole else whole
    assert (first - unit) * block_size(n) < FIRST


@given(SIZES, st.integers(2, 10**6), st.integers(2, 10**6))
def test_stages_below_both_caps_are_the_same(n, cap, other):
    cell = replace(STUDY.scenarios[0], n=n)
    low, high = (list(stages(replace(cell, replicates=each))) for each in sorted((cap, other)))
    assert low[-1] == min(cap, other)
    assert high[: len(low) - 1] == low[:-1]


def test_stages_are_of_n_and_p_alone():
    cell = STUDY.scenarios[0]
    other = replace(cell, name="b", family="gamma", names=("shape", "scale"), values=(2.0, 1.0), fit="gamma", level=0.5)
    assert list(stages(other)) == list(stages(cell))
    assert list(stages(replace(cell, precision=()))) == [4000]


# ---- stopping ----------------------------------------------------------------------------------------------------


def enough_from(wanted, seen=None):
    """Return a decision that wants so many replicates of each n, and notes what it was asked."""

    def precise(scenario, replicates):
        assert len(replicates) == scenario.replicates
        if seen is not None:
            seen.append((scenario.n, len(replicates)))
        return len(replicates) >= wanted[scenario.n]

    return precise


def run(folder, precise, study=STUDY, jobs=1):
    folder.mkdir(exist_ok=True)
    complete(folder, study, engine(jobs), "simstudy run s.yaml", Silent(), precise)
    return Results(folder)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in (folder / "blocks").rglob("*.npz")}


def reached(results):
    return {(cell.name, cell.n): cell.replicates for cell in results.study.scenarios}


def without_precision(folder, counts):
    """Store so many replicates of the cells of each n, by runs that do not stop by precision."""
    for cell in STUDY.scenarios:
        alone = replace(cell, precision=(), replicates=counts[cell.n])
        complete(folder, replace(STUDY, scenarios=(alone,)), engine(1), "simstudy run s.yaml", Silent())


WANTED = {500: 1000, 40000: 600}
REACHED = {("a", 500): 1179, ("a", 40000): 838, ("plain", 500): 4000}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A run that had nothing stored, and what it asked."""
    seen = []
    return run(tmp_path_factory.mktemp("fresh"), enough_from(WANTED, seen)), seen


def test_a_cell_stops_at_the_first_checkpoint_that_suffices(fresh):
    results, seen = fresh
    assert reached(results) == REACHED
    assert sorted(seen) == [(500, 524), (500, 786), (500, 1179), (40000, 838)]
    assert [cell.stop for cell in results.study.scenarios] == [Stop(4000, True), Stop(4000, True), None]
    assert to_dict(results.study) == to_dict(STUDY)
    assert len(results.replicates("a", 500)) == 1179
    assert set(files(results.folder)) == {
        "blocks/a/n=500/0-1178.npz",
        "blocks/a/n=40000/0-418.npz",
        "blocks/a/n=40000/419-837.npz",
        "blocks/plain/n=500/0-4060.npz",
    }


def test_a_decision_sees_the_first_replicates_alone(tmp_path, assert_same):
    """Whatever is stored beyond the checkpoint, it is not looked at."""
    without_precision(tmp_path, {500: 4000, 40000: 900})
    asked = {}

    def precise(scenario, replicates):
        asked[scenario.n, len(replicates)] = replicates
        return len(replicates) > 600

    run(tmp_path, precise)
    assert list(asked) == [(500, 524), (500, 786), (40000, 838)]
    assert_same(concatenate(list(asked[500, 786])), simulate(STUDY.scenarios[0], 1, 0, 5))


@pytest.mark.parametrize(
    ("stored", "jobs"), [({500: 131, 40000: 5}, 1), ({500: 800, 40000: 500}, 2), ({500: 1100, 40000: 838}, 1)]
)
def test_what_is_stored_before_changes_nothing(tmp_path, fresh, stored, jobs):
    without_precision(tmp_path, stored)
    results = run(tmp_path, enough_from(WANTED), jobs=jobs)
    assert reached(results) == REACHED
    assert files(tmp_path) == files(fresh[0].folder)


@pytest.mark.parametrize("moment", ["write", "remove_superseded"])
@pytest.mark.parametrize("count", range(7))
def test_a_run_that_dies_at_any_file_ends_the_same(tmp_path, monkeypatch, moment, count):
    """Dead before the file is written, or after that and before the shorter one is removed."""
    quick = replace(STUDY, scenarios=tuple(replace(STUDY.scenarios[0], n=n, replicates=900) for n in (500, 700)))
    wanted = {500: 700, 700: 10_000}
    whole = run(tmp_path / "whole", enough_from(wanted), quick)
    original, calls = getattr(Store, moment), []

    def die(self, *arguments):
        calls.append(len(arguments) == 2)  # not the tidying at the start of a run
        if calls[-1] and sum(calls) > count:
            raise Stopped(137)
        return original(self, *arguments)

    monkeypatch.setattr(Store, moment, die)
    with contextlib.suppress(Stopped):
        run(tmp_path / "killed", enough_from(wanted), quick)
    monkeypatch.undo()
    results = run(tmp_path / "killed", enough_from(wanted), quick)
    assert reached(results) == reached(whole) == {("a", 500): 786, ("a", 700): 900}
    assert files(results.folder) == files(whole.folder)
    assert results.manifest["reached"] == whole.manifest["reached"]


def test_running_again_simulates_nothing(tmp_path):
    before = run(tmp_path, enough_from(WANTED))
    content = (tmp_path / manifest.NAME).read_bytes()
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    run(tmp_path, enough_from(WANTED))
    assert (tmp_path / manifest.NAME).read_bytes() == content
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")} == times
    (entry,) = before.manifest["runs"]
    assert (entry["tasks"], entry["replicates"]) == (1 + 1 + 1 + 2 + 1, 1179 + 838 + 31 * 131)


def test_a_wish_for_more_continues_and_for_less_keeps_what_is_stored(tmp_path, fresh):
    more = {500: 1500, 40000: 900}
    run(tmp_path / "grown", enough_from(WANTED))
    grown = run(tmp_path / "grown", enough_from(more))
    at_once = run(tmp_path / "at-once", enough_from(more))
    assert reached(grown) == reached(at_once) == {("a", 500): 1834, ("a", 40000): 1257, ("plain", 500): 4000}
    assert files(grown.folder) == files(at_once.folder)
    back = run(tmp_path / "grown", enough_from(WANTED))
    assert reached(back) == REACHED
    assert files(back.folder) == files(at_once.folder)
    np.testing.assert_array_equal(back.replicates("a", 500), fresh[0].replicates("a", 500))


def test_a_cap_that_is_hit_is_told_and_raising_it_continues(tmp_path, fresh):
    low = replace(STUDY, scenarios=tuple(replace(cell, replicates=900) for cell in STUDY.scenarios))
    results = run(tmp_path, enough_from(WANTED), low)
    assert reached(results) == {("a", 500): 900, ("a", 40000): 838, ("plain", 500): 900}
    assert [cell.stop for cell in results.study.scenarios] == [Stop(900, False), Stop(900, True), None]
    said = "1 of 2 cells reached 900 replicates, the cap, before its precision: a, n = 500"
    assert capped(results.study) == said
    assert capped(run(tmp_path, enough_from(WANTED)).study) == ""
    assert files(tmp_path) == files(fresh[0].folder)


def test_at_the_cap_the_targets_may_be_met(tmp_path):
    exact = replace(STUDY, scenarios=(replace(STUDY.scenarios[0], replicates=700),))
    results = run(tmp_path, enough_from({500: 700}), exact)
    assert results.study.scenarios[0].stop == Stop(700, True)


def test_a_cell_that_fails_rests_and_the_others_go_on(tmp_path, fresh, monkeypatch):
    done = backends.do

    def do(store, task):
        if isinstance(task, Task) and (task.scenario.n, task.last_block) == (500, 5):
            return Outcome(task, error="spoilt")
        return done(store, task)

    monkeypatch.setattr(backends, "do", do)
    with pytest.raises(UnfinishedTasksError, match="scenario 'a', n = 500, replicates 524-785: spoilt"):
        run(tmp_path, enough_from(WANTED))
    assert "blocks/a/n=40000/419-837.npz" in files(tmp_path)
    with pytest.raises(UnusableResultsError, match="of 4000 replicates those from 524 on are missing"):
        Results(tmp_path).replicates("a", 500)
    monkeypatch.undo()
    assert reached(run(tmp_path, enough_from(WANTED))) == REACHED
    assert files(tmp_path) == files(fresh[0].folder)


@pytest.mark.parametrize(
    "spoilt", [[], {"a": 3}, {"a": {"500": 1179}}, {"a": {"500": {"replicates": 5000, "precise": True}}}]
)
def test_a_damaged_manifest_is_one_line(tmp_path, spoilt):
    found = manifest.make(STUDY, "simstudy run s.yaml", []) | {"reached": spoilt}
    (tmp_path / manifest.NAME).write_text(json.dumps(found))
    with pytest.raises(UnusableResultsError, match=r"manifest\.json: damaged: what it says was reached") as caught:
        Results(tmp_path)
    assert "\n" not in str(caught.value)


def test_progress_counts_to_the_end_and_says_at_most_before(tmp_path):
    texts = []

    class Noted(Silent):
        def show(self, state):
            texts.append((state.text.split(" replicates")[0], state.share))

    complete(tmp_path, STUDY, engine(1), "simstudy run s.yaml", Noted(), enough_from(WANTED))
    most = 31 * 131 * 2 + 4000
    assert texts[0] == (f"0 of at most {most:,}", 0.0)
    assert texts[-1] == ("6,078 of 6,078", 1.0)
    assert all(share < 1.0 for _, share in texts[:-1])
