"""The model's standard error against the estimate: what makes Wald intervals miss more often on one side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import estimates, findings
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import LIMIT_LINE, Look, ordered, themed
from simstudy.figures.wording import NO_ESTIMATE, listed, plus_minus

SHOWN_PARAMETERS = 6
SHOWN_REPLICATES = 1000
MARKERS = ("o", "s", "^")


@dataclass(frozen=True)
class Pairs:
    """Estimates and standard errors of one parameter at one n.

    Attributes
    ----------
    theta, scaled : (R,)
        θ̂ and √n·se.
    spread
        √n times the empirical standard error, which √n·se should be.
    """

    n: int
    theta: np.ndarray
    scaled: np.ndarray
    spread: float

    @property
    def varies(self) -> bool:
        """Whether both vary beyond rounding, so that there is a correlation."""
        both = (self.theta, self.scaled)
        return len(self.theta) > 2 and all(np.ptp(x) > 1e-12 * np.abs(x).max() for x in both)

    @property
    def correlation(self) -> tuple[float, float]:
        """Correlation r of θ̂ and se, and its MCSE by the influence function uv − r(u² + v²)/2 of standardised u, v."""
        u, v = ((x - x.mean()) / x.std() for x in (self.theta, self.scaled))
        r = float(np.mean(u * v))
        return r, float(np.std(u * v - r * (u**2 + v**2) / 2, ddof=1) / math.sqrt(len(u)))


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether models claim a standard error."""
    return bool(len(sel.measured(summary, scenario, "model_se")))


def pairs(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> dict[str, list[Pairs]]:
    """Return each parameter's estimates and standard errors at the sample sizes shown."""
    sizes = sel.spread_out(sel.sizes(sel.measured(summary, scenario, "bias")), estimates.SHOWN_SIZES)
    names = sel.parameters(summary, scenario)[:SHOWN_PARAMETERS]
    spread = sel.measured(summary, scenario, "empirical_se")
    return {name: [_pairs(spread, name, n, replicates(scenario, n)) for n in sizes] for name in names}


def _pairs(spread: pd.DataFrame, name: str, n: int, table: pd.DataFrame) -> Pairs:
    theta, se = estimates.columns(table, [f"theta[{name}]", f"se[{name}]"])
    own = spread[(spread["row"] == name) & (spread["n"] == n)]["value"]
    return Pairs(n, theta, math.sqrt(n) * se, math.sqrt(n) * float(own.iloc[0]) if len(own) else math.nan)


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per parameter, one colour per sample size."""
    found = pairs(summary, scenario, replicates)
    covariance = sel.measured(summary, scenario, "scaled_covariance")
    figure, panels = ax_tools.panels(len(found), height=2.6)
    for axes, (name, clouds) in zip(panels, found.items(), strict=True):
        axes.set_title(name)
        variance = sel.limit_of(covariance, (name, name))
        _panel(axes, clouds, math.sqrt(variance) if variance > 0 else math.nan)
    ax_tools.legend(figure, panels, markerscale=2.5)
    figure.supxlabel("estimate θ̂")
    figure.supylabel("√n · model SE")
    return figure


def _panel(axes: Axes, clouds: list[Pairs], limit: float) -> None:
    colors = ordered(len(clouds))
    for place, cloud in enumerate(clouds):
        look = Look(f"n = {cloud.n}", colors[place], MARKERS[place], "none")
        shown = slice(SHOWN_REPLICATES)
        style = {"linestyle": "none", "markersize": 2.2, "markeredgewidth": 0, "rasterized": True, "alpha": 0.7}
        axes.plot(cloud.theta[shown], cloud.scaled[shown], **look.line | style, zorder=2 + place / 10)
        if math.isfinite(cloud.spread):
            axes.axhline(cloud.spread, color=look.color, linewidth=1.1, linestyle=(0, (1, 1)), zorder=2.5)
    if math.isfinite(limit):
        axes.axhline(limit, label="limit of √n · SE", **LIMIT_LINE | {"zorder": 2.6})
    frame = _frame(clouds, limit)
    if frame is None:
        ax_tools.say(axes, NO_ESTIMATE)
        return
    axes.set_xlim(*frame[0])
    axes.set_ylim(*frame[1])
    ax_tools.estimate_axis(axes)
    ax_tools.value_axis(axes)


def _frame(clouds: list[Pairs], limit: float) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the ends of both axes, which hold all but the most extreme half per cent on either side of each n."""
    clouds = [cloud for cloud in clouds if len(cloud.theta)]
    if not clouds:
        return None
    x = np.concatenate([np.quantile(cloud.theta, [0.005, 0.995]) for cloud in clouds])
    y = np.concatenate([np.quantile(cloud.scaled, [0.005, 0.995]) for cloud in clouds])
    y = np.r_[y, [cloud.spread for cloud in clouds], limit]
    return _ends(x), _ends(y[np.isfinite(y)])


def _ends(values: np.ndarray) -> tuple[float, float]:
    """Return ends around the values, never closer than two per cent of their size."""
    low, high = float(values.min()), float(values.max())
    margin = max(0.05 * (high - low), 0.01 * max(abs(low), abs(high))) or 1.0
    return low - margin, high + margin


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    found = pairs(summary, scenario, replicates)
    sizes = ", ".join(str(cloud.n) for cloud in next(iter(found.values())))
    return f"Model standard errors against estimates at n = {sizes}. {_told(found)}"


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the correlation of estimate and standard error at the smallest and the largest n."""
    found = pairs(summary, scenario, replicates)
    told = _told(found)
    if told == findings.NOTHING:
        return told
    total = len(sel.parameters(summary, scenario))
    rest = sel.first_of(SHOWN_PARAMETERS, total, "parameters")
    return (
        f"{told} Where it is not 0, intervals θ̂ ± z·se are too short on one side of the truth. Dots are the first "
        f"{SHOWN_REPLICATES:,} replicates at each n; dotted lines are √n times the empirical standard error.{rest}"
    )


def _told(found: dict[str, list[Pairs]]) -> str:
    if not any(len(cloud.theta) for clouds in found.values() for cloud in clouds):
        return findings.NOTHING
    said = [f"{_course(clouds)} for {name}" for name, clouds in found.items() if any(cloud.varies for cloud in clouds)]
    if not said:
        return "The standard error or the estimate does not vary, so there is no correlation (0 MCSE)."
    return f"The correlation of estimate and model SE is {listed(said)} (± 2 MCSE)."


def _course(clouds: list[Pairs]) -> str:
    clouds = [cloud for cloud in clouds if cloud.varies]
    ends = [clouds[i] for i in sorted({0, len(clouds) - 1})]
    return " and ".join(f"{plus_minus(*cloud.correlation)} at n = {cloud.n}" for cloud in ends)


SCATTER = FigureSpec(
    "scatter",
    "Model standard error and estimate",
    draw,
    alt,
    caption,
    applies,
    measures=("bias", "model_se", "empirical_se", "scaled_covariance"),
)
