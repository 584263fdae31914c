"""Mean observed information against n: the entries of mean J, their limit I(θ), and the spread of single J's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import BLUE, CONTROL_VARIATE, RAW, themed

MEASURE = "mean_observed_information"
SPREAD = "quantile_observed_information"
LEAST = 0.08
"""Height of a panel at least, relative to the size of its entry."""


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per entry of the upper triangle."""
    rows = sel.measured(summary, scenario, MEASURE)
    spread = sel.measured(summary, scenario, SPREAD)
    entries, (limit_name, _) = sel.shown(sel.entries(rows)), sel.limit_names(summary, scenario)
    figure, panels = ax_tools.panels(len(entries))
    for axes, entry in zip(panels, entries, strict=True):
        _panel(axes, rows, spread, entry, limit_name)
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    figure.supylabel("information per observation")
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, spread: pd.DataFrame, entry: sel.Entry, limit_name: str) -> None:
    axes.set_title(sel.entry_name(entry))
    _band(axes, sel.series(spread, entry, "5%"), sel.series(spread, entry, "95%"))
    limit = sel.limit_of(rows, entry)
    ax_tools.limit_line(axes, limit, limit_name)
    ax_tools.points(axes, sel.series(rows, entry, "raw"), RAW, 0, 2)
    ax_tools.points(axes, sel.series(rows, entry, "control-variate"), CONTROL_VARIATE, 1, 2)
    ax_tools.size_axis(axes, sel.sizes(rows))
    _window(axes, rows, spread, entry)
    ax_tools.say_if_empty(axes, rows)
    ax_tools.value_axis(axes, limit, LEAST / 4 * sel.scale_of(rows, entry))


def _window(axes: Axes, rows: pd.DataFrame, spread: pd.DataFrame, entry: sel.Entry) -> None:
    """Keep the panel to the spread of single J's, and mark means beyond it by a triangle on the edge."""
    low, high = _room(rows, spread, entry)
    bottom, top = max(axes.get_ylim()[0], low), min(axes.get_ylim()[1], high)
    if bottom < top:
        axes.set_ylim(bottom, top)
    for look, estimator in ((RAW, "raw"), (CONTROL_VARIATE, "control-variate")):
        found = sel.series(rows, entry, estimator)
        for edge, beyond, marker in ((1.0, found["value"] > high, "^"), (0.0, found["value"] < low, "v")):
            n = found["n"][beyond].to_numpy(dtype=float)
            if len(n):
                where = axes.get_xaxis_transform()
                axes.plot(n, np.full(len(n), edge), marker, color=look.color, transform=where, clip_on=False)


def _room(rows: pd.DataFrame, spread: pd.DataFrame, entry: sel.Entry) -> tuple[float, float]:
    """Return the range that holds 5–95 % of single J's and the limit, with a quarter as much again on either side."""
    own = spread[(spread["row"] == entry[0]) & (spread["column"] == entry[1])]["value"]
    ends = np.array([*own, sel.limit_of(rows, entry)])
    if not np.isfinite(ends).any():
        return -np.inf, np.inf
    margin = max(np.nanmax(ends) - np.nanmin(ends), LEAST * sel.scale_of(rows, entry)) / 4
    return float(np.nanmin(ends) - margin), float(np.nanmax(ends) + margin)


def _beyond(rows: pd.DataFrame, spread: pd.DataFrame) -> bool:
    """Tell whether any mean lies beyond its panel."""
    for entry in sel.entries(rows):
        low, high = _room(rows, spread, entry)
        values = rows[(rows["row"] == entry[0]) & (rows["column"] == entry[1])]["value"]
        if ((values < low) | (values > high)).any():
            return True
    return False


def _band(axes: Axes, low: pd.DataFrame, high: pd.DataFrame) -> None:
    style: dict[str, Any] = {"color": BLUE, "alpha": 0.16, "linewidth": 0}
    n, bottom, top = low["n"].to_numpy(dtype=float), low["value"].to_numpy(), high["value"].to_numpy()
    if len(low) > 1:
        axes.fill_between(n, bottom, top, label="5–95 % of single J", **style)
    elif len(low) == 1:
        axes.bar(n, top - bottom, 0.25 * n, bottom, label="5–95 % of single J", **style)


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = sel.measured(summary, scenario, MEASURE)
    lines = findings.journeys(rows)
    head = f"Mean observed information per observation, {findings.span(sel.sizes(rows))}, one panel per entry."
    return " ".join([head, *lines])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State how far the mean observed information is from I(θ)."""
    rows = sel.measured(summary, scenario, MEASURE)
    finding = findings.convergence(rows, "the mean observed information", sel.limit_names(summary, scenario)[0])
    if finding == findings.NOTHING:
        return finding
    spread = sel.measured(summary, scenario, SPREAD)
    beyond = " Triangles on the edge: means beyond the panel." if _beyond(rows, spread) else ""
    return (
        f"{finding} Circles show the mean of J, the observed information per observation at θ̂, squares the same with "
        f"the score as control variate. {findings.BARS} The shaded band holds the J of 90 % of single data sets."
        f"{beyond}{sel.left_out(sel.entries(rows))}{findings.gaps(rows)}"
    )


INFORMATION = FigureSpec(
    "information",
    "Observed information",
    draw,
    alt,
    caption,
    measures=("mean_observed_information", "quantile_observed_information"),
    headline=True,
)
