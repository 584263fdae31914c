"""Shares of the tasks: a rule of the study, k and N alone; and shards at work in one folder, each with its lock."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import ConfigError, ForeignResultsError, UnusableResultsError
from simstudy.running import backends, manifest
from simstudy.running import complete_shard as module
from simstudy.running.backends import engine
from simstudy.running.complete_shard import complete_shard
from simstudy.running.execute import UnfinishedTasksError
from simstudy.running.gate import shard_lock
from simstudy.running.lock import locked, shard_locked
from simstudy.running.plan import missing_tasks, task_blocks
from simstudy.running.progress import Silent
from simstudy.running.shards import Shard, dealt, parse, shares
from simstudy.running.store import Store
from simstudy.running.worker import Outcome
from simstudy.study.scenario import Scenario, Study, Target
from simstudy.study.streams import block_size

CELL = Scenario("cell", "exponential", ("rate",), (1.0,), "exponential", (), 2, 100, 0.95)


def study(replicates, sizes=(2,), scenarios=1):
    cells = (replace(CELL, name=f"s{number}", n=n, replicates=replicates) for number in range(scenarios) for n in sizes)
    return Study("cards", 1, tuple(cells))


def tasks(of_study, shard):
    return [task for share in shares(of_study, shard) for task in share.missing({})]


# ---- the rule ----------------------------------------------------------------------------------------------------


@given(cells=st.integers(1, 12), of=st.integers(1, 40), rounds=st.integers(0, 60))
def test_rounds_of_all_cells_are_dealt_evenly(cells, of, rounds):
    counts = dict.fromkeys(range(1, of + 1), 0)
    for task in range(rounds):
        for cell in range(cells):
            counts[dealt(cell, task, cells, of)] += 1
    assert max(counts.values()) - min(counts.values()) <= 1


@given(cell=st.integers(0, 11), cells=st.integers(12, 30), of=st.integers(1, 40), lap=st.integers(0, 10**15))
def test_of_so_many_tasks_of_a_cell_each_shard_has_one(cell, cells, of, lap):
    assert {dealt(cell, lap * of + task, cells, of) for task in range(of)} == set(range(1, of + 1))


@given(
    replicates=st.integers(2, 5000),
    sizes=st.lists(st.sampled_from([2, 5, 300, 20_000, 2**22]), min_size=1, max_size=4, unique=True),
    scenarios=st.integers(1, 3),
    of=st.integers(1, 9),
)
def test_the_shards_share_all_tasks_and_no_two_have_one(replicates, sizes, scenarios, of):
    whole = study(replicates, sizes, scenarios)
    dealt_out = [task for number in range(1, of + 1) for task in tasks(whole, Shard(number, of))]
    every = [task for cell in whole.scenarios for task in missing_tasks(cell, {})]
    assert len(dealt_out) == len(every)
    assert set(dealt_out) == set(every)


@given(
    replicates=st.integers(2, 5000),
    n=st.sampled_from([2, 300, 20_000, 2**22]),
    number=st.integers(1, 5),
    stored=st.data(),
)
def test_what_is_counted_is_what_is_listed(replicates, n, number, stored):
    whole, shard = study(replicates, (n, 5), 2), Shard(number, 5)
    for share in shares(whole, shard):
        cell, size = share.scenario, task_blocks(share.scenario.n, 1)
        own = list(share)
        every = [task.first_block for task in missing_tasks(cell, {})]
        assert [first for first in every if share.holds(first)] == [task * size for task in own]
        assert len(share) == len(own)
        have = stored.draw(st.lists(st.sampled_from(every), unique=True, max_size=5))
        lasts = {first: first + stored.draw(st.integers(0, size - 1)) for first in have}
        lacking = list(share.missing(lasts))
        assert sum(task.rows for task in lacking) == share.missing_rows(lasts)
        assert {task.first_block for task in lacking} <= {task * size for task in own}


@given(replicates=st.integers(2, 5000), more=st.integers(0, 5000), n=st.sampled_from([300, 20_000, 2**22]))
def test_in_a_study_that_grows_tasks_stay_with_their_shard(replicates, more, n):
    for number in (1, 2, 3):
        before, after = (
            {(task.scenario.place, task.first_block) for task in tasks(study(R, (n, 2), 2), Shard(number, 3))}
            for R in (replicates, replicates + more)
        )
        assert before <= after


@pytest.mark.parametrize("of", [2, 3, 8, 32])
def test_work_is_balanced(of):
    """The work of a replicate goes as 30 + n; with 32 shards, each has some 16 tasks and the longest count for more."""
    whole = study(10**6, (25, 50, 100, 200, 400, 800), 4)
    work = [tasks(whole, Shard(number, of)) for number in range(1, of + 1)]
    loads = [sum(task.rows * (30 + task.scenario.n) for task in each) for each in work]
    mean = sum(loads) / of
    assert max(loads) <= (1.2 if of == 32 else 1.01) * mean
    assert min(loads) >= (0.8 if of == 32 else 0.99) * mean


@pytest.mark.parametrize("of", [2, 3, 8, 16, 32])
def test_single_tasks_of_cells_are_dealt_evenly(of):
    """No shard has one cell more than another, and none has large ones only."""
    whole = study(1000, (25, 50, 100, 200, 400, 800, 1600, 3200), 8)
    work = [tasks(whole, Shard(number, of)) for number in range(1, of + 1)]
    counts = [len(each) for each in work]
    loads = [sum(task.rows * task.scenario.n for task in each) for each in work]
    assert max(counts) - min(counts) <= 1
    assert max(loads) - min(loads) <= max(task.rows * task.scenario.n for each in work for task in each)


def test_replicates_of_all_shards_are_those_of_the_study():
    whole = study(200_001, (2, 300), 2)
    parts = [share for number in range(1, 8) for share in shares(whole, Shard(number, 7)) if len(share)]
    assert sum(share.replicates for share in parts) == 4 * 200_001


def test_shares_of_huge_studies_and_of_many_shards_are_not_listed():
    for shard in (Shard(2, 3), Shard(10**9, 10**9)):
        for share in shares(study(10**17, (2, 300), 2), shard):
            first = next(share.missing({}))
            assert share.holds(first.first_block)
            assert share.missing_rows({}) >= len(share) * block_size(share.scenario.n)
            lone = share.missing_rows({first.first_block: first.last_block})
            assert lone == share.missing_rows({}) - first.rows


@pytest.mark.parametrize(
    "text",
    ["", "x", "1", "/", "1/", "0/3", "4/3", "1/0", "-1/3", "1/10^9", "1/10000000000", "1/2/3", "1.0/2", "²/3", "1/3\n"],
)
def test_what_is_no_shard(text):
    with pytest.raises(ConfigError, match=r"^--shard: k/N with whole numbers .*, such as 2/8, got '"):
        parse(text)


@pytest.mark.parametrize("pair", [(0, 3), (4, 3), (1.0, 2), ("1", "2"), (True, 2)])
def test_what_is_no_pair(pair):
    with pytest.raises(ConfigError, match=r"^--shard: "):
        Shard(*pair)


def test_a_precision_needs_all_replicates():
    stopping = replace(study(100), scenarios=(replace(CELL, precision=(Target("coverage", 0.01, relative=False),)),))
    with pytest.raises(ConfigError, match=r"^--shard: scenario 'cell' stops at a precision.*; run it without --shard"):
        shares(stopping, Shard(1, 2))


# ---- locks -------------------------------------------------------------------------------------------------------

HOLD = """
import sys, time, pathlib
from simstudy.running.lock import locked, shard_locked
folder, shard = pathlib.Path(sys.argv[1]), sys.argv[2]
with (shard_locked(folder, shard) if shard else locked(folder)):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def hold(tmp_path):
    """A function that starts a process which holds the lock of a shard, or that of a whole run."""
    started = []

    def start(shard):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path), shard], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_shards_of_one_study_are_at_work_together(tmp_path, hold):
    one = hold("1/3")
    with shard_locked(tmp_path, "2/3"):
        with (
            pytest.raises(ForeignResultsError, match=rf"shard 1/3 is at work there \(process {one.pid} on "),
            shard_locked(tmp_path, "1/3"),
        ):
            pytest.fail("locked twice")
        with (
            pytest.raises(ForeignResultsError, match=rf": locked by shard 1/3 \(process {one.pid} on .*\) and 1 more:"),
            locked(tmp_path),
        ):
            pytest.fail("a whole run beside shards")
        with pytest.raises(ForeignResultsError, match=r"shard 1/3 is at work"), shard_locked(tmp_path, "4/7"):
            pytest.fail("tasks of two shards overlap")


