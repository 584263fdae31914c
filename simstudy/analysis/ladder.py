"""Counts of values below and up to edges, and edges set closer where many values lie between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis.streaming import Rows
from simstudy.parameters import Array

Ranks = NDArray[np.int64]

MANY = 2**17
"""Values between two edges that are not collected at once."""
_EDGES = 2048


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
    below: Ranks
    upto: Ranks
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


def gaps_of(ladders: list[Ladder], wanted: Ranks) -> list[set[int]]:
    """Return the gaps of each row in which wanted ranks lie."""
    return [
        {gap for gap in map(ladder.gap, wanted.tolist()) if gap is not None} if ladder.numbers else set()
        for ladder in ladders
    ]


def crowded(ladder: Ladder, gaps: set[int]) -> list[int]:
    """Return those gaps that hold many values and have room for another edge."""
    return [gap for gap in gaps if ladder.inside(gap) > MANY and _room(ladder, gap)]


def _room(ladder: Ladder, gap: int) -> bool:
    low, high = _ends(ladder, gap)
    return high - low > 1


def _ends(ladder: Ladder, gap: int) -> tuple[int, int]:
    """Return the places of the ends of a gap in the order of floating point numbers."""
    low = ladder.edges[gap - 1] if gap else -np.inf
    high = ladder.edges[gap] if gap < len(ladder.edges) else np.inf
    return _place(low), _place(high)


def closer(ladder: Ladder, gaps: list[int]) -> Array:
    """Return the edges, and more of them in some gaps."""
    more = [ladder.edges]
    for gap in gaps:
        low, high = _ends(ladder, gap)
        step = max(1, (high - low) // _EDGES)
        more.append(np.array([_number(place) for place in range(low, high + 1, step)]))
    return np.unique(np.concatenate(more))


def _place(value: float) -> int:
    bits = int(np.float64(value).view(np.int64))
    return bits if bits >= 0 else -(bits + 2**63)


def _number(place: int) -> float:
    return float(np.int64(place).view(np.float64)) if place >= 0 else -float(np.int64(-place).view(np.float64))
