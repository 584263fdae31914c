"""The Wald intervals of the replicates in the order of their distance from the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simstudy.figures import estimates, methods
from simstudy.figures import selection as sel
from simstudy.figures.spec import ReplicatesOf

SHOWN_PARAMETERS = 3


@dataclass(frozen=True)
class Zip:
    """The intervals of one parameter at one sample size, nearest to the truth first.

    Attributes
    ----------
    lower, upper : (R,)
        Ends of the intervals.
    truth
        θ*.
    coverage, mcse
        Share of the intervals that hold θ*, as the summary has it.
    """

    name: str
    n: int
    lower: np.ndarray
    upper: np.ndarray
    truth: float
    coverage: float
    mcse: float

    @property
    def misses(self) -> tuple[np.ndarray, np.ndarray]:
        """Whether each interval lies below the truth, and whether above."""
        return self.upper < self.truth, self.lower > self.truth


def method(summary: pd.DataFrame, scenario: str) -> str:
    """Return the first method whose intervals are θ̂ ± z·se, empty where there is none."""
    met = set(methods.coverages(summary, scenario)["estimator"])
    return next((name for name in methods.SYMMETRIC if name in met), "")


def zips(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> list[list[Zip]]:
    """Return one row per parameter shown, one column per sample size shown."""
    chosen = method(summary, scenario)
    rows = methods.coverages(summary, scenario)
    rows = rows[rows["estimator"] == chosen]
    sizes = sel.spread_out(sel.sizes(rows), estimates.SHOWN_SIZES)
    names = list(dict.fromkeys(rows["row"]))[:SHOWN_PARAMETERS]
    return [[_zip(summary, scenario, rows, name, n, replicates(scenario, n)) for n in sizes] for name in names]


def _zip(summary: pd.DataFrame, scenario: str, rows: pd.DataFrame, name: str, n: int, table: pd.DataFrame) -> Zip:
    measured = rows[(rows["row"] == name) & (rows["n"] == n)].iloc[0]
    ends = [f"{end}[{measured['estimator']},{name}]" for end in ("lower", "upper")]
    theta, lower, upper = estimates.columns(table, [f"theta[{name}]", *ends])
    truth, half = estimates.truth(summary, scenario, n, name, table), (upper - lower) / 2
    # |θ̂ − θ*|/half is |z| in other units; a half-width of 0 is beyond all others.
    distance = np.divide(np.abs(theta - truth), half, out=np.full(len(half), np.inf), where=half > 0)
    order = np.argsort(distance, kind="stable")
    lower, upper = (theta - half)[order], (theta + half)[order]
    return Zip(name, n, lower, upper, truth, float(measured["value"]), float(measured["mcse"]))
