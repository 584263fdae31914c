"""Observed information of a few single data sets as they grow, and the limit on which each settles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import GRID, VERMILION, ordered, themed
from simstudy.figures.wording import NO_ESTIMATE, number, percent, plus_minus

MEASURE = "mean_observed_information"
QUANTILES = "quantile_observed_information"
SPREAD = "sd_observed_information"
CONVERGED = "CONVERGED"
ROOM = 0.5
"""Room on either side of the spread of single J, as a share of it."""
LEAST = 0.08
"""Height of a panel at least, relative to the size of its entry: what is less is rounding."""


def followed(table: pd.DataFrame, entry: sel.Entry) -> pd.DataFrame:
    """Return an entry of J, one row per n and one column per replicate, NaN where the fit failed."""
    values = table[f"information[{entry[0]},{entry[1]}]"].where(table["status"] == CONVERGED)
    indexed = values.where(np.isfinite(values)).set_axis(pd.MultiIndex.from_frame(table[["n", "replicate"]]))
    return indexed.unstack("replicate").sort_index()  # noqa: PD010


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per entry of the upper triangle."""
    table, rows = replicates(scenario, 0), sel.measured(summary, scenario, MEASURE)
    spread = sel.measured(summary, scenario, QUANTILES)
    entries, (limit_name, _) = sel.shown(sel.entries(rows)), sel.limit_names(summary, scenario)
    sizes = sorted({int(table["n"].min()), *sel.sizes(rows)})
    figure, panels = ax_tools.panels(len(entries))
    for axes, entry in zip(panels, entries, strict=True):
        axes.set_title(sel.entry_name(entry))
        low, high = (sel.series(spread, entry, tail) for tail in ("5%", "95%"))
        _band(axes, low, high)
        ax_tools.limit_line(axes, sel.limit_of(rows, entry), limit_name)
        paths = followed(table, entry)
        _lines(axes, paths)
        ax_tools.size_axis(axes, sizes)
        _window(axes, paths, pd.concat([low, high]), sel.limit_of(rows, entry))
        ax_tools.value_axis(axes, sel.limit_of(rows, entry), LEAST / 2 * sel.scale_of(rows, entry))
    ax_tools.legend(figure, panels)
    figure.supxlabel("observations n of the same data set")
    figure.supylabel("information per observation")
    return figure


def _band(axes: Axes, low: pd.DataFrame, high: pd.DataFrame) -> None:
    style: dict[str, Any] = {"color": GRID, "alpha": 0.8, "linewidth": 0, "zorder": 0.5}
    if len(low) > 1:
        axes.fill_between(low["n"], low["value"], high["value"].to_numpy(), label="5–95 % of single J", **style)


def _lines(axes: Axes, paths: pd.DataFrame) -> None:
    """Draw the paths, the first in a colour of its own, and a cross where the fit of any failed."""
    for place, (column, color) in enumerate(zip(paths, ordered(paths.shape[1]), strict=True)):
        style: dict[str, Any] = {"color": color, "linewidth": 0.8, "label": "single data sets" if place == 1 else None}
        if place == 0:
            style = {"color": VERMILION, "linewidth": 1.4, "label": "the first data set", "zorder": 3}
        axes.plot(paths.index, paths[column], **style)
    ax_tools.absent(axes, paths.index[paths.isna().any(axis=1)].to_numpy(dtype=float))
    if paths.isna().all(axis=None):
        ax_tools.say(axes, NO_ESTIMATE)


def _window(axes: Axes, paths: pd.DataFrame, spread: pd.DataFrame, limit: float) -> None:
    """Keep the panel to the spread of single J from a middle n on, and to the ends of the paths: they start far out."""
    sizes = sel.sizes(spread)
    middle = sizes[len(sizes) // 3] if sizes else 0
    ends = np.array([*spread[spread["n"] >= middle]["value"], *paths.to_numpy()[-1], limit])
    ends = ends[np.isfinite(ends)]
    if len(ends):
        room = ROOM * float(np.ptp(ends))
        low = max(axes.get_ylim()[0], float(ends.min()) - room)
        high = min(axes.get_ylim()[1], float(ends.max()) + room)
        if low < high:
            axes.set_ylim(low, high)


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    table, rows = replicates(scenario, 0), sel.measured(summary, scenario, MEASURE)
    lines = [_range(followed(table, entry), sel.entry_name(entry), rows, entry) for entry in sel.entries(rows)]
    count = int(table["replicate"].nunique())
    head = f"Observed information of the first n observations of {count} data sets, {findings.span(list(table['n']))}."
    return " ".join([head, *lines])


def _range(paths: pd.DataFrame, name: str, rows: pd.DataFrame, entry: sel.Entry) -> str:
    known = paths.dropna(how="all")
    if known.empty:
        return f"{name}: {NO_ESTIMATE}."
    ends = [known.iloc[place] for place in sorted({0, len(known) - 1})]
    said = "; ".join(f"{number(row.min())} to {number(row.max())} at n = {row.name}" for row in ends)
    limit = sel.limit_of(rows, entry)
    return f"{name}: {said}" + (f"; limit {number(limit)}." if math.isfinite(limit) else ".")


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State between which values the paths end, and the spread of J over all data sets of that size."""
    table, rows = replicates(scenario, 0), sel.measured(summary, scenario, MEASURE)
    spread, limit_name = sel.measured(summary, scenario, SPREAD), sel.limit_names(summary, scenario)[0]
    said = [_state(followed(table, entry), rows, spread, entry, limit_name) for entry in findings.diagonal(rows)]
    said = [text for text in said if text]
    if not said:
        return findings.NOTHING
    failed = int((table["status"] != CONVERGED).sum())
    gaps = f" Crosses on the axis: {failed} of {len(table):,} fits failed and leave gaps." if failed else ""
    first = f"J of the first n observations of {table['replicate'].nunique()} data sets."
    band = " The band holds the J of 90 % of data sets of that size." if len(sel.sizes(rows)) > 1 else ""
    return (
        f"{first} {' '.join(said)}{band} Paths may leave the panel at small n.{sel.left_out(sel.entries(rows))}{gaps}"
    )


def _state(paths: pd.DataFrame, rows: pd.DataFrame, spread: pd.DataFrame, entry: sel.Entry, limit_name: str) -> str:
    """Say where the paths of one entry end, beside the limit and the standard deviation of J there."""
    ends = paths.iloc[-1].dropna()
    if ends.empty:
        return ""
    n, limit = int(paths.index[-1]), sel.limit_of(rows, entry)
    known = f", within {percent((ends - limit).abs().max() / limit)} of {limit_name} = {number(limit)}" if limit else ""
    known = known if math.isfinite(limit) else ""
    points = findings.ends(sel.series(spread, entry, "raw"))
    deviation = f", where sd(J) is {plus_minus(points[-1].value, points[-1].mcse)} (± 2 MCSE)" if points else ""
    return (
        f"That of {entry[0]} ends between {number(ends.min())} and {number(ends.max())} at n = {n}{known}{deviation}."
    )


PATHS = FigureSpec(
    "paths",
    "Single data sets as they grow",
    draw,
    alt,
    caption,
    measures=(MEASURE, QUANTILES, SPREAD),
    follows_paths=True,
)
