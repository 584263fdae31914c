"""A matrix as coloured cells with their values written in them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap

from simstudy.figures import axes as ax_tools
from simstudy.figures.style import GRID
from simstudy.figures.wording import NO_ESTIMATE

PALETTE = "RdBu_r"
DARK, LIGHT = "#16191d", "#fdfdfd"
"""Text on cells: cells keep their colour on a dark page, so text must as well."""
ROUNDING = 1e-9
"""Shade below which a value is rounding beside the others, and is written as 0."""
SMALLEST, COMFORTABLE = 4.6, 6.5
"""Points of the smallest text, and of that for which no digit is given up."""


@dataclass(frozen=True)
class Panel:
    """A matrix to draw.

    Attributes
    ----------
    values : (p, p)
        What is written in the cells.
    shades : (p, p)
        What is coloured, −1 to 1.
    digits
        Significant digits to write at most.
    """

    title: str
    values: np.ndarray
    shades: np.ndarray
    digits: int


def paint(axes: Axes, panel: Panel, cell: tuple[float, float]) -> None:
    """Colour the cells and write their values; ``cell`` is their size in points."""
    size = len(panel.values)
    axes.set_title(panel.title, fontsize=8.5)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlim(0, size)
    axes.set_ylim(size, 0)
    if np.isnan(panel.values).all():
        ax_tools.say(axes, NO_ESTIMATE)
        return
    colormap = mpl.colormaps[PALETTE].with_extremes(bad=GRID)
    shades = np.clip(panel.shades, -1.0, 1.0)
    axes.pcolormesh(np.ma.masked_invalid(shades), cmap=colormap, vmin=-1, vmax=1, edgecolors=LIGHT, linewidth=0.8)
    values = np.where(np.abs(panel.shades) < ROUNDING, 0.0, panel.values)
    texts, points = written(values, panel.digits, *cell)
    for (i, j), shade in np.ndenumerate(shades):
        axes.text(j + 0.5, i + 0.5, texts[i][j], ha="center", va="center", fontsize=points, color=_ink(colormap, shade))


def _ink(colormap: Colormap, shade: float) -> str:
    """Return the colour of text that stands out on a shade."""
    red, green, blue, _ = colormap((shade + 1) / 2) if math.isfinite(shade) else (1.0, 1.0, 1.0, 1.0)
    return DARK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else LIGHT


def written(values: np.ndarray, most: int, width: float, height: float) -> tuple[list[list[str]], float]:
    """Return the values with as many digits as fit at a legible size, and that size in points."""
    for digits in range(most, 0, -1):
        texts = [[short(value, digits) for value in row] for row in values]
        longest = max(len(text) for row in texts for text in row)
        points = min(8.0, 0.9 * width / (0.64 * longest), 0.4 * height)
        if points >= (SMALLEST if digits < 3 else COMFORTABLE):
            break
    return texts, max(points, SMALLEST)


def short(value: float, digits: int) -> str:
    """Return a number in as few characters as so many significant digits take, but at least all before the point."""
    if not math.isfinite(value):
        return "–"
    whole = 10 ** (digits - 1) <= abs(value) < 1e5
    text = f"{value:.0f}" if whole else f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return ("0" if float(text) == 0 else text).replace("-", "−")
