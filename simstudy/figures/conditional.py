"""Inference given the observed information: squared error and coverage by its deciles.

Source: B. Efron and D. V. Hinkley (1978), Biometrika 65, 457-487, figure 1 and table 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings, methods
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import BLUE, INK, LIMIT_LINE, PAPER, WIDTH, Look, themed
from simstudy.figures.wording import NO_ESTIMATE, number, plus_minus

SHOWN_PARAMETERS = 3
ERROR, VARIANCE, COVERAGE = "conditional_mse", "conditional_variance", "conditional_coverage"
KINDS = ("wald-observed", "wald-expected")
MSE = Look("mean squared error", BLUE, "o", "none")
DEPENDENT = (
    " Here the information depends on the estimate: its deciles sort data sets by their error as well, and 1/(nJ) need "
    "not predict it."
)
REFERENCE = "1/(nI) on the left, nominal level on the right"
BARS: dict[str, Any] = {"markerfacecolor": PAPER, "elinewidth": 1.0, "capsize": 2.0, "zorder": 3}
_DECILE = r"^(?:(?P<kind>.+)-)?decile-(?P<decile>\d+)$"
Case = tuple[str, int]
"""A parameter and a sample size: a row of panels."""


def applies(summary: pd.DataFrame, scenario: str) -> bool:
    """Tell whether the conditional measures are there."""
    return all(len(sel.measured(summary, scenario, measure)) for measure in (ERROR, VARIANCE, COVERAGE))


def _deciles(summary: pd.DataFrame, scenario: str, measure: str, case: Case, kind: str = "") -> pd.DataFrame:
    """Return the deciles of one measure of one parameter at one n, in order."""
    rows = sel.measured(summary, scenario, measure)
    rows = rows[(rows["row"] == case[0]) & (rows["n"] == case[1])]
    parts = rows["estimator"].str.extract(_DECILE)
    rows = rows.assign(kind=parts["kind"].fillna(""), decile=pd.to_numeric(parts["decile"]))
    rows = rows[(rows["kind"] == kind) & rows["decile"].notna()]
    return rows.sort_values("decile", kind="stable").set_index("decile")


def _cases(summary: pd.DataFrame, scenario: str) -> list[Case]:
    """Return the rows of panels: the smallest n with an estimate, and of a single parameter the largest as well."""
    rows = sel.measured(summary, scenario, ERROR)
    names = list(dict.fromkeys(rows["row"]))
    sizes = sel.sizes(rows.dropna(subset="value")) or sel.sizes(rows)
    shown = dict.fromkeys([sizes[0], sizes[-1]] if len(names) == 1 else sizes[:1])
    return [(name, n) for name in names[:SHOWN_PARAMETERS] for n in shown]


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw the squared error against 1/(nJ) and the coverage by decile, a row for each parameter or n."""
    cases = _cases(summary, scenario)
    figure = Figure(figsize=(WIDTH, 2.5 * len(cases) + 0.6), layout="constrained")
    grid = figure.subplots(len(cases), 2, squeeze=False)
    for (left, right), case in zip(grid, cases, strict=True):
        title = f"{case[0]}, n = {case[1]}"
        left.set_title(title)
        right.set_title(title)
        _errors(left, summary, scenario, case)
        _coverages(right, summary, scenario, case)
    grid[-1, 0].set_xlabel("1/(nJ), mean of the decile")
    grid[-1, 1].set_xlabel("decile of 1/(nJ)")
    ax_tools.legend(figure, list(grid.flat))
    return figure


def _errors(axes: Axes, summary: pd.DataFrame, scenario: str, case: Case) -> None:
    axes.set_ylabel("mean squared error")
    error, claimed = (_deciles(summary, scenario, measure, case) for measure in (ERROR, VARIANCE))
    together = error.join(claimed["value"].rename("claimed")).dropna(subset=["value", "claimed"])
    if together.empty:
        ax_tools.say(axes, NO_ESTIMATE)
        return
    ends = np.array([together["claimed"].min(), together["claimed"].max()])
    axes.plot(ends, ends, label="1/(nJ)", color=INK, linestyle="-", linewidth=1.0, zorder=2.2)
    limit = claimed["limit"].dropna()
    if len(limit):
        axes.axhline(float(limit.iloc[0]), label=REFERENCE, **LIMIT_LINE)
    bars = 2 * together["mcse"].fillna(0.0)
    axes.errorbar(together["claimed"], together["value"], yerr=bars, **MSE.line, **BARS)
    ax_tools.estimate_axis(axes)
    ax_tools.value_axis(axes)


