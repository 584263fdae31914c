"""Quantiles of the standardised estimates √n(θ̂ − θ)/√Σⱼⱼ against those of N(0, 1), one line per sample size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.clouds import RADII, SHOWN_SIZES, deviations
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import GRID, LIMIT_LINE, ordered, themed
from simstudy.figures.wording import NO_ESTIMATE, plus_minus

POINTS = 121
"""Order statistics of a line at most: evenly spaced as normal quantiles, so that all of the outermost are drawn."""
LEAST = 10
"""Estimates that a line takes."""
TOO_FEW = "too few estimates that differ"
BEYOND = 2.5
"""Height of a panel at most, as a multiple of the largest normal quantile."""
STYLES: tuple[Any, ...] = ((0, (1, 1)), (0, (3, 1, 1, 1)), (0, (4, 2)), (0, (8, 2)), "-")
"""Line styles from the smallest n to the largest."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Sample:
    """Standardised estimates of one parameter at one n, (R,) ascending; by its own spread where there is no limit."""

    name: str
    n: int
    z: np.ndarray
    limited: bool

    @property
    def usable(self) -> bool:
        """Whether there are estimates enough that differ."""
        return len(self.z) >= LEAST and bool(np.ptp(self.z) > 0.0)

    @property
    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Normal quantiles and order statistics, thinned."""
        size = len(self.z)
        reach = _NORMAL.inv_cdf(1.0 - 0.5 / size)
        shares = np.array([_NORMAL.cdf(q) for q in np.linspace(-reach, reach, POINTS)])
        ranks = np.unique(np.clip((shares * size).astype(int), 0, size - 1))
        return np.array([_NORMAL.inv_cdf((rank + 0.5) / size) for rank in ranks]), self.z[ranks]

    def tails(self) -> list[float]:
        """Return the shares below −1.96 and above 1.96."""
        return [float(np.mean(self.z < -RADII[1])), float(np.mean(self.z > RADII[1]))]


def samples(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> dict[str, list[Sample]]:
    """Return the standardised estimates of each parameter at no more than five sample sizes."""
    names = sel.parameters(summary, scenario)
    rows = sel.measured(summary, scenario, "scaled_covariance")
    found: dict[str, list[Sample]] = {name: [] for name in names}
    for n in sel.spread_out(sel.sizes(sel.measured(summary, scenario, "bias")), SHOWN_SIZES):
        z = deviations(summary, scenario, n, replicates(scenario, n), names)
        for place, name in enumerate(names):
            found[name].append(_sample(name, n, z[:, place], sel.limit_of(rows, (name, name))))
    return found


def _sample(name: str, n: int, z: np.ndarray, variance: float) -> Sample:
    limited = bool(np.isfinite(variance) and variance > 0.0)
    if not limited and len(z) >= LEAST:
        z, variance = z - z.mean(), z.var(ddof=1)
    spread = np.sqrt(variance) if variance > 0.0 else 1.0
    return Sample(name, n, np.sort(z[np.isfinite(z)] / spread), limited)


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per parameter."""
    found = samples(summary, scenario, replicates)
    figure, panels = ax_tools.panels(len(found), height=2.5)
    for axes, (name, lines) in zip(panels, found.items(), strict=True):
        axes.set_title(name)
        _panel(axes, lines)
    ax_tools.legend(figure, panels)
    figure.supxlabel("quantile of N(0, 1)")
    figure.supylabel("standardised estimate")
    return figure


def _panel(axes: Axes, lines: list[Sample]) -> None:
    usable = [sample for sample in lines if sample.usable]
    if not usable:
        ax_tools.say(axes, _nothing(lines))
        return
    styles = STYLES[-len(lines) :]
    for sample, color, style in zip(lines, ordered(len(lines)), styles, strict=True):
        if sample.usable:
            axes.plot(*sample.line, color=color, linestyle=style, linewidth=1.4, label=f"n = {sample.n}", zorder=3)
    reach = 1.05 * max(float(sample.line[0].max()) for sample in usable)
    _band(axes, min(len(sample.z) for sample in usable))
    axes.plot([-reach, reach], [-reach, reach], **LIMIT_LINE, label="N(0, 1)")
    axes.set_xlim(-reach, reach)
    low, high = _frame(usable, reach)
    axes.set_ylim(low, high)


