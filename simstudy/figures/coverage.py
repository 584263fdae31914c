"""Coverage of Wald intervals against n, one panel per parameter, and the nominal level."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import BLUE, GREEN, LIMIT_LINE, VERMILION, Look, themed
from simstudy.figures.wording import listed, plus_minus

MEASURE = "coverage"
LOOKS = {
    "wald-observed": Look("Wald, observed information", BLUE, "o", "-"),
    "wald-expected": Look("Wald, expected information", GREEN, "D", (0, (4, 2))),
    "wald-sandwich": Look("Wald, sandwich", VERMILION, "^", (0, (1, 1))),
}
NOMINAL = "wald-sandwich"
"""Intervals whose coverage tends to the nominal level wherever any does."""


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per parameter with the same axes."""
    rows = sel.by_parameter(sel.measured(summary, scenario, MEASURE))
    entries = sel.shown(sel.entries(rows))
    figure, panels = ax_tools.panels(len(entries), share_y=True)
    level = _level(rows)
    for axes, entry in zip(panels, entries, strict=True):
        axes.set_title(sel.entry_name(entry))
        if math.isfinite(level):
            axes.axhline(level, label="nominal level", **LIMIT_LINE)
        for place, (estimator, look) in enumerate(LOOKS.items()):
            own = sel.series(rows, entry, estimator)
            ax_tools.points(axes, own, look, place, len(LOOKS))
            for limit in _other_limits(own, level):
                axes.axhline(limit, color=look.color, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
        ax_tools.say_if_empty(axes, rows)
        ax_tools.size_axis(axes, sel.sizes(rows))
    ax_tools.value_axis(panels[0], level, 0.02)
    panels[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    figure.supylabel("coverage")
    return figure


def _level(rows: pd.DataFrame) -> float:
    """Return the nominal level, NaN where no interval has it in the limit."""
    own = rows[rows["estimator"] == NOMINAL]["limit"].dropna()
    return float(own.iloc[0]) if len(own) else math.nan


def _other_limits(rows: pd.DataFrame, level: float) -> list[float]:
    """Return the limit of the coverage where it is not the nominal level, for a standard error that is wrong."""
    limits = rows["limit"].dropna()
    return [float(limits.iloc[0])] if len(limits) and limits.iloc[0] != level else []


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = sel.by_parameter(sel.measured(summary, scenario, MEASURE))
    lines = [
        findings.journey(sel.series(rows, entry, estimator), f"{sel.entry_name(entry)}, {look.label}")
        for entry in sel.entries(rows)
        for estimator, look in LOOKS.items()
    ]
    return " ".join([f"Coverage of Wald intervals, {findings.span(sel.sizes(rows))}.", *lines])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the coverages furthest below and above at the smallest and the largest n."""
    rows = sel.by_parameter(sel.measured(summary, scenario, MEASURE))
    gaps, rows = findings.gaps(rows), rows[rows["value"].notna()]
    if rows.empty:
        return findings.NOTHING
    sizes = sel.sizes(rows)
    states = [_extremes(rows[rows["n"] == n]) for n in dict.fromkeys([sizes[0], sizes[-1]])]
    level = _level(rows)
    nominal = f" The nominal level is {100 * level:g} %." if math.isfinite(level) else ""
    return f"{' '.join(states)}{nominal}{_astray(rows, level)} {findings.BARS}{sel.left_out(sel.entries(rows))}{gaps}"


def _astray(rows: pd.DataFrame, level: float) -> str:
    """Say what coverage tends to where the standard errors are those of a wrong model."""
    said = [
        f"{100 * limit:.1f} % for {sel.entry_name(entry)} with {estimator.removeprefix('wald-')} information"
        for estimator in LOOKS
        for entry in sel.entries(rows)
        for limit in _other_limits(sel.series(rows, entry, estimator), level)
    ]
    return f" As n grows it tends to {listed(said)} (dotted)." if said else ""


def _extremes(rows: pd.DataFrame) -> str:
    low, high = (rows.loc[rows["value"].agg(which)] for which in ("idxmin", "idxmax"))
    if low["value"] == high["value"]:
        return f"At n = {low['n']} coverage is {_state(low)}{' and in all other cases' if len(rows) > 1 else ''}."
    return f"At n = {low['n']} coverage lies between {_state(low)} and {_state(high)}."


def _state(row: pd.Series) -> str:
    kind = str(row["estimator"]).removeprefix("wald-")
    kind = kind if kind == "sandwich" else f"{kind} information"
    return f"{plus_minus(100 * row['value'], 100 * row['mcse'], ' %')} ({row['row']}, {kind})"


COVERAGE = FigureSpec(
    "coverage", "Coverage of Wald intervals", draw, alt, caption, measures=("coverage",), headline=True
)
