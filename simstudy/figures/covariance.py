"""n·Cov(θ̂) against n: every entry, raw and with the score as control variate, and its limit, I(θ)⁻¹ or A⁻¹BA⁻¹."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import CONTROL_VARIATE, RAW, themed
from simstudy.figures.wording import number

MEASURE = "scaled_covariance"
EXACT = 1e12
"""A ratio of variances beyond this is one of rounding errors: the estimate does not vary at all."""


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per entry of the upper triangle."""
    rows = sel.measured(summary, scenario, MEASURE)
    entries, (_, limit_name) = sel.shown(sel.entries(rows)), sel.limit_names(summary, scenario)
    figure, panels = ax_tools.panels(len(entries))
    for axes, entry in zip(panels, entries, strict=True):
        _panel(axes, rows, entry, limit_name)
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    figure.supylabel("n · Cov(θ̂)")
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, entry: sel.Entry, limit_name: str) -> None:
    axes.set_title(sel.entry_name(entry))
    limit = sel.limit_of(rows, entry)
    ax_tools.limit_line(axes, limit, limit_name)
    ax_tools.points(axes, sel.series(rows, entry, "raw"), RAW, 0, 2)
    ax_tools.points(axes, sel.series(rows, entry, "control-variate"), CONTROL_VARIATE, 1, 2)
    ax_tools.size_axis(axes, sel.sizes(rows))
    ax_tools.say_if_empty(axes, rows)
    ax_tools.value_axis(axes, limit, 0.02 * sel.scale_of(rows, entry))


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = sel.measured(summary, scenario, MEASURE)
    lines = findings.journeys(rows)
    return " ".join([f"n times Cov(θ̂), {findings.span(sel.sizes(rows))}, one panel per entry.", *lines])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State how far n·Cov(θ̂) is from I(θ)⁻¹, and what the control variate saves."""
    rows = sel.measured(summary, scenario, MEASURE)
    finding = findings.convergence(rows, "n · Var(θ̂)", sel.limit_names(summary, scenario)[1])
    if finding == findings.NOTHING:
        return finding
    return " ".join(filter(None, [finding, _saving(rows), findings.BARS])) + _rest(rows)


def _rest(rows: pd.DataFrame) -> str:
    return sel.left_out(sel.entries(rows)) + findings.gaps(rows)


def _saving(rows: pd.DataFrame) -> str:
    """Say how much smaller the variance is with the control variate, at the largest n."""
    raw, sharp = (
        [findings.ends(sel.series(rows, entry, estimator)) for entry in findings.diagonal(rows)]
        for estimator in ("raw", "control-variate")
    )
    factors = [(a[-1].mcse / b[-1].mcse) ** 2 for a, b in zip(raw, sharp, strict=True) if a and b and b[-1].mcse > 0]
    if not factors:
        return ""
    if min(factors) > EXACT:
        return "With the score as control variate (squares) it has no Monte Carlo error."
    n = max(points[-1].n for points in raw if points)
    worth = f"worth {number(min(factors), 2)} raw ones or more at n = {n}"
    return f"With the score as control variate (squares) a replicate is {worth}."


COVARIANCE = FigureSpec(
    "covariance", "Covariance of the estimates", draw, alt, caption, measures=("scaled_covariance",), headline=True
)
