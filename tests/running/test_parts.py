"""A cell read part by part."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest

from simstudy.errors import UnusableResultsError
from simstudy.running import parts as module
from simstudy.running.parts import files_together
from simstudy.running.plan import missing_tasks, task_blocks
from simstudy.running.record import row_bytes
from simstudy.running.store import Store
from simstudy.study.replicates import concatenate
from simstudy.study.streams import block_size

N = 30000
"""Two rows to a block."""
ROWS = 2 * task_blocks(N)
"""Rows of a whole file."""


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, 5)


@pytest.fixture
def cell(scenario):
    return scenario(n=N, replicates=5 * ROWS + 5)


@pytest.fixture
def fill(store, fake):
    def do(cell):
        for task in missing_tasks(cell, store.stored(cell)):
            store.write(task, fake(cell, task.stored_block + 1, task.last_block))

    return do


@pytest.fixture
def two_files(monkeypatch):
    """Make parts of two files each."""
    monkeypatch.setattr(module, "TASK_ROWS", 2 * ROWS + 1)


def test_parts_are_sized_and_read_as_often_as_wanted(store, cell, fill, fake, assert_same, two_files):
    fill(cell)
    parts = store.parts(cell)
    assert len(parts) == cell.replicates
    for _ in range(2):
        found = list(parts)
        assert [len(part) for part in found] == [2 * ROWS, 2 * ROWS, ROWS + 5]
        assert_same(concatenate(found), fake(cell, 0, 5 * task_blocks(N) + 2).head(cell.replicates))


def test_boundaries_do_not_depend_on_what_is_stored_beyond(store, cell, fill, two_files):
    fill(cell)
    few = replace(cell, replicates=3 * ROWS - 1)
    assert [len(part) for part in store.parts(few)] == [2 * ROWS, ROWS - 1]


@pytest.mark.parametrize(
    ("first", "stop"), [(0, 1), (ROWS - 1, ROWS + 1), (ROWS + 3, 4 * ROWS), (5 * ROWS + 1, 5 * ROWS + 5), (7, 9)]
)
def test_rows_of_a_range(store, cell, fill, assert_same, two_files, first, stop):
    fill(cell)
    whole = store.read(cell)
    found = concatenate(list(store.parts(cell).between(first, stop)))
    assert_same(found, whole.head(stop).tail(stop - first))


def test_only_the_files_of_a_range_are_opened(store, cell, fill, monkeypatch):
    fill(cell)
    opened, read = [], Store.read_blocks
    monkeypatch.setattr(Store, "read_blocks", lambda self, *args: opened.append(args[1]) or read(self, *args))
    list(store.parts(cell).between(2 * ROWS, 3 * ROWS))
    assert opened == [2 * task_blocks(N)]


def test_a_part_is_free_before_the_next_is_read(store, cell, fill, monkeypatch):
    monkeypatch.setattr(module, "TASK_ROWS", 1)
    fill(cell)
    given = []
    reading = iter(store.parts(cell))
    for _ in range(5):
        given.append(weakref.ref(next(reading)))
        gc.collect()
        assert [ref() for ref in given] == [None] * len(given)


def test_a_file_that_grows_while_others_are_read_is_followed(store, cell, fill, fake, assert_same):
    """The study grows between two files: the last one is replaced, and what was listed of it is gone."""
    short = replace(cell, replicates=ROWS + 1)
    fill(short)
    reading = store.parts(short).between(0, ROWS + 1)
    listed = store.stored(short)
    for stage in (ROWS + 3, ROWS + 5, 2 * ROWS):
        fill(replace(cell, replicates=stage))
    assert store.stored(short) != listed
    assert_same(concatenate(list(reading)), fake(cell, 0, 2 * task_blocks(N)).head(ROWS + 1))


def test_a_file_is_followed_from_name_to_name(store, cell, fill, monkeypatch):
    """Each list may be old by the time its file is opened."""
    few = replace(cell, replicates=3)
    fill(replace(few, replicates=9))
    lists = [{0: 1}, {0: 2}, {0: 4}]
    monkeypatch.setattr(Store, "stored", lambda *_: lists.pop(0))
    assert len(store.read(few)) == 3
    assert lists == []


def test_a_file_that_is_gone_for_good_is_told(store, cell, fill):
    few = replace(cell, replicates=3)
    fill(few)
    parts, (path,) = store.parts(few), store.cell(few).iterdir()
    reading = parts.between(0, 3)
    path.unlink()
    with pytest.raises(UnusableResultsError, match="unfinished: of 3 replicates those from 0 on are missing"):
        next(reading)


def test_damage_is_told_when_its_part_is_read(store, cell, fill, monkeypatch):
    monkeypatch.setattr(module, "TASK_ROWS", 1)
    fill(cell)
    path = store.path(cell, task_blocks(N), 2 * task_blocks(N) - 1)
    path.write_bytes(path.read_bytes()[:-1])
    reading = iter(store.parts(cell))
    assert len(next(reading)) == ROWS
    with pytest.raises(UnusableResultsError, match=f"^{path}: damaged"):
        next(reading)


@pytest.mark.parametrize("size", [1, 2, 7, 30])
@pytest.mark.parametrize("n", [1, 10, 300, 10**5, 10**9])
def test_parts_are_neither_tiny_nor_huge(n, size):
    whole = task_blocks(n, size) * block_size(n)
    together = files_together(n, size)
    rows, held = together * whole, together * whole * row_bytes(size)
    assert together == 1 or (rows <= 2**16 and held <= 2**26)
    assert rows > 2**15 or held > 2**25
