from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.running import plan
from simstudy.running.plan import (
    Task,
    disk_bytes,
    estimate,
    human_seconds,
    longest_first,
    measured_cost,
    missing_tasks,
    needed_blocks,
    task_blocks,
)
from simstudy.study.scenario import Scenario, Study
from simstudy.study.streams import block_size

SIZES = st.integers(1, 10**8)
BASE = Scenario("a", "normal", ("mean", "sd"), (0.0, 1.0), "normal", (), 50, 100, 0.95)


@given(SIZES)
def test_a_task_is_bounded(n):
    rows = task_blocks(n) * block_size(n)
    assert task_blocks(n) >= 1
    assert rows <= plan.TASK_ROWS
    assert rows * n <= plan.TASK_DRAWS or task_blocks(n) == 1


@pytest.mark.parametrize(
    ("n", "blocks"), [(1, 16), (16, 16), (50, 50), (200, 200), (2000, 262), (10**5, 167), (10**8, 1)]
)
def test_task_blocks(n, blocks):
    assert task_blocks(n) == blocks


@given(SIZES, st.integers(1, 10**4))
def test_needed_blocks_hold_all_replicates_and_no_block_more(n, replicates):
    blocks = needed_blocks(replace(BASE, n=n, replicates=replicates))
    assert (blocks - 1) * block_size(n) < replicates <= blocks * block_size(n)


@given(st.integers(1, 10**6), st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_growth_ends_with_the_tasks_of_one_long_run(n, steps):
    """Whatever R went through, the stored tasks are those of the largest R."""
    limit = 40 * task_blocks(n) * block_size(n)
    stored: dict[int, int] = {}
    for replicates in steps:
        for task in missing_tasks(replace(BASE, n=n, replicates=min(replicates, limit)), stored):
            assert stored.get(task.first_block, task.first_block - 1) == task.stored_block
            stored[task.first_block] = task.last_block
    longest = replace(BASE, n=n, replicates=min(max(steps), limit))
    assert stored == {task.first_block: task.last_block for task in missing_tasks(longest, {})}


@given(SIZES, st.integers(1, 10**6))
def test_tasks_follow_each_other_without_gap(n, replicates):
    few = replace(BASE, n=n, replicates=min(replicates, 40 * task_blocks(n) * block_size(n)))
    tasks = list(missing_tasks(few, {}))
    assert tasks[0].first_block == 0
    assert tasks[-1].last_block == needed_blocks(few) - 1
    assert all(after.first_block == before.last_block + 1 for before, after in pairwise(tasks))
    assert sum(task.rows for task in tasks) == needed_blocks(few) * block_size(n)


def test_a_task_is_named_by_its_replicates():
    assert str(Task(BASE, 0, 2, 1)) == "scenario 'a', n = 50, replicates 2620-3929"


def test_the_longest_task_comes_first():
    tasks = [Task(BASE, 0, 0, -1), Task(replace(BASE, name="slow"), 0, 0, -1), Task(BASE, 0, 5, -1)]
    ordered = longest_first(tasks, lambda scenario: 10.0 if scenario.name == "slow" else 1.0)
    assert [(task.scenario.name, task.last_block) for task in ordered] == [("slow", 0), ("a", 5), ("a", 0)]


def fake_time(monkeypatch, seconds):
    """Let every block take what ``seconds(n)`` says for each of its rows."""
    clock = [0.0]

    def simulate(scenario, seed, first_block, last_block):
        rows = block_size(scenario.n) * (last_block - first_block + 1)
        clock[0] += rows * seconds(scenario.n)
        return range(rows)

    monkeypatch.setattr(plan, "simulate", simulate)
    monkeypatch.setattr(plan.time, "perf_counter", lambda: clock[0])


def test_cost_is_a_line_in_n(monkeypatch):
    fake_time(monkeypatch, lambda n: 1e-6 + 1e-8 * n)
    cells = [replace(BASE, n=n) for n in (10, 1000, 50)]
    cost = measured_cost(cells)
    assert [cost(cell) for cell in cells] == pytest.approx([1.1e-6, 1.1e-5, 1.5e-6])


def test_cost_of_a_huge_n_is_extrapolated(monkeypatch):
    timed = []
    fake_time(monkeypatch, lambda n: timed.append(n) or 1e-8 * n)
    assert measured_cost([replace(BASE, n=10**8)])(replace(BASE, n=10**8)) == pytest.approx(1.0)
    assert max(timed) == 2**16


def test_cost_never_is_negative_or_zero(monkeypatch):
    fake_time(monkeypatch, lambda n: 1.0 / n)  # a disturbed measurement
    cells = [replace(BASE, n=n) for n in (10, 1000)]
    assert all(measured_cost(cells)(cell) > 0 for cell in cells)


def test_estimate_adds_up_whole_blocks(monkeypatch):
    fake_time(monkeypatch, lambda n: 1e-6 * n)
    (found,) = estimate(Study("s", 1, (BASE,)), measured_cost([BASE]))
    assert (found.rows, found.draws) == (1310, 65500)
    assert found.seconds == pytest.approx(0.0655)
    assert found.size == disk_bytes(BASE) > 1310 * 147


def test_human_seconds_of_nothing():
    assert human_seconds(0) == "0 s"
