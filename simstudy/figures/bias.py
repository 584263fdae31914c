"""n·bias against n, one panel per parameter, and its limit: the coefficient of Cox and Snell (1968)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import CONTROL_VARIATE, LIMIT_LINE, MUTED, RAW, themed

MEASURE = "scaled_bias"
LIMIT = "Cox–Snell"
SPARE = 0.6
"""Room on either side of what is known well, as a share of its range."""

ROUNDING = 1e-9
"""Share of the raw error below which the sharper estimates are rounding."""


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per parameter."""
    rows = sel.measured(summary, scenario, MEASURE)
    entries = sel.shown(sel.entries(rows))
    figure, panels = ax_tools.panels(len(entries))
    for axes, entry in zip(panels, entries, strict=True):
        _panel(axes, rows, entry)
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    figure.supylabel("n · bias")
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, entry: sel.Entry) -> None:
    axes.set_title(sel.entry_name(entry))
    axes.axhline(0.0, color=MUTED, linewidth=0.7, zorder=1)
    limit = sel.limit_of(rows, entry)
    if np.isfinite(limit):
        axes.axhline(limit, label=LIMIT, **LIMIT_LINE)
    ax_tools.points(axes, sel.series(rows, entry, "raw"), RAW, 0, 2)
    ax_tools.points(axes, sel.series(rows, entry, "control-variate"), CONTROL_VARIATE, 1, 2)
    ax_tools.size_axis(axes, sel.sizes(rows))
    low, high = _window(rows, entry)
    if low < high:
        axes.set_ylim(max(low, axes.get_ylim()[0]), min(high, axes.get_ylim()[1]))
    ax_tools.say_if_empty(axes, rows[rows["row"] == entry[0]])
    ax_tools.value_axis(axes)


def _window(rows: pd.DataFrame, entry: sel.Entry) -> tuple[float, float]:
    """Return the range of the sharper estimates, their limit and 0, with room: raw bars grow as √n and leave it."""
    best = findings.best(rows, entry)
    bars = 2 * best["mcse"].fillna(0.0)
    seen = np.array([*(best["value"] - bars), *(best["value"] + bars), sel.limit_of(rows, entry), 0.0])
    seen = seen[np.isfinite(seen)]
    if np.ptp(seen) < ROUNDING * sel.series(rows, entry, "raw")["mcse"].max():  # known exactly
        return np.nan, np.nan
    room = SPARE * np.ptp(seen)
    return float(seen.min() - room), float(seen.max() + room)


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether there is a bias to show."""
    return not sel.measured(summary, scenario, MEASURE).empty


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = sel.measured(summary, scenario, MEASURE)
    head = f"n times the bias of each estimate, {findings.span(sel.sizes(rows))}, one panel per parameter."
    return " ".join([head, *findings.journeys(rows)])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State how far n·bias is from the coefficient of Cox and Snell."""
    rows = sel.measured(summary, scenario, MEASURE)
    name = LIMIT if rows["limit"].notna().any() else "the limit"
    finding = findings.convergence(rows, "n · bias", name)
    if finding == findings.NOTHING:
        return finding
    theory = " The dashed line is the coefficient of the O(1/n) bias by Cox and Snell (1968)." if name == LIMIT else ""
    return (
        f"{finding}{theory} {findings.BARS} Those of raw estimates grow as √n and may leave the panel."
        f"{sel.left_out(sel.entries(rows))}{findings.gaps(rows)}"
    )


BIAS = FigureSpec("bias", "Bias and its leading term", draw, alt, caption, applies, measures=(MEASURE,))
