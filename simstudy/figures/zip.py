"""Zip plot: the intervals of the replicates in the order of their distance from the truth (Morris et al. 2019, §5)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from simstudy.figures import axes as ax_tools
from simstudy.figures import estimates, findings, methods
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import BLUE, GRID, LIMIT_LINE, VERMILION, WIDTH, themed
from simstudy.figures.wording import NO_ESTIMATE, plus_minus

SHOWN_PARAMETERS = 3
SHOWN_INTERVALS = 900
"""Intervals in all panels together: each is a line of the file."""
HIT, MISS = "covers", "misses"


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


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether there are Wald intervals."""
    return bool(method(summary, scenario))


def zips(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> list[list[Zip]]:
    """Return one row per parameter shown, one column per sample size shown."""
    chosen = method(summary, scenario)
    rows = methods.coverages(summary, scenario)
    rows = rows[rows["estimator"] == chosen]
    sizes = estimates.shown_sizes(sel.sizes(rows))
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
    grid[0, 0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    figure.supylabel("centile of |θ̂ − θ*| / se")
    figure.legend(handles=_key(), loc="outside upper left", ncols=2 if grid.shape[1] == 1 else 4)
    return figure


def _grid(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    width = WIDTH if columns > 1 else 4.6
    figure = Figure(figsize=(width, 2.5 * rows + 0.5), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=True)


def _bottom(items: list[Zip]) -> float:
    """Return the centile at the foot of the panels: whole tenths, well below the lowest coverage."""
    lowest = min((item.coverage for item in items if math.isfinite(item.coverage)), default=0.0)
    return max(math.floor(10 * lowest - 1.0) / 10, 0.0)


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
    rest = f" The first {SHOWN_PARAMETERS} of {total} parameters are shown." if total > SHOWN_PARAMETERS else ""
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
