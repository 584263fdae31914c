"""Small scenarios, and replicates that tell by their values which block they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from simstudy.families.status import Status
from simstudy.running.record import layout
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

BASE = Scenario(
    name="base",
    family="normal",
    names=("mean", "sd"),
    values=(0.0, 1.0),
    fit="normal",
    known=(),
    n=50,
    replicates=100,
    level=0.95,
)


@pytest.fixture
def scenario() -> Callable[..., Scenario]:
    """Return a function that makes a scenario, different from the base one in the fields given."""

    def make(**changes: object) -> Scenario:
        return replace(BASE, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def fake() -> Callable[[Scenario, int, int], Replicates]:
    """Return a stand-in for `simulate`: row r of every field is r, plus an eighth per column."""

    def make(cell: Scenario, first_block: int, last_block: int) -> Replicates:
        size = block_size(cell.n)
        rows = np.arange(first_block * size, (last_block + 1) * size)
        record = {}
        for name, (shape, dtype) in layout(len(rows), len(cell.free)).items():
            columns = np.arange(shape[1]) / 8 if len(shape) == 2 else np.zeros(())
            values = rows.reshape(-1, *[1] * (len(shape) - 1)) + columns
            record[name] = (values % (len(Status) if name == "status" else 100)).astype(dtype)
        return Replicates(**record)

    return make


@pytest.fixture
def assert_same() -> Callable[[Replicates, Replicates], None]:
    """Return a function that compares two records bit for bit."""

    def compare(found: Replicates, expected: Replicates) -> None:
        for field in fields(Replicates):
            np.testing.assert_array_equal(
                getattr(found, field.name), getattr(expected, field.name), err_msg=field.name, strict=True
            )

    return compare
