"""How every figure looks, and how it becomes bytes."""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import seaborn as sns
from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

INK = "#1f2328"
"""Text, axes and theoretical limits."""
MUTED = "#6e7781"
"""Secondary text."""
GRID = "#d9dee3"
"""Grid lines and shaded bands."""
PAPER = "#ffffff"
"""Background, also the inside of hollow markers."""

PALETTE: tuple[str, ...] = tuple(sns.color_palette("colorblind").as_hex())
BLUE, ORANGE, GREEN, VERMILION = PALETTE[:4]
CYCLE = (BLUE, ORANGE, GREEN, PALETTE[4], VERMILION, PALETTE[9], PALETTE[7], PALETTE[5])
"""Colours of series that have no role of their own."""
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "<", ">")
WIDTH = 7.2
"""Full text width in inches; a figure of one panel is narrower."""


def ordered(count: int) -> list[str]:
    """Return colours of series in an order, from light to dark, that can be told apart without colour too."""
    return list(sns.color_palette("crest", count).as_hex())


@dataclass(frozen=True)
class Look:
    """Colour, marker and line style of one series: three channels, so that none is needed alone."""

    label: str
    color: str
    marker: str
    linestyle: str | tuple[int, tuple[int, ...]]

    @property
    def line(self) -> dict[str, Any]:
        """Keywords of `Axes.plot` and `Axes.errorbar`."""
        return {"color": self.color, "marker": self.marker, "linestyle": self.linestyle, "label": self.label}


RAW = Look("raw", BLUE, "o", "-")
CONTROL_VARIATE = Look("control variate", VERMILION, "s", (0, (4, 2)))
LIMIT_LINE: dict[str, Any] = {"color": INK, "linestyle": (0, (6, 3)), "linewidth": 1.1, "zorder": 2.2}

_RC: dict[str, Any] = {
    **sns.axes_style("whitegrid"),
    **sns.plotting_context("paper"),
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.labelsize": 8.5,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.titlepad": 5.0,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "figure.labelsize": 8.5,
    "figure.constrained_layout.h_pad": 0.05,
    "figure.constrained_layout.w_pad": 0.05,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "legend.columnspacing": 1.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.bottom": True,
    "xtick.major.size": 3.0,
    "xtick.minor.size": 1.8,
    "xtick.major.width": 0.7,
    "xtick.minor.width": 0.6,
    # Text stays text: small files, searchable, and the reader's own fonts for scripts that ours lacks.
    # DejaVu Sans is wider than the usual substitutes, so a substitute cannot overflow the layout.
    "svg.fonttype": "none",
    "svg.hashsalt": "simstudy",
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}


@contextmanager
def theme() -> Iterator[None]:
    """Draw with matplotlib's defaults and this theme, whatever the user's settings, and restore those."""
    with mpl.rc_context(), warnings.catch_warnings():
        # A name in a script that DejaVu Sans lacks is drawn by the viewer of the SVG.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()
        parameters: Any = mpl.rcParams  # its type is a literal of all names
        parameters.update(_RC)
        yield


def themed(draw: Callable[P, R]) -> Callable[P, R]:
    """Make a function draw within the theme."""

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with theme():
            return draw(*args, **kwargs)

    return wrapper


_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "ModDate": None},
    "png": {},
}
FORMATS = tuple(_METADATA)


@themed
def render(figure: Figure, file_format: str = "svg", title: str = "", description: str = "") -> bytes:
    """Return the figure as the bytes of an svg, pdf or png file, the same bytes every time.

    Parameters
    ----------
    figure
        What a `FigureSpec` drew.
    file_format
        One of ``svg``, ``pdf`` and ``png``.
    title, description
        Kept in the metadata of the file.
    """
    buffer = io.BytesIO()
    told = {"Title": title, "Subject" if file_format == "pdf" else "Description": description}
    metadata = _METADATA[file_format] | {key: text for key, text in told.items() if text}
    figure.savefig(buffer, format=file_format, metadata=metadata)
    return buffer.getvalue()
