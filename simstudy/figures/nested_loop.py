"""Nested loop plot of a whole study: every cell side by side over the staircases of its factors.

Source: G. Rücker and G. Schwarzer (2014), BMC Medical Research Methodology 14:129.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings, methods
from simstudy.figures import selection as sel
from simstudy.figures.cell_ranges import Ends, Range, level, method, ranges
from simstudy.figures.factors import Factor, cells, factors
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.staircases import held, levels, staircases
from simstudy.figures.style import BLUE, GRID, INK, LIMIT_LINE, WIDTH, themed
from simstudy.figures.wording import NO_ESTIMATE, plus_minus

ERROR = "relative_error_model_se"
CUT = 100.0
"""Errors of the model's standard error beyond so many per cent are marked on the edge of their panel."""
SHOWN_FACTORS = 8
SHOWN_STEPS = 40
"""Most levels of the first factor that are parted by lines."""
REFERENCE = "nominal level, or no error"
READ = (
    "Lines are the lowest (bold) and the highest over the parameters of a cell, the band ± 2 MCSE around them; "
    "below, the staircases of the factors, their levels named from the lowest step to the highest."
)


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether this is a study of at least two scenarios (a figure of the whole study has no scenario)."""
    return scenario == "" and len(set(summary["scenario"])) > 1 and bool(method(summary))


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw the coverage, the error of the model's standard error, and the factors below them."""
    table = cells(summary)
    steps = factors(table)[:SHOWN_FACTORS]
    coverage, error = _measures(summary, table)
    heights = [1.7] * (1 + error.known.any()) + [0.15 + 0.36 * max(len(steps), 1)]
    figure = Figure(figsize=(WIDTH, sum(heights) + 1.0), layout="constrained")
    grid = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _coverage_panel(grid[0], coverage, level(summary))
    if error.known.any():
        _error_panel(grid[1], error)
    for axes in grid[:-1]:
        _separators(axes, steps)
        axes.tick_params(bottom=False)
    staircases(grid[-1], steps)
    grid[-1].set_xlim(0, len(table))
    ax_tools.legend(figure, list(grid[:-1]))
    figure.supxlabel(f"{len(table)} cells (scenario × n) in the order of their factors")
    return figure


def _measures(summary: pd.DataFrame, table: pd.DataFrame) -> tuple[Range, Range]:
    return ranges(summary, table, "coverage", method(summary)), ranges(summary, table, ERROR, "observed")


def _coverage_panel(axes: Axes, coverage: Range, reference: float) -> None:
    _panel(axes, coverage, reference)
    axes.set_ylabel("coverage")
    ax_tools.value_axis(axes, reference, 0.02)
    ax_tools.per_cent(axes)


def _error_panel(axes: Axes, error: Range) -> None:
    """Draw the error, and mark on the edge what would flatten all else."""
    _panel(axes, error, 0.0)
    axes.set_ylabel("error of model SE")
    low = np.nanmin(error.low.value - 2 * np.nan_to_num(error.low.mcse))
    high = np.nanmax(error.high.value + 2 * np.nan_to_num(error.high.mcse))
    margin = 0.05 * (min(high, CUT) - max(low, -CUT))
    axes.set_ylim(max(low, -CUT) - margin, min(high, CUT) + margin)
    ax_tools.value_axis(axes, 0.0, 2.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %".replace("-", "−")))
    places = np.flatnonzero(error.high.value > CUT) + 0.5
    where, heights = axes.get_xaxis_transform(), np.full(len(places), 0.97)
    axes.plot(places, heights, "^", color=INK, markersize=3.0, transform=where, zorder=4)


def _panel(axes: Axes, found: Range, reference: float) -> None:
    """Draw the extremes over the parameters as steps, within a band of ±2 MCSE."""
    edges = np.arange(len(found.known) + 1)
    axes.grid(visible=False, axis="x")
    low, high = (held(end.value + side * 2 * np.nan_to_num(end.mcse)) for end, side in _sides(found))
    axes.fill_between(edges, low, high, step="post", color=BLUE, alpha=0.2, linewidth=0)
    label = "lowest and highest of the parameters"
    axes.step(edges, held(found.low.value), where="post", color=BLUE, linewidth=1.3, label=label)
    axes.step(edges, held(found.high.value), where="post", color=BLUE, linewidth=0.7)
    if math.isfinite(reference):
        axes.axhline(reference, label=REFERENCE, **LIMIT_LINE)
    ax_tools.absent(axes, np.flatnonzero(~found.known) + 0.5)
    if not found.known.any():
        ax_tools.say(axes, NO_ESTIMATE)


def _sides(found: Range) -> tuple[tuple[Ends, int], tuple[Ends, int]]:
    return (found.low, -1), (found.high, 1)


def _separators(axes: Axes, steps: Sequence[Factor]) -> None:
    """Part the cells at each new level of the first factor."""
    if not steps or len(steps[0].levels) > SHOWN_STEPS:
        return
    for place in np.flatnonzero(np.diff(steps[0].places)) + 1:
        axes.axvline(float(place), color=GRID, linewidth=0.7, zorder=0.6)


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    table = cells(summary)
    named = "; ".join(levels(factor) for factor in factors(table))
    return f"All {len(table)} cells of the study side by side, by {named or 'no factor'}. {_told(summary, table)}"


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State where in the study coverage and the model's standard error are worst."""
    table = cells(summary)
    told, total = _told(summary, table), len(factors(table))
    if told == findings.NOTHING:
        return told
    rest = sel.first_of(SHOWN_FACTORS, total, "factors")
    return f"{told} {READ}{_remarks(summary, table)}{rest}"


def _told(summary: pd.DataFrame, table: pd.DataFrame) -> str:
    coverage, error = _measures(summary, table)
    if not coverage.known.any():
        return findings.NOTHING
    told = f"Coverage ({methods.LOOKS[method(summary)].label}) is {_extremes(table, coverage, 100.0)}."
    if error.known.any():
        told += f" The relative error of the model SE is {_extremes(table, error, 1.0)}."
    return told


def _extremes(table: pd.DataFrame, found: Range, unit: float) -> str:
    """Name the cells with the lowest and the highest value."""
    low, high = int(np.nanargmin(found.low.value)), int(np.nanargmax(found.high.value))
    return f"lowest {_cell(table, found.low, low, unit)} and highest {_cell(table, found.high, high, unit)}"


def _cell(table: pd.DataFrame, end: Ends, place: int, unit: float) -> str:
    cell, value = table.iloc[place], plus_minus(unit * end.value[place], unit * end.mcse[place], " %")
    return f"for {end.names[place]} of {cell['scenario']} at n = {cell['n']} ({value})"


def _remarks(summary: pd.DataFrame, table: pd.DataFrame) -> str:
    """Explain triangles and crosses where there are any."""
    coverage, error = _measures(summary, table)
    cut = f" Triangles: above {CUT:g} %." if (error.high.value > CUT).any() else ""
    missing = not coverage.known.all() or (error.known.any() and not error.known.all())
    return cut + (f" Crosses on the axis: {NO_ESTIMATE}." if missing else "")


NESTED_LOOP = FigureSpec(
    "nested_loop",
    "All cells of the study",
    draw,
    alt,
    caption,
    applies,
    measures=("coverage", ERROR),
    whole=True,
)
