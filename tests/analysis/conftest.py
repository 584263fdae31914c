"""Records of replicates in closed form: only sufficient statistics are drawn, so any n costs the same."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from simstudy.analysis import arrangement as cells
from simstudy.analysis.cell import Cell
from simstudy.study.limits import Limits, regular
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario


@dataclass(frozen=True)
class Record:
    """A simulated cell: what the running floor stores, what theory says, and I(θ̂) in closed form."""

    scenario: Scenario
    replicates: Replicates
    limits: Limits
    expected: np.ndarray

    @property
    def cell(self) -> Cell:
        converged = cells.converged_rows(self.replicates)
        scenario = self.scenario
        return cells.build(self.replicates, self.limits, scenario.n, scenario.level, self.expected[converged], scenario)


def record(family, names, values, n, theta, information, score, information_limit, limit, expected, failed=None):
    """Assemble a record from entries of R numbers; rows of failed fits hold NaN, as an aborted fit may."""
    replicates = len(theta[0])
    status = np.zeros(replicates, np.int8) if failed is None else np.where(failed, 2, 0).astype(np.int8)
    rows = [np.array([np.broadcast_to(e, replicates) for e in part]).T.copy() for part in (theta, information)]
    at_limit = [np.array([np.broadcast_to(e, replicates) for e in part]).T for part in (information_limit, score)]
    for part in rows:
        part[status != 0] = np.nan
    zero, nothing = np.zeros(replicates), np.zeros_like(rows[1])
    table = Replicates(*rows, *at_limit, nothing, nothing, zero, zero, status, np.zeros(replicates, np.int16))
    scenario = Scenario(family, family, names, values, family, (), n, replicates, 0.95)
    limit = np.asarray(limit, dtype=float)
    return Record(scenario, table, regular(np.array(values), limit), expected)


def exponential(seed, replicates, n, rate=2.0, fails: Callable | None = None) -> Record:
    """Exponential with rate λ: λ̂ = 1/x̄, J = λ̂⁻², score 1/λ − x̄, J₀ = λ⁻²."""
    mean = np.random.default_rng(seed).gamma(n, 1.0 / (n * rate), replicates)
    failed = None if fails is None else fails(mean)
    information, score = [mean**2], [1.0 / rate - mean]
    expected = (mean**2)[:, None, None]
    return record(
        "exponential", ("rate",), (rate,), n, [1.0 / mean], information, score, [rate**-2], [[rate**-2]],
        expected, failed,
    )  # fmt: skip


def normal(seed, replicates, n, mean=1.0, sd=2.0, fails: Callable | None = None) -> Record:
    """Normal in (mean, sd): J = diag(1/σ̂², 2/σ̂²)."""
    error, square = _normal_statistics(seed, replicates, n, sd)
    estimate = np.sqrt(square)
    spread = square + error**2
    failed = None if fails is None else fails(estimate)
    expected = np.zeros((replicates, 2, 2))
    expected[:, 0, 0], expected[:, 1, 1] = 1.0 / square, 2.0 / square
    score = [error / sd**2, spread / sd**3 - 1.0 / sd]
    at_limit = [sd**-2, 2.0 * error / sd**3, 3.0 * spread / sd**4 - sd**-2]
    return record(
        "normal", ("mean", "sd"), (mean, sd), n, [mean + error, estimate], [1.0 / square, 0.0, 2.0 / square],
        score, at_limit, np.diag([sd**-2, 2.0 * sd**-2]), expected, failed,
    )  # fmt: skip


def normal_variance(seed, replicates, n, mean=1.0, variance=4.0) -> Record:
    """Normal in (mean, variance): J = diag(1/v̂, 1/(2v̂²))."""
    error, square = _normal_statistics(seed, replicates, n, np.sqrt(variance))
    spread = square + error**2
    expected = np.zeros((replicates, 2, 2))
    expected[:, 0, 0], expected[:, 1, 1] = 1.0 / square, 0.5 / square**2
    score = [error / variance, 0.5 * (spread / variance**2 - 1.0 / variance)]
    at_limit = [1.0 / variance, error / variance**2, spread / variance**3 - 0.5 / variance**2]
    return record(
        "normal", ("mean", "variance"), (mean, variance), n, [mean + error, square],
        [1.0 / square, 0.0, 0.5 / square**2], score, at_limit, np.diag([1.0 / variance, 0.5 / variance**2]),
        expected,
    )  # fmt: skip


def _normal_statistics(seed, replicates, n, sd):
    """Return x̄ − μ and the mean square about x̄, independent, of exact law."""
    rng = np.random.default_rng(seed)
    return sd / np.sqrt(n) * rng.standard_normal(replicates), sd**2 / n * rng.chisquare(n - 1, replicates)


RECORDS = {"exponential": exponential, "normal": normal, "normal_variance": normal_variance}


@pytest.fixture
def simulated() -> dict[str, Callable[..., Record]]:
    """Functions (seed, replicates, n, …) -> Record by name."""
    return RECORDS