def test_a_shard_beside_a_whole_run_is_refused(tmp_path, hold):
    whole = hold("")
    with (
        pytest.raises(ForeignResultsError, match=rf": locked by process {whole.pid} on "),
        shard_locked(tmp_path, "1/3"),
    ):
        pytest.fail("a shard beside a whole run")


def test_locks_of_killed_shards_are_free_and_swept_away(tmp_path, hold):
    for process in [hold("1/3"), hold("2/3")]:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert len(list(tmp_path.glob(".lock-shard-*"))) == 4
    with shard_locked(tmp_path, "1/3"):
        assert {path.name for path in tmp_path.glob(".lock-shard-*")} == {
            ".lock-shard-1-of-3",
            ".lock-shard-1-of-3-holder",
        }
    with locked(tmp_path):
        assert not list(tmp_path.glob(".lock-shard-*"))


def test_a_holder_that_cannot_be_named(tmp_path, hold):
    hold("1/3")
    (tmp_path / ".lock-shard-1-of-3-holder").write_bytes(b"\xff\xfe")
    with pytest.raises(ForeignResultsError, match=r"locked by shard 1/3: wait"), locked(tmp_path):
        pytest.fail("a whole run beside a shard")


# ---- a shard in a folder -----------------------------------------------------------------------------------------


