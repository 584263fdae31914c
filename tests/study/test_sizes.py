"""Sample sizes as lists and as geometric progressions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import ConfigError
from simstudy.study import sizes
from simstudy.study.faults import Faults

SIZE = st.integers(1, 10**9)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([100, 25, 1e2 / 2], (25, 50, 100)),
        ({"from": 10, "to": 640, "ratio": 2}, (10, 20, 40, 80, 160, 320, 640)),
        ({"from": 10, "to": 639, "ratio": 2}, (10, 20, 40, 80, 160, 320)),
        ({"from": 10, "to": 35, "ratio": 1.5}, (10, 15, 23, 34)),
        ({"from": 1, "to": 4, "ratio": 1.1}, (1, 2, 3, 4)),
        ({"from": 7, "to": 7, "ratio": 1e308}, (7,)),
        ({"from": 10, "to": 11, "ratio": 1.1}, (10, 11)),
    ],
)
def test_expand(written: sizes.Sizes, expected: tuple[int, ...]) -> None:
    assert sizes.expand(written) == expected


@given(SIZE, SIZE, st.floats(1.01, 1e308))
def test_progression_begins_at_from_ascends_and_stays_below_to(low: int, high: int, ratio: float) -> None:
    low, high = sorted((low, high))
    found = sizes.expand({"from": low, "to": high, "ratio": ratio})
    assert found[0] == low
    assert found[-1] <= high
    assert high < (found[-1] + 1) * ratio
    assert all(a < b for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([50, 10, 50, 5e1], "x: n: 50 is listed 3 times: list each sample size once"),
        ({"from": 20, "to": 10, "ratio": 2}, "x: n.to: to is 10, below from, which is 20: exchange them"),
        (
            {"from": 1, "to": 10**9, "ratio": 1 + 2**-52},
            "x: n.ratio: the ratio 1.0000000000000002 gives more than 10,000 steps: take a larger one",
        ),
    ],
)
def test_message(written: Any, expected: str) -> None:
    faults = Faults("x")
    sizes.check(written, ("n",), faults)
    with pytest.raises(ConfigError) as raised:
        faults.check()
    assert raised.value.faults == (expected,)


def test_only_sizes_without_faults_are_usable() -> None:
    faults = Faults("x")
    faults.add(("n", 1), "not whole")
    assert sizes.usable([5, 2.5, 7], ("n",), faults) == [5, 7]
    assert sizes.usable({"from": 1}, ("n",), faults) == []
    assert sizes.usable({"from": 1}, ("m",), faults) == {"from": 1}
    assert sizes.usable(None, ("m",), faults) == []
