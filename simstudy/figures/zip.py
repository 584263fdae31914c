"""Zip plot: the intervals of the replicates in the order of their distance from the truth (Morris et al. 2019, §5)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings, methods
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import BLUE, GRID, LIMIT_LINE, VERMILION, WIDTH, themed
from simstudy.figures.wording import NO_ESTIMATE, plus_minus
from simstudy.figures.zips import SHOWN_PARAMETERS, Zip, method, zips

SHOWN_INTERVALS = 900
"""Intervals in all panels together: each is a line of the file."""
HIT, MISS = "covers", "misses"


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether there are Wald intervals."""
    return bool(method(summary, scenario))


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw a row of panels per parameter, a column per sample size."""
    rows = zips(summary, scenario, replicates)
    figure, grid = _grid(len(rows), len(rows[0]))
    bottom = _bottom([item for row in rows for item in row])
    count = SHOWN_INTERVALS // grid.size
    for panels, row in zip(grid, rows, strict=True):
        for axes, item in zip(panels, row, strict=True):
            axes.set_title(f"n = {item.n}")
            axes.set_xlabel(item.name)
            _panel(axes, item, bottom, min(count, 300))
    ax_tools.per_cent(grid[0, 0])
    figure.supylabel("centile of |θ̂ − θ*| / se")
    figure.legend(handles=_key(), loc="outside upper left", ncols=2 if grid.shape[1] == 1 else 4)
    return figure


def _grid(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    width = WIDTH if columns > 1 else ax_tools.NARROW
    figure = Figure(figsize=(width, 2.5 * rows + 0.5), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=True)


def _bottom(items: list[Zip]) -> float:
    """Return the centile at the foot of the panels: whole tenths, well below the lowest coverage and the last one."""
    lowest = min((item.coverage for item in items if math.isfinite(item.coverage)), default=0.0)
    last = min((1.0 - 0.5 / len(item.lower) for item in items if len(item.lower)), default=1.0)
    return max(math.floor(min(10 * lowest - 1.0, 10 * last)) / 10, 0.0)


def _panel(axes: Axes, item: Zip, bottom: float, count: int) -> None:
    axes.set_ylim(bottom, 1.0)
    axes.grid(visible=False)
    if not len(item.lower) or not math.isfinite(item.truth):
        ax_tools.say(axes, NO_ESTIMATE)
        axes.set_xticks([])
        return
    centile = (np.arange(len(item.lower)) + 0.5) / len(item.lower)
    shown = _thinned(np.flatnonzero(centile >= bottom), count)
    missed = (item.misses[0] | item.misses[1])[shown]
    segments = np.stack([np.c_[item.lower, centile], np.c_[item.upper, centile]], axis=1)[shown]
    axes.add_collection(LineCollection(list(segments[~missed]), colors=BLUE, linewidths=0.5, alpha=0.5))
    axes.add_collection(LineCollection(list(segments[missed]), colors=VERMILION, linewidths=1.0))
    if math.isfinite(item.mcse):
        band = (item.coverage - 2 * item.mcse, item.coverage + 2 * item.mcse)
        axes.axhspan(*band, color=GRID, alpha=0.9, linewidth=0, zorder=0.5)
        axes.axhline(item.coverage, color=LIMIT_LINE["color"], linewidth=0.7, zorder=3)
    axes.axvline(item.truth, **LIMIT_LINE | {"zorder": 3})
    axes.set_xlim(*_reach(item, shown))
    ax_tools.estimate_axis(axes)


def _thinned(places: np.ndarray, count: int) -> np.ndarray:
    """Return at most so many of the places, spread evenly."""
    return np.asarray(places[np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(int)])


def _reach(item: Zip, shown: np.ndarray) -> tuple[float, float]:
    """Return ends of the axis that hold nearly all intervals and the truth: a few may be a hundred times as wide."""
    low, high = np.quantile(item.lower[shown], 0.02), np.quantile(item.upper[shown], 0.98)
    low, high = min(low, item.truth), max(high, item.truth)
    margin = 0.05 * (high - low) or 1.0
    return float(low - margin), float(high + margin)


def _key() -> list[Line2D | Patch]:
    return [
        Line2D([], [], color=BLUE, alpha=0.6, linewidth=1.2, label=HIT),
        Line2D([], [], color=VERMILION, linewidth=1.6, label=MISS),
        Line2D([], [], **LIMIT_LINE, label="truth θ*"),
        Patch(facecolor=GRID, label="coverage ± 2 MCSE"),
    ]


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = zips(summary, scenario, replicates)
    sizes = ", ".join(str(item.n) for item in rows[0])
    return f"Intervals ({_label(summary, scenario)}) by their distance from the truth at n = {sizes}. {_told(rows)}"


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the coverage of each parameter, and how often intervals miss on either side."""
    rows = zips(summary, scenario, replicates)
    told = _told(rows)
    if told == findings.NOTHING:
        return told
    count = min(SHOWN_INTERVALS // (len(rows) * len(rows[0])), 300)
    total = methods.coverages(summary, scenario)["row"].nunique()
    rest = sel.first_of(SHOWN_PARAMETERS, total, "parameters")
    drawn = f"Up to {count} intervals of a panel are drawn, evenly spread over the centiles shown."
    return f"{_label(summary, scenario)}: {told} {drawn} The band is the coverage ± 2 MCSE.{rest}"


def _label(summary: pd.DataFrame, scenario: str) -> str:
    return methods.LOOKS[method(summary, scenario)].label


def _told(rows: list[list[Zip]]) -> str:
    """Say the coverage and the misses on both sides of each parameter at the smallest and the largest n."""
    ends = [row[i] for row in rows for i in sorted({0, len(row) - 1})]
    said = [_state(item) for item in ends if len(item.lower) and math.isfinite(item.coverage)]
    return " ".join(said) or findings.NOTHING


def _state(item: Zip) -> str:
    below, above = (_share(misses) for misses in item.misses)
    covered = plus_minus(100 * item.coverage, 100 * item.mcse, " %")
    missed = f"{below} lie below the truth, {above} above it"
    return f"At n = {item.n}, {covered} of the intervals of {item.name} cover; {missed}."


def _share(misses: np.ndarray) -> str:
    share = float(misses.mean())
    if share == 0:
        return f"none of {len(misses):,}"
    return plus_minus(100 * share, 100 * math.sqrt(share * (1 - share) / len(misses)), " %")


ZIP = FigureSpec(
    "zip", "Intervals by their distance from the truth", draw, alt, caption, applies, measures=("bias", "coverage")
)