def run(folder, of_study, shard):
    with shard_locked(folder, str(shard)):
        complete_shard(folder, of_study, engine(1), "simstudy run cards.yaml", Silent(), shard)


def stored(folder, of_study):
    store = Store(folder, of_study.seed)
    return {(cell.place, first) for cell in of_study.scenarios for first in store.stored(cell)}


SMALL = study(1600, (20_000, 5))  # two tasks and one


def test_a_shard_stores_its_own_tasks_and_says_so(tmp_path):
    run(tmp_path, SMALL, Shard(2, 2))
    assert stored(tmp_path, SMALL) == {(t.scenario.place, t.first_block) for t in tasks(SMALL, Shard(2, 2))}
    (entry,) = manifest.read(tmp_path)["runs"]
    assert (entry["shard"], entry["tasks"]) == ("2/2", len(tasks(SMALL, Shard(2, 2))))
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")} == {"manifest.json", "blocks"}
    before = (tmp_path / "manifest.json").read_bytes()
    run(tmp_path, SMALL, Shard(2, 2))  # all is there
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_damage_is_mended_by_the_shard_whose_it_is(tmp_path, capsys):
    for number in (1, 2):
        run(tmp_path, SMALL, Shard(number, 2))
    path = next((tmp_path / "blocks" / "s0" / "n=5").iterdir())
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    (share,) = (each for each in shares(SMALL, Shard(1, 2)) if each.scenario.n == 5)
    mine, other = (1, 2) if share.holds(0) else (2, 1)
    run(tmp_path, SMALL, Shard(other, 2))
    assert path.read_bytes() == whole[:-1]
    run(tmp_path, SMALL, Shard(mine, 2))
    assert path.read_bytes() == whole
    assert (tmp_path / "quarantine" / path.relative_to(tmp_path)).read_bytes() == whole[:-1]
    assert re.fullmatch(rf"{path}: .*; moved to quarantine/.*, and made again\n", capsys.readouterr().err)


def test_a_damaged_manifest_and_a_file_of_no_task_are_put_away(tmp_path):
    run(tmp_path, SMALL, Shard(1, 2))
    (tmp_path / "manifest.json").write_text("{")
    path = next((tmp_path / "blocks").rglob("*.npz"))
    shutil.copyfile(path, path.with_name("7-8.npz"))
    run(tmp_path, SMALL, Shard(2, 2))
    assert stored(tmp_path, SMALL) == {(t.scenario.place, t.first_block) for t in tasks(SMALL, Shard(1, 1))}
    assert {each.name for each in (tmp_path / "quarantine").rglob("*") if each.is_file()} == {
        "manifest.json",
        "7-8.npz",
    }


def test_tasks_that_could_not_be_done_are_recorded_beside_those_of_others(tmp_path, monkeypatch):
    def fail(job):
        return Outcome(job, error="ouch", kind="raised")

    monkeypatch.setattr(backends, "do", lambda _, job: fail(job))
    for number in (1, 2):
        with pytest.raises(UnfinishedTasksError, match="ouch"):
            run(tmp_path, SMALL, Shard(number, 2))
    assert len(manifest.read(tmp_path)["unfinished"]) == len(tasks(SMALL, Shard(1, 1)))
    monkeypatch.undo()
    run(tmp_path, SMALL, Shard(1, 2))
    assert len(manifest.read(tmp_path)["unfinished"]) == len(tasks(SMALL, Shard(2, 2)))
    run(tmp_path, SMALL, Shard(2, 2))
    assert "unfinished" not in manifest.read(tmp_path)


def test_no_space_for_a_shard(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "free_disk", lambda _: 1000)
    with pytest.raises(UnusableResultsError, match=r"no space: the shard takes about .* or more shards$"):
        run(tmp_path, SMALL, Shard(1, 2))
    run(tmp_path, SMALL, Shard(9, 9))  # which has nothing to do


def test_a_study_may_not_change_while_others_are_at_work(tmp_path, hold):
    run(tmp_path, SMALL, Shard(1, 2))
    other = hold("2/2")
    leftover = tmp_path / "blocks" / ".5-6.npz.7.tmp"
    leftover.write_bytes(b"part")
    run(tmp_path, SMALL, Shard(1, 2))
    assert leftover.exists(), "it may be the other's"
    with pytest.raises(ForeignResultsError, match=r"shard 2/2 is at work there .* on the study as it was before; wait"):
        run(tmp_path, study(1700, (20_000, 5)), Shard(1, 2))
    other.kill()
    other.wait()
    run(tmp_path, study(1700, (20_000, 5)), Shard(1, 2))
    assert not leftover.exists()
    assert len(manifest.read(tmp_path)["runs"]) == 2


def test_a_foreign_study(tmp_path):
    run(tmp_path, SMALL, Shard(1, 2))
    with pytest.raises(ForeignResultsError, match="seed was 1, is now 2"):
        run(tmp_path, replace(SMALL, seed=2), Shard(2, 2))


def test_the_file_of_a_lock(tmp_path):
    assert shard_lock(tmp_path, "2/8").lock_file == str(tmp_path / ".lock-shard-2-of-8")
