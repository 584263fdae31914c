"""The table of measures: what each is computed from, the shape of its entries, and its limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np

from simstudy.analysis import (
    conditional,
    convergence,
    higher_order,
    information_identity,
    interval_limits,
    intervals,
    orthogonality,
    performance,
    regions,
    savings,
    shape,
    spectrum,
    white,
)
from simstudy.analysis.efficiency import efficiency
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate
from simstudy.analysis.packed import upper
from simstudy.analysis.streaming import Shared, Steps
from simstudy.parameters import Array

Limit = Array | float


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
    estimates: Callable[[Facts], dict[str, Estimate]]
    limit: Callable[[Facts], Limit | Mapping[str, Limit]]
    applies: Callable[[Facts], bool] = lambda _: True
    published: str = ""


def _nothing(_: Facts) -> float:
    return float("nan")


def _matrix_error(cell: Facts) -> float:
    """Return 0, or NaN where there is no limit to come near to."""
    known = np.isfinite(cell.limits.covariance).all() and np.isfinite(cell.limits.hessian).all()
    return 0.0 if known else float("nan")


def _zero(_: Facts) -> float:
    return 0.0


def _bias(cell: Facts) -> Array:
    return np.where(np.isfinite(cell.limits.theta), 0.0, np.nan)


def _hessian(cell: Facts) -> Array:
    return upper(cell.limits.hessian)


def _score_mean(cell: Facts) -> Array:
    return np.where(np.isfinite(cell.limits.theta), cell.limits.score_mean, np.nan)


def _score_covariance(cell: Facts) -> Array:
    return upper(cell.limits.score_covariance)


def _covariance(cell: Facts) -> Array:
    return upper(cell.limits.covariance)


def _rate_covariance(cell: Facts) -> Array:
    return upper(cell.limits.rate_covariance)


def _irregular(cell: Facts) -> bool:
    return not cell.regular.all()


def _squared_error(cell: Facts) -> Array:
    """Return the limiting variance; where the rate is not n^-½ the bias is of the same order."""
    return np.where(cell.regular, cell.limiting_variance, np.nan)


def _standard_error(cell: Facts) -> Array:
    return np.sqrt(cell.limiting_variance)


def _claimed_errors(cell: Facts) -> dict[str, Limit]:
    return {name: np.sqrt(variance) for name, variance in cell.claimed_variances.items()}


def _relative_errors(cell: Facts) -> dict[str, Limit]:
    """Return the limits of model standard error over empirical one; none where the rate is not n^-½."""
    true = _squared_error(cell)
    return {name: 100.0 * (np.sqrt(claimed / true) - 1.0) for name, claimed in cell.claimed_variances.items()}


def _coverages(cell: Facts) -> dict[str, Limit]:
    return dict(interval_limits.coverages(cell))


def _widths(cell: Facts) -> dict[str, Limit]:
    return dict(interval_limits.widths(cell))


def _powers(cell: Facts) -> dict[str, Limit]:
    return dict(interval_limits.powers(cell))


def _testable(cell: Facts) -> bool:
    return bool(np.isfinite(cell.null).any())


def _efficiencies(cell: Facts) -> dict[str, Limit]:
    """Return 1 where there is a limit; an estimator is held to its own bound at n only where the rate is n^-½."""
    raw = np.where(np.isfinite(cell.limiting_variance), 1.0, np.nan)
    return {"raw": raw, "corrected": _asymptotically_normal(cell, 1.0)}


def _asymptotically_normal(cell: Facts, limit: float) -> Array:
    """Return what a normal limit implies, NaN where there is none."""
    return np.where(cell.asymptotically_normal, limit, np.nan)


def _normal_shape(cell: Facts) -> Array:
    """Return 0, the skewness of a normal distribution and its distance from itself."""
    return _asymptotically_normal(cell, 0.0)


def _kurtosis(cell: Facts) -> Array:
    return _asymptotically_normal(cell, 3.0)


@Shared
def _relative_bias(cell: Facts) -> Steps[Array]:
    return np.where(np.isfinite((yield performance.natural_size)), 0.0, np.nan)


def _root_squared_error(cell: Facts) -> Array:
    return np.sqrt(_squared_error(cell))


MEASURES: dict[str, Measure] = {
    "mean_observed_information": Measure("matrix", convergence.mean_observed_information, _hessian),
    "sd_observed_information": Measure("matrix", convergence.sd_observed_information, _nothing),
    "quantile_observed_information": Measure("matrix", convergence.quantile_observed_information, _nothing),
    "scaled_covariance": Measure("matrix", convergence.scaled_covariance, _covariance),
    "rate_covariance": Measure("matrix", convergence.rate_covariance, _rate_covariance, _irregular),
    "bias": Measure("vector", performance.bias, _bias),
    "scaled_bias": Measure("vector", performance.scaled_bias, higher_order.bias_limit),
    "relative_bias": Measure("vector", performance.relative_bias, _relative_bias),
    "median_bias": Measure("vector", performance.median_bias, _bias),
    "empirical_se": Measure("vector", performance.empirical_se, _standard_error),
    "model_se": Measure("vector", performance.model_se, _claimed_errors),
    "relative_error_model_se": Measure("vector", performance.relative_error_model_se, _relative_errors),
    "mse": Measure("vector", performance.mse, _squared_error),
    "rmse": Measure("vector", performance.rmse, _root_squared_error),
    "coverage": Measure("vector", intervals.coverage, _coverages),
    "bias_eliminated_coverage": Measure("vector", intervals.bias_eliminated_coverage, _coverages),
    "interval_width": Measure("vector", intervals.interval_width, _widths),
    "rejection_rate": Measure("vector", intervals.rejection_rate, _powers, _testable),
    "mean_score": Measure("vector", convergence.mean_score, _score_mean),
    "score_covariance": Measure("matrix", convergence.score_covariance, _score_covariance),
    "third_bartlett": Measure("matrix", higher_order.third_bartlett, _zero, higher_order.has_third),
    "information_matrix_test": Measure("scalar", white.information_matrix_test, white.test_limit, white.has_test),
    "information_error": Measure("scalar", convergence.information_error, _matrix_error),
    "covariance_error": Measure("scalar", convergence.covariance_error, _matrix_error),
    "noise_floor": Measure("scalar", convergence.noise_floor, _nothing),
    "efficiency": Measure("vector", efficiency, _efficiencies),
    "skewness": Measure("vector", shape.skewness, _normal_shape),
    "kurtosis": Measure("vector", shape.kurtosis, _kurtosis),
    "normal_distance": Measure("vector", shape.normal_distance, _normal_shape),
    "failure_rate": Measure("scalar", performance.failure_rate, _nothing),
    "mahalanobis": Measure("scalar", regions.mahalanobis, regions.mahalanobis_limits, spectrum.has_covariance),
    "joint_coverage": Measure("scalar", regions.joint_coverage, regions.nominal, regions.has_point, "coverage"),
    "log_det_ratio": Measure("scalar", spectrum.log_det_ratio, spectrum.no_change, spectrum.has_covariance),
    "largest_eigenvalue": Measure("scalar", spectrum.largest_eigenvalue, spectrum.ones, spectrum.has_covariance),
    "smallest_eigenvalue": Measure("scalar", spectrum.smallest_eigenvalue, spectrum.ones, spectrum.has_covariance),
    "orthogonality": Measure("pairs", orthogonality.orthogonality, orthogonality.limits, orthogonality.several),
    "second_bartlett": Measure("matrix", information_identity.second_bartlett, information_identity.limit),
    "replicates_saved": Measure("vector", savings.replicates_saved, _nothing),
    "conditional_mse": Measure("vector", conditional.mse, conditional.unconditional_variance, conditional.applies),
    "conditional_variance": Measure(
        "vector", conditional.variance, conditional.unconditional_variance, conditional.applies
    ),
    "conditional_coverage": Measure("vector", conditional.coverage, conditional.nominal, conditional.applies),
}
"""Every measure by name, in the order of the summary."""
