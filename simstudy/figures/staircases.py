"""The factors of a study as staircases over its cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from simstudy.figures.factors import Factor
from simstudy.figures.style import INK
from simstudy.figures.wording import number

LEVELS_WIDTH = 100
"""Characters of small text that fit across the figure."""


def held(values: np.ndarray) -> np.ndarray:
    """Repeat the last value, which a step needs to reach the end of its cell."""
    return np.append(values, values[-1:])


def staircases(axes: Axes, steps: Sequence[Factor]) -> None:
    """Draw one staircase per factor, its levels named above it from the lowest step to the highest."""
    axes.set_ylim(-max(len(steps), 1), 0.1)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False)
    for row, factor in enumerate(steps):
        heights = -row - 0.92 + 0.36 * np.array(factor.places) / (len(factor.levels) - 1)
        axes.step(np.arange(len(heights) + 1), held(heights), where="post", color=INK, linewidth=0.9)
        axes.text(0, -row - 0.46, levels(factor), fontsize=7.0, color=INK, ha="left", va="bottom")


def levels(factor: Factor) -> str:
    """Name the levels of a factor, with those in the middle left out where not all fit."""
    names = [number(level) if isinstance(level, float) else level or "none" for level in factor.levels]
    head = f"{factor.name}: "
    if len(head + ", ".join(names)) <= LEVELS_WIDTH:
        return head + ", ".join(names)
    count = f" ({len(names)} levels)"
    room = (LEVELS_WIDTH - len(f"{head}, …, {count}")) // 2
    return f"{head}{_short(names[0], room)}, …, {_short(names[-1], room)}{count}"


def _short(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
