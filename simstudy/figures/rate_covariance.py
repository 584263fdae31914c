"""n^(rᵢ + rⱼ)·Cov(θ̂) against n, for an irregular family whose errors are of order 1/nʳ."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import RAW, themed

MEASURE = "rate_covariance"
SUBJECT = "n^(rᵢ + rⱼ) · Cov(θ̂)"


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per entry of the upper triangle."""
    rows = sel.measured(summary, scenario, MEASURE)
    entries = sel.shown(sel.entries(rows))
    figure, panels = ax_tools.panels(len(entries))
    for axes, entry in zip(panels, entries, strict=True):
        limit = sel.limit_of(rows, entry)
        axes.set_title(sel.entry_name(entry))
        ax_tools.limit_line(axes, limit, sel.THE_LIMIT)
        ax_tools.points(axes, sel.series(rows, entry, "raw"), RAW)
        ax_tools.size_axis(axes, sel.sizes(rows))
        ax_tools.say_if_empty(axes, rows)
        ax_tools.value_axis(axes, limit, 0.02 * sel.scale_of(rows, entry))
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    figure.supylabel(SUBJECT)
    return figure


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether the family is irregular."""
    return not sel.measured(summary, scenario, MEASURE).empty


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = sel.measured(summary, scenario, MEASURE)
    return " ".join([f"{SUBJECT}, {findings.span(sel.sizes(rows))}, one panel per entry.", *findings.journeys(rows)])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State how far the scaled covariance is from its limit."""
    rows = sel.measured(summary, scenario, MEASURE)
    finding = findings.convergence(rows, SUBJECT, sel.THE_LIMIT)
    scale = "Errors of a parameter are of order 1/nʳ, with r = 1 at an end of the sample space and ½ elsewhere."
    return finding if finding == findings.NOTHING else f"{finding} {scale} {findings.BARS}{findings.gaps(rows)}"


RATE_COVARIANCE = FigureSpec(
    "rate_covariance",
    "Covariance at its own rate",
    draw,
    alt,
    caption,
    applies,
    measures=("rate_covariance",),
    headline=True,
)
