"""Files hold intervals that need the data where a scenario has any; all others are as they always were."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from simstudy.running import plan
from simstudy.running.block import simulate
from simstudy.running.plan import disk_bytes, missing_tasks, task_blocks
from simstudy.running.record import (
    DamagedRecordError,
    ForeignRecordError,
    decode,
    encode,
    layout,
    record_identity,
    row_bytes,
)
from simstudy.running.store import Store
from simstudy.study.replicates import Replicates, concatenate
from simstudy.study.streams import block_size

SEED, N = 5, 8192
BOTH = ("score", "likelihood-ratio")


@pytest.fixture
def plain(scenario):
    return scenario(n=N, replicates=16)


@pytest.fixture
def cell(plain):
    return replace(plain, intervals=("wald-observed", *BOTH))


def content(cell, first=0, last=0):
    return encode(simulate(cell, SEED, first, last), record_identity(cell, SEED, first, last))


def members(raw):
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return archive.namelist()


def test_files_without_have_neither_member_nor_identity(plain):
    """Neither a Wald method nor its level leaves a trace: files of all such studies have the same bytes."""
    raw = content(plain)
    assert "intervals.npy" not in members(raw)
    assert {"intervals", "level"}.isdisjoint(json.loads(record_identity(plain, SEED, 0, 0)))
    wald = replace(plain, intervals=("wald-opg", "wald-log"), level=0.5)
    assert content(wald) == raw
    made = json.loads(record_identity(plain, SEED, 0, 0))
    assert list(made) == ["blocks", "data", "fit", "known", "numbers"]


def test_round_trip(cell, assert_same):
    raw, made = content(cell), simulate(cell, SEED, 0, 0)
    assert members(raw)[-1] == "intervals.npy"
    assert made.intervals.shape == (block_size(N), 8)
    assert np.isfinite(made.intervals).all()
    assert_same(decode(raw, cell, SEED, 0, 0), made)
    identity = json.loads(record_identity(cell, SEED, 0, 0))
    assert (identity["intervals"], identity["level"]) == (list(BOTH), 0.95)


def test_columns_are_lower_then_upper_by_method(cell):
    made = simulate(cell, SEED, 0, 0)
    lower, upper = made.intervals[:, [0, 1, 4, 5]], made.intervals[:, [2, 3, 6, 7]]
    assert (lower < np.tile(made.theta, 2)).all()
    assert (upper > np.tile(made.theta, 2)).all()
    alone = simulate(replace(cell, intervals=("likelihood-ratio",)), SEED, 0, 0)
    np.testing.assert_array_equal(alone.intervals, made.intervals[:, 4:])


def test_all_else_is_what_it_is_without(cell, plain):
    made, bare = simulate(cell, SEED, 0, 0), simulate(plain, SEED, 0, 0)
    for name in layout(1, 2):
        np.testing.assert_array_equal(getattr(made, name), getattr(bare, name))


def test_blocks_together_are_the_blocks_alone(cell, assert_same):
    alone = [simulate(cell, SEED, block, block) for block in range(3)]
    assert_same(simulate(cell, SEED, 0, 2), concatenate(alone))


@pytest.mark.parametrize("changes", [{"level": 0.9}, {"intervals": ("score",)}, {"intervals": ("wald-log",)}])
def test_other_intervals_are_refused(cell, changes):
    with pytest.raises((ForeignRecordError, DamagedRecordError), match=r"level is 0.95|intervals"):
        decode(content(cell), replace(cell, **changes), SEED, 0, 0)


def test_growth_ends_with_the_bytes_of_one_long_run(cell, tmp_path):
    def run(folder, *replicates):
        (tmp_path / folder).mkdir()
        store = Store(tmp_path / folder, SEED)
        for count in replicates:
            grown = replace(cell, replicates=count)
            for task in missing_tasks(grown, store.stored(grown)):
                store.write(task, simulate(task.scenario, SEED, task.stored_block + 1, task.last_block))
        return {path.name: path.read_bytes() for path in store.cell(cell).iterdir()}, store.read(grown)

    grown, record = run("grown", 9, 30)
    at_once, _ = run("once", 30)
    assert grown == at_once
    assert record.intervals.shape == (30, 8)


def test_space(cell, plain):
    assert row_bytes(2, 2) == row_bytes(2) + 64
    assert disk_bytes(cell) == disk_bytes(plain) + 16 * 64
    raw = content(cell)
    assert len(raw) == pytest.approx(block_size(N) * row_bytes(2, 2), abs=5000)
    assert task_blocks(N, 2) == plan.task_blocks(N)


def test_a_record_without_has_none():
    nothing = np.zeros((3, 1))
    flat = np.zeros(3)
    made = Replicates(*[nothing] * 6, flat, flat, flat.astype(np.int8), flat.astype(np.int16))
    assert made.intervals.shape == (3, 0)
    assert made.head(2).intervals.shape == (2, 0)
    assert concatenate([made, made]).intervals.shape == (6, 0)
