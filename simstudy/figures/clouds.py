"""The deviations √n(θ̂ − θ) of a scenario, on one parameter or on pairs of them, beside their normal limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from simstudy.figures import selection as sel
from simstudy.figures.estimates import TRUTH
from simstudy.figures.spec import ReplicatesOf

SHOWN_SIZES = 5
SHOWN_PAIRS = 3
RADII = {1: 1.959963984540054, 2: 2.447746830680816}
"""√χ²(d; 0.95) for d = 1 and 2 dimensions."""


@dataclass(frozen=True)
class Cloud:
    """√n(θ̂ − θ) of the usable replicates on one or two parameters, beside the limit.

    Attributes
    ----------
    z : (R, d)
        Deviations √n(θ̂ − θ).
    covariance : (d, d)
        Its block of the limit of n·Cov(θ̂), NaN where there is none.
    """

    names: tuple[str, ...]
    n: int
    z: np.ndarray
    covariance: np.ndarray

    @property
    def usable(self) -> bool:
        """Whether the replicates spread in every direction."""
        size, dimension = self.z.shape
        return bool(size > dimension and np.linalg.matrix_rank(self.z - self.z.mean(axis=0)) == dimension)

    @property
    def limited(self) -> bool:
        """Whether there is a normal limit to compare with."""
        return bool(np.isfinite(self.covariance).all() and np.linalg.eigvalsh(self.covariance)[0] > 0.0)

    @property
    def inside(self) -> float:
        """Share of the replicates inside the 95 % ellipse (or interval) of the limit."""
        distance = np.einsum("ri,ij,rj->r", self.z, np.linalg.inv(self.covariance), self.z)
        return float(np.mean(distance <= RADII[self.z.shape[1]] ** 2))

    @property
    def inside_mcse(self) -> float:
        """Monte Carlo standard error of that share."""
        return float(np.sqrt(self.inside * (1 - self.inside) / len(self.z)))


def clouds(summary: pd.DataFrame, scenario: str, replicates: ReplicatesOf) -> list[list[Cloud]]:
    """Return one row per pair of parameters (or one for a single parameter), one cloud per sample size shown."""
    names = sel.parameters(summary, scenario)
    sizes = sel.spread_out(sel.sizes(sel.measured(summary, scenario, "bias")), SHOWN_SIZES)
    found = {n: deviations(summary, scenario, n, replicates(scenario, n), names) for n in sizes}
    pairs: Sequence[tuple[int, ...]] = [*combinations(range(len(names)), 2)][:SHOWN_PAIRS]
    pairs = pairs or [(0,)]
    return [[_cloud(summary, scenario, names, pair, n, found[n]) for n in sizes] for pair in pairs]


def deviations(summary: pd.DataFrame, scenario: str, n: int, table: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Return √n(θ̂ − θ) (R, p); θ is the mean estimate less its bias, which the summary has measured."""
    rows = sel.measured(summary, scenario, "bias")
    bias = rows[(rows["n"] == n) & (rows["estimator"] == "raw")].set_index("row")["value"]
    estimates = table.loc[table["status"] == "CONVERGED", [f"theta[{name}]" for name in names]].to_numpy(dtype=float)
    if not len(estimates):
        return estimates
    if known := table.attrs.get(TRUTH):
        truth = np.array([known[name] for name in names])
        return np.asarray(np.sqrt(n) * (estimates - np.where(np.isfinite(truth), truth, estimates.mean(axis=0))))
    offset = bias[names].fillna(0.0).to_numpy(dtype=float)  # where there is no θ, the mean takes its place
    return np.asarray(np.sqrt(n) * (estimates - estimates.mean(axis=0) + offset))


def _cloud(
    summary: pd.DataFrame, scenario: str, names: list[str], pair: tuple[int, ...], n: int, z: np.ndarray
) -> Cloud:
    rows = sel.measured(summary, scenario, "scaled_covariance")
    limit = [[sel.limit_of(rows, (names[min(i, j)], names[max(i, j)])) for j in pair] for i in pair]
    return Cloud(tuple(names[i] for i in pair), n, z[:, pair], np.array(limit))
