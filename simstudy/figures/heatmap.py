"""The mean observed information, its limit, and their difference in Monte Carlo standard errors, as matrices."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.matrix_panel import Panel, paint
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import WIDTH, themed
from simstudy.figures.wording import number

MEASURE = "mean_observed_information"
FRAME = (4.0, 10.0)
"""Differences, in MCSE, at which the colour is full: at least the one, at most the other."""
FULL = 1.6
"""Entries, over √(AᵢᵢAⱼⱼ), at which the colour is full: those of the diagonal are near 1."""
ROUNDING = 1e-12


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether there is a limit to compare with."""
    return bool(sel.measured(summary, scenario, MEASURE)["limit"].notna().any())


def _matrix(rows: pd.DataFrame, n: int, column: str) -> np.ndarray:
    """Return one column of the sharper estimator at one n as a symmetric matrix."""
    names = list(dict.fromkeys(rows["row"]))
    matrix = np.full((len(names), len(names)), np.nan)
    for entry in sel.entries(rows):
        own = findings.best(rows, entry)
        found = own.loc[own["n"] == n, column]
        if len(found):
            i, j = names.index(entry[0]), names.index(entry[1])
            matrix[i, j] = matrix[j, i] = found.iloc[0]
    return matrix


def _differences(rows: pd.DataFrame, n: int) -> np.ndarray:
    """Return (J̄ − limit)/MCSE (p, p); 0 where they agree to rounding, NaN where there is nothing to divide by."""
    mean, mcse, limit = _matrix(rows, n, "value"), _matrix(rows, n, "mcse"), sel.limits(rows)
    away = mean - limit
    exact = np.abs(away) <= ROUNDING * _unit(rows)
    return np.where(exact, 0.0, np.divide(away, mcse, out=np.full(away.shape, np.nan), where=mcse > 0))


def _unit(rows: pd.DataFrame) -> np.ndarray:
    """Return √(AᵢᵢAⱼⱼ) (p, p), NaN where a diagonal entry has no positive limit."""
    diagonal = np.diag(sel.limits(rows))
    root = np.sqrt(diagonal, out=np.full(len(diagonal), np.nan), where=diagonal > 0)
    return np.outer(root, root)


def _panels(rows: pd.DataFrame, n: int, limit_name: str) -> list[Panel]:
    mean, limit, away, unit = _matrix(rows, n, "value"), sel.limits(rows), _differences(rows, n), _unit(rows)
    largest = float(np.nanmax(np.abs(away))) if np.isfinite(away).any() else 0.0
    full = min(max(FRAME[0], largest), FRAME[1])
    return [
        Panel(f"mean J, n = {n}", mean, mean / unit / FULL, 4),
        Panel(f"limit {limit_name}", limit, limit / unit / FULL, 4),
        Panel(f"(mean J − {limit_name}) / MCSE", away, away / full, 3),
    ]


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw a row of three matrices for the smallest and one for the largest n."""
    rows, limit_name = sel.measured(summary, scenario, MEASURE), sel.limit_names(summary, scenario)[0]
    names = list(dict.fromkeys(rows["row"]))
    sizes = _sizes(rows)
    side = (WIDTH - 0.5 - 0.06 * max(len(name) for name in names)) / 3
    height = side * min(0.2 + 0.18 * len(names), 1.0)
    figure = Figure(figsize=(WIDTH, (height + 0.35) * len(sizes) + 0.9), layout="constrained")
    grid = figure.subplots(len(sizes), 3, squeeze=False, sharex=True, sharey=True)
    for line, n in zip(grid, sizes, strict=True):
        for axes, panel in zip(line, _panels(rows, n, limit_name), strict=True):
            paint(axes, panel, (72 * side / len(names), 72 * height / len(names)))
    _label(grid, names)
    return figure


def _sizes(rows: pd.DataFrame) -> list[int]:
    sizes = sel.sizes(rows)
    return list(dict.fromkeys([sizes[0], sizes[-1]]))


def _label(grid: np.ndarray, names: list[str]) -> None:
    """Name the parameters beside the first column and under the last row."""
    turned = len(names) > 1 and max(len(name) for name in names) * len(names) > 26
    places = [i + 0.5 for i in range(len(names))]
    for axes in grid[:, 0]:
        axes.set_yticks(places, names, fontsize=7.5)
    for axes in grid[-1]:
        axes.set_xticks(places, names, fontsize=7.5, rotation=90 if turned else 0)


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = sel.measured(summary, scenario, MEASURE)
    lines = findings.journeys(rows)
    return " ".join([f"Matrices of the mean observed information and its limit. {_told(rows)}", *lines])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the largest difference in MCSE at the smallest and the largest n."""
    told = _told(sel.measured(summary, scenario, MEASURE))
    if told == findings.NOTHING:
        return told
    return (
        f"{told} Colours: entries over √(AᵢᵢAⱼⱼ), so that units do not matter, and differences in MCSE, "
        "red above 0, blue below. Means are those with the score as control variate."
    )


def _told(rows: pd.DataFrame) -> str:
    said = [_state(rows, n) for n in _sizes(rows)]
    return " ".join(filter(None, said)) or findings.NOTHING


def _state(rows: pd.DataFrame, n: int) -> str:
    """Say how many entries differ from their limit by more than their error, and which does most."""
    names, away = list(dict.fromkeys(rows["row"])), _differences(rows, n)
    size = np.abs(away[np.triu_indices(len(names))])
    size = size[np.isfinite(size)]
    if not len(size):
        return ""
    i, j = np.unravel_index(np.nanargmax(np.abs(away)), away.shape)
    entry = sel.entry_name((names[min(i, j)], names[max(i, j)]))
    share = (_matrix(rows, n, "value") - sel.limits(rows))[i, j] / _unit(rows)[i, j]
    within = int((size <= 2).sum())
    return (
        f"At n = {n} {within} of {len(size)} entries of mean J lie within 2 MCSE of the limit; "
        f"the largest difference is {number(away[i, j], 2)} MCSE ({entry}), {number(100 * share, 2)} % of √(AᵢᵢAⱼⱼ)."
    )


HEATMAP = FigureSpec("heatmap", "Information matrix and its limit", draw, alt, caption, applies, measures=(MEASURE,))
