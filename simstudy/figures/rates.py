"""Errors against n on log scales with their fitted lines: how fast bias, spread and matrix errors fall."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.scales import log_values
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import CYCLE, INK, MARKERS, MUTED, PAPER, themed
from simstudy.figures.wording import NO_ESTIMATE, listed, number, plus_minus

MEASURE = "rate"
ABOVE = 2.0
"""An error is seen where it is more than so many MCSE."""
ROUNDING = 1e-8
"""Relative errors below this are those of floating point arithmetic."""
SHOWN = 4
"""Lines of a panel at most."""
NEGLIGIBLE = 1e-6
"""Share of the least error seen below which a hidden one is not drawn."""
STRIP = 0.085
"""Share of the height of a panel that one line of its legend takes."""
LIFT = 0.04
"""Room below the legend for crosses on the axis."""
_LEGEND: dict[str, Any] = {
    "fontsize": 7.5,
    "borderaxespad": 0.2,
    "frameon": True,
    "edgecolor": "none",
    "framealpha": 0.9,
}
HIDDEN = "zero, or hidden by noise"
NONE = "No error stands above its Monte Carlo noise at three sample sizes, so none has a slope."


@dataclass(frozen=True)
class Panel:
    """Errors of one kind: the measure and the estimator they come from, and how they are called."""

    measure: str
    estimator: str
    title: str
    rounding: float = 0.0


PANELS = (
    Panel("information_error", "control-variate", "relative error of mean J", ROUNDING),
    Panel("covariance_error", "control-variate", "relative error of n · Cov(θ̂)", ROUNDING),
    Panel("bias", "control-variate", "|bias|"),
    Panel("sd_observed_information", "raw", "sd of single J"),
)


@dataclass(frozen=True)
class Course:
    """One kind of error of one entry against n, and the slope of its line: NaN where it has none."""

    name: str
    rows: pd.DataFrame
    slope: findings.Point | None

    @property
    def level(self) -> float:
        """Factor c of the line c·nᵇ: the least squares one for the slope b."""
        own = self.rows[self.rows["seen"]]
        if self.slope is None or own.empty:
            return math.nan
        shape = own["n"].astype(float) ** self.slope.value
        weights = 1.0 / np.square(np.maximum(own["mcse"], 1e-9 * own["value"]))
        return float((weights * shape * own["value"]).sum() / (weights * shape**2).sum())


def courses(summary: pd.DataFrame, scenario: str, panel: Panel) -> list[Course]:
    """Return the errors of one kind that can be drawn, with absolute values; ``seen`` are those above the noise."""
    rows = sel.measured(summary, scenario, panel.measure)
    rows = rows[(rows["estimator"] == panel.estimator) & rows["column"].isin(["", *rows["row"]])]
    rates = sel.measured(summary, scenario, MEASURE)
    found = []
    for entry in findings.diagonal(rows):
        own = sel.series(rows, entry, panel.estimator)
        size = own["value"].abs()
        seen = (size > ABOVE * own["mcse"]) & (size > panel.rounding)
        slopes = findings.ends(sel.series(rates, entry, panel.measure))
        found.append(Course(entry[0], own.assign(value=size, seen=seen), slopes[0] if slopes else None))
    return found


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per kind of error."""
    figure, panels = ax_tools.panels(len(PANELS), height=2.6)
    for axes, panel in zip(panels, PANELS, strict=True):
        axes.set_title(panel.title)
        _panel(axes, courses(summary, scenario, panel)[:SHOWN], panel)
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    figure.supylabel("size of the error")
    return figure


def _panel(axes: Axes, found: list[Course], panel: Panel) -> None:
    low = _frame(axes, found)
    handles = [_course(axes, course, place, low) for place, course in enumerate(found)]
    drawn = [(handle, course) for handle, course in zip(handles, found, strict=True) if handle is not None]
    if drawn:
        labels = [_label(course) for _, course in drawn]
        axes.legend([handle for handle, _ in drawn], labels, loc="lower left", bbox_to_anchor=(0.0, LIFT), **_LEGEND)
    elif any(course.rows["value"].notna().any() for course in found):
        axes.text(0.02, 0.06, HIDDEN, transform=axes.transAxes, color=MUTED)
    else:
        ax_tools.say(axes, NO_ESTIMATE)
    sizes = sorted({n for course in found for n in sel.sizes(course.rows)})
    ax_tools.size_axis(axes, sizes or [1])
    known = {int(n) for course in found for n in course.rows[course.rows["value"].notna()]["n"]}
    ax_tools.absent(axes, np.array([n for n in sizes if n not in known], dtype=float))


def _frame(axes: Axes, found: list[Course]) -> float:
    """Give the panel a log axis with room for its legend below the marks, and return its lower end."""
    rows = (
        pd.concat([course.rows for course in found]) if found else pd.DataFrame({"value": [], "mcse": [], "seen": []})
    )
    above = rows["seen"].astype(bool)
    seen, hidden = rows[above]["value"].to_numpy(dtype=float), ABOVE * rows[~above]["mcse"].to_numpy(dtype=float)
    # Far below all that is seen lie errors of rounding, which would stretch the axis.
    edge = NEGLIGIBLE * float(seen.min()) if len(seen) else 0.0
    low, high = log_values(axes, np.r_[seen, hidden], edge)
    share = LIFT + STRIP * (len(found) + 0.5)
    axes.set_ylim(low * (low / high) ** (share / (1.0 - share)), high)
    return low


