"""Measures of how information, covariance and score approach their limits as n → ∞."""

from __future__ import annotations

import numpy as np

from simstudy.analysis import influence, matrices, matrix_errors
from simstudy.analysis.cell import Cell
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate, Variance
from simstudy.analysis.matrices import MatrixEstimate, information
from simstudy.analysis.packed import upper
from simstudy.analysis.streaming import Shared, Steps
from simstudy.parameters import Array

TAILS = {"5%": 0.05, "95%": 0.95}


@Shared
def mean_observed_information(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Mean of the observed information J at θ̂; limit A."""
    found: dict[str, MatrixEstimate] = yield matrices.mean_information
    return {name: estimate.entries for name, estimate in found.items()}


@Shared
def sd_observed_information(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Spread of J from data set to data set as a standard deviation, of order n^-½."""
    square: Variance = yield influence.variance(information)
    return {"raw": Estimate(square.root, (yield influence.mcse(square.root_psi)))}


@Shared
def quantile_observed_information(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Quantiles of J, between which nine data sets in ten lie."""
    found = yield influence.quantiles(information, tuple(TAILS.values()))
    return dict(zip(TAILS, found, strict=True))


@Shared
def scaled_covariance(cell: Facts) -> Steps[dict[str, Estimate]]:
    """n·Cov(θ̂), divisor R−1; limit A⁻¹BA⁻¹."""
    found: dict[str, MatrixEstimate] = yield matrices.scaled_covariance
    return {name: estimate.entries for name, estimate in found.items()}


@Shared
def rate_covariance(cell: Facts) -> Steps[dict[str, Estimate]]:
    """n^(rᵢ + rⱼ)·Cov(θ̂)ᵢⱼ for the rates n⁻ʳ of an irregular family, divisor R−1."""
    scale = cell.n**cell.limits.rates
    found: MatrixEstimate = yield matrices.covariance(lambda part: scale[:, None] * part.error)
    return {"raw": found.entries}


@Shared
def mean_score(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Mean of the mean score at θ*: E[s] at every n, over all replicates, whatever became of the fits."""
    return {"raw": (yield influence.mean(_score))}


@Shared
def score_covariance(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Covariance of √n·(mean score) at θ*, divisor R−1: B at every n, over all replicates."""
    found: MatrixEstimate = yield matrices.covariance(lambda part: np.sqrt(cell.n) * _score(part))
    return {"raw": found.entries}


def _score(part: Cell) -> Array:
    return part.score


@Shared
def information_error(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Relative Frobenius error ‖E J − A‖/‖A‖, cleared of Monte Carlo noise; limit 0."""
    limit = upper(cell.limits.hessian)
    found: dict[str, MatrixEstimate] = yield matrices.mean_information
    return {name: matrix_errors.relative_error(estimate, limit) for name, estimate in found.items()}


@Shared
def covariance_error(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Relative Frobenius error ‖n·Cov(θ̂) − Σ‖/‖Σ‖ with Σ = A⁻¹BA⁻¹, cleared of Monte Carlo noise; limit 0."""
    limit = upper(cell.limits.covariance)
    found: dict[str, MatrixEstimate] = yield matrices.scaled_covariance
    return {name: matrix_errors.relative_error(estimate, limit) for name, estimate in found.items()}


@Shared
def noise_floor(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Relative Frobenius error that Monte Carlo noise alone would show, for each matrix and estimator."""
    limits = {"information": upper(cell.limits.hessian), "covariance": upper(cell.limits.covariance)}
    found = yield {"information": matrices.mean_information, "covariance": matrices.scaled_covariance}
    return {
        f"{matrix}-{name}": matrix_errors.noise_floor(estimate, limits[matrix])
        for matrix, estimates in found.items()
        for name, estimate in estimates.items()
    }
