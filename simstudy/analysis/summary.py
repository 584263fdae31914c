"""The summary: one tidy row per cell, measure, estimator and entry, and its file."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simstudy.analysis.arrangement import of_scenario
from simstudy.analysis.cell import Cell
from simstudy.analysis.influence import Estimate
from simstudy.analysis.measures import MEASURES, Limit, Measure
from simstudy.analysis.rates import with_rates
from simstudy.analysis.table6 import textbook
from simstudy.errors import UnusableResultsError
from simstudy.files import read_file, told, write_atomically
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array
from simstudy.study.limits import Limits
from simstudy.study.replicates import Parts, concatenate
from simstudy.study.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd


class Row(NamedTuple):
    """One row of the summary; ``row`` and ``column`` are parameter names, empty where they do not apply."""

    study: str
    scenario: str
    family: str
    n: int
    measure: str
    estimator: str
    row: str
    column: str
    value: float
    mcse: float
    limit: float
    replicates: int
    failed: int


COLUMNS = Row._fields
MOST_BYTES = 2**30
"""Most bytes of a summary that is read."""
_NUMBERS = ("value", "mcse", "limit")
_COUNTS = ("n", "replicates", "failed")


def summarise(study_name: str, cells: Iterable[tuple[Scenario, Parts, Limits]]) -> pd.DataFrame:
    """Return the summary of all cells, in their order; each cell is read, summarised and let go in turn.

    Returns
    -------
    DataFrame
        Columns as in `Row`; rows by cell, then measure in the order of ``MEASURES``, estimator and entry. The rates of
        a scenario, which speak of all its sample sizes and have n = 0, follow its last cell.
    """
    # starmap holds a cell no longer than its call, where a loop variable would keep it while the next is read
    rows = with_rates(starmap(_summarised, cells))
    return _frame(row._replace(study=study_name) for row in rows)


def _summarised(scenario: Scenario, replicates: Parts, limits: Limits) -> tuple[list[Row], bool]:
    """Return the rows of one cell, and whether its model is right and regular."""
    regular = limits.right and not limits.irregularity and bool((limits.rates == 0.5).all())
    return summarise_cell(scenario, replicates, limits), regular


def summarise_cell(scenario: Scenario, replicates: Parts, limits: Limits) -> list[Row]:
    """Return the rows of one cell, their ``study`` still empty, from its first R replicates.

    Numbers that cannot be computed, for want of converged replicates or by overflow, are NaN or infinite, and
    tell it themselves: floating point warnings are off.
    """
    with np.errstate(all="ignore"):
        cell = of_scenario(scenario, concatenate(list(replicates)).head(scenario.replicates), limits)
        applying = {name: measure for name, measure in MEASURES.items() if measure.applies(cell)}
        return [row for name, measure in applying.items() for row in _rows(scenario, cell, name, measure)]


def measured(scenario: Scenario, cell: Cell, name: str, measure: Measure) -> dict[str, Estimate]:
    """Return a measure by estimator, with Monte Carlo standard errors of the kind that the scenario asks for."""
    estimates = measure.estimates(cell)
    return textbook(name, estimates, cell) if scenario.mcse == "table6" else estimates


def _rows(scenario: Scenario, cell: Cell, name: str, measure: Measure) -> list[Row]:
    """Return the rows of one measure."""
    entries = _entries(scenario.free, measure.shape)
    limit = measure.limit(cell)
    total, failed = len(cell.converged), int((~cell.converged).sum())
    return [
        Row(
            "", scenario.name, scenario.fit, scenario.n, measure.published or name, estimator, *entry,
            float(value), float(mcse), float(bound), total, failed,
        )
        for estimator, estimate in measured(scenario, cell, name, measure).items()
        for entry, value, mcse, bound in zip(
            entries, estimate.value, estimate.mcse, _limits(limit, estimator, len(entries)), strict=True
        )
    ]  # fmt: skip


def _limits(limit: Limit | Mapping[str, Limit], estimator: str, entries: int) -> Array:
    """Return the limits of the entries as one estimator has them."""
    own = limit[estimator] if isinstance(limit, Mapping) else limit
    return np.broadcast_to(np.asarray(own, dtype=float), entries)


def _entries(free: tuple[str, ...], shape: str) -> list[tuple[str, str]]:
    """Return the (row, column) names of the entries of a measure."""
    if shape == "scalar":
        return [("", "")]
    if shape == "vector":
        return [(name, "") for name in free]
    return [(free[i], free[j]) for i, j in pairs(len(free)) if shape == "matrix" or i != j]


def _frame(rows: Iterable[Row]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame.from_records(list(rows), columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(_COUNTS, "int64") | dict.fromkeys(_NUMBERS, "float64"))


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a summary as CSV in UTF-8, whole or not at all; the bytes depend on nothing but the numbers.

    Floats are the shortest text that reads back to the same bits, an empty field is NaN, lines end in a
    line feed.

    Raises
    ------
    UnusableResultsError
        If the file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_field(value) for value in row] for row in frame[list(COLUMNS)].itertuples(index=False))
    write_atomically(path, text.getvalue().encode())


def _field(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value))
    return str(value)


def read(path: Path) -> pd.DataFrame:
    """Read what `write` wrote, bit for bit.

    Raises
    ------
    UnusableResultsError
        If the file cannot be read or is not a summary.
    """
    with told(path, "read"):
        content = read_file(path, MOST_BYTES)
    try:
        header, *lines = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
        if tuple(header) == COLUMNS and b"\0" not in content:
            return _frame(_parsed(line) for line in lines)
    except (ValueError, OverflowError, csv.Error):
        pass
    message = f"{path}: not a summary, damaged or foreign: write it again with `simstudy report`"
    raise UnusableResultsError(message)


def _parsed(line: list[str]) -> Row:
    """Return the row of one line of the file; ValueError where it is none."""
    fields = dict(zip(COLUMNS, line, strict=True))
    numbers = {name: float(fields[name] or "nan") for name in _NUMBERS}
    counts = {name: int(fields[name]) for name in _COUNTS}
    return Row(**{**fields, **numbers, **counts})  # type: ignore[arg-type]
