"""Grids of panels, the axis of sample sizes, and marks that several figures share."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import matplotlib.ticker as mticker
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from simstudy.figures.style import LIMIT_LINE, MUTED, PAPER, WIDTH, Look
from simstudy.figures.wording import NO_ESTIMATE

_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2}
NARROW = 4.6
"""Width in inches of a figure of one column of panels."""
_DIGIT = 0.075


def panels(count: int, height: float = 2.25, share_y: bool = False) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels in reading order, wide enough for each."""
    columns = _COLUMNS.get(count, 3)
    rows = math.ceil(count / columns)
    size = (WIDTH if columns > 1 else NARROW, (height if columns > 1 else 1.3 * height) * rows + 0.55)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=share_y)
    for spare in grid.flat[count:]:
        spare.remove()
    return figure, list(grid.flat[:count])


def size_axis(axes: Axes, sizes: Sequence[int]) -> None:
    """Give the panel a log axis of n that is ticked at the sample sizes and labelled at those with room."""
    axes.set_xscale("log")
    low, high = min(sizes), max(sizes)
    margin = 1.6 if low == high else (high / low) ** 0.06
    axes.set_xlim(low / margin, high * margin)
    shown = _labelled(sizes, math.log(high * margin**2 / low), _panel_width(axes))
    axes.xaxis.set_major_locator(mticker.FixedLocator(shown))
    axes.xaxis.set_major_formatter(mticker.FixedFormatter([str(n) for n in shown]))
    axes.xaxis.set_minor_locator(mticker.FixedLocator([n for n in sizes if n not in shown]))
    axes.xaxis.set_minor_formatter(mticker.NullFormatter())
    axes.grid(visible=False, axis="x")


def _panel_width(axes: Axes) -> float:
    grid = axes.get_gridspec()
    figure = axes.get_figure(root=True)
    columns = grid.ncols if grid is not None else 1
    return (figure.get_figwidth() if figure is not None else WIDTH) / columns - 0.65


def _labelled(sizes: Sequence[int], span: float, width: float) -> list[int]:
    """Return the sample sizes that can be labelled side by side; smallest and largest come first."""
    shown: list[int] = []
    for n in dict.fromkeys([max(sizes), min(sizes), *sorted(sizes, reverse=True)]):
        if all(abs(math.log(n / other)) / span * width >= _room(n, other) for other in shown):
            shown.append(n)
    return sorted(shown)


def _room(n: int, other: int) -> float:
    return (len(str(n)) + len(str(other)) + 1.6) / 2 * _DIGIT


