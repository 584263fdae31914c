"""Coverage of Wald intervals against n, one panel per parameter, and the nominal level."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import BLUE, GREEN, LIMIT_LINE, Look, themed
from simstudy.figures.wording import plus_minus

MEASURE = "coverage"
LOOKS = {
    "wald-observed": Look("Wald, observed information", BLUE, "o", "-"),
    "wald-expected": Look("Wald, expected information", GREEN, "D", (0, (4, 2))),
}


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per parameter with the same axes."""
    rows = sel.measured(summary, scenario, MEASURE)
    entries = sel.entries(rows)
    figure, panels = ax_tools.panels(len(entries), share_y=True)
    level = sel.limit_of(rows, entries[0])
    for axes, entry in zip(panels, entries, strict=True):
        axes.set_title(sel.entry_name(entry))
        axes.axhline(level, label="nominal level", **LIMIT_LINE)
        for place, (estimator, look) in enumerate(LOOKS.items()):
            ax_tools.points(axes, sel.series(rows, entry, estimator), look, place, 2)
        ax_tools.say_if_empty(axes, rows)
        ax_tools.size_axis(axes, sel.sizes(rows))
    ax_tools.value_axis(panels[0], level, 0.02)
    panels[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    figure.supylabel("coverage")
    return figure


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = sel.measured(summary, scenario, MEASURE)
    lines = [
        findings.journey(sel.series(rows, entry, estimator), f"{sel.entry_name(entry)}, {look.label}")
        for entry in sel.entries(rows)
        for estimator, look in LOOKS.items()
    ]
    return " ".join([f"Coverage of Wald intervals, {findings.span(sel.sizes(rows))}.", *lines])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the coverages furthest below and above at the smallest and the largest n."""
    rows = sel.measured(summary, scenario, MEASURE)
    gaps, rows = findings.gaps(rows), rows[rows["value"].notna()]
    if rows.empty:
        return findings.NOTHING
    sizes = sel.sizes(rows)
    states = [_extremes(rows[rows["n"] == n]) for n in dict.fromkeys([sizes[0], sizes[-1]])]
    level = f"{100 * rows['limit'].iloc[0]:g} %"
    return f"{' '.join(states)} The nominal level is {level}. {findings.BARS}{gaps}"


def _extremes(rows: pd.DataFrame) -> str:
    low, high = (rows.loc[rows["value"].agg(which)] for which in ("idxmin", "idxmax"))
    if low["value"] == high["value"]:
        return f"At n = {low['n']} coverage is {_state(low)}{' and in all other cases' if len(rows) > 1 else ''}."
    return f"At n = {low['n']} coverage lies between {_state(low)} and {_state(high)}."


def _state(row: pd.Series) -> str:
    kind = str(row["estimator"]).removeprefix("wald-")
    return f"{plus_minus(100 * row['value'], 100 * row['mcse'], ' %')} ({row['row']}, {kind} information)"


COVERAGE = FigureSpec("coverage", "Coverage of Wald intervals", draw, alt, caption)
