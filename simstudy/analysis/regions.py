"""Regions for all parameters together: the Mahalanobis distance of the estimate, and the coverage of three regions.

Quantiles of χ² with p degrees of freedom are 2γ⁻¹(p/2, level), γ the regularised incomplete gamma function.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.influence import Estimate
from simstudy.analysis.packed import quadratic, upper
from simstudy.parameters import Array
from simstudy.study.limits import invert

LEVELS = {"50%": 0.50, "90%": 0.90, "95%": 0.95, "99%": 0.99}


def _chi_squared(cell: Cell, level: float) -> float:
    return float(2.0 * special.gammaincinv(0.5 * len(cell.theta), level))


def mahalanobis(cell: Cell) -> dict[str, Estimate]:
    """Quantiles of n(θ̂ − θ*)ᵀΣ⁻¹(θ̂ − θ*), Σ = A⁻¹BA⁻¹; limit those of χ² with p degrees of freedom."""
    distance = quadratic(upper(invert(cell.limits.covariance)), cell.scaled_error)[None]
    return {name: influence.quantile(distance, level) for name, level in LEVELS.items()}


def mahalanobis_limits(cell: Cell) -> dict[str, float]:
    """Return the χ² quantiles; none where an error is not of order n^-½."""
    usual = cell.regular.all()
    return {name: _chi_squared(cell, level) if usual else float("nan") for name, level in LEVELS.items()}


def joint_coverage(cell: Cell) -> dict[str, Estimate]:
    """Share of regions for all parameters that hold θ*, statistic ≤ χ² quantile of the level, given convergence.

    ``wald``: n(θ̂ − θ*)ᵀJ(θ̂ − θ*); ``score``: n s̄ᵀI(θ*)⁻¹s̄ with s̄ the mean score at θ*; ``likelihood-ratio``:
    2(ℓ(θ̂) − ℓ(θ*)). NaN where a statistic is not a number, or J is not positive definite: no region, no coverage.
    """
    bound = _chi_squared(cell, cell.level)
    statistics = {"wald": _wald(cell), "score": _score(cell), "likelihood-ratio": cell.likelihood_ratio[0]}
    return {name: _share_within(statistic, bound) for name, statistic in statistics.items()}


def _wald(cell: Cell) -> Array:
    statistic = quadratic(cell.information, cell.scaled_error)
    statistic[np.isnan(cell.model_variances["observed"]).any(axis=0)] = np.nan
    return statistic


def _score(cell: Cell) -> Array:
    if cell.converged.sum() < 2:
        return np.full(2, np.nan)
    statistic = quadratic(cell.n * upper(invert(cell.limits.information)), cell.all_scores)
    return statistic if cell.converged.all() else np.asarray(statistic[cell.converged])


def _share_within(statistic: Array, bound: float) -> Estimate:
    hits = np.where(np.isnan(statistic), np.nan, statistic <= bound)
    return influence.proportion(hits[None])


def has_point(cell: Cell) -> bool:
    """Tell whether theory gives θ*."""
    return bool(np.isfinite(cell.limits.theta).all())


def nominal(cell: Cell) -> float:
    """Return the level where the model is right and regular, else NaN."""
    usual = cell.limits.right and not cell.limits.irregularity
    return cell.level if usual else float("nan")
