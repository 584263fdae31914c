"""Regions for all parameters together: the Mahalanobis distance of the estimate, and the coverage of three regions.

Quantiles of χ² with p degrees of freedom are 2γ⁻¹(p/2, level), γ the regularised incomplete gamma function.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate
from simstudy.analysis.packed import quadratic, upper
from simstudy.analysis.streaming import Rows, Shared, Steps, together
from simstudy.parameters import Array
from simstudy.study.limits import invert

LEVELS = {"50%": 0.50, "90%": 0.90, "95%": 0.95, "99%": 0.99}


def _chi_squared(cell: Facts, level: float) -> float:
    return float(2.0 * special.gammaincinv(0.5 * cell.size, level))


@Shared
def mahalanobis(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Quantiles of n(θ̂ − θ*)ᵀΣ⁻¹(θ̂ − θ*), Σ = A⁻¹BA⁻¹; limit those of χ² with p degrees of freedom."""
    inverse = upper(invert(cell.limits.covariance))
    found = yield influence.quantiles(lambda part: quadratic(inverse, part.scaled_error)[None], tuple(LEVELS.values()))
    return dict(zip(LEVELS, found, strict=True))


def mahalanobis_limits(cell: Facts) -> dict[str, float]:
    """Return the χ² quantiles; none where an error is not of order n^-½."""
    usual = cell.regular.all()
    return {name: _chi_squared(cell, level) if usual else float("nan") for name, level in LEVELS.items()}


@Shared
def joint_coverage(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Share of regions for all parameters that hold θ*, statistic ≤ χ² quantile of the level, given convergence.

    ``wald``: n(θ̂ − θ*)ᵀJ(θ̂ − θ*); ``score``: n s̄ᵀI(θ*)⁻¹s̄ with s̄ the mean score at θ*; ``likelihood-ratio``:
    2(ℓ(θ̂) − ℓ(θ*)). NaN where a statistic is not a number, or J is not positive definite: no region, no coverage.
    """
    bound = _chi_squared(cell, cell.level)
    statistics: dict[str, Rows] = {
        "wald": _wald,
        "score": _score(cell),
        "likelihood-ratio": lambda part: part.likelihood_ratio[0],
    }
    return (yield from together({name: _share_within(statistic, bound) for name, statistic in statistics.items()}))


def _wald(part: Cell) -> Array:
    statistic = quadratic(part.information, part.scaled_error)
    statistic[np.isnan(part.model_variances["observed"]).any(axis=0)] = np.nan
    return statistic


def _score(cell: Facts) -> Rows:
    inverse, known = cell.n * upper(invert(cell.limits.information)), cell.usable > 1

    def statistic(part: Cell) -> Array:
        found = quadratic(inverse, part.all_scores)
        found = found if part.converged.all() else found[part.converged]
        return np.asarray(found if known else np.full(2, np.nan))

    return statistic


def _share_within(statistic: Rows, bound: float) -> Steps[Estimate]:
    def hits(part: Cell) -> Array:
        found = statistic(part)
        return np.where(np.isnan(found), np.nan, found <= bound)[None]

    return influence.proportion(hits)


def has_point(cell: Facts) -> bool:
    """Tell whether theory gives θ*."""
    return bool(np.isfinite(cell.limits.theta).all())


def nominal(cell: Facts) -> float:
    """Return the level where the model is right and regular, else NaN."""
    usual = cell.limits.right and not cell.limits.irregularity
    return cell.level if usual else float("nan")
