"""Sample sizes as a config writes them: a list, or a geometric progression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from math import floor
from typing import Any

from simstudy.study.faults import Faults, Path

MAX_CELLS = 10_000
"""Cells of a study: each has its folder, its files and its rows of the summary."""

Sizes = Sequence[float] | Mapping[str, float]


def expand(sizes: Sizes) -> tuple[int, ...]:
    """Return the sample sizes in ascending order, each once.

    The progression is ⌊from·ratioᵏ + ½⌋ for k = 0, 1, … as long as that is not above ``to``.

    >>> expand({"from": 25, "to": 400, "ratio": 2})
    (25, 50, 100, 200, 400)
    >>> expand([100, 50, 1e3])
    (50, 100, 1000)
    """
    found = _progression(sizes) if isinstance(sizes, Mapping) else map(int, sizes)
    return tuple(sorted(set(found)))


def usable(sizes: Any, path: Path, faults: Faults) -> Sizes:
    """Return what of the sizes written at a path has no fault so far."""
    if isinstance(sizes, list):
        return [size for index, size in enumerate(sizes) if faults.clean(*path, index)]
    return sizes if isinstance(sizes, dict) and faults.clean(*path) else []


def check(sizes: Sizes, path: Path, faults: Faults) -> None:
    """Note sizes that are listed twice, and progressions that are empty or endless."""
    if not isinstance(sizes, Mapping):
        for size, times in Counter(map(int, sizes)).items():
            if times > 1:
                faults.add(path, f"{size} is listed {times} times: list each sample size once")
    elif sizes["to"] < sizes["from"]:
        what = f"to is {sizes['to']:g}, below from, which is {sizes['from']:g}: exchange them"
        faults.add((*path, "to"), what)
    elif len(list(islice(_progression(sizes), MAX_CELLS + 1))) > MAX_CELLS:
        what = f"the ratio {sizes['ratio']!r} gives more than {MAX_CELLS:,} steps: take a larger one"
        faults.add((*path, "ratio"), what)


def _progression(sizes: Mapping[str, float]) -> Iterator[int]:
    for step in count():
        size = sizes["from"] * sizes["ratio"] ** step
        if size >= sizes["to"] + 0.5:
            return
        yield floor(size + 0.5)
