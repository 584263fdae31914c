"""The cloud of √n(θ̂ − θ) at several n against its normal limit: 95 % ellipses, or densities for one parameter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.clouds import RADII, Cloud, clouds
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import BLUE, LIMIT_LINE, MUTED, VERMILION, WIDTH, themed
from simstudy.figures.wording import listed, plus_minus

SHOWN_REPLICATES = 2000
SCALED = "√n(θ̂ − θ)"
TOO_FEW = "too few\nreplicates"
EMPIRICAL: dict[str, Any] = {"color": VERMILION, "linestyle": "-", "linewidth": 1.4, "zorder": 3}


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw a column of panels per sample size shown, a row per pair of parameters."""
    rows = clouds(summary, scenario, replicates)
    figure, grid = _grid(len(rows), len(rows[0]))
    for panels, row in zip(grid, rows, strict=True):
        paint = _density if len(row[0].names) == 1 else _scatter
        half = _frame(row)
        panels[0].set_ylabel("" if paint is _density else row[0].names[1])
        for axes, cloud in zip(panels, row, strict=True):
            axes.set_xlim(-half[0], half[0])
            axes.set_title(f"n = {cloud.n}")
            paint(axes, cloud, half)
    ax_tools.legend(figure, list(grid.flat), markerscale=3.0)
    return figure


