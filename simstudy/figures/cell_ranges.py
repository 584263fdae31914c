"""Each cell of a study as the lowest and the highest of a measure over its parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simstudy.figures import methods


@dataclass(frozen=True)
class Ends:
    """One end of the range over the parameters, cell by cell (NaN where there is no estimate).

    Attributes
    ----------
    value, mcse : (cells,)
        The lowest or the highest value, and its Monte Carlo standard error.
    names
        The parameter that has it.
    """

    value: np.ndarray
    mcse: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True)
class Range:
    """The lowest and the highest of a measure over the parameters of each cell."""

    low: Ends
    high: Ends

    @property
    def known(self) -> np.ndarray:
        """Whether each cell has an estimate."""
        return np.asarray(np.isfinite(self.low.value))


def ranges(summary: pd.DataFrame, cells: pd.DataFrame, measure: str, estimator: str) -> Range:
    """Return the extremes of a measure over the parameters of each cell."""
    rows = summary[(summary["measure"] == measure) & (summary["estimator"] == estimator)]
    rows = rows[rows["row"].fillna("").ne("") & np.isfinite(rows["value"])].reset_index(drop=True)
    return Range(*(_ends(rows, cells, which) for which in ("idxmin", "idxmax")))


def _ends(rows: pd.DataFrame, cells: pd.DataFrame, which: str) -> Ends:
    places = rows.groupby(["scenario", "n"], sort=False)["value"].agg(which)
    chosen = rows.loc[places, ["scenario", "n", "value", "mcse", "row"]]
    found = cells.merge(chosen, on=["scenario", "n"], how="left")
    value, mcse = (found[name].to_numpy(dtype=float) for name in ("value", "mcse"))
    return Ends(value, mcse, tuple(found["row"].fillna("")))


def method(summary: pd.DataFrame) -> str:
    """Return the interval method that most scenarios have, the first of these; empty where there is none."""
    rows = summary[(summary["measure"] == "coverage") & summary["row"].fillna("").ne("")]
    counts = {name: len(set(rows.loc[rows["estimator"] == name, "scenario"])) for name in methods.LOOKS}
    return max(counts, key=lambda name: counts[name]) if any(counts.values()) else ""


def level(summary: pd.DataFrame) -> float:
    """Return the nominal level if all scenarios share it, else NaN."""
    levels = {methods.level(own, str(name)) for name, own in summary.groupby("scenario", sort=False)}
    known = {found for found in levels if math.isfinite(found)}
    return known.pop() if len(known) == 1 else math.nan
