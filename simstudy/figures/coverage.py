"""Coverage of intervals against n, one panel per parameter and one for joint regions, and the nominal level."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.figures import axes as ax_tools
from simstudy.figures import findings, methods
from simstudy.figures import selection as sel
from simstudy.figures.spec import FigureSpec, ReplicatesOf
from simstudy.figures.style import LIMIT_LINE, Look, themed
from simstudy.figures.wording import listed, plus_minus

JOINT = ("", "")


@themed
def draw(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> Figure:
    """Draw one panel per parameter, and one for the joint regions, with the same axes."""
    rows, level = _rows(summary, scenario), methods.level(summary, scenario)
    entries = _shown(rows)
    figure, panels = ax_tools.panels(len(entries), share_y=True)
    for axes, entry in zip(panels, entries, strict=True):
        axes.set_title(_name(entry))
        _panel(axes, rows, entry, level)
    ax_tools.value_axis(panels[0], level, 0.02)
    ax_tools.per_cent(panels[0])
    ax_tools.legend(figure, panels)
    figure.supxlabel("sample size n")
    figure.supylabel("coverage")
    return figure


def _rows(summary: pd.DataFrame, scenario: str) -> pd.DataFrame:
    """Return the coverage of intervals, then that of joint regions."""
    parts = [methods.coverages(summary, scenario), methods.regions(summary, scenario)]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _shown(rows: pd.DataFrame) -> list[sel.Entry]:
    return sel.shown(sel.entries(rows[rows["row"] != ""])) + [JOINT] * bool((rows["row"] == "").any())


def _name(entry: sel.Entry) -> str:
    return "joint region" if entry == JOINT else sel.entry_name(entry)


def _looks(rows: pd.DataFrame, entry: sel.Entry) -> Mapping[str, Look]:
    """Return the methods of a panel."""
    own = rows[rows["row"] == entry[0]]
    met = set(own["estimator"])
    looks = methods.REGIONS if entry == JOINT else methods.LOOKS
    return {name: look for name, look in looks.items() if name in met}


def _panel(axes: Axes, rows: pd.DataFrame, entry: sel.Entry, level: float) -> None:
    if math.isfinite(level):
        axes.axhline(level, label="nominal level", **LIMIT_LINE)
    looks = _looks(rows, entry)
    for place, (estimator, look) in enumerate(looks.items()):
        own = sel.series(rows, entry, estimator)
        ax_tools.points(axes, own, look, place, len(looks))
        for limit in _other_limits(own, level):
            axes.axhline(limit, color=look.color, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
    ax_tools.say_if_empty(axes, rows)
    ax_tools.size_axis(axes, sel.sizes(rows))


def _other_limits(rows: pd.DataFrame, level: float) -> list[float]:
    """Return the limit of the coverage where it is not the nominal level, for a standard error that is wrong."""
    limits = rows["limit"].dropna()
    return [float(limits.iloc[0])] if len(limits) and not math.isclose(limits.iloc[0], level) else []


def alt(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """Describe the figure by its numbers."""
    rows = _rows(summary, scenario)
    lines = [
        findings.journey(sel.series(rows, entry, estimator), f"{_name(entry)}, {look.label}")
        for entry in sel.entries(rows)
        for estimator, look in _looks(rows, entry).items()
    ]
    return " ".join([f"Coverage of confidence intervals, {findings.span(sel.sizes(rows))}.", *lines])


def caption(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> str:
    """State the coverages furthest below and above at the smallest and the largest n."""
    rows, level = _rows(summary, scenario), methods.level(summary, scenario)
    gaps, rows = findings.gaps(rows), rows[rows["value"].notna()]
    if rows.empty:
        return findings.NOTHING
    sizes = sel.sizes(rows)
    states = [extremes(rows[rows["n"] == n]) for n in dict.fromkeys([sizes[0], sizes[-1]])]
    nominal = f" The nominal level is {100 * level:g} %." if math.isfinite(level) else ""
    rest = sel.left_out(sel.entries(rows[rows["row"] != ""]))
    return f"{' '.join(states)}{nominal}{_astray(rows, level)} {findings.BARS}{rest}{gaps}"


def _astray(rows: pd.DataFrame, level: float) -> str:
    """Say what coverage tends to where the standard errors are those of a wrong model."""
    said = [
        f"{100 * limit:.1f} % for {_name(entry)} ({look.label})"
        for entry in sel.entries(rows)
        for estimator, look in _looks(rows, entry).items()
        for limit in _other_limits(sel.series(rows, entry, estimator), level)
    ]
    return f" As n grows it tends to {listed(said)} (dotted)." if said else ""


def extremes(rows: pd.DataFrame) -> str:
    """Return the lowest and the highest of the coverages at one sample size."""
    low, high = (rows.loc[rows["value"].agg(which)] for which in ("idxmin", "idxmax"))
    if low["value"] == high["value"]:
        return f"At n = {low['n']} coverage is {_state(low)}{' and in all other cases' if len(rows) > 1 else ''}."
    return f"At n = {low['n']} coverage lies between {_state(low)} and {_state(high)}."


def _state(row: pd.Series) -> str:
    entry = (str(row["row"]), "")
    look = (methods.REGIONS if entry == JOINT else methods.LOOKS)[str(row["estimator"])]
    return f"{plus_minus(100 * row['value'], 100 * row['mcse'], ' %')} ({_name(entry)}, {look.label})"


COVERAGE = FigureSpec("coverage", "Coverage of intervals", draw, alt, caption, measures=("coverage",), headline=True)
