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
    missing_rows,
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


@given(SIZES, st.integers(1, 10**6), st.integers(1, 10**6))
def test_missing_rows_are_those_of_the_missing_tasks(n, before, replicates):
    limit = 40 * task_blocks(n) * block_size(n)
    short = replace(BASE, n=n, replicates=min(before, limit))
    stored = {task.first_block: task.last_block for task in missing_tasks(short, {})}
    cell = replace(BASE, n=n, replicates=min(replicates, limit))
    assert missing_rows(cell, stored) == sum(task.rows for task in missing_tasks(cell, stored))


def test_estimate_adds_up_whole_blocks():
    (found,) = estimate(Study("s", 1, (BASE,)), lambda cell: 1e-6 * cell.n)
    assert (found.rows, found.draws) == (1310, 65500)
    assert found.seconds == pytest.approx(0.0655)
    assert found.size == disk_bytes(BASE) > 1310 * 147


def test_human_seconds_of_nothing():
    assert human_seconds(0) == "0 s"
