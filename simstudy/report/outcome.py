"""What came of it: failures, counted by status, and one line of findings per scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from simstudy.families.status import Status
from simstudy.figures import findings
from simstudy.figures import selection as sel
from simstudy.figures.errors import ROUNDING
from simstudy.figures.wording import percent, plus_minus
from simstudy.report.titles import TITLES
from simstudy.report.words import counted, grouped

SHOWN = 12
"""Failed cells shown without unfolding."""


@dataclass(frozen=True)
class FailedCell:
    """One cell in which maximisations failed; ``counts`` in the order of `Failures.statuses`."""

    scenario: str
    n: str
    replicates: str
    failed: str
    share: str
    counts: tuple[str, ...]


@dataclass(frozen=True)
class Failures:
    """All failures of a study; ``statuses`` are pairs of a name and its sentence, ``worst`` the highest rates."""

    sentence: str
    statuses: tuple[tuple[str, str], ...]
    cells: tuple[FailedCell, ...]
    worst: tuple[FailedCell, ...]


def failures(summary: pd.DataFrame) -> Failures:
    """Count the failures of every cell by status."""
    rates = summary[summary["measure"] == "failure_rate"]
    total_rates = rates[rates["estimator"] == "wilson"]
    failed = total_rates[total_rates["failed"] > 0]
    total, of = int(total_rates["failed"].sum()), int(total_rates["replicates"].sum())
    if not total:
        return Failures(f"None: all {grouped(of)} maximisations converged.", (), (), ())
    rows = [row for _, row in failed.iterrows()]
    counts = [_counts(rates, row) for row in rows]
    met = [status for status in list(Status)[1:] if any(count[status.name] for count in counts)]
    cells = tuple(_failed_cell(row, count, met) for row, count in zip(rows, counts, strict=True))
    worst = sorted(range(len(rows)), key=lambda i: -rows[i]["value"])[:SHOWN]
    sentence = (
        f"{grouped(total)} of {grouped(of)} maximisations failed ({percent(total / of)}), in {grouped(len(cells))} of "
        f"{grouped(len(total_rates))} cells. All other measures are conditional on convergence."
    )
    if empty := [
        f"{row['scenario']}, n = {grouped(int(row['n']))}" for row in rows if row["failed"] == row["replicates"]
    ]:
        sentence += f" There is no usable replicate in {empty[0]}{_more(len(empty) - 1)}."
    statuses = tuple((_words(status), status.sentence) for status in met)
    return Failures(sentence, statuses, cells, tuple(cells[i] for i in worst))


def _more(cells: int) -> str:
    return f" and in {counted(cells, 'more cell')}" if cells else ""


def _counts(rates: pd.DataFrame, cell: pd.Series) -> dict[str, int]:
    """Return how many replicates of a cell ended in each status: the summary has their shares."""
    own = rates[(rates["scenario"] == cell["scenario"]) & (rates["n"] == cell["n"])]
    shares = dict(zip(own["estimator"], own["value"] * own["replicates"], strict=True))
    return {status.name: round(shares.get(status.name.lower(), 0.0)) for status in Status}


def _words(status: Status) -> str:
    return status.name.lower().replace("_", " ")


def _failed_cell(row: pd.Series, counts: Mapping[str, int], met: list[Status]) -> FailedCell:
    return FailedCell(
        scenario=str(row["scenario"]),
        n=grouped(int(row["n"])),
        replicates=grouped(int(row["replicates"])),
        failed=grouped(int(row["failed"])),
        share=plus_minus(100 * row["value"], 100 * row["mcse"], " %"),
        counts=tuple(grouped(counts[status.name]) for status in met),
    )


@dataclass(frozen=True)
class Glance:
    """One scenario in one line: at the smallest and at the largest n."""

    scenario: str
    sizes: tuple[str, ...]
    information: tuple[str, ...]
    covariance: tuple[str, ...]
    coverage: tuple[str, ...]
    failed: str


def glance(summary: pd.DataFrame, scenario: str) -> Glance:
    """Return the line of a scenario."""
    rates = sel.series(sel.measured(summary, scenario, "failure_rate"), ("", ""), "wilson")
    sizes = sel.sizes(rates)
    ends = list(dict.fromkeys([sizes[0], sizes[-1]]))
    return Glance(
        scenario,
        tuple(grouped(n) for n in ends),
        tuple(_error(summary, scenario, "information_error", n) for n in ends),
        tuple(_error(summary, scenario, "covariance_error", n) for n in ends),
        tuple(_coverage(summary, scenario, n) for n in ends),
        grouped(int(rates["failed"].sum())),
    )


def _error(summary: pd.DataFrame, scenario: str, measure: str, n: int) -> str:
    rows = findings.best(sel.measured(summary, scenario, measure), ("", ""))
    rows = rows[rows["n"] == n]
    if rows.empty:
        return "–"
    value, mcse = float(rows["value"].iloc[0]), float(rows["mcse"].iloc[0])
    return "exact" if value + mcse < ROUNDING else plus_minus(100 * value, 100 * mcse, " %")


def _coverage(summary: pd.DataFrame, scenario: str, n: int) -> str:
    """Return the lowest and the highest coverage over parameters and kinds of interval."""
    rows = sel.by_parameter(sel.measured(summary, scenario, "coverage"))
    values = 100 * rows[rows["n"] == n]["value"].dropna()
    if values.empty:
        return "–"
    low, high = f"{values.min():.1f}", f"{values.max():.1f}"
    return f"{low} %" if low == high else f"{low} – {high} %"


WITH_BOUNDARY = "with-boundary"


@dataclass(frozen=True)
class Treatment:
    """A measure where estimates on the boundary are dropped, as all else here does, and where they are kept."""

    scenario: str
    n: str
    parameter: str
    measure: str
    dropped: str
    kept: str


def treatments(summary: pd.DataFrame) -> tuple[Treatment, ...]:
    """Return the two treatments of estimates on the boundary, wherever the summary has both."""
    key = ["scenario", "n", "measure", "row"]
    kept = summary[summary["estimator"] == WITH_BOUNDARY]
    dropped = summary[(summary["estimator"] == "raw") & summary["measure"].isin(kept["measure"])]
    both = kept.merge(dropped, on=key, suffixes=("", "_dropped"), validate="one_to_one")
    return tuple(
        Treatment(
            scenario=str(row["scenario"]),
            n=grouped(int(row["n"])),
            parameter=str(row["row"]),
            measure=TITLES.get(str(row["measure"]), str(row["measure"])),
            dropped=plus_minus(float(row["value_dropped"]), float(row["mcse_dropped"])),
            kept=plus_minus(float(row["value"]), float(row["mcse"])),
        )
        for _, row in both.iterrows()
    )
