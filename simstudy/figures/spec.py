"""What a figure is to the report: a name, a title, and three functions of the same arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

ReplicatesOf = Callable[[str, int], pd.DataFrame]
"""(scenario, n) ↦ stored replicates, one row each, in replicate order.

n = 0 speaks of all sample sizes together: (scenario, 0) ↦ nested samples, one row per ``replicate`` and ``n``, of a
scenario that has paths. Where a table is no more than the first rows of a cell, its ``attrs["truth"]`` has θ* by name
of the parameter, as what the summary measured of all rows cannot tell it.
"""
REPLICATE_COLUMNS = ("theta[", "status", "se[", "lower[wald-", "upper[wald-")
"""How the names of the columns begin that figures read of them; all else need not be kept in memory."""


@dataclass(frozen=True)
class FigureSpec:
    """A figure of one scenario, or of the whole study.

    Attributes
    ----------
    name
        Key in `FIGURES` and last part of the file name.
    title
        Heading of the figure in the report.
    draw
        (summary, scenario, replicates) ↦ figure.
    alt
        (summary, scenario, replicates) ↦ text for readers who do not see the figure, made from the numbers.
    caption
        (summary, scenario, replicates) ↦ the finding in numbers with its uncertainty, and how to read the marks.
    applies
        (summary, scenario) ↦ whether there is anything to draw.
    measures
        The measures of the summary that it draws: the data behind it.
    follows_paths
        Whether it draws nested samples, which only a scenario with paths has.
    headline
        Whether it stands on the first page of the report, beside that of its scenario.
    whole
        Whether it shows the whole study: its functions then take the full summary and an empty name of a scenario.
    """

    name: str
    title: str
    draw: Callable[[pd.DataFrame, str, ReplicatesOf], Figure]
    alt: Callable[[pd.DataFrame, str, ReplicatesOf], str]
    caption: Callable[[pd.DataFrame, str, ReplicatesOf], str]
    applies: Callable[[pd.DataFrame, str], bool] = lambda *_: True
    measures: tuple[str, ...] = ()
    follows_paths: bool = False
    headline: bool = False
    whole: bool = False
