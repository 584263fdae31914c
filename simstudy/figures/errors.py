"""Relative errors of the two matrices against n on log scales, with what Monte Carlo noise hides greyed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import CONTROL_VARIATE, GRID, MUTED, PAPER, RAW, Look, themed
from simstudy.figures.wording import percent, plus_minus

MATRICES = {"information": "the mean observed information", "covariance": "n · Cov(θ̂)"}
LOOKS = {"raw": RAW, "control-variate": CONTROL_VARIATE}
SCALAR = ("", "")
ROUNDING = 1e-8
"""Relative errors below this are those of floating point arithmetic."""
EXACT = "zero to rounding"
NO_LIMIT = "no limit to compare with"


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per matrix with the same axes."""
    figure, panels = ax_tools.panels(2, height=2.7, share_y=True)
    tables = {matrix: _errors(summary, scenario, matrix) for matrix in MATRICES}
    low, high = _frame(pd.concat(tables.values()))
    for axes, (matrix, rows) in zip(panels, tables.items(), strict=True):
        axes.set_title(MATRICES[matrix].removeprefix("the "))
        _panel(axes, rows, low, high)
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    panels[0].set_ylabel("relative error (Frobenius)")
    return figure


def _errors(summary: pd.DataFrame, scenario: str, matrix: str) -> pd.DataFrame:
    """Return the errors of one matrix with their noise ``floor``, and whether each is ``visible`` or ``exact``."""
    rows = sel.measured(summary, scenario, f"{matrix}_error")
    floors = sel.measured(summary, scenario, "noise_floor")
    floors = floors.assign(estimator=floors["estimator"].str.removeprefix(f"{matrix}-"))
    floors = floors[["n", "estimator", "value"]].rename(columns={"value": "floor"})
    rows = rows.merge(floors, on=["n", "estimator"], how="left")
    largest = rows[["value", "floor"]].max(axis=1)
    exact = largest < ROUNDING
    return rows.assign(exact=exact, visible=(rows["value"] > rows["floor"]) & ~exact)