def _course(axes: Axes, course: Course, place: int, low: float) -> Any:
    """Draw the errors of one entry and their line; return the handle of its legend, None where nothing is seen."""
    color, marker = CYCLE[place % len(CYCLE)], MARKERS[place % len(MARKERS)]
    rows = course.rows
    seen, hidden = rows[rows["seen"]], rows[~rows["seen"] & rows["value"].notna() & (rows["mcse"] > 0)]
    axes.plot(
        hidden["n"], ABOVE * hidden["mcse"], "v", color=MUTED, alpha=0.6, markerfacecolor="none",
        label="within 2 MCSE of zero: at most that large",
    )  # fmt: skip
    if seen.empty:
        return None
    bars = 2 * seen["mcse"]
    lower = np.minimum(bars, 0.999 * seen["value"])
    style: dict[str, Any] = {"color": color, "marker": marker, "linestyle": "none", "markerfacecolor": PAPER}
    handle = axes.errorbar(seen["n"], seen["value"], yerr=[lower, bars], **style, elinewidth=1.0, capsize=2.0, zorder=3)
    if course.slope is not None and math.isfinite(course.level):
        _lines(axes, course, course.slope, color)
    return handle


def _lines(axes: Axes, course: Course, slope: findings.Point, color: str) -> None:
    """Draw the fitted line, and one of the theoretical slope through the same centre."""
    n = course.rows[course.rows["value"].notna()]["n"].to_numpy(dtype=float)
    axes.plot(n, course.level * n**slope.value, color=color, linewidth=1.1, zorder=2)
    seen = course.rows[course.rows["seen"]]
    middle = float(np.exp(np.average(np.log(seen["n"].astype(float)), weights=_weights(seen))))
    if math.isfinite(slope.limit):
        height = course.level * middle**slope.value
        style: dict[str, Any] = {"color": INK, "linestyle": (0, (6, 3)), "linewidth": 0.9, "zorder": 2.2}
        axes.plot(n, height * (n / middle) ** slope.limit, **style, label="slope in theory")


def _weights(rows: pd.DataFrame) -> np.ndarray:
    value, mcse = (rows[name].to_numpy(dtype=float) for name in ("value", "mcse"))
    return np.asarray(np.square(value / np.maximum(mcse, 1e-9 * value)))


def _label(course: Course) -> str:
    named = f"{course.name}: " if course.name else ""
    if course.slope is None:
        return f"{named}no slope"
    return f"{named}slope {plus_minus(course.slope.value, course.slope.mcse)}"


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether any error has a slope."""
    return not sel.measured(summary, scenario, MEASURE).empty


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    return f"Errors against n on log scales with fitted lines, in {len(PANELS)} panels. {_told(summary, scenario)}"


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the slopes with their standard errors beside those of theory."""
    told = _told(summary, scenario)
    if told == findings.NOTHING:
        return told
    most = max(len(courses(summary, scenario, panel)) for panel in PANELS)
    left_out = f" The first {SHOWN} of {most} parameters are drawn." if most > SHOWN else ""
    theory = ", and dashed lines have the slope of theory" if "in theory" in told else ""
    rest = f" Slopes rest on errors seen above their noise{theory}." if told != NONE else ""
    return (
        f"{told}{rest} "
        f"{findings.BARS} Grey triangles mark errors within 2 MCSE of zero: at most about that large.{left_out}"
        f"{findings.gaps(sel.measured(summary, scenario, PANELS[2].measure))}"
    )


def _told(summary: pd.DataFrame, scenario: str) -> str:
    """Say all slopes, measure by measure."""
    found = {panel: courses(summary, scenario, panel) for panel in PANELS}
    if not any(course.rows["value"].notna().any() for each in found.values() for course in each):
        return findings.NOTHING
    said = [f"{panel.title} {text}" for panel, each in found.items() if (text := _slopes(each))]
    return f"Slopes of log error on log n, ± 2 standard errors: {'; '.join(said)}." if said else NONE


def _slopes(found: list[Course]) -> str:
    known = [course for course in found if course.slope is not None]
    parts = [f"{_slope(course)}{f' ({course.name})' if course.name else ''}" for course in known]
    limits = {course.slope.limit for course in known if course.slope and math.isfinite(course.slope.limit)}
    theory = f", in theory {number(limits.pop())}" if len(limits) == 1 else ""
    return f"{listed(parts)}{theory}" if parts else ""


def _slope(course: Course) -> str:
    return plus_minus(course.slope.value, course.slope.mcse) if course.slope else ""


RATES = FigureSpec(
    "rates",
    "Rates at which errors fall",
    draw,
    alt,
    caption,
    applies,
    measures=(MEASURE, *(panel.measure for panel in PANELS)),
)
