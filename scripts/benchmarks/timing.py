"""Time two things side by side on a machine that others use too."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

Work = Callable[[], object]


@dataclass(frozen=True)
class Pair:
    """Median seconds of two things, and the median ratio of the second to the first.

    The ratio is that of neighbours, not of the medians: what slows the machine for a while slows both.
    """

    first: float
    second: float
    ratio: float


def alternate(first: Work, second: Work, rounds: int, clock: Callable[[], float] = time.perf_counter) -> Pair:
    """Run first, second, first, …, second, first after one run of each, and compare each second with its neighbours."""
    first()
    second()
    firsts, seconds = [_seconds(first, clock)], []
    for _ in range(rounds):
        seconds.append(_seconds(second, clock))
        firsts.append(_seconds(first, clock))
    around = [(before + after) / 2.0 for before, after in pairwise(firsts)]
    ratios = [time_ / beside for time_, beside in zip(seconds, around, strict=True)]
    return Pair(median(firsts), median(seconds), median(ratios))


def _seconds(work: Work, clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start
