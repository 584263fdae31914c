"""Sentences about a series of estimates: where it starts, where it ends, how it stands to its limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from simstudy.figures import selection as sel
from simstudy.figures.wording import NO_ESTIMATE, against, listed, number, plus_minus

NOTHING = "No replicate of this scenario could be used, so there is nothing to show."
BARS = "Bars are ± 2 MCSE."


class Point(NamedTuple):
    """One estimate."""

    n: int
    value: float
    mcse: float
    limit: float

    def __str__(self) -> str:
        return plus_minus(self.value, self.mcse)

    def standing(self, limit_name: str) -> str:
        """Return the estimate and how it stands to its limit."""
        return f"{self}, {against(self.value, self.mcse, self.limit, limit_name)}"


def ends(rows: pd.DataFrame) -> list[Point]:
    """Return the estimates at the smallest and the largest n that have one (one point where these agree)."""
    usable = rows[np.isfinite(rows["value"])]
    records = [usable.iloc[i] for i in sorted({0, len(usable) - 1})] if len(usable) else []
    return [Point(int(r["n"]), float(r["value"]), float(r["mcse"]), float(r["limit"])) for r in records]


def best(rows: pd.DataFrame, entry: sel.Entry) -> pd.DataFrame:
    """Return the series with control variate where there is one, else the raw one."""
    sharper = sel.series(rows, entry, "control-variate")
    return sharper if sharper["value"].notna().any() else sel.series(rows, entry, "raw")


def diagonal(rows: pd.DataFrame) -> list[sel.Entry]:
    """Return the entries of a parameter with itself."""
    return [entry for entry in sel.entries(rows) if entry[1] in ("", entry[0])]


def convergence(rows: pd.DataFrame, subject: str, limit_name: str) -> str:
    """Say where the diagonal entries of a matrix are at the largest n, and where they were at the smallest."""
    found = {entry[0]: ends(best(rows, entry)) for entry in diagonal(rows)}
    found = {name: points for name, points in found.items() if points}
    if not found:
        return NOTHING
    said = [f"that of {name} is {points[-1].standing(limit_name)}" for name, points in found.items()]
    said[0] = said[0].replace("that", subject, 1)
    n = max(points[-1].n for points in found.values())
    start = _start([points[0] for points in found.values() if len(points) > 1])
    return f"At n = {n} {'; '.join(said)}{start} (± 2 MCSE)."


def _start(points: list[Point]) -> str:
    if not points:
        return ""
    verb = "it was" if len(points) == 1 else "they were"
    return f"; at n = {points[0].n} {verb} {listed([str(point) for point in points])}"


def journey(rows: pd.DataFrame, name: str, size: float = 0.0) -> str:
    """Describe a series for readers who do not see it; what is rounding beside ``size`` is zero."""
    points = ends(rows)
    if not points:
        return f"{name}: {NO_ESTIMATE}."
    values = [0.0 if abs(point.value) < 1e-12 * size else point.value for point in points]
    path = " to ".join(f"{number(value)} at n = {point.n}" for value, point in zip(values, points, strict=True))
    limit = points[-1].limit
    return f"{name}: {path}" + (f", limit {number(limit)}." if math.isfinite(limit) else ".")


def journeys(rows: pd.DataFrame) -> list[str]:
    """Describe all entries of a matrix."""
    entries = sel.entries(rows)
    return [journey(best(rows, entry), sel.entry_name(entry), sel.scale_of(rows, entry)) for entry in entries]


def gaps(rows: pd.DataFrame) -> str:
    """Explain the crosses on the axis where there are any."""
    return f" Crosses on the axis: {NO_ESTIMATE}." if rows["value"].isna().any() else ""


def span(sizes: Sequence[int]) -> str:
    """Return the range of sample sizes in words."""
    if not sizes:
        return "no sample size"
    low, high = min(sizes), max(sizes)
    return f"n = {low}" if low == high else f"n from {low} to {high}"
