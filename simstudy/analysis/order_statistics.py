"""Exact order statistics of rows that are read in parts: counted between edges first, then looked for between two.

The edges are order statistics of the first part. One pass counts the values below each edge, which tells between
which two of them a wanted rank lies, or that it lies on one; the next collects the few values between those two, some
R/2048. Where they are many after all, because the parts are not alike, the edges are set closer and counted again:
evenly in the order of floating point numbers, so that a handful of passes ends at neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from simstudy.analysis.ladder import Counts, Ladder, Ranks, closer, crowded, gaps_of, sorted_rows
from simstudy.analysis.streaming import Rows, Steps
from simstudy.parameters import Array


class Statistics(NamedTuple):
    """Order statistics of k rows of values at some ranks, and how many values are smaller than each; (k, ranks)."""

    values: Array
    below: Ranks


@dataclass(frozen=True, eq=False)
class _Collected:
    """The values in some gaps of each row, by row and gap."""

    of: Rows
    ladders: list[Ladder]
    gaps: list[set[int]]

    def fold(self, state: dict[tuple[int, int], list[Array]] | None, part: Any) -> dict[tuple[int, int], list[Array]]:
        """Add the values of a part."""
        state = {} if state is None else state
        for place, (row, ladder) in enumerate(zip(sorted_rows(self.of, part), self.ladders, strict=True)):
            edges = ladder.edges
            for gap in self.gaps[place]:
                first = np.searchsorted(row, edges[gap - 1], side="right") if gap else 0
                last = np.searchsorted(row, edges[gap], side="left") if gap < len(edges) else len(row)
                state.setdefault((place, gap), []).append(row[first:last].copy())
        return state


def order_statistics(of: Rows, ranks: Callable[[int], Ranks]) -> Steps[Statistics]:
    """Return order statistics of what is given for each part (k, m); NaN where a value is not a number.

    Parameters
    ----------
    of
        The values (k, rows) of a part.
    ranks
        The ranks wanted, from 0, by the number m of values.
    """
    ladders: list[Ladder] = yield Counts(of)
    wanted = ranks(ladders[0].rows)
    gaps = gaps_of(ladders, wanted)
    while any(full := [crowded(ladder, own) for ladder, own in zip(ladders, gaps, strict=True)]):
        edges = tuple(closer(ladder, own).tobytes() for ladder, own in zip(ladders, full, strict=True))
        ladders = yield Counts(of, edges)
        gaps = gaps_of(ladders, wanted)
    collected: dict[tuple[int, int], list[Array]] = (yield _Collected(of, ladders, gaps)) if any(gaps) else {}
    inside = {key: np.sort(np.concatenate(parts)) for key, parts in collected.items()}
    found = [[_statistic(ladder, rank, place, inside) for rank in wanted] for place, ladder in enumerate(ladders)]
    return Statistics(
        np.array([[value for value, _ in row] for row in found]),
        np.array([[below for _, below in row] for row in found], np.int64),
    )


def _statistic(ladder: Ladder, rank: int, place: int, inside: dict[tuple[int, int], Array]) -> tuple[float, int]:
    """Return the value of a rank, and the number of smaller ones."""
    if not ladder.numbers:
        return float("nan"), 0
    gap = ladder.gap(int(rank))
    if gap is None:
        at = int(np.searchsorted(ladder.upto, rank, side="right"))
        return float(ladder.edges[at]), int(ladder.below[at])
    values, before = inside[place, gap], ladder.before(gap)
    value = values[int(rank) - before]
    return float(value), before + int(np.searchsorted(values, value, side="left"))


def quantiles(of: Rows, probabilities: Callable[[int], Array]) -> Steps[Array]:
    """Return quantiles (q, k) of what is given for each part (k, m), linear between order statistics as `np.quantile`.

    Parameters
    ----------
    of
        The values of a part.
    probabilities
        The q probabilities wanted, by the number m of values.
    """
    at: Array = np.empty(0)

    def ranks(count: int) -> Ranks:
        nonlocal at
        at = probabilities(count) * (count - 1)
        low = np.floor(at).astype(np.int64)
        return np.stack([low, np.minimum(low + 1, count - 1)], axis=-1).ravel()

    found: Statistics = yield order_statistics(of, ranks)
    low, high = found.values[:, ::2].T, found.values[:, 1::2].T
    share = (at - np.floor(at))[:, None]
    step = high - low
    return np.where(share < 0.5, low + step * share, high - step * (1.0 - share))
