"""The table of measures: what each is computed from, the shape of its entries, and its limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from simstudy.analysis import convergence, performance
from simstudy.analysis.cell import Cell
from simstudy.analysis.influence import Estimate
from simstudy.analysis.packed import upper
from simstudy.parameters import Array


class Measure(NamedTuple):
    """A performance measure.

    Attributes
    ----------
    shape
        One number (``scalar``), one per parameter (``vector``) or one per packed entry (``matrix``).
    estimates
        Estimators by name, in the order of the summary.
    limit
        Theoretical values as n → ∞, broadcast over the entries; NaN where there is none.
    """

    shape: Literal["scalar", "vector", "matrix"]
    estimates: Callable[[Cell], dict[str, Estimate]]
    limit: Callable[[Cell], Array | float]


def _nothing(_: Cell) -> float:
    return float("nan")


def _zero(_: Cell) -> float:
    return 0.0


def _one(_: Cell) -> float:
    return 1.0


def _level(cell: Cell) -> float:
    return cell.level


def _hessian(cell: Cell) -> Array:
    return upper(cell.limits.hessian)


def _score_covariance(cell: Cell) -> Array:
    return upper(cell.limits.score_covariance)


def _covariance(cell: Cell) -> Array:
    return upper(cell.limits.covariance)


def _variance(cell: Cell) -> Array:
    return cell.limiting_variance


def _standard_error(cell: Cell) -> Array:
    return np.sqrt(cell.limiting_variance)


MEASURES: dict[str, Measure] = {
    "mean_observed_information": Measure("matrix", convergence.mean_observed_information, _hessian),
    "sd_observed_information": Measure("matrix", convergence.sd_observed_information, _nothing),
    "quantile_observed_information": Measure("matrix", convergence.quantile_observed_information, _nothing),
    "scaled_covariance": Measure("matrix", convergence.scaled_covariance, _covariance),
    "bias": Measure("vector", performance.bias, _zero),
    "empirical_se": Measure("vector", performance.empirical_se, _standard_error),
    "model_se": Measure("vector", performance.model_se, _standard_error),
    "relative_error_model_se": Measure("vector", performance.relative_error_model_se, _zero),
    "mse": Measure("vector", performance.mse, _variance),
    "coverage": Measure("vector", performance.coverage, _level),
    "mean_score": Measure("vector", convergence.mean_score, _zero),
    "score_covariance": Measure("matrix", convergence.score_covariance, _score_covariance),
    "information_error": Measure("scalar", convergence.information_error, _zero),
    "covariance_error": Measure("scalar", convergence.covariance_error, _zero),
    "noise_floor": Measure("scalar", convergence.noise_floor, _nothing),
    "efficiency": Measure("vector", performance.efficiency, _one),
    "failure_rate": Measure("scalar", performance.failure_rate, _nothing),
}
"""Every measure by name, in the order of the summary."""
