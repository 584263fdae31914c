"""Whether the number of replicates is enough: the Monte Carlo standard errors reached, at their worst."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from simstudy.figures import selection as sel
from simstudy.figures.wording import listed, number
from simstudy.report.ademp import targets
from simstudy.report.words import distinct, grouped
from simstudy.study.scenario import Scenario, Study

SENTENCE = (
    "With {used} replicates {which}, the MCSE of coverage is at most {worst} percentage points; at a coverage of "
    "{level} it is √({p} · {q} / {used}) = {ideal}."
)


@dataclass(frozen=True)
class Reached:
    """One scenario: worst MCSE over its sample sizes and parameters, raw and with control variates.

    Attributes
    ----------
    replicates
        Converged replicates, fewest and most.
    bias
        Of bias, in per cent of the empirical standard error.
    coverage
        In percentage points, over all methods of intervals.
    covariance, information
        Of the diagonals of n·Cov(θ̂) and of mean J, in per cent of their values.
    targets
        What the config asks for, if anything.
    verdict
        Where the targets were reached, and where the cap on replicates came first.
    """

    scenario: str
    replicates: str
    bias: tuple[str, str]
    coverage: str
    covariance: tuple[str, str]
    information: tuple[str, str]
    targets: str
    verdict: str


def reached(study: Study, summary: pd.DataFrame) -> tuple[Reached, ...]:
    """Return the line of each scenario."""
    return tuple(_reached(study, summary[summary["scenario"] == name], name) for name in study.names)


def _reached(study: Study, own: pd.DataFrame, name: str) -> Reached:
    cells = [cell for cell in study.scenarios if cell.name == name]
    used = _used(own)
    spread = sel.measured(own, name, "empirical_se")
    return Reached(
        scenario=name,
        replicates=" – ".join(distinct([grouped(int(used.min())), grouped(int(used.max()))])),
        bias=_both(own, name, "bias", spread[spread["estimator"] == "raw"]),
        coverage=_shown(100.0 * sel.measured(own, name, "coverage")["mcse"].max()),
        covariance=_both(own, name, "scaled_covariance"),
        information=_both(own, name, "mean_observed_information"),
        targets=targets(cells[0]),
        verdict=_verdict(cells),
    )


def _used(summary: pd.DataFrame) -> pd.Series:
    """Return the converged replicates of every cell."""
    cells = summary[(summary["measure"] == "failure_rate") & (summary["estimator"] == "wilson")]
    return cells["replicates"] - cells["failed"]


def _both(own: pd.DataFrame, name: str, measure: str, unit: pd.DataFrame | None = None) -> tuple[str, str]:
    """Return the worst relative MCSE of the diagonal entries, raw and with control variates."""
    rows = sel.measured(own, name, measure)
    rows = rows[(rows["column"] == "") | (rows["column"] == rows["row"])]
    keys = ["n", "row"]
    units = (rows if unit is None else unit).rename(columns={"value": "unit"})
    unit_of = units[units["estimator"] == "raw"].set_index(keys)["unit"].abs()
    relative = 100.0 * rows["mcse"] / rows.join(unit_of, on=keys)["unit"]
    worst = [relative[rows["estimator"] == kind].max() for kind in ("raw", "control-variate")]
    return _shown(worst[0]), _shown(worst[1])


def _shown(value: float) -> str:
    return number(value, 2) if math.isfinite(value) else "–"


def _verdict(cells: list[Scenario]) -> str:
    """Say at which sample sizes the cap came before the targets."""
    capped = [grouped(cell.n) for cell in cells if cell.stop is not None and not cell.stop.precise]
    if not cells[0].precision:
        return ""
    if not capped:
        return "reached at every n"
    return "capped at every n" if len(capped) == len(cells) else f"capped at n = {listed(capped)}"


def sentence(study: Study, summary: pd.DataFrame) -> str:
    """Justify the number of replicates as Morris, White & Crowther (2019, section 5.3) ask, by coverage."""
    used, worst = _used(summary), 100.0 * summary[summary["measure"] == "coverage"]["mcse"].max()
    if used.empty or not used.min() or not math.isfinite(worst):
        return ""
    level = study.scenarios[0].level
    fewest = int(used.min())
    return SENTENCE.format(
        used=grouped(fewest),
        which="in every cell" if used.min() == used.max() else "in the cell with the fewest that converged",
        worst=number(worst, 2),
        level=f"{100 * level:g} %",
        p=f"{level:g}",
        q=f"{1 - level:.10g}",
        ideal=f"{number(100.0 * math.sqrt(level * (1 - level) / fewest), 2)} percentage points",
    )