class PlainFormatter(mticker.Formatter):
    """Tick labels with just the decimals that tell them apart, never an offset."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a single value."""
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks of an axis."""
        largest = max((abs(v) for v in values), default=0.0)
        step = min((abs(b - a) for a, b in itertools.pairwise(values)), default=largest)
        if step == 0 or largest == 0:
            return [f"{v:g}".replace("-", "−") for v in values]
        power = 0 if 1e-3 <= largest < 1e5 else math.floor(math.log10(largest))
        decimals = _needed(step / 10.0**power)
        labels = [f"{v / 10.0**power:.{decimals}f}{f'e{power}' if power else ''}" for v in values]
        return [label.replace("-", "−") for label in labels]


def _needed(step: float) -> int:
    """Return the decimals that write a tick step exactly (1, 2, 2.5 or 5 times a power of ten)."""
    decimals = max(-math.floor(math.log10(step) + 1e-9), 0)
    return decimals + (abs(round(step, decimals) - step) > 1e-6 * step)


def value_axis(axes: Axes, centre: float = math.nan, least: float = 0.0) -> None:
    """Label the values plainly and show at least centre ± least, so that rounding is not blown up to a finding."""
    axes.yaxis.set_major_locator(mticker.MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(PlainFormatter())
    if math.isfinite(centre) and least > 0:
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, centre - least), max(high, centre + least))


def estimate_axis(axes: Axes) -> None:
    """Label the horizontal axis plainly at as many values, five at most, as have room side by side."""
    low, high = axes.get_xlim()
    width = _panel_width(axes)
    for bins in (5, 4, 3, 2, 1):
        locator = mticker.MaxNLocator(nbins=bins, steps=[1, 2, 2.5, 5, 10])
        ticks = [tick for tick in locator.tick_values(low, high) if low <= tick <= high]
        if sum((len(label) + 1.6) * _DIGIT for label in PlainFormatter().format_ticks(ticks)) <= width:
            break
    axes.xaxis.set_major_locator(mticker.FixedLocator(ticks))
    axes.xaxis.set_major_formatter(PlainFormatter())


def per_cent(axes: Axes) -> None:
    """Label values that are fractions in per cent."""
    axes.yaxis.set_major_formatter(mticker.FuncFormatter(lambda value, _: f"{100 * value:g} %"))


def limit_line(axes: Axes, limit: float, label: str) -> None:
    """Draw the limit of a panel, if there is one; ``label`` is its name, such as ``I(θ)``."""
    if math.isfinite(limit):
        axes.axhline(limit, label=f"limit {label}".replace("limit the limit", "limit"), **LIMIT_LINE)


def dodge(rows: pd.DataFrame, place: int, of: int) -> np.ndarray:
    """Return the sample sizes moved aside by a factor, so that series at the same n do not hide each other."""
    n = rows["n"].to_numpy(dtype=float)
    logs = np.unique(np.log(n))
    span = max(np.ptp(logs), 2.0) if len(n) else 2.0
    step = min(0.022 * span, 0.09 * span / of, 0.6 * np.diff(logs).min(initial=span) / of)
    return np.asarray(n * np.exp(step * (place - (of - 1) / 2)))


def points(axes: Axes, rows: pd.DataFrame, look: Look, place: int = 0, of: int = 1) -> None:
    """Draw a series with bars of ±2 MCSE and mark the sample sizes without an estimate."""
    x, y = dodge(rows, place, of), rows["value"].to_numpy(dtype=float)
    bars = 2 * rows["mcse"].fillna(0.0).to_numpy(dtype=float)
    drawn = np.isfinite(y)
    axes.errorbar(x, y, yerr=bars, **look.line, markerfacecolor=PAPER, elinewidth=1.0, capsize=2.0, zorder=3)
    absent(axes, rows["n"].to_numpy(dtype=float)[~drawn])


def absent(axes: Axes, sizes: np.ndarray) -> None:
    """Mark sample sizes at which no replicate could be used by a cross on the axis."""
    if not len(sizes):
        return
    where = axes.get_xaxis_transform()
    axes.plot(sizes, np.full(len(sizes), 0.03), "x", color=MUTED, transform=where, clip_on=False, zorder=4)


def say_if_empty(axes: Axes, rows: pd.DataFrame) -> None:
    """Say why a panel is empty, if it is."""
    if rows["value"].isna().all():
        say(axes, NO_ESTIMATE)


def say(axes: Axes, text: str) -> None:
    """Say in an empty panel why it is empty."""
    axes.text(0.5, 0.62, text, transform=axes.transAxes, ha="center", va="center", color=MUTED)
    axes.grid(visible=False)


def legend(figure: Figure, panels: Sequence[Axes], markerscale: float = 1.0) -> None:
    """Put one legend for all panels above them, each label once, in as many rows as it needs."""
    pairs = [pair for axes in panels for pair in zip(*axes.get_legend_handles_labels(), strict=True)]
    found = {label: handle for handle, label in reversed(pairs)}
    found = {label: found[label] for _, label in pairs}
    handles = dict(sorted(found.items(), key=lambda item: not isinstance(item[1], ErrorbarContainer)))
    width = sum(0.6 + 0.066 * len(label) for label in handles)
    rows = math.ceil(width / figure.get_figwidth())
    columns = max(math.ceil(len(handles) / rows), 1) if handles else 1
    size = {"ncols": columns, "markerscale": markerscale}
    figure.legend(list(handles.values()), list(handles), loc="outside upper left", **size)
