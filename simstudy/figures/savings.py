"""What the score control variate saves: replicates that the raw estimate would take, over those it took, against n."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.scales import log_values
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import BLUE, GREEN, LIMIT_LINE, ORANGE, PAPER, VERMILION, Look, themed
from simstudy.figures.wording import listed, number, plus_minus

MEASURE = "replicates_saved"
LOOKS = {
    "bias": Look("bias", BLUE, "o", "-"),
    "mse": Look("mean squared error", GREEN, "D", (0, (1, 1))),
    "scaled_covariance": Look("n · Cov(θ̂)", VERMILION, "s", (0, (4, 2))),
    "mean_observed_information": Look("mean J", ORANGE, "^", (0, (5, 2, 1, 2))),
}
EXACT = 1e12
"""A ratio of variances beyond this is one of rounding errors: the controlled estimate does not vary at all."""


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per parameter on log scales."""
    rows = sel.measured(summary, scenario, MEASURE, infinite=True)
    entries = sel.shown(sel.entries(rows))
    figure, panels = ax_tools.panels(len(entries))
    for axes, entry in zip(panels, entries, strict=True):
        axes.set_title(sel.entry_name(entry))
        _panel(axes, rows[rows["row"] == entry[0]])
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    figure.supylabel("replicates saved, as a factor")
    return figure


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    log_values(axes, np.array([*rows["value"], 1.0], dtype=float), high_edge=EXACT)
    axes.axhline(1.0, label="none saved", **LIMIT_LINE)
    for place, (estimator, look) in enumerate(LOOKS.items()):
        _series(axes, rows[rows["estimator"] == estimator], look, place)
    ax_tools.size_axis(axes, sel.sizes(rows))
    ax_tools.say_if_empty(axes, rows)
    found = rows[rows["value"].notna()]["n"]
    ax_tools.absent(axes, np.setdiff1d(rows["n"], found).astype(float))


def _series(axes: Axes, rows: pd.DataFrame, look: Look, place: int) -> None:
    """Draw the factors of one estimate, and a triangle on the upper edge where nothing is left of its variance."""
    x, value = ax_tools.dodge(rows, place, len(LOOKS)), rows["value"].to_numpy(dtype=float)
    bars = 2 * rows["mcse"].fillna(0.0).to_numpy(dtype=float)
    shown = np.where((value > 0.0) & (value < EXACT), value, np.nan)
    lower = np.minimum(bars, 0.999 * value)
    axes.errorbar(x, shown, yerr=[lower, bars], **look.line, markerfacecolor=PAPER, elinewidth=1.0, capsize=2.0)
    exact = x[value >= EXACT]
    if len(exact):
        where = axes.get_xaxis_transform()
        axes.plot(exact, np.ones(len(exact)), "^", color=look.color, transform=where, clip_on=False, zorder=4)


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether any saving was measured."""
    return not sel.measured(summary, scenario, MEASURE, infinite=True).empty


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = sel.measured(summary, scenario, MEASURE, infinite=True)
    rows = rows.assign(value=rows["value"].where(rows["value"] < EXACT))
    head = f"Factors by which control variates save replicates, {findings.span(sel.sizes(rows))}, on log scales."
    lines = [
        findings.journey(own, f"{sel.entry_name(entry)}, {look.label}")
        for entry in sel.entries(rows)
        for estimator, look in LOOKS.items()
        if not (own := sel.series(rows, entry, estimator)).empty
    ]
    return " ".join([head, *lines])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the savings of each estimate at the largest n, over the parameters, and the rates they grow at."""
    rows = sel.measured(summary, scenario, MEASURE, infinite=True)
    known = rows[rows["value"].notna()]
    if known.empty:
        return findings.NOTHING
    n = int(known["n"].max())
    said = [_state(known[(known["n"] == n) & (known["estimator"] == name)], look) for name, look in LOOKS.items()]
    told = listed([text for text in said if text]) or "any number of replicates"
    gaps = findings.gaps(rows.groupby(["row", "n"])["value"].max().to_frame())
    exact = " Triangles on the edge: the controlled estimate does not vary." if (known["value"] >= EXACT).any() else ""
    return (
        f"Without control variates the same precision at n = {n} would take more replicates, by factors of {told} "
        f"(± 2 MCSE).{exact} {findings.BARS}{sel.left_out(sel.entries(rows))}{gaps}"
    )


def _state(rows: pd.DataFrame, look: Look) -> str:
    rows = rows[rows["value"] < EXACT]
    if rows.empty:
        return ""
    ends = [rows.loc[rows["value"].agg(which)] for which in ("idxmin", "idxmax")]
    factors = list(dict.fromkeys(_factor(row) for row in ends))
    return f"{' to '.join(factors)} for {look.label}"


def _factor(row: pd.Series) -> str:
    value, mcse = float(row["value"]), float(row["mcse"])
    return plus_minus(value, mcse) if np.isfinite(mcse) else number(value, 2)


SAVINGS = FigureSpec("savings", "What control variates save", draw, alt, caption, applies, measures=(MEASURE,))
