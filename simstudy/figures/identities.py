"""The identities E s = 0 and Cov(√n·mean score) = I(θ) at the truth: deviations in units of their MCSE."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import CYCLE, GRID, INK, MARKERS, PAPER, themed
from simstudy.figures.wording import number

TITLES = {"mean_score": "mean score", "score_covariance": "score covariance"}
FRAME = 5.0
CONSTANT = "The score at the truth does not vary, or has no limit to compare with, so there is no deviation to count."
_MARK: dict[str, Any] = {"linestyle": "none", "markersize": 5.5, "markeredgecolor": PAPER, "markeredgewidth": 0.4}


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw the mean score and the score covariance side by side, one mark per entry and sample size."""
    figure, panels = ax_tools.panels(2, height=2.7, share_y=True)
    entries = sel.entries(sel.measured(summary, scenario, "score_covariance"))
    looks = {sel.entry_name(entry): _look(place) for place, entry in enumerate(entries)}
    for axes, measure in zip(panels, TITLES, strict=True):
        rows = deviations(summary, scenario, measure)
        axes.set_title(TITLES[measure])
        _bands(axes)
        ax_tools.say_if_empty(axes, rows)
        _marks(axes, rows, looks)
        ax_tools.size_axis(axes, sel.sizes(rows))
    ax_tools.legend(figure, panels)
    panels[0].set_ylim(*_frame(panels))
    panels[0].set_ylabel("deviation from the limit / MCSE")
    figure.supxlabel("sample size n")
    return figure


def deviations(summary: pd.DataFrame, scenario: str, measure: str) -> pd.DataFrame:
    """Return the rows of a measure with ``z`` = (value − limit)/MCSE (NaN where the MCSE is 0)."""
    rows = sel.measured(summary, scenario, measure)
    return rows.assign(z=(rows["value"] - rows["limit"]) / rows["mcse"].where(rows["mcse"] > 0))


def _bands(axes: Axes) -> None:
    for half_width, alpha in ((4, 0.4), (2, 0.8)):
        axes.axhspan(-half_width, half_width, color=GRID, alpha=alpha, linewidth=0, zorder=0.5)
    axes.axhline(0, color=INK, linewidth=0.9, zorder=1)
    axes.grid(visible=False)
    axes.set_yticks([-4, -2, 0, 2, 4], ["−4", "−2", "0", "+2", "+4"])


def _look(place: int) -> dict[str, Any]:
    return {"color": CYCLE[place % len(CYCLE)], "marker": MARKERS[place % len(MARKERS)]}


def _marks(axes: Axes, rows: pd.DataFrame, looks: dict[str, dict[str, Any]]) -> None:
    """Mark each entry; a parameter looks the same in both panels."""
    entries = sel.entries(rows)
    for place, entry in enumerate(entries):
        chosen, name = sel.series(rows, entry, "raw"), sel.entry_name(entry)
        x = ax_tools.dodge(chosen, place, len(entries))
        axes.plot(x, chosen["z"], **looks[name], **_MARK, label=name)
        ax_tools.absent(axes, x[chosen["value"].isna()])


def _frame(panels: list[Axes]) -> tuple[float, float]:
    """Return symmetric ends of the common axis that hold both bands and every mark."""
    seen = [np.abs(line.get_ydata(orig=False)) for axes in panels for line in axes.get_lines()]
    largest = max((float(np.nanmax(y)) for y in seen if np.isfinite(y).any()), default=0.0)
    half = max(FRAME, 1.12 * largest)
    return -half, half


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    return f"Deviations of mean score and score covariance from their limits. {_tally(summary, scenario)}"


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Count the deviations within 2 and 4 MCSE, and name the largest."""
    tally = _tally(summary, scenario)
    if tally in {findings.NOTHING, CONSTANT}:
        return tally
    return (
        f"{tally} If model, score and sampler agree, 95.4 % are expected within ±2 MCSE (dark band) and nearly all "
        "within ±4 (light band)."
        f"{findings.gaps(sel.measured(summary, scenario, 'mean_score'))}"
    )


def _tally(summary: pd.DataFrame, scenario: str) -> str:
    rows = pd.concat([deviations(summary, scenario, measure) for measure in TITLES], ignore_index=True)
    found, rows = rows["value"].notna().any(), rows[np.isfinite(rows["z"])]
    if rows.empty:
        return CONSTANT if found else findings.NOTHING
    size = rows["z"].abs()
    top = rows.loc[size.idxmax()]
    measure = str(top["measure"]).replace("_", " ")
    name = sel.entry_name((str(top["row"]), str(top["column"])))
    within = [int((size <= bound).sum()) for bound in (2, 4)]
    return (
        f"Of {len(rows)} deviations {within[0]} lie within ±2 MCSE and {within[1]} within ±4; "
        f"the largest is {number(top['z'], 2)} MCSE ({measure} of {name}, n = {top['n']})."
    )


IDENTITIES = FigureSpec(
    "identities",
    "Identities of the score",
    draw,
    alt,
    caption,
    measures=("mean_score", "score_covariance"),
    headline=True,
)
