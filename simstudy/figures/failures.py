"""Share of the data sets whose fit did not converge against n, by how it ended."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import CYCLE, MARKERS, Look, themed
from simstudy.figures.wording import listed, plus_minus

MEASURE = "failure_rate"
TOTAL = "wilson"
NONE = "Every data set converged."


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one line for each status that any data set ended with."""
    rows = sel.measured(summary, scenario, MEASURE)
    figure, (axes,) = ax_tools.panels(1)
    met = statuses(rows)
    for place, status in enumerate(met):
        look = Look(status.replace("_", " "), CYCLE[place], MARKERS[place], "-")
        ax_tools.points(axes, rows[rows["estimator"] == status], look, place, len(met))
    if not met:
        ax_tools.say(axes, NONE)
    ax_tools.size_axis(axes, sel.sizes(rows))
    ax_tools.value_axis(axes)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    ax_tools.per_cent(axes)
    ax_tools.legend(figure, [axes])
    figure.supxlabel("sample size n")
    figure.supylabel("share of data sets")
    return figure


def statuses(rows: pd.DataFrame) -> list[str]:
    """Return the statuses that occur at all."""
    return [name for name in dict.fromkeys(rows["estimator"]) if name != TOTAL and _occurs(rows, name)]


def _occurs(rows: pd.DataFrame, status: str) -> bool:
    return bool((rows[rows["estimator"] == status]["value"] > 0).any())


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether there is a failure to show."""
    return bool(statuses(sel.measured(summary, scenario, MEASURE)))


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = sel.measured(summary, scenario, MEASURE)
    return f"Share of data sets by how their fit ended, {findings.span(sel.sizes(rows))}. {_shares(rows)}"


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the share of each status at the smallest and the largest n."""
    return f"{_shares(sel.measured(summary, scenario, MEASURE))} {findings.BARS}"


def _shares(rows: pd.DataFrame) -> str:
    met = statuses(rows)
    if not met:
        return f"{NONE} {rows['replicates'].sum():,} data sets in all."
    said = []
    for n in dict.fromkeys([min(sel.sizes(rows)), max(sel.sizes(rows))]):
        shares = [f"{_share(rows, n, status)} ended as {status.replace('_', ' ')}" for status in met]
        said.append(f"At n = {n}, {listed(shares)}.")
    return " ".join(said)


def _share(rows: pd.DataFrame, n: int, status: str) -> str:
    row = rows[(rows["n"] == n) & (rows["estimator"] == status)].iloc[0]
    return plus_minus(100 * row["value"], 100 * row["mcse"], " %")


FAILURES = FigureSpec(
    "failures", "How fits ended", draw, alt, caption, applies, measures=("failure_rate",), headline=True
)
