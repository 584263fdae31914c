"""Measures of how information, covariance and score approach their limits as n → ∞."""

from __future__ import annotations

import numpy as np

from simstudy.analysis import influence, matrices, matrix_errors
from simstudy.analysis.cell import Cell
from simstudy.analysis.influence import Estimate, mcse
from simstudy.analysis.packed import upper

TAILS = {"5%": 0.05, "95%": 0.95}


def mean_observed_information(cell: Cell) -> dict[str, Estimate]:
    """Mean of the observed information J at θ̂; limit A."""
    return {name: estimate.entries for name, estimate in cell.mean_information.items()}


def sd_observed_information(cell: Cell) -> dict[str, Estimate]:
    """Spread of J from data set to data set as a standard deviation, of order n^-½."""
    value, psi = influence.standard_deviation(cell.information)
    return {"raw": Estimate(value, mcse(psi))}


def quantile_observed_information(cell: Cell) -> dict[str, Estimate]:
    """Quantiles of J, between which nine data sets in ten lie."""
    return {name: influence.quantile(cell.information, probability) for name, probability in TAILS.items()}


def scaled_covariance(cell: Cell) -> dict[str, Estimate]:
    """n·Cov(θ̂), divisor R−1; limit A⁻¹BA⁻¹."""
    return {name: estimate.entries for name, estimate in cell.covariance.items()}


def rate_covariance(cell: Cell) -> dict[str, Estimate]:
    """n^(rᵢ + rⱼ)·Cov(θ̂)ᵢⱼ for the rates n⁻ʳ of an irregular family, divisor R−1."""
    scale = cell.n**cell.limits.rates
    return {"raw": matrices.covariance(scale[:, None] * cell.error).entries}


def mean_score(cell: Cell) -> dict[str, Estimate]:
    """Mean of the mean score at θ*: E[s] at every n, over all replicates, whatever became of the fits."""
    return {"raw": influence.mean(cell.score)}


def score_covariance(cell: Cell) -> dict[str, Estimate]:
    """Covariance of √n·(mean score) at θ*, divisor R−1: B at every n, over all replicates."""
    return {"raw": matrices.covariance(np.sqrt(cell.n) * cell.score).entries}


def information_error(cell: Cell) -> dict[str, Estimate]:
    """Relative Frobenius error ‖E J − A‖/‖A‖, cleared of Monte Carlo noise; limit 0."""
    limit = upper(cell.limits.hessian)
    return {name: matrix_errors.relative_error(estimate, limit) for name, estimate in cell.mean_information.items()}


def covariance_error(cell: Cell) -> dict[str, Estimate]:
    """Relative Frobenius error ‖n·Cov(θ̂) − Σ‖/‖Σ‖ with Σ = A⁻¹BA⁻¹, cleared of Monte Carlo noise; limit 0."""
    limit = upper(cell.limits.covariance)
    return {name: matrix_errors.relative_error(estimate, limit) for name, estimate in cell.covariance.items()}


def noise_floor(cell: Cell) -> dict[str, Estimate]:
    """Relative Frobenius error that Monte Carlo noise alone would show, for each matrix and estimator."""
    information, covariance = upper(cell.limits.hessian), upper(cell.limits.covariance)
    floor = matrix_errors.noise_floor
    return {
        **{f"information-{name}": floor(found, information) for name, found in cell.mean_information.items()},
        **{f"covariance-{name}": floor(found, covariance) for name, found in cell.covariance.items()},
    }
