from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from simstudy.errors import ConfigError, ForeignFileError, UnusableFileError, UnusableResultsError
from simstudy.running.plan import Task, missing_tasks, task_blocks
from simstudy.running.store import Store
from simstudy.study.streams import block_size

N = 30000
"""Two rows to a block."""
BLOCKS = task_blocks(N)
ROWS = 2 * BLOCKS


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, 5)


@pytest.fixture
def cell(scenario):
    return scenario(n=N, replicates=ROWS + 5)


@pytest.fixture
def fill(store, fake):
    """Return a function that does all missing tasks of a scenario."""

    def do(cell):
        for task in missing_tasks(cell, store.stored(cell)):
            store.write(task, fake(cell, task.stored_block + 1, task.last_block))

    return do


def names(store, cell):
    return sorted(path.name for path in store.cell(cell).iterdir())


def test_layout(store, cell, fill, tmp_path):
    fill(cell)
    assert store.cell(cell) == tmp_path / "blocks" / "base" / f"n={N}"
    assert names(store, cell) == sorted([f"0-{ROWS - 1}.npz", f"{ROWS}-{ROWS + 5}.npz"])


def test_reads_the_first_replicates_in_order(store, cell, fill, fake, assert_same):
    fill(cell)
    assert len(store.read(cell)) == cell.replicates
    assert_same(store.read(cell), fake(cell, 0, BLOCKS + 2).head(cell.replicates))
    assert_same(store.read(replace(cell, replicates=3)), fake(cell, 0, 1).head(3))


def test_a_grown_task_takes_the_place_of_the_shorter_one(store, cell, fill, fake, assert_same):
    fill(replace(cell, replicates=3))
    assert names(store, cell) == ["0-3.npz"]
    fill(replace(cell, replicates=9))
    assert names(store, cell) == ["0-9.npz"]
    fill(replace(cell, replicates=2))
    assert names(store, cell) == ["0-9.npz"]
    assert_same(store.read(replace(cell, replicates=10)), fake(cell, 0, 4))


def test_steps_and_one_long_run_leave_the_same_bytes(store, cell, fill, tmp_path, fake):
    for replicates in (3, 4, 20, ROWS + 1, ROWS + 5):
        fill(replace(cell, replicates=replicates))
    once = Store(tmp_path / "once", 5)
    once.folder.mkdir()
    for task in missing_tasks(cell, {}):
        once.write(task, fake(cell, task.first_block, task.last_block))
    assert names(once, cell) == names(store, cell)
    for name in names(store, cell):
        assert (store.cell(cell) / name).read_bytes() == (once.cell(cell) / name).read_bytes()


def test_the_longest_file_counts_after_a_kill_between_write_and_removal(store, cell, fill, fake, assert_same):
    short = replace(cell, replicates=3)
    fill(short)
    left = (store.cell(cell) / "0-3.npz").read_bytes()
    fill(replace(cell, replicates=9))
    (store.cell(cell) / "0-3.npz").write_bytes(left)
    assert store.stored(cell) == {0: 4}
    assert_same(store.read(replace(cell, replicates=9)), fake(cell, 0, 4).head(9))
    store.remove_superseded(cell)
    assert names(store, cell) == ["0-9.npz"]


def test_a_reader_follows_a_file_that_is_replaced_under_it(store, cell, fill, monkeypatch):
    """The list of files may be old by the time they are opened."""
    few = replace(cell, replicates=3)
    fill(few)
    lists = [{0: 0}, {0: 1}]
    monkeypatch.setattr(Store, "stored", lambda *_: lists.pop(0))
    few = replace(cell, replicates=2)
    assert len(store.read(few)) == 2
    assert lists == []


@pytest.mark.parametrize("replicates", [ROWS + 7, 3 * ROWS])
def test_missing_replicates_are_told(store, cell, fill, replicates):
    fill(cell)
    with pytest.raises(UnusableResultsError, match=rf"^\S+n={N}: unfinished: of {replicates} .* from {ROWS + 6} on"):
        store.read(replace(cell, replicates=replicates))


def test_nothing_stored(store, cell):
    assert store.stored(cell) == {}
    with pytest.raises(UnusableResultsError, match="from 0 on are missing"):
        store.read(cell)


@pytest.mark.parametrize("damage", [lambda raw: b"", lambda raw: raw[:-1], lambda raw: raw[:999] + b"\1" + raw[1000:]])
def test_a_damaged_file_is_named(store, cell, fill, damage):
    fill(cell)
    path = store.path(cell, 0, BLOCKS - 1)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        UnusableResultsError, match=f"^{path}: damaged: .*; run the study again, which puts it into quarantine"
    ) as caught:
        store.read(cell)
    assert "\n" not in str(caught.value)
    assert [str(error) for error in store.check(cell)] == [str(caught.value)]


def test_a_foreign_file_is_named(store, cell, fill):
    fill(cell)
    other = Store(store.folder, 6)
    with pytest.raises(ForeignFileError, match=rf"^{store.cell(cell)}/0-\d+\.npz: made by another study: data is"):
        other.read(cell)
    assert len(list(other.check(cell))) == 2


@pytest.mark.parametrize("name", ["0-2.npz", "1-3.npz", f"0-{ROWS + 1}.npz", f"2-{ROWS + 1}.npz", "3-0.npz"])
def test_a_name_off_the_boundaries_is_refused(store, cell, fill, name):
    fill(cell)
    (store.cell(cell) / name).touch()
    with pytest.raises(UnusableResultsError, match="its name is not that of a stored task"):
        store.read(cell)


@pytest.mark.parametrize("name", [".DS_Store", "notes.txt", "00-1.npz", ".0-3.npz.17.tmp", "0-3.npz~"])
def test_other_files_are_left_alone(store, cell, fill, name):
    fill(cell)
    (store.cell(cell) / name).touch()
    assert len(store.read(cell)) == cell.replicates


def test_a_file_that_is_a_folder_is_told(store, cell):
    store.path(cell, 0, 1).mkdir(parents=True)
    with pytest.raises(UnusableFileError, match="cannot be read: a folder, not a file; "):
        store.read(replace(cell, replicates=4))


@pytest.mark.parametrize("name", ["..", "a/b", "", "a\0b"])
def test_a_scenario_cannot_leave_the_folder(store, cell, name):
    with pytest.raises(ConfigError, match=r"^scenario: its name "):
        store.cell(replace(cell, name=name))


def test_workers_can_have_it(store, cell):
    task = Task(cell, 0, 1, -1)
    assert pickle.loads(pickle.dumps((store, task))) == (store, task)


def test_one_data_set_fills_a_block(store, scenario, fake):
    large = scenario(n=10**6, replicates=2)
    assert block_size(large.n) == 1
    store.write(Task(large, 0, 1, -1), fake(large, 0, 1))
    assert len(store.read(large)) == 2
