"""Coverage and mean width of all interval methods against n, parameter by parameter."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings, methods
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import LIMIT_LINE, WIDTH, themed
from simstudy.figures.wording import number, plus_minus

SHOWN_PARAMETERS = 4
READ = "Widths are divided by the narrowest at the same n."
BARS = "Bars are ± 2 MCSE (of the width itself, not of the narrowest)."


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether intervals have a coverage and a width."""
    return bool(len(methods.coverages(summary, scenario)) and len(_widths(summary, scenario)))


def _widths(summary: pd.DataFrame, scenario: str) -> pd.DataFrame:
    """Return the mean widths over the narrowest of the same parameter at the same n."""
    rows = sel.measured(summary, scenario, "interval_width")
    rows = rows[rows["estimator"].isin(methods.LOOKS)]
    narrowest = rows.groupby(["row", "n"])["value"].transform("min")
    narrowest = narrowest.where(narrowest > 0)
    return rows.assign(value=rows["value"] / narrowest, mcse=rows["mcse"] / narrowest)


def _names(coverages: pd.DataFrame) -> list[str]:
    """Return the parameters shown."""
    return [str(name) for name in dict.fromkeys(coverages["row"])][:SHOWN_PARAMETERS]


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw a column of two panels per parameter: coverage above, width below."""
    coverages, widths = methods.coverages(summary, scenario), _widths(summary, scenario)
    names = _names(coverages)
    figure, grid = _grid(len(names))
    level = methods.level(summary, scenario)
    for place, name in enumerate(names):
        top, bottom = grid[:, place]
        top.set_title(name)
        if math.isfinite(level):
            top.axhline(level, label="nominal level", **LIMIT_LINE)
        _panel(top, coverages, name)
        _panel(bottom, widths, name)
    ax_tools.value_axis(grid[0, 0], level, 0.02)
    ax_tools.value_axis(grid[1, 0], 1.0, 0.02)
    ax_tools.per_cent(grid[0, 0])
    grid[0, 0].set_ylabel("coverage")
    grid[1, 0].set_ylabel("width / narrowest")
    ax_tools.legend(figure, list(grid.flat))
    figure.supxlabel("sample size n")
    return figure


def _grid(columns: int) -> tuple[Figure, np.ndarray]:
    width = WIDTH if columns > 1 else ax_tools.NARROW
    figure = Figure(figsize=(width, 5.0 if columns > 1 else 5.6), layout="constrained")
    return figure, figure.subplots(2, columns, squeeze=False, sharey="row", sharex="col")


def _panel(axes: Axes, rows: pd.DataFrame, name: str) -> None:
    looks = methods.present(rows)
    for place, (estimator, look) in enumerate(looks.items()):
        ax_tools.points(axes, sel.series(rows, (name, ""), estimator), look, place, len(looks))
    ax_tools.size_axis(axes, sel.sizes(rows))
    ax_tools.say_if_empty(axes, rows[rows["row"] == name])


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    coverages, widths = methods.coverages(summary, scenario), _widths(summary, scenario)
    lines = [
        findings.journey(sel.series(rows, (name, ""), estimator), f"{what} of {name}, {look.label}")
        for what, rows in (("coverage", coverages), ("width", widths))
        for name in _names(coverages)
        for estimator, look in methods.present(rows).items()
    ]
    head = f"Coverage and width of confidence intervals, {findings.span(sel.sizes(coverages))}. {READ}"
    return " ".join([head, *lines])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State which method keeps the nominal level best at the smallest and the largest n, and at what width."""
    coverages, level = methods.coverages(summary, scenario), methods.level(summary, scenario)
    widths, found = _widths(summary, scenario), coverages[coverages["value"].notna()]
    if found.empty:
        return findings.NOTHING
    sizes = sel.sizes(found)
    chosen = dict.fromkeys([sizes[0], sizes[-1]])
    states = [_state(found[found["n"] == n], widths[widths["n"] == n], level) for n in chosen]
    total = coverages["row"].nunique()
    rest = sel.first_of(SHOWN_PARAMETERS, total, "parameters")
    missing = coverages["value"].isna().any() or widths["value"].isna().any()
    gaps = " Crosses on the axis: no coverage, or no mean width." if missing else ""
    return " ".join([*states, READ, BARS]) + rest + gaps


def _state(coverages: pd.DataFrame, widths: pd.DataFrame, level: float) -> str:
    """Say which method's worst parameter comes nearest to the level, and which method's is furthest from it."""
    n = int(coverages["n"].iloc[0])
    if not math.isfinite(level):
        return f"At n = {n} no nominal level is known to be the limit of these coverages."
    worst = _worst(coverages, level)
    best, last = worst[0], worst[-1]
    said = f"At n = {n} the method that stays nearest to {100 * level:g} % is {_method(best, widths)}"
    return f"{said}; furthest from it is {_method(last, widths)}." if len(worst) > 1 else f"{said}."


def _worst(rows: pd.DataFrame, level: float) -> list[pd.Series]:
    """Return each method's coverage furthest from the level over the parameters, nearest first."""
    rows = rows.assign(away=(rows["value"] - level).abs())
    ordered = rows.sort_values("away", ascending=False, kind="stable").drop_duplicates("estimator")
    return [ordered.iloc[place] for place in reversed(range(len(ordered)))]


def _method(row: pd.Series, widths: pd.DataFrame) -> str:
    """Name a method with its worst coverage and the width there."""
    label = methods.LOOKS[str(row["estimator"])].label
    covered = plus_minus(100 * row["value"], 100 * row["mcse"], " %")
    own = widths[(widths["estimator"] == row["estimator"]) & (widths["row"] == row["row"])]["value"].dropna()
    width = f", {number(float(own.iloc[0]), 3)} times the narrowest" if len(own) else ""
    return f"{label} (at worst {covered}, for {row['row']}{width})"


INTERVALS = FigureSpec(
    "intervals",
    "Coverage and width of intervals",
    draw,
    alt,
    caption,
    applies,
    measures=("coverage", "interval_width"),
)