def _grid(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    side = min((WIDTH - 0.7) / columns, 2.9)
    width = WIDTH if columns > 1 else ax_tools.NARROW
    figure = Figure(figsize=(width, (side + 0.5) * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey="row")
    return figure, grid


def _frame(row: list[Cloud]) -> np.ndarray:
    """Return half-widths that hold nearly all points, but never more than six standard deviations of the limit."""
    reach = [np.quantile(np.abs(cloud.z), 0.998, axis=0) for cloud in row if cloud.usable]
    if not row[0].limited:
        return np.asarray(np.max([*reach, np.full(len(row[0].names), 1e-300)], axis=0) * 1.05)
    sd = np.sqrt(np.diag(row[0].covariance))
    return np.asarray(np.clip(np.max([*reach, 3.2 * sd], axis=0) * 1.05, None, 6.0 * sd))


def _note(axes: Axes, cloud: Cloud) -> None:
    if not cloud.limited:
        return
    label = f"{100 * cloud.inside:.1f} %"
    axes.set_title(label, loc="right", fontsize=7.5, color=MUTED)


def _scatter(axes: Axes, cloud: Cloud, half: np.ndarray) -> None:
    axes.set_ylim(-half[1], half[1])
    axes.grid(visible=True)
    axes.set_xlabel(cloud.names[0])
    if not cloud.usable:
        ax_tools.say(axes, TOO_FEW)
        return
    shown = cloud.z[:SHOWN_REPLICATES]
    # Thousands of vector marks would make a file of megabytes: the cloud is an image, all else is vector.
    axes.plot(*shown.T, ".", color=BLUE, markersize=2.2, alpha=0.35, markeredgewidth=0, rasterized=True, label=SCALED)
    axes.plot(*_ellipse(np.cov(cloud.z.T)) + cloud.z.mean(axis=0)[:, None], **EMPIRICAL, label="its 95 % ellipse")
    if cloud.limited:
        axes.plot(*_ellipse(cloud.covariance), **LIMIT_LINE | {"zorder": 4}, label="95 % ellipse of the limit")
    _note(axes, cloud)


def _ellipse(covariance: np.ndarray) -> np.ndarray:
    """Return the outline (2, k) of the 95 % ellipse of N(0, covariance)."""
    angle = np.linspace(0.0, 2 * np.pi, 121)
    size, direction = np.linalg.eigh(covariance)
    circle = np.array([np.cos(angle), np.sin(angle)])
    return np.asarray(RADII[2] * (direction * np.sqrt(np.maximum(size, 0.0))) @ circle)


def _density(axes: Axes, cloud: Cloud, half: np.ndarray) -> None:
    axes.set_xlabel(cloud.names[0])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if not cloud.usable:
        ax_tools.say(axes, TOO_FEW)
        return
    z, x = cloud.z[:, 0], np.linspace(-half[0], half[0], 161)
    bins = _bins(z, float(half[0]))
    weights = np.full(len(z), 1.0 / (len(z) * (bins[1] - bins[0])))
    axes.hist(
        z, bins=bins.tolist(), weights=weights, histtype="stepfilled", color=BLUE, alpha=0.35, linewidth=0, label=SCALED
    )
    axes.plot(x, _normal(x, z.mean(), z.var(ddof=1)), **EMPIRICAL, label="normal with its mean and variance")
    if cloud.limited:
        axes.plot(x, _normal(x, 0.0, cloud.covariance[0, 0]), **LIMIT_LINE | {"zorder": 4}, label="normal limit")
    _note(axes, cloud)


def _bins(z: np.ndarray, half: float) -> np.ndarray:
    """Return the edges of about 40 bins, each around as many points of the lattice where z lies on one (counts)."""
    width = half / 20
    spacing = np.diff(np.unique(np.round(z, 9))).min(initial=2 * half)
    if spacing < width / 20:
        return np.linspace(-half, half, 41)
    width = spacing * np.ceil(width / spacing)
    start = z.min() + spacing / 2 - width * np.ceil((z.min() + half) / width + 1)
    return np.asarray(np.arange(start, half + width, width))


def _normal(x: np.ndarray, mean: float, variance: float) -> np.ndarray:
    return np.asarray(np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance))


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = clouds(summary, scenario, replicates)
    sizes = ", ".join(str(cloud.n) for cloud in rows[0])
    return (
        f"Scaled deviations of the estimates beside their normal limit at n = {sizes}. {_told(summary, scenario, rows)}"
    )


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the share of estimates inside the 95 % ellipse of the limit at the smallest and the largest n."""
    rows = clouds(summary, scenario, replicates)
    shares = _told(summary, scenario, rows)
    if shares == findings.NOTHING:
        return shares
    above = "The share at each n stands above its panel." if rows[0][0].limited else ""
    return " ".join(filter(None, [shares, above, _dots(rows)]))


def _told(summary: pd.DataFrame, scenario: str, rows: list[list[Cloud]]) -> str:
    return _shares(rows, sel.limit_names(summary, scenario)[1])


def _shares(rows: list[list[Cloud]], limit_name: str) -> str:
    usable = [[cloud for cloud in row if cloud.usable] for row in rows]
    if not any(usable):
        return findings.NOTHING
    if not rows[0][0].limited:
        return "There is no normal limit to compare these deviations with."
    region = "interval" if len(rows[0][0].names) == 1 else "ellipse"
    parts = [_share(row) for row in usable if row]
    return f"The 95 % {region} of N(0, {limit_name}) holds {listed(parts)} (± 2 MCSE)."


def _share(row: list[Cloud]) -> str:
    ends = [row[i] for i in sorted({0, len(row) - 1})]
    said = [f"{plus_minus(100 * cloud.inside, 100 * cloud.inside_mcse, ' %')} at n = {cloud.n}" for cloud in ends]
    return f"{' and '.join(said)} of the estimates of {' and '.join(row[0].names)}"


def _dots(rows: list[list[Cloud]]) -> str:
    """Say how many estimates are drawn, and how many of these lie outside their panel."""
    shown = "" if len(rows[0][0].names) == 1 else f"Dots are the first {SHOWN_REPLICATES:,} estimates. "
    outside = sum(int(np.any(np.abs(c.z[:SHOWN_REPLICATES]) > _frame(row), axis=1).sum()) for row in rows for c in row)
    return f"{shown}Outside the panels: {outside}." if outside else shown.strip()


ELLIPSES = FigureSpec(
    "ellipses",
    "Estimates and their normal limit",
    draw,
    alt,
    caption,
    measures=("bias", "scaled_covariance"),
    headline=True,
)
