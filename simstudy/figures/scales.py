"""Axes of positive values on a log scale, and windows that keep the scale of what is known well."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

MARGIN = 1.25
LEAST_RATIO = 3.0
"""The ends of a log axis are at least so many times apart, so that there are ticks to read."""


def plain(value: float) -> str:
    """Return a tick label, without the padding of exponents.

    >>> plain(0.002), plain(1e-9), plain(500000.0)
    ('0.002', '1e−9', '5e5')
    """
    text = f"{value:g}" if 0.99e-4 < abs(value) < 1e4 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return text.replace("e+", "e").replace("-", "−")


def log_values(axes: Axes, seen: np.ndarray, low_edge: float = 0.0, high_edge: float = math.inf) -> tuple[float, float]:
    """Give the panel a log axis that holds all positive values seen, none beyond the edges, and return its ends."""
    seen = seen[np.isfinite(seen) & (seen > low_edge) & (seen < high_edge)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (1.0, 1.0)
    widen = max(MARGIN, (high / low) ** 0.06, math.sqrt(LEAST_RATIO * low / high))
    low, high = low / widen, high * widen
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    decades = math.log10(high / low)
    subs = (1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=6 if decades >= 2.5 else 12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    return low, high