def _frame(lines: list[Sample], reach: float) -> tuple[float, float]:
    """Return the ends of the vertical axis: they hold the diagonal, and the order statistics unless far out."""
    low, high = min(float(sample.z[0]) for sample in lines), max(float(sample.z[-1]) for sample in lines)
    return 1.05 * min(-reach, max(low, -BEYOND * reach)), 1.05 * max(reach, min(high, BEYOND * reach))


def _band(axes: Axes, size: int) -> None:
    """Shade where 95 % of the order statistics of N(0, 1) lie each: q ± 1.96·√(p(1 − p)/R)/φ(q)."""
    reach = _NORMAL.inv_cdf(1.0 - min(5.0 / size, 0.4))
    q = np.linspace(-reach, reach, 61)
    share = np.array([_NORMAL.cdf(x) for x in q])
    half = RADII[1] * np.sqrt(share * (1.0 - share) / size) / np.array([_NORMAL.pdf(x) for x in q])
    axes.fill_between(q, q - half, q + half, color=GRID, linewidth=0, zorder=0.5, label="95 % of normal samples")


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    found = samples(summary, scenario, replicates)
    sizes = ", ".join(str(sample.n) for sample in next(iter(found.values())))
    head = f"Quantiles of the standardised estimates against those of N(0, 1) at n = {sizes}."
    return " ".join([head, *(_ends(lines) for lines in found.values())])


def _ends(lines: list[Sample]) -> str:
    usable = [sample for sample in lines if sample.usable]
    if not usable:
        return f"{lines[0].name}: {_nothing(lines)}."
    return f"{usable[0].name}: {'; '.join(_tails(usable[i]) for i in sorted({0, len(usable) - 1}))}."


def _nothing(lines: list[Sample]) -> str:
    return TOO_FEW if any(len(sample.z) for sample in lines) else NO_ESTIMATE


def _tails(sample: Sample) -> str:
    low, high = (plus_minus(100 * share, 100 * _share_mcse(share, len(sample.z)), " %") for share in sample.tails())
    return f"{low} lie below −1.96 and {high} above 1.96 at n = {sample.n}"


def _share_mcse(share: float, size: int) -> float:
    """Return the Monte Carlo standard error of a share, not 0 where none was met (Agresti & Coull 1998)."""
    middle = (share * size + 2.0) / (size + 4.0)
    return math.sqrt(middle * (1.0 - middle) / (size + 4.0))


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the shares beyond ±1.96 of the parameter that is furthest from normal at the largest n."""
    found = samples(summary, scenario, replicates)
    usable = {name: kept for name, lines in found.items() if (kept := [s for s in lines if s.usable])}
    if not usable:
        some = any(len(sample.z) for lines in found.values() for sample in lines)
        return f"Quantiles take at least {LEAST} estimates that differ." if some else findings.NOTHING
    furthest = max(usable, key=lambda name: sum(abs(share - 0.025) for share in usable[name][-1].tails()))
    own = (
        "" if usable[furthest][-1].limited else " Where there is no normal limit, its own mean and spread standardise."
    )
    which = "" if len(usable) == 1 else ", the furthest from normal"
    return (
        f"Of the standardised estimates of {furthest}{which}, {_ends(usable[furthest]).partition(': ')[2][:-1]} "
        f"(± 2 MCSE); N(0, 1) has 2.5 % on either side.{own} The grey band holds 95 % of the quantiles of "
        f"normal samples.{_outside(found)}"
    )


def _outside(found: dict[str, list[Sample]]) -> str:
    """Say how many estimates lie beyond their panels."""
    count = 0
    for lines in found.values():
        usable = [sample for sample in lines if sample.usable]
        if usable:
            low, high = _frame(usable, 1.05 * max(float(sample.line[0].max()) for sample in usable))
            count += sum(int(((sample.z < low) | (sample.z > high)).sum()) for sample in usable)
    return f" Beyond the panels: {count:,} estimates." if count else ""


NORMALITY = FigureSpec(
    "normality",
    "Normality of the estimates",
    draw,
    alt,
    caption,
    measures=("bias", "scaled_covariance"),
)
