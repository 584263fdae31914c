"""Whatever happens to a store, in whatever order, it ends with the same files and gives the same rows."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simstudy.errors import UnusableFileError, UnusableResultsError
from simstudy.files import remove_leftovers
from simstudy.running.plan import missing_tasks, task_blocks
from simstudy.running.quarantine import put_away
from simstudy.running.store import Store

N = 30_000
"""Two rows to a block, so that a task holds many."""
ROWS = 2 * task_blocks(N)
GOAL = 2 * ROWS + 7

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("grow"), st.integers(2, GOAL)),
        st.tuples(st.just("some"), st.integers(2, GOAL), st.randoms(use_true_random=False)),
        st.tuples(st.just("killed while writing"), st.integers(0, 2**16)),
        st.tuples(st.just("killed before removing"), st.integers(2, GOAL)),
        st.tuples(st.just("damage"), st.integers(0, 99), st.integers(0, 2**20)),
    ),
    max_size=8,
)


class Life:
    """A store in a folder, to which things happen."""

    def __init__(self, folder, cell, fake):
        self.store, self.cell, self.fake = Store(folder, 5), cell, fake

    def do(self, tasks):
        for task in tasks:
            self.store.write(task, self.fake(self.cell, task.stored_block + 1, task.last_block))

    def lacking(self, replicates):
        cell = replace(self.cell, replicates=replicates)
        return list(missing_tasks(cell, self.store.stored(cell)))

    def files(self):
        return sorted(self.store.cell(self.cell).glob("*.npz"))

    def happen(self, event, *details):
        if event == "grow":
            self.do(self.lacking(details[0]))
        elif event == "some":
            tasks = self.lacking(details[0])
            details[1].shuffle(tasks)
            self.do(tasks[: (len(tasks) + 1) // 2])
        elif event == "killed while writing":
            path = self.store.path(self.cell, 0, details[0] % 9)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f".{path.name}.77.tmp").write_bytes(b"part" * details[0])
        elif event == "killed before removing":
            before = {path: path.read_bytes() for path in self.files()}
            self.do(self.lacking(details[0]))
            for path, content in before.items():
                path.write_bytes(content)
        elif event == "damage" and (files := self.files()):
            self.spoil(files[details[0] % len(files)], details[1])

    def spoil(self, path, place):
        raw = bytearray(path.read_bytes())
        raw[place % len(raw)] ^= 1 << place % 8
        path.write_bytes(raw)
        self.start()

    def start(self):
        """What a run does first."""
        for error in list(self.store.check(self.cell)):
            assert isinstance(error, UnusableFileError)
            put_away(self.store.folder, error.path)
        remove_leftovers(self.store.folder)
        self.store.remove_superseded(self.cell)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return tmp_path_factory.mktemp("undisturbed")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
def test_any_life_ends_with_the_same_files_and_rows(scenario, fake, assert_same, undisturbed, events):
    cell = scenario(n=N, replicates=GOAL)
    once = Life(undisturbed, cell, fake)
    once.do(once.lacking(GOAL))
    folder = Path(tempfile.mkdtemp())
    try:
        life = Life(folder, cell, fake)
        for event in events:
            life.happen(*event)
            reached = sum(last - first + 1 for first, last in life.store.stored(cell).items())
            if reached and 0 in life.store.stored(cell):  # readers are never in doubt
                rows = 2 * (life.store.stored(cell)[0] + 1)
                assert_same(life.store.read(replace(cell, replicates=rows)), fake(cell, 0, rows // 2 - 1))
        life.start()
        life.do(life.lacking(GOAL))
        stored = {
            path.relative_to(folder): path.read_bytes() for path in (folder / "blocks").rglob("*") if path.is_file()
        }
        assert stored == {path.relative_to(undisturbed): path.read_bytes() for path in once.files()}
        assert_same(life.store.read(cell), once.store.read(cell))
    finally:
        shutil.rmtree(folder)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7), cut=st.booleans())
def test_no_change_of_a_file_passes(scenario, fake, undisturbed, place, bit, cut):
    """Not even one of a byte that carries no number, as the file is to be the same to the last."""
    cell = scenario(n=N, replicates=6)
    store = Store(undisturbed / "single", 5)
    store.folder.mkdir(exist_ok=True)
    for task in missing_tasks(cell, store.stored(cell)):
        store.write(task, fake(cell, 0, task.last_block))
    path = store.path(cell, 0, 2)
    whole = path.read_bytes()
    spoilt = bytearray(whole)
    spoilt[place % len(whole)] ^= 1 << bit
    path.write_bytes(whole[: place % len(whole)] if cut else spoilt)
    try:
        with pytest.raises(UnusableResultsError, match="damaged: "):
            store.read(cell)
    finally:
        path.write_bytes(whole)
    assert np.array_equal(store.read(cell).theta, fake(cell, 0, 2).theta)
