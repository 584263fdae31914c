"""The table of measures: what each is computed from, the shape of its entries, and its limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from simstudy.analysis import convergence, performance
from simstudy.analysis.cell import Cell
from simstudy.analysis.influence import Estimate
from simstudy.analysis.interval_bounds import claimed
from simstudy.analysis.packed import upper
from simstudy.parameters import Array

Limit = Array | float
_ROUNDING = 1e-12


class Measure(NamedTuple):
    """A performance measure.

    Attributes
    ----------
    shape
        One number (``scalar``), one per parameter (``vector``), per packed entry (``matrix``), or per entry off its
        diagonal (``pairs``).
    estimates
        Estimators by name, in the order of the summary.
    limit
        Theoretical values as n → ∞, broadcast over the entries, NaN where there is none; a mapping where they depend on
        the estimator.
    applies
        Whether a cell has the measure.
    published
        Name in the summary where that is not the key in ``MEASURES``: two shapes of entries may share one.
    """

    shape: Literal["scalar", "vector", "matrix", "pairs"]
    estimates: Callable[[Cell], dict[str, Estimate]]
    limit: Callable[[Cell], Limit | Mapping[str, Limit]]
    applies: Callable[[Cell], bool] = lambda _: True
    published: str = ""


def _nothing(_: Cell) -> float:
    return float("nan")


def _matrix_error(cell: Cell) -> float:
    """Return 0, or NaN where there is no limit to come near to."""
    known = np.isfinite(cell.limits.covariance).all() and np.isfinite(cell.limits.hessian).all()
    return 0.0 if known else float("nan")


def _bias(cell: Cell) -> Array:
    return np.where(np.isfinite(cell.limits.theta), 0.0, np.nan)


def _efficiency(cell: Cell) -> Array:
    return np.where(np.isfinite(cell.limiting_variance), 1.0, np.nan)


def _hessian(cell: Cell) -> Array:
    return upper(cell.limits.hessian)


def _score_mean(cell: Cell) -> Array:
    return np.where(np.isfinite(cell.limits.theta), cell.limits.score_mean, np.nan)


def _score_covariance(cell: Cell) -> Array:
    return upper(cell.limits.score_covariance)


def _covariance(cell: Cell) -> Array:
    return upper(cell.limits.covariance)


def _rate_covariance(cell: Cell) -> Array:
    return upper(cell.limits.rate_covariance)


def _irregular(cell: Cell) -> bool:
    return not cell.regular.all()


def _squared_error(cell: Cell) -> Array:
    """Return the limiting variance; where the rate is not n^-½ the bias is of the same order."""
    return np.where(cell.regular, cell.limiting_variance, np.nan)


def _standard_error(cell: Cell) -> Array:
    return np.sqrt(cell.limiting_variance)


def _claimed_errors(cell: Cell) -> dict[str, Limit]:
    return {name: np.sqrt(variance) for name, variance in cell.claimed_variances.items()}


def _ratios(cell: Cell) -> dict[str, Array]:
    """Return the limits of model standard error over empirical one; none where the rate is not n^-½."""
    true = _squared_error(cell)
    return {name: np.sqrt(claimed / true) for name, claimed in cell.claimed_variances.items()}


def _relative_errors(cell: Cell) -> dict[str, Limit]:
    return {name: 100.0 * (ratio - 1.0) for name, ratio in _ratios(cell).items()}


def _coverages(cell: Cell) -> dict[str, Limit]:
    """Return P(|Z| ≤ z·ratio), which is the level where the ratio is 1."""
    limits: dict[str, Limit] = {}
    for method in cell.intervals:
        ratio = np.sqrt(claimed(cell, method) / _squared_error(cell))
        coverage = special.erf(cell.normal_quantile * ratio / np.sqrt(2.0))
        limits[method] = np.where(np.abs(ratio - 1.0) < _ROUNDING, cell.level, coverage)
    return limits


MEASURES: dict[str, Measure] = {
    "mean_observed_information": Measure("matrix", convergence.mean_observed_information, _hessian),
    "sd_observed_information": Measure("matrix", convergence.sd_observed_information, _nothing),
    "quantile_observed_information": Measure("matrix", convergence.quantile_observed_information, _nothing),
    "scaled_covariance": Measure("matrix", convergence.scaled_covariance, _covariance),
    "rate_covariance": Measure("matrix", convergence.rate_covariance, _rate_covariance, _irregular),
    "bias": Measure("vector", performance.bias, _bias),
    "empirical_se": Measure("vector", performance.empirical_se, _standard_error),
    "model_se": Measure("vector", performance.model_se, _claimed_errors),
    "relative_error_model_se": Measure("vector", performance.relative_error_model_se, _relative_errors),
    "mse": Measure("vector", performance.mse, _squared_error),
    "coverage": Measure("vector", performance.coverage, _coverages),
    "mean_score": Measure("vector", convergence.mean_score, _score_mean),
    "score_covariance": Measure("matrix", convergence.score_covariance, _score_covariance),
    "information_error": Measure("scalar", convergence.information_error, _matrix_error),
    "covariance_error": Measure("scalar", convergence.covariance_error, _matrix_error),
    "noise_floor": Measure("scalar", convergence.noise_floor, _nothing),
    "efficiency": Measure("vector", performance.efficiency, _efficiency),
    "failure_rate": Measure("scalar", performance.failure_rate, _nothing),
}
"""Every measure by name, in the order of the summary."""
