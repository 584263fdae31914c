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
from numpy.typing import NDArray

from simstudy.analysis.streaming import Rows, Steps
from simstudy.parameters import Array

Ranks = NDArray[np.int64]

_EDGES = 2048
_MANY = 2**20
_NUMBERS = NDArray[np.int64]


class Ladder(NamedTuple):
    """Counts of one row of values: below each edge, and up to it.

    Attributes
    ----------
    edges : (e,)
        Ascending.
    below, upto : (e,)
        Values < and ≤ each edge.
    rows
        All values.
    numbers
        Whether they are all numbers.
    """

    edges: Array
    below: _NUMBERS
    upto: _NUMBERS
    rows: int
    numbers: bool

    def gap(self, rank: int) -> int | None:
        """Return the gap, before the edge of that place, in which a rank from 0 lies, None where it is on an edge."""
        place = int(np.searchsorted(self.upto, rank, side="right"))
        on_edge = place < len(self.edges) and self.below[place] <= rank
        return None if on_edge else place

    def before(self, gap: int) -> int:
        """Return the number of values before a gap."""
        return int(self.upto[gap - 1]) if gap else 0

    def inside(self, gap: int) -> int:
        """Return the number of values in a gap."""
        return (int(self.below[gap]) if gap < len(self.edges) else self.rows) - self.before(gap)


class Statistics(NamedTuple):
    """Order statistics of k rows of values at some ranks, and how many values are smaller than each; (k, ranks)."""

    values: Array
    below: _NUMBERS


@dataclass(frozen=True)
class Counts:
    """A `Ladder` for each row of what is given for each part; edges are those given, or from the first part."""

    of: Rows
    edges: tuple[bytes, ...] | None = None

    def fold(self, state: list[Ladder] | None, part: Any) -> list[Ladder] | None:
        """Count a part."""
        values = sorted_rows(self.of, part)
        if not values.shape[-1]:
            return state
        if state is None:
            state = [self._start(row, place) for place, row in enumerate(values)]
        return [_counted(ladder, row) for ladder, row in zip(state, values, strict=True)]

    def _start(self, row: Array, place: int) -> Ladder:
        if self.edges is not None:
            edges = np.frombuffer(self.edges[place])
        else:
            edges = np.unique(np.append(row[:: max(1, len(row) // _EDGES)], row[-1]))
        nothing = np.zeros(len(edges), np.int64)
        return Ladder(edges, nothing, nothing, 0, True)


def _counted(ladder: Ladder, row: Array) -> Ladder:
    below, upto = (np.searchsorted(row, ladder.edges, side=side) for side in ("left", "right"))
    numbers = ladder.numbers and not bool(np.isnan(row[-1]))
    return Ladder(ladder.edges, ladder.below + below, ladder.upto + upto, ladder.rows + len(row), numbers)


def sorted_rows(of: Rows, part: Any) -> Array:
    """Return what is given for a part, (k, m), each row in ascending order."""
    return np.sort(np.asarray(of(part), dtype=float), axis=-1)


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
    gaps = _gaps(ladders, wanted)
    while any(
        ladder.inside(gap) > _MANY for ladder, own in zip(ladders, gaps, strict=True) for gap in _open(ladder, own)
    ):
        edges = [_closer(ladder, own) for ladder, own in zip(ladders, gaps, strict=True)]
        ladders = yield Counts(of, tuple(row.tobytes() for row in edges))
        gaps = _gaps(ladders, wanted)
    collected: dict[tuple[int, int], list[Array]] = (yield _Collected(of, ladders, gaps)) if any(gaps) else {}
    inside = {key: np.sort(np.concatenate(parts)) for key, parts in collected.items()}
    found = [[_statistic(ladder, rank, place, inside) for rank in wanted] for place, ladder in enumerate(ladders)]
    return Statistics(
        np.array([[value for value, _ in row] for row in found]),
        np.array([[below for _, below in row] for row in found], np.int64),
    )


def _gaps(ladders: list[Ladder], wanted: Ranks) -> list[set[int]]:
    """Return the gaps of each row in which wanted ranks lie."""
    return [
        {gap for gap in map(ladder.gap, wanted.tolist()) if gap is not None} if ladder.numbers else set()
        for ladder in ladders
    ]


def _open(ladder: Ladder, gaps: set[int]) -> list[int]:
    """Return those gaps that have room for another edge."""
    ends = (_ends(ladder, gap) for gap in gaps)
    return [gap for gap, (low, high) in zip(gaps, ends, strict=True) if high - low > 1]


def _ends(ladder: Ladder, gap: int) -> tuple[int, int]:
    """Return the places of the ends of a gap in the order of floating point numbers."""
    low = ladder.edges[gap - 1] if gap else -np.inf
    high = ladder.edges[gap] if gap < len(ladder.edges) else np.inf
    return _place(low), _place(high)


def _closer(ladder: Ladder, gaps: set[int]) -> Array:
    """Return the edges, and more of them in gaps that hold many values."""
    more = [ladder.edges]
    for gap in _open(ladder, gaps):
        if ladder.inside(gap) > _MANY:
            low, high = _ends(ladder, gap)
            step = max(1, (high - low) // _EDGES)
            more.append(np.array([_number(place) for place in range(low, high + 1, step)]))
    return np.unique(np.concatenate(more))


def _place(value: float) -> int:
    bits = int(np.float64(value).view(np.int64))
    return bits if bits >= 0 else -(bits + 2**63)


def _number(place: int) -> float:
    return float(np.int64(place).view(np.float64)) if place >= 0 else -float(np.int64(-place).view(np.float64))


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
