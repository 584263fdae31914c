"""Made-up results with p parameters: limits known, errors O(1/n), noise drawn once from a fixed seed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd

from tests.figures.made_intervals import interval_columns, interval_rows
from tests.figures.made_statistics import cell_rows, nested, rate_rows

COLUMNS = "study,scenario,family,n,measure,estimator,row,column,value,mcse,limit,replicates,failed".split(",")  # noqa: SIM905
NAMES = ("shape", "scale", "rate")
LEVEL = 0.95
SIZES = (10, 20, 40, 80, 160, 320, 640)
TEN_SIZES = (10, 15, 22, 33, 50, 75, 110, 170, 250, 1000)


@dataclass(frozen=True)
class Made:
    """A scenario's summary and replicates, as figures take them."""

    scenario: str
    summary: pd.DataFrame
    tables: dict[int, pd.DataFrame]
    """Replicates by n, and nested samples under 0."""

    def replicates(self, scenario: str, n: int) -> pd.DataFrame:
        assert scenario == self.scenario
        return self.tables[n]

    def paths(self, scenario: str) -> pd.DataFrame:
        return self.replicates(scenario, 0)


def made(
    parameters: int = 2,
    sizes: tuple[int, ...] = SIZES,
    scenario: str = "made",
    names: tuple[str, ...] = NAMES,
    dead: tuple[int, ...] = (),
    replicates: int = 300,
    scale: float = 1.0,
) -> Made:
    """Return results; at the sample sizes in ``dead`` every fit failed."""
    names = names[:parameters]
    information = np.diag(np.arange(1.0, parameters + 1)) + 0.3 * (1 - np.eye(parameters))
    information /= scale**2
    rng = np.random.default_rng(parameters)
    tables = {n: _table(rng, names, n, information, replicates, n in dead) for n in sizes}
    cells = [_cell(rng, names, n, information, tables[n], n in dead) for n in sizes]
    rows = [(("study", scenario, "family", n), row) for n, cell in zip(sizes, cells, strict=True) for row in cell]
    failed = {n: replicates if n in dead else 0 for n in sizes}
    records = [(*head, *row, replicates, failed[head[3]]) for head, row in rows]
    if len(set(sizes) - set(dead)) >= 3:
        records += [("study", scenario, "family", 0, *row, 3 * replicates, 0) for row in rate_rows(names)]
    tables[0] = nested(rng, names, sizes, information, True if set(sizes) <= set(dead) else None)
    return Made(scenario, pd.DataFrame(records, columns=COLUMNS), tables)


def _table(rng, names, n, information, replicates, dead) -> pd.DataFrame:
    spread = np.linalg.cholesky(np.linalg.inv(information))
    theta = 1.0 + (rng.standard_normal((replicates, len(names))) @ spread.T) / np.sqrt(n)
    status = "BOUNDARY" if dead else "CONVERGED"
    columns = {f"theta[{name}]": np.full(replicates, np.nan) if dead else theta[:, i] for i, name in enumerate(names)}
    table = pd.DataFrame(columns).assign(status=status)
    return interval_columns(names, n, np.linalg.inv(information), table)


def _cell(rng, names, n, information, table, dead) -> list[tuple]:
    """Return (measure, estimator, row, column, value, mcse, limit) of one cell."""
    covariance = np.linalg.inv(information)
    matrices = {"mean_observed_information": information, "scaled_covariance": covariance}
    pairs = list(combinations_with_replacement(range(len(names)), 2))
    rows = []

    def add(measure, estimator, entry, value, mcse, limit):
        noise = mcse * rng.standard_normal() if np.isfinite(mcse) else 0.0
        rows.append((measure, estimator, *entry, np.nan if dead else value + noise, np.nan if dead else mcse, limit))

    for i, j in pairs:
        entry, size = (names[i], names[j]), np.sqrt(information[i, i] * information[j, j])
        for measure, limit in matrices.items():
            for estimator, noise in (("raw", 0.02), ("control-variate", 0.1 / n)):
                add(measure, estimator, entry, limit[i, j] * (1 + 3 / n), noise * size, limit[i, j])
        add("sd_observed_information", "raw", entry, size / np.sqrt(n), 0.01 * size, np.nan)
        for estimator, side in (("5%", -1), ("95%", 1)):
            value = information[i, j] + side * 1.6 * size / np.sqrt(n)
            add("quantile_observed_information", estimator, entry, value, 1e-3 * size, np.nan)
        add("score_covariance", "raw", entry, information[i, j], 0.02 * size, information[i, j])
    for i, name in enumerate(names):
        se = np.sqrt(covariance[i, i] / n)
        truth_bias = float((table[f"theta[{name}]"] - 1.0).mean())
        rows.append(("bias", "raw", name, "", truth_bias, se / 20, 0.0))
        add("bias", "control-variate", (name, ""), 0.0, se / 200, 0.0)
        add("empirical_se", "raw", (name, ""), se, se / 50, se)
        add("mean_score", "raw", (name, ""), 0.0, 0.01, 0.0)
        add("efficiency", "raw", (name, ""), 1 - 1 / n, 0.02, 1.0)
        for estimator in ("wald-observed", "wald-expected"):
            add("coverage", estimator, (name, ""), LEVEL - 0.5 / n, 0.004, LEVEL)
    for kind in ("information", "covariance"):
        for estimator, floor in (("raw", 0.02), ("control-variate", 0.1 / n)):
            add(f"{kind}_error", estimator, ("", ""), 3 / n + 4 * floor, floor, 0.0)
            add("noise_floor", f"{kind}-{estimator}", ("", ""), floor, 0.0, np.nan)
    for i, j in pairs:
        value, limit = np.nan if dead else covariance[i, j] * (1 + 2 / n), covariance[i, j]
        rows.append(("rate_covariance", "raw", names[i], names[j], value, np.nan if dead else 0.01, limit))
    rows += cell_rows(rng, names, n, dead, 1 / np.sqrt(information[0, 0]))
    rows += [("failure_rate", kind, "", "", float(dead), 0.001, np.nan) for kind in ("wilson", "boundary")]
    return rows + interval_rows(names, n, covariance, dead)
