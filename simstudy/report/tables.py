"""The summary as tables that can be read: one line per entry, one column per sample size, the limit last."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from simstudy.figures import selection as sel
from simstudy.figures.wording import number, split_error
from simstudy.report.titles import GROUPS, PER_CENT, TITLES

OTHER = "Other measures"
LONG = 14
"""Lines of a table from which on it is folded."""

JOINT = "all parameters"
"""What an entry of all parameters together is called where others are of one."""


@dataclass(frozen=True)
class Cell:
    """A number and ±2 MCSE as shown; either may be empty."""

    value: str
    error: str


@dataclass(frozen=True)
class Line:
    """One entry by one estimator over all sample sizes."""

    entry: str
    estimator: str
    cells: tuple[Cell, ...]
    limit: str


@dataclass(frozen=True)
class Block:
    """One measure."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """Measures side by side on the same sample sizes."""

    title: str
    sizes: tuple[int, ...]
    blocks: tuple[Block, ...]

    @property
    def heads(self) -> tuple[str, ...]:
        """Heads of the columns; what speaks of all sample sizes together has n = 0 in the summary."""
        return tuple(f"n = {n}" if n else "all n" for n in self.sizes)

    @property
    def long(self) -> bool:
        """Whether it is better folded."""
        return sum(len(block.lines) for block in self.blocks) >= LONG


def table(summary: pd.DataFrame, scenario: str, title: str, measures: tuple[str, ...]) -> Table:
    """Return the table of some measures of a scenario; measures that the summary lacks are left out."""
    rows = {measure: sel.measured(summary, scenario, measure, infinite=True) for measure in measures}
    sizes = tuple(sel.sizes(pd.concat(rows.values())))
    return Table(title, sizes, tuple(_block(measure, found, sizes) for measure, found in rows.items() if len(found)))


def below(summary: pd.DataFrame, scenario: str) -> tuple[Table, ...]:
    """Return all tables of a scenario but the headline, those without a line left out."""
    present = summary[summary["scenario"] == scenario]["measure"].unique()
    groups = GROUPS | {OTHER: tuple(measure for measure in present if measure not in TITLES)}
    tables = [table(summary, scenario, title, measures) for title, measures in groups.items() if measures]
    return tuple(found for found in tables if found.blocks)


Series = dict[int, tuple[float, float, float]]
"""Value, MCSE and limit by n: tables have thousands of cells, and a DataFrame is slow at one."""


def _block(measure: str, rows: pd.DataFrame, sizes: tuple[int, ...]) -> Block:
    scale = PER_CENT.get(measure, 1.0)
    columns = (rows[name] for name in ("row", "column", "estimator", "n", "value", "mcse", "limit"))
    found: dict[tuple[str, str], dict[str, Series]] = {}
    for row, column, estimator, n, value, mcse, limit in zip(*columns, strict=True):
        found.setdefault((row, column), {}).setdefault(estimator, {})[n] = (float(value), float(mcse), float(limit))
    limits = {
        entry: _known(each for series in own.values() for each in series.values()) for entry, own in found.items()
    }
    lines = []
    for entry, own in found.items():
        name = sel.entry_name(entry) or (JOINT if rows["row"].any() else "")
        negligible = 1e-12 * _size(limits, entry)
        lines += [_line(name, estimator, series, sizes, scale, negligible) for estimator, series in own.items()]
        lines += _moving_limit(name, own, sizes, scale)
    return Block(TITLES.get(measure, measure), tuple(lines))


def _known(numbers: Iterable[tuple[float, float, float]]) -> list[float]:
    """Return the limits that there are."""
    return [limit for _, _, limit in numbers if not math.isnan(limit)]


def _size(limits: dict[tuple[str, str], list[float]], entry: sel.Entry) -> float:
    """Return √(limitᵢᵢ·limitⱼⱼ), the natural size of entry (i, j), 0 where there is none."""
    sides = [limits.get((name, name)) or [math.nan] for name in entry]
    square = sides[0][0] * sides[1][0]
    return math.sqrt(square) if square > 0.0 else 0.0


def _line(name: str, estimator: str, series: Series, sizes: tuple[int, ...], scale: float, negligible: float) -> Line:
    cells = tuple(_cell(series[n], scale, negligible) if n in series else Cell("", "") for n in sizes)
    limits = _known(series.values())
    limit = number(scale * max(limits)) if limits and not _moves(limits) else ""
    return Line(name, estimator.replace("-", " "), cells, limit)


def _cell(numbers: tuple[float, float, float], scale: float, negligible: float) -> Cell:
    value, mcse = scale * numbers[0], scale * numbers[1]
    if abs(value) + mcse < negligible:  # an entry that is zero but for rounding
        return Cell("0", "0")
    if math.isinf(value):
        return Cell("∞" if value > 0.0 else "−∞", "")
    return Cell(*split_error(value, mcse))


def _moves(limits: list[float]) -> bool:
    """Tell whether limits depend on n by more than rounding."""
    return max(limits) - min(limits) > 1e-9 * max(map(abs, limits)) if limits else False


def _moving_limit(name: str, own: dict[str, Series], sizes: tuple[int, ...], scale: float) -> list[Line]:
    """Return a line of limits where these depend on n, such as √(I⁻¹/n)."""
    at: dict[int, float] = {}
    for series in own.values():
        for n, (_, _, limit) in series.items():
            if not math.isnan(limit):
                at.setdefault(n, limit)
    if not _moves(list(at.values())):
        return []
    cells = tuple(Cell(number(scale * at.get(n, math.nan)), "") for n in sizes)
    return [Line(name, "limit at this n", cells, "")]
