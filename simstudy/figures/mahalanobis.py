"""Quantiles of the squared Mahalanobis distance n(θ̂ − θ)ᵀΣ⁻¹(θ̂ − θ) against n, and those of χ²ₚ."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.scales import log_values
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import BLUE, GREEN, LIMIT_LINE, ORANGE, VERMILION, Look, themed
from simstudy.figures.wording import against

MEASURE = "mahalanobis"
SCALAR = ("", "")
LOOKS = {
    "99%": Look("99 %", VERMILION, "^", "-"),
    "95%": Look("95 %", ORANGE, "D", "-"),
    "90%": Look("90 %", GREEN, "s", "-"),
    "50%": Look("50 %", BLUE, "o", "-"),
}
"""Quantiles from the highest down, as they stand in the panel."""


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one line per quantile, each beside its limit."""
    rows = sel.measured(summary, scenario, MEASURE)
    figure, (axes,) = ax_tools.panels(1)
    for place, (quantile, look) in enumerate(LOOKS.items()):
        own = sel.series(rows, SCALAR, quantile)
        limit = sel.limit_of(own, SCALAR)
        if np.isfinite(limit) and rows["value"].notna().any():
            label = "limit χ²ₚ" if place == 0 else None
            axes.axhline(limit, **LIMIT_LINE | {"label": label})
        ax_tools.points(axes, own, look, place, len(LOOKS))
    ax_tools.size_axis(axes, sel.sizes(rows))
    ax_tools.say_if_empty(axes, rows)
    log_values(axes, np.array([*rows["value"], *rows["limit"]], dtype=float))
    ax_tools.legend(figure, [axes])
    figure.supxlabel("sample size n")
    figure.supylabel("quantile of the squared distance")
    return figure


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether there are quantiles to compare with."""
    return bool(sel.measured(summary, scenario, MEASURE)["limit"].notna().any())


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = sel.measured(summary, scenario, MEASURE)
    lines = [findings.journey(sel.series(rows, SCALAR, quantile), look.label) for quantile, look in LOOKS.items()]
    head = f"Quantiles of squared Mahalanobis distances of the estimates, {findings.span(sel.sizes(rows))}."
    return " ".join([head, *lines])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State how the 95 % quantile stands to that of χ²ₚ, and the other quantiles at the largest n."""
    rows = sel.measured(summary, scenario, MEASURE)
    ends = {quantile: findings.ends(sel.series(rows, SCALAR, quantile)) for quantile in LOOKS}
    if not ends["95%"]:
        return findings.NOTHING
    count = len(sel.parameters(summary, scenario))
    name = f"that of χ² on {count} degree{'' if count == 1 else 's'} of freedom"
    said = [f"{point.standing(name)}, at n = {point.n}" for point in ends["95%"]]
    others = [
        f"the {look.label} quantile is {against(points[-1].value, points[-1].mcse, points[-1].limit, 'its limit')}"
        for quantile, look in LOOKS.items()
        if quantile != "95%" and (points := ends[quantile])
    ]
    return (
        f"The 95 % quantile of n(θ̂ − θ)ᵀΣ⁻¹(θ̂ − θ), Σ the limit of n·Cov(θ̂), is {'; and '.join(said)} (± 2 MCSE). "
        f"There {'; '.join(others)}. {findings.BARS}{findings.gaps(rows)}"
    )


MAHALANOBIS = FigureSpec(
    "mahalanobis", "Distance of the estimate, all parameters together", draw, alt, caption, applies, measures=(MEASURE,)
)
