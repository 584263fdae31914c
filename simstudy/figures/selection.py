"""Picking rows of the summary: the only module that knows its columns."""

from __future__ import annotations

import numpy as np
import pandas as pd

Entry = tuple[str, str]
"""Parameter names of row and column; the column is empty for a vector, both are for a scalar."""


def measured(summary: pd.DataFrame, scenario: str, measure: str) -> pd.DataFrame:
    """Return the rows of one measure of one scenario, by sample size."""
    rows = summary[(summary["scenario"] == scenario) & (summary["measure"] == measure)]
    numbers = {name: rows[name].where(np.isfinite(rows[name])) for name in ("value", "mcse")}
    # A summary read back from CSV may hold NaN where a name is empty.
    return rows.assign(**numbers).fillna({"row": "", "column": "", "estimator": ""}).sort_values("n", kind="stable")


def entries(rows: pd.DataFrame) -> list[Entry]:
    """Return the distinct entries in canonical order."""
    return list(dict.fromkeys(zip(rows["row"].astype(str), rows["column"].astype(str), strict=True)))


def series(rows: pd.DataFrame, entry: Entry, estimator: str) -> pd.DataFrame:
    """Return one line of a figure: an entry as one estimator sees it, by sample size."""
    row, column = entry
    return rows[(rows["row"] == row) & (rows["column"] == column) & (rows["estimator"] == estimator)]


def sizes(rows: pd.DataFrame) -> list[int]:
    """Return the distinct sample sizes, ascending."""
    return sorted({int(n) for n in rows["n"]})


def parameters(summary: pd.DataFrame, scenario: str) -> list[str]:
    """Return the names of the free parameters in canonical order."""
    return [row for row, _ in entries(measured(summary, scenario, "bias"))]


def limit_of(rows: pd.DataFrame, entry: Entry) -> float:
    """Return the theoretical limit of an entry, the same at every sample size (NaN where there is none)."""
    chosen = rows[(rows["row"] == entry[0]) & (rows["column"] == entry[1])]["limit"].dropna()
    return float(chosen.iloc[0]) if len(chosen) else float("nan")


def scale_of(rows: pd.DataFrame, entry: Entry) -> float:
    """Return √(limitᵢᵢ·limitⱼⱼ), the natural size of entry (i, j): an entry whose limit is 0 has one too."""
    row, column = entry
    return float(np.sqrt(limit_of(rows, (row, row)) * limit_of(rows, (column, column))))


def entry_name(entry: Entry) -> str:
    """Return how a figure calls an entry: ``shape`` on the diagonal, ``shape × scale`` off it."""
    row, column = entry
    return row if column in ("", row) else f"{row} × {column}"