def _frame(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the error axis, common to both panels."""
    seen = np.r_[rows["value"] + 2 * rows["mcse"].fillna(0), rows["value"], rows["floor"]]
    # What is smaller is rounding, not statistics, and would stretch the axis.
    seen = seen[seen > ROUNDING]
    return (seen.min() / 2.5, seen.max() * 1.8) if len(seen) else (1e-3, 1.0)


def _panel(axes: Axes, rows: pd.DataFrame, low: float, high: float) -> None:
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    for place, (estimator, look) in enumerate(LOOKS.items()):
        chosen = rows[rows["estimator"] == estimator]
        _floor(axes, chosen, low, look)
        _marks(axes, chosen, low, look, place)
    _guides(axes, rows)
    if rows["limit"].notna().any():
        ax_tools.say_if_empty(axes, rows)
    else:
        ax_tools.say(axes, NO_LIMIT)
    if rows["exact"].all():
        ax_tools.say(axes, EXACT)
    ax_tools.size_axis(axes, sel.sizes(rows))
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high > 100 * low else (1.0, 2.0, 5.0), numticks=12))
    ax_tools.per_cent(axes)
    axes.yaxis.set_minor_formatter(NullFormatter())


def _floor(axes: Axes, rows: pd.DataFrame, low: float, look: Look) -> None:
    """Grey what lies under the Monte Carlo noise of one estimator."""
    rows = rows.dropna(subset="floor")
    floor = rows["floor"].clip(lower=low)
    label = f"noise floor, {look.label}"
    style: dict[str, Any] = {
        "color": GRID,
        "alpha": 0.55 if look is RAW else 1.0,
        "linewidth": 0,
        "label": label,
        "zorder": 0.5,
    }
    if len(rows) > 1:
        axes.fill_between(rows["n"], low, floor, **style)
    elif len(rows) == 1:
        axes.bar(rows["n"], floor - low, 0.3 * rows["n"], low, **style)


def _marks(axes: Axes, rows: pd.DataFrame, low: float, look: Look, place: int) -> None:
    """Draw the errors seen above the noise, and the others as triangles on the floor: at most that large."""
    x = pd.Series(ax_tools.dodge(rows, place, 2), index=rows.index)
    above = rows[rows["visible"]]
    bars = 2 * above["mcse"].fillna(0)
    lower = np.minimum(bars, above["value"] - low)
    style = look.line | {"markerfacecolor": PAPER, "elinewidth": 1.0, "capsize": 2.0}
    axes.errorbar(x[above.index], above["value"], yerr=[lower, bars], **style)
    hidden = rows[~rows["visible"] & ~rows["exact"] & rows["value"].notna()]
    axes.plot(x[hidden.index], hidden["floor"], "v", color=look.color, alpha=0.55, markerfacecolor="none")
    ax_tools.absent(axes, rows[rows["value"].isna()]["n"].to_numpy(dtype=float))


def _guides(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the rates 1/n and 1/√n through the last error that is known well: rates are those of large n."""
    visible = rows[rows["visible"]]
    known = visible[visible["value"] > 5 * visible["mcse"]]
    anchors = (known if len(known) else visible).sort_values(["n", "mcse"], ascending=[False, True], kind="stable")
    sizes = np.array(sel.sizes(rows), dtype=float)
    if anchors.empty or len(sizes) < 2:
        return
    n, value = anchors.iloc[0][["n", "value"]].astype(float)
    for power, style, label in ((-1.0, (0, (1, 2)), "∝ 1/n"), (-0.5, (0, (5, 2, 1, 2)), "∝ 1/√n")):
        axes.plot(sizes, value * (sizes / n) ** power, color=MUTED, linestyle=style, linewidth=1.0, label=label)


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    head = "Relative Frobenius errors on log scales, with Monte Carlo noise floors and guides of slope −1 and −1/2."
    return " ".join([head, *(_course(summary, scenario, matrix) for matrix in MATRICES)])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State both errors at the smallest and the largest n."""
    courses = " ".join(_course(summary, scenario, matrix) for matrix in MATRICES)
    return (
        f"{courses} Errors are cleared of the Monte Carlo noise, whose size is greyed. {findings.BARS} "
        "Triangles on a floor mark errors that the noise hides: at most about that large."
        f"{findings.gaps(sel.measured(summary, scenario, 'information_error'))}"
    )


def _course(summary: pd.DataFrame, scenario: str, matrix: str) -> str:
    """Say what the error of one matrix is at the smallest and the largest n, by the sharper estimator."""
    rows = findings.best(_errors(summary, scenario, matrix), SCALAR)
    if rows["limit"].isna().all():
        return f"There is {NO_LIMIT} for {MATRICES[matrix]}."
    rows = rows[np.isfinite(rows["value"])]
    if rows.empty:
        return f"The error of {MATRICES[matrix]} has no estimate: no replicate could be used."
    if rows["exact"].all():
        return f"The relative error of {MATRICES[matrix]} is {EXACT} at every n."
    parts = [_state(rows.iloc[i]) for i in sorted({0, len(rows) - 1})]
    return f"The relative error of {MATRICES[matrix]} is {' and '.join(parts)}."


def _state(row: pd.Series) -> str:
    n, value, mcse, floor = int(row["n"]), row["value"], row["mcse"], row["floor"]
    if row["exact"]:
        return f"{EXACT} at n = {n}"
    if row["visible"]:
        return f"{plus_minus(100 * value, 100 * mcse, ' %')} (2 MCSE) at n = {n}"
    return f"hidden by Monte Carlo noise of {percent(floor)} at n = {n}"


ERRORS = FigureSpec(
    "errors",
    "Relative errors and rates",
    draw,
    alt,
    caption,
    measures=("information_error", "covariance_error", "noise_floor"),
    headline=True,
)
