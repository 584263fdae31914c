"""Efficiency against the Cramér–Rao bound, in the limit and at the sample size of the cell."""

from __future__ import annotations

import numpy as np

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.control_variates import ROUNDING, Controls, orthonormal
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate, Variance
from simstudy.analysis.reductions import Moment, Moments, Products
from simstudy.analysis.sample import errors
from simstudy.analysis.streaming import Shared, Steps
from simstudy.parameters import Array


@Shared
def efficiency(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Bound on the variance over Var(θ̂ⱼ), for an unbiased estimator (``raw``) and for this one (``corrected``).

    ``raw`` is Σⱼⱼ/(n·Var(θ̂ⱼ)), ψ = −efficiency·ψ_Var/Var. At finite n it may exceed 1, for θ̂ is biased.

    ``corrected``: the bound of an estimator of mean m(θ) is D(nB)⁻¹Dᵀ with D = ∂m/∂θᵀ = Cov(θ̂, ℓ′), ℓ′ the
    score of the sample (Cramér 1946, section 32.3; Rao 1945), which the recorded scores estimate from the same
    replicates. Divided by Var(θ̂ⱼ) it is the multiple R² of θ̂ⱼ on the score, so never above 1. With the
    residual ε of that regression and divisors free of bias,

        R² = 1 − (Σε²/(R−1−p)) / (Σ(θ̂−θ̄)²/(R−1)),   ψ = −(ψ_ε² − (1 − R²)ψ_Var)/Var.

    D adds nothing to ψ: least squares makes Σε² stationary in it. Limit 1 where the rate is n^-½; else NaN, for
    without regularity there is no such bound.
    """
    spread: Variance = yield influence.variance(errors)
    value = cell.limiting_variance / spread.value
    mcse, corrected = yield influence.mcse(spread.psi), _corrected(cell, spread)
    return {"raw": Estimate(value, value / spread.value * mcse), "corrected": corrected}


def _scores(part: Cell) -> Array:
    """Return the scores of the converged, (p, m)."""
    return part.all_scores if part.converged.all() else np.asarray(part.all_scores[:, part.converged])


def _corrected(cell: Facts, spread: Variance) -> Steps[Estimate]:
    nothing = np.full(cell.size, np.nan)
    basis: Controls | None = (yield orthonormal(_scores)) if cell.usable > cell.size + 1 else None
    if basis is None:
        return Estimate(nothing, nothing)
    replicates, mean = basis.replicates, spread.mean[:, None]
    columns = basis.columns
    coefficients = (yield Products(lambda part: part.error - mean, columns)) / replicates

    def residual(part: Cell) -> Array:
        """ε², (p, m)."""
        fitted = np.einsum("jk,kr->jr", coefficients, part.derived(columns))
        return np.asarray(np.square(part.error - mean - fitted))

    left: Moment = yield Moments(residual)
    share = left.centre * (replicates / (replicates - 1 - len(basis.rotation))) / spread.value

    def psi(part: Cell) -> Array:
        return np.asarray(residual(part) - left.centre[:, None] - share[:, None] * spread.psi(part))

    error = np.hypot((yield influence.mcse(psi)) / spread.value, ROUNDING)
    known = cell.asymptotically_normal
    return Estimate(np.where(known, 1.0 - share, np.nan), np.where(known, error, np.nan))
