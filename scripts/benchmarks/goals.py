"""What the figures should reach, and whether they do."""

from __future__ import annotations

from dataclasses import dataclass

BY_STATISTICS = ("normal", "exponential", "gamma", "lognormal", "poisson", "beta")
"""Families whose data sets are reduced to sufficient statistics."""

SPEED_UP = 1.8
WORKER_MEGABYTES = 400.0
TIMES_SCIPY = {"gamma": 15.0, "weibull": 300.0}
"""How many times faster than a loop of scipy's fit at n = 200."""


@dataclass(frozen=True)
class Goal:
    """A bound that a figure should keep, from above or from below."""

    bound: float
    least: bool = False

    def verdict(self, value: float) -> str:
        """Say whether a value keeps the bound.

        >>> Goal(1.4).verdict(1.5), Goal(1.8, least=True).verdict(1.85)
        ('≤ 1.4: miss', '≥ 1.8: ok')
        """
        kept = value >= self.bound if self.least else value <= self.bound
        return f"{'≥' if self.least else '≤'} {self.bound:g}: {'ok' if kept else 'miss'}"


def beside(value: str, goal: Goal | None, figure: float) -> str:
    """Return a figure as it is shown, with its goal where it has one."""
    return f"{value} ({goal.verdict(figure)})" if goal else value


def block_over_draw(family: str, n: int) -> Goal | None:
    """Return the most that simulating a block may take, in units of drawing it."""
    if family in BY_STATISTICS:
        return Goal(2.5 if n < 200 else 1.4)
    if n < 200:
        return None
    if n < 2000:
        return Goal(3.5)
    return Goal(2.5 if family == "weibull" else 3.0)
