"""What figures read of stored replicates for one parameter: estimates, standard errors, intervals, and the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from simstudy.figures import selection as sel

SHOWN_SIZES = 3
TRUTH = "truth"
"""Attribute of a table of some of the replicates: θ* by name of the parameter."""


def columns(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return columns (k, R) of the converged replicates in which all are numbers (none where a column is missing)."""
    if not set(names) <= set(table.columns):
        return np.empty((len(names), 0))
    values = table.loc[table["status"] == "CONVERGED", list(names)].to_numpy(dtype=float).T
    return np.asarray(values[:, np.isfinite(values).all(axis=0)])


def truth(summary: pd.DataFrame, scenario: str, n: int, name: str, table: pd.DataFrame) -> float:
    """Return θ*, the mean estimate less its bias, which the summary has measured (NaN where it has not)."""
    if TRUTH in table.attrs:
        return float(table.attrs[TRUTH][name])
    rows = sel.series(sel.measured(summary, scenario, "bias"), (name, ""), "raw")
    bias = rows.loc[rows["n"] == n, "value"]
    (estimates,) = columns(table, [f"theta[{name}]"])
    return float(estimates.mean() - bias.iloc[0]) if len(bias) and len(estimates) else float("nan")
