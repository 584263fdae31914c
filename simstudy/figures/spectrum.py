"""Eigenvalues of Σ^−½ S Σ^−½ and A^−½ J̄ A^−½ against n, which tend to 1 in every parametrisation."""

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
from simstudy.figures.style import BLUE, CONTROL_VARIATE, RAW, VERMILION, Look, themed
from simstudy.figures.wording import listed

LARGEST, SMALLEST = MEASURES = ("largest_eigenvalue", "smallest_eigenvalue")
SCALAR = ("", "")
MATRICES = {"": "Σ^−½ · n·Cov(θ̂) · Σ^−½", "information-": "A^−½ · mean J · A^−½"}
"""The matrices by how the names of their estimators begin."""
LOOKS = {
    (LARGEST, "raw"): Look("largest, raw", BLUE, "^", "-"),
    (SMALLEST, "raw"): Look("smallest, raw", BLUE, "v", "-"),
    (LARGEST, "control-variate"): Look("largest, control variate", VERMILION, "^", (0, (4, 2))),
    (SMALLEST, "control-variate"): Look("smallest, control variate", VERMILION, "v", (0, (4, 2))),
}
ONLY = {(LARGEST, "raw"): RAW, (LARGEST, "control-variate"): CONTROL_VARIATE}
"""With one parameter, the largest eigenvalue is the smallest one."""
WIDE = 30.0
"""Eigenvalues so many times apart need a log axis."""


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per matrix."""
    figure, panels = ax_tools.panels(2, height=2.7)
    names = sel.limit_names(summary, scenario)[::-1]
    looks = ONLY if len(sel.parameters(summary, scenario)) == 1 else LOOKS
    for axes, prefix, matrix, limit_name in zip(panels, MATRICES, ("n · Cov(θ̂)", "mean J"), names, strict=True):
        axes.set_title(f"{matrix} relative to {limit_name}")
        _panel(axes, _rows(summary, scenario, prefix), looks)
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    panels[0].set_ylabel("eigenvalue")
    return figure


def _rows(summary: pd.DataFrame, scenario: str, prefix: str) -> pd.DataFrame:
    """Return the eigenvalues of one matrix, their estimators without the name of the matrix."""
    rows = pd.concat([sel.measured(summary, scenario, measure) for measure in MEASURES])
    own = rows[rows["estimator"].isin([f"{prefix}raw", f"{prefix}control-variate"])]
    return own.assign(estimator=own["estimator"].str.removeprefix("information-"))


def _panel(axes: Axes, rows: pd.DataFrame, looks: dict[tuple[str, str], Look]) -> None:
    ax_tools.limit_line(axes, 1.0, "1")
    for place, ((measure, estimator), look) in enumerate(looks.items()):
        own = rows[(rows["measure"] == measure) & (rows["estimator"] == estimator)]
        ax_tools.points(axes, own, look, place, len(looks))
    ax_tools.size_axis(axes, sel.sizes(rows))
    ax_tools.say_if_empty(axes, rows)
    seen = np.array([*rows["value"], 1.0])
    seen = seen[np.isfinite(seen) & (seen > 0.0)]
    if seen.max() > WIDE * seen.min():
        log_values(axes, seen)
    else:
        ax_tools.value_axis(axes, 1.0, 0.02)


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether there are limits to compare with."""
    return any(bool(sel.measured(summary, scenario, measure)["limit"].notna().any()) for measure in MEASURES)


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    said = []
    for prefix, matrix in MATRICES.items():
        rows = _rows(summary, scenario, prefix)
        for measure in MEASURES:
            name = f"{measure.split('_')[0]} eigenvalue of {matrix}"
            said.append(findings.journey(findings.best(rows[rows["measure"] == measure], SCALAR), name))
    sizes = sel.sizes(sel.measured(summary, scenario, LARGEST))
    return " ".join([f"Eigenvalues relative to the limit, {findings.span(sizes)}.", *said])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State between which eigenvalues both matrices lie at the smallest and the largest n."""
    said = [_told(_rows(summary, scenario, prefix), matrix) for prefix, matrix in MATRICES.items()]
    said = [text for text in said if text]
    if not said:
        return findings.NOTHING
    gaps = findings.gaps(sel.measured(summary, scenario, LARGEST))
    return (
        f"{' '.join(said)} In the limit all are 1, and no change of parameters changes them. Σ is the limit of "
        f"n·Cov(θ̂), A that of mean J. {findings.BARS}{gaps}"
    )


def _told(rows: pd.DataFrame, matrix: str) -> str:
    largest, smallest = (
        findings.ends(findings.best(rows[rows["measure"] == measure], SCALAR)) for measure in (LARGEST, SMALLEST)
    )
    parts = [_between(low, high) for low, high in zip(smallest, largest, strict=False)]
    return f"The eigenvalues of {matrix} lie {listed(parts)} (± 2 MCSE)." if parts else ""


def _between(low: findings.Point, high: findings.Point) -> str:
    if low.value == high.value:
        return f"at {low} at n = {low.n}"
    return f"between {low} and {high} at n = {low.n}"


SPECTRUM = FigureSpec("spectrum", "Eigenvalues relative to the limit", draw, alt, caption, applies, measures=MEASURES)
