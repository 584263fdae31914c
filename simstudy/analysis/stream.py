"""A cell whose replicates are too many to be held: read in parts, as often as its measures ask for a pass.

Parts begin at multiples of `part_rows`, wherever the record was cut, so that sums have the same bits however it was
stored. A cell of no more rows than that is one part, and stays in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simstudy.analysis.arrangement import Census, census, of_scenario, part_of_scenario
from simstudy.analysis.cell import Cell
from simstudy.analysis.facts import Facts
from simstudy.parameters import Array
from simstudy.study import models
from simstudy.study.limits import Limits
from simstudy.study.replicates import Parts, Replicates, concatenate
from simstudy.study.scenario import Scenario

ROWS = 2**16
"""Replicates of a part where there are two parameters, or one."""


def part_rows(size: int) -> int:
    """Return the replicates of a part with p = ``size`` parameters: as many as have the p(p + 2) controls of two.

    >>> part_rows(1), part_rows(2), part_rows(9)
    (65536, 65536, 5295)
    """
    return max(1, 8 * ROWS // max(8, size * (size + 2)))


@dataclass(frozen=True)
class Stream(Facts):
    """One scenario at one n, in parts.

    Attributes
    ----------
    n, level, limits, null, intervals, scenario
        As those of `Cell`.
    record
        The replicates, which may be more than R.
    rows
        R.
    whole
        How they ended.
    """

    n: int
    level: float
    limits: Limits
    null: Array
    intervals: tuple[str, ...]
    scenario: Scenario
    record: Parts
    rows: int
    whole: Census

    @property
    def total(self) -> int:
        """R, whatever became of the fits."""
        return self.rows

    @property
    def usable(self) -> int:
        """How many replicates converged."""
        return self.whole.converged

    @property
    def bounded(self) -> bool:
        """Whether some replicates ended on the boundary."""
        return self.whole.boundary > 0

    def parts(self) -> Iterator[Cell]:
        """Return a new reading of the parts."""
        first = 0
        for replicates in regrouped(self.record, self.rows, part_rows(self.size)):
            part = part_of_scenario(self.scenario, replicates, self.limits, self.whole, first)
            first += part.count
            yield part


def of_parts(scenario: Scenario, record: Parts, limits: Limits, most: int | None = None) -> Cell | Stream:
    """Return the cell of the first replicates of a record, by default of all."""
    total = len(record) if most is None else min(most, len(record))
    rows = part_rows(len(scenario.free))
    if total <= rows:
        return of_scenario(scenario, next(regrouped(record, total, rows)), limits)
    endings = [census(replicates) for replicates in regrouped(record, total, rows)]
    whole = Census(*(sum(counts) for counts in zip(*endings, strict=True)))
    null = models.null_values(scenario)
    return Stream(scenario.n, scenario.level, limits, null, scenario.intervals, scenario, record, total, whole)


def regrouped(record: Parts, total: int, rows: int) -> Iterator[Replicates]:
    """Yield the first replicates of a record in parts of so many rows, the last one shorter."""
    held: list[Replicates] = []
    size, left = 0, total
    for part in record:
        rest = part
        while len(rest) and left:
            taken = rest.head(min(rows - size, left))
            rest = rest.tail(len(rest) - len(taken))
            held.append(taken)
            size, left = size + len(taken), left - len(taken)
            if size == rows or not left:
                yield held[0] if len(held) == 1 else concatenate(held)
                held, size = [], 0
        if not left:
            return
