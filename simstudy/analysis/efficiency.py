"""Efficiency against the Cramér–Rao bound, in the limit and at the sample size of the cell."""

from __future__ import annotations

import numpy as np

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.control_variates import ROUNDING, orthonormal
from simstudy.analysis.influence import Estimate, mcse
from simstudy.parameters import Array


def efficiency(cell: Cell) -> dict[str, Estimate]:
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
    square, psi = influence.variance(cell.error)
    value = cell.limiting_variance / square
    return {"raw": Estimate(value, value / square * mcse(psi)), "corrected": _corrected(cell, square, psi)}


def _corrected(cell: Cell, square: Array, psi: Array) -> Estimate:
    nothing = np.full(len(square), np.nan)
    scores = cell.all_scores if cell.converged.all() else cell.all_scores[:, cell.converged]
    basis = orthonormal(scores) if scores.shape[-1] > len(square) + 1 else None
    if basis is None:
        return Estimate(nothing, nothing)
    error, replicates = influence.centre(cell.error)[1], scores.shape[-1]
    coefficients = np.einsum("jr,kr->jk", error, basis.columns) / replicates
    residual = np.square(error - np.einsum("jk,kr->jr", coefficients, basis.columns))
    left, left_psi = influence.centre(residual)
    share = left * (replicates / (replicates - 1 - len(basis.columns))) / square
    spread = np.hypot(mcse(left_psi - share[:, None] * psi) / square, ROUNDING)
    known = cell.asymptotically_normal
    return Estimate(np.where(known, 1.0 - share, np.nan), np.where(known, spread, np.nan))
