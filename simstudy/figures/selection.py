"""Picking rows of the summary: the only module that knows its columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

Entry = tuple[str, str]
"""Parameter names of row and column; the column is empty for a vector, both are for a scalar."""


def measured(summary: pd.DataFrame, scenario: str, measure: str, infinite: bool = False) -> pd.DataFrame:
    """Return the rows of one measure of one scenario, by sample size.

    Parameters
    ----------
    infinite
        Whether infinite values stay; else they are missing, as most figures can show them no better.
    """
    rows = summary[(summary["scenario"] == scenario) & (summary["measure"] == measure)]
    masked = ("mcse",) if infinite else ("value", "mcse")
    numbers = {name: rows[name].where(np.isfinite(rows[name])) for name in masked}
    # A summary read back from CSV may hold NaN where a name is empty.
    return rows.assign(**numbers).fillna({"row": "", "column": "", "estimator": ""}).sort_values("n", kind="stable")


def entries(rows: pd.DataFrame) -> list[Entry]:
    """Return the distinct entries in canonical order."""
    return list(dict.fromkeys(zip(rows["row"].astype(str), rows["column"].astype(str), strict=True)))


def by_parameter(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that speak of single parameters, not of all of them together."""
    return rows[rows["row"] != ""]


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


THE_LIMIT = "the limit"
"""What a limit is called that is neither I(θ)⁻¹ nor A⁻¹BA⁻¹."""


def limit_names(summary: pd.DataFrame, scenario: str) -> tuple[str, str]:
    """Return what the limits of mean J and n·Cov(θ̂) are called: where the model is right and regular A = B = I(θ)."""
    names = ("mean_observed_information", "score_covariance", "scaled_covariance")
    hessian, score, covariance = (limits(measured(summary, scenario, name)) for name in names)
    if np.array_equal(hessian, score, equal_nan=True):
        return "I(θ)", "I(θ)⁻¹"
    return "A", "A⁻¹BA⁻¹" if _sandwich(hessian, score, covariance) else THE_LIMIT


def _sandwich(hessian: np.ndarray, score: np.ndarray, covariance: np.ndarray) -> bool:
    """Tell whether A·Σ·A = B, in units of √(AᵢᵢAⱼⱼ) and so of nearly any scale."""
    if not np.isfinite([hessian, score, covariance]).all() or not (np.diag(hessian) > 0.0).all():
        return False
    unit = np.sqrt(np.outer(np.diag(hessian), np.diag(hessian)))
    return bool(np.abs((hessian @ covariance @ hessian - score) / unit).max() < _CLOSE * np.abs(score / unit).max())


def limits(rows: pd.DataFrame) -> np.ndarray:
    """Return the limits of a matrix, whole."""
    names = list(dict.fromkeys(rows["row"]))
    size = len(names)
    first = rows.dropna(subset="limit").drop_duplicates(["row", "column"])
    known = dict(zip(zip(first["row"], first["column"], strict=True), first["limit"], strict=True))
    return np.array([[known.get(_upper(names, i, j), np.nan) for j in range(size)] for i in range(size)])


def _upper(names: list[str], i: int, j: int) -> Entry:
    return names[min(i, j)], names[max(i, j)]


_CLOSE = 1e-6
SHOWN_ENTRIES = 15
"""Panels of a figure at most: all entries of a matrix of five parameters."""


def shown(entries_of_all: list[Entry]) -> list[Entry]:
    """Return the entries that a figure has room for, those of a parameter with itself first where not all fit."""
    if len(entries_of_all) <= SHOWN_ENTRIES:
        return entries_of_all
    return sorted(entries_of_all, key=lambda entry: entry[1] not in ("", entry[0]))[:SHOWN_ENTRIES]


def left_out(entries_of_all: list[Entry]) -> str:
    """Say how many entries a figure does not show, if any."""
    return first_of(SHOWN_ENTRIES, len(entries_of_all), "entries")


def first_of(count: int, total: int, what: str) -> str:
    """Say that the first of them are shown where that is not all.

    >>> first_of(3, 5, "parameters"), first_of(3, 3, "parameters")
    (' The first 3 of 5 parameters are shown.', '')
    """
    return f" The first {count} of {total} {what} are shown." if total > count else ""


def spread_out(sizes: Sequence[int], count: int) -> list[int]:
    """Return at most so many sample sizes: the ends, and between them evenly in rank.

    >>> spread_out([10, 20, 40, 80], 3), spread_out([25], 3)
    ([10, 40, 80], [25])
    """
    return [sizes[i] for i in np.linspace(0, len(sizes) - 1, min(len(sizes), count)).round().astype(int)]


def scale_of(rows: pd.DataFrame, entry: Entry) -> float:
    """Return √(limitᵢᵢ·limitⱼⱼ), the natural size of entry (i, j), 0 where there is none: a limit may be 0 itself."""
    row, column = entry
    square = limit_of(rows, (row, row)) * limit_of(rows, (column, column))
    return float(np.sqrt(square)) if square > 0.0 else 0.0


def entry_name(entry: Entry) -> str:
    """Return how a figure calls an entry: ``shape`` on the diagonal, ``shape × scale`` off it."""
    row, column = entry
    return row if column in ("", row) else f"{row} × {column}"