def _coverages(axes: Axes, summary: pd.DataFrame, scenario: str, case: Case) -> None:
    axes.set_ylabel("coverage")
    axes.set_xlim(0.4, 10.6)
    axes.set_xticks([1, 4, 7, 10])
    level = methods.level(summary, scenario)
    if math.isfinite(level):
        axes.axhline(level, label=REFERENCE, **LIMIT_LINE)
    found = {kind: _deciles(summary, scenario, COVERAGE, case, kind) for kind in KINDS}
    if all(rows["value"].isna().all() for rows in found.values()):
        ax_tools.say(axes, NO_ESTIMATE)
    for place, (kind, rows) in enumerate(found.items()):
        x = rows.index.to_numpy(dtype=float) + 0.24 * (place - 0.5)
        bars = 2 * rows["mcse"].fillna(0.0)
        axes.errorbar(x, rows["value"], yerr=bars, **methods.LOOKS[kind].line, **BARS)
    low, high = axes.get_ylim()
    axes.set_ylim(low, min(high, 1.0 + 0.05 * (1.0 - low)))
    ax_tools.value_axis(axes, level, 0.02)
    ax_tools.per_cent(axes)


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    return f"Squared error and coverage by decile of 1/(nJ). {_told(summary, scenario)}"


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State squared error and coverage in the lowest and the highest decile, and what 1/(nJ) and 1/(nI) say."""
    told = _told(summary, scenario)
    if told == findings.NOTHING:
        return told
    total = sel.measured(summary, scenario, ERROR)["row"].nunique()
    rest = sel.first_of(SHOWN_PARAMETERS, total, "parameters")
    given = sel.measured(summary, scenario, COVERAGE)["limit"].notna().any()
    return f"{told} {findings.BARS}{'' if given else DEPENDENT}{rest}"


def _told(summary: pd.DataFrame, scenario: str) -> str:
    said = [_state(summary, scenario, case) for case in _cases(summary, scenario)]
    return " ".join(filter(None, said)) or findings.NOTHING


def _state(summary: pd.DataFrame, scenario: str, case: Case) -> str:
    error, claimed = (_deciles(summary, scenario, measure, case) for measure in (ERROR, VARIANCE))
    error = error.dropna(subset="value")
    if error.empty:
        return ""
    parts = [_error(error.loc[decile], claimed, decile) for decile in (error.index[0], error.index[-1])]
    limit = claimed["limit"].dropna()
    against = f"; 1/(nI) is {number(float(limit.iloc[0]), 3)} for all" if len(limit) else ""
    covered = [_range(_deciles(summary, scenario, COVERAGE, case, kind), kind) for kind in KINDS]
    intervals = f" Coverage by decile: {'; '.join(filter(None, covered))}." if any(covered) else ""
    return f"At n = {case[1]} the mean squared error of {case[0]} is {', and '.join(parts)}{against}.{intervals}"


def _error(row: pd.Series, claimed: pd.DataFrame, decile: float) -> str:
    predicted = number(float(claimed["value"].get(decile, math.nan)), 3)
    shown = plus_minus(float(row["value"]), float(row["mcse"]))
    return f"{shown} in decile {int(decile)} of 1/(nJ), which is {predicted} there on average"


def _range(rows: pd.DataFrame, kind: str) -> str:
    rows = rows.dropna(subset="value")
    if rows.empty:
        return ""
    low, high = (rows.loc[rows["value"].agg(which)] for which in ("idxmin", "idxmax"))
    ends = [plus_minus(100 * float(row["value"]), 100 * float(row["mcse"]), " %") for row in (low, high)]
    return f"{' to '.join(ends)} with {kind.removeprefix('wald-')} information"


CONDITIONAL = FigureSpec(
    "conditional",
    "Inference given the observed information",
    draw,
    alt,
    caption,
    applies,
    measures=(ERROR, VARIANCE, COVERAGE),
)
