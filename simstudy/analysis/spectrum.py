"""Eigenvalues of an estimated matrix S relative to its limit Σ, and functions of them.

The eigenvalues λ of Σ^-½SΣ^-½ do not change when the parameters are mapped linearly. With w the eigenvectors in the
coordinates of S (wₖᵀΣwₗ = 1 for k = l, else 0), Δ the Monte Carlo error of S and Vₖₗ = Var(wₖᵀΔwₗ):

- log det(SΣ⁻¹) = Σ log λₖ has gradient Σ wₖwₖᵀ/λₖ and, to second order, the bias −½ Σₖₗ Vₖₗ/(λₖλₗ), which is added
  back; what is left is of order R⁻².
- The largest eigenvalue has gradient w₁w₁ᵀ and, to second order, the bias Σₖ Vₖ₁/(λ₁ − λₖ): noise drives
  eigenvalues apart. The smallest is its mirror image. The formula fails where eigenvalues are close, as they are here,
  for in the limit all are 1. With h = (λ₁ − λₖ)/2, a pair is therefore drawn together by h − √max(0, h² − Vₖ₁), which
  is the same to second order where they are apart and no more than h at a tie, and λ₁ is never drawn below the mean of
  all. At ties of eigenvalues that leaves a bias outwards of about the size of the MCSE: a largest eigenvalue cannot
  be estimated without bias there. So the MCSE counts the shift s as error, √(V₁₁ + s²): of second order where
  eigenvalues are apart, and honest where they are not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate
from simstudy.analysis.matrices import MatrixEstimate, mean_information, scaled_covariance
from simstudy.analysis.packed import full
from simstudy.analysis.streaming import Shared, Steps
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array
from simstudy.study.limits import invert


class Spectrum(NamedTuple):
    """Eigenvalues of S relative to Σ, ascending.

    Attributes
    ----------
    values : (p,)
        λ.
    variances : (p, p)
        V, the Monte Carlo variances of wₖᵀΔwₗ.
    log_variance
        Monte Carlo variance of Σ wₖᵀΔwₖ/λₖ.
    """

    values: Array
    variances: Array
    log_variance: float


def usable(limit: Array) -> bool:
    """Tell whether a limit (p, p) is a positive definite matrix."""
    return bool(np.isfinite(invert(limit)).all())


def relative(estimate: MatrixEstimate, limit: Array) -> Spectrum:
    """Return the spectrum of an estimate relative to its limit (p, p); NaN where a matrix has none."""
    size = len(limit)
    matrix = full(estimate.value)
    if not (np.isfinite(matrix).all() and usable(limit)):
        return Spectrum(np.full(size, np.nan), np.full((size, size), np.nan), float("nan"))
    whitening = np.linalg.inv(np.linalg.cholesky(limit))
    values, vectors = np.linalg.eigh(whitening @ matrix @ whitening.T)
    directions = whitening.T @ vectors
    forms = np.stack([_form(directions[i], directions[j], i == j) for i, j in pairs(size)], axis=-1)
    spread = np.einsum("klq,qr,klr->kl", forms, estimate.covariance, forms)
    slope = np.einsum("kkq,k->q", forms, 1.0 / values)
    return Spectrum(values, spread, float(np.einsum("q,qr,r->", slope, estimate.covariance, slope)))


def _form(first: Array, second: Array, diagonal: bool) -> Array:
    """Return what entry (i, j) of Δ counts in wₖᵀΔwₗ, (p, p), given rows i and j of the eigenvectors."""
    product = np.outer(first, second)
    return product if diagonal else product + product.T


def _log_det(found: Spectrum) -> Estimate:
    """Return log det with its bias added back; NaN where S is not positive definite."""
    if not (found.values > 0.0).all():
        return Estimate(np.array([np.nan]), np.array([np.nan]))
    bend = np.sum(found.variances / np.outer(found.values, found.values))
    return Estimate(np.array([np.log(found.values).sum() + 0.5 * bend]), np.sqrt([found.log_variance]))


def _extreme(found: Spectrum, place: int) -> Estimate:
    """Return the largest (place −1) or smallest (place 0) eigenvalue."""
    own = found.values[place]
    others, variances = np.delete(found.values, place), np.delete(found.variances[place], place)
    half = 0.5 * np.abs(own - others)
    apart = np.sum(half - np.sqrt(np.maximum(0.0, half**2 - variances)))
    inwards = found.values.mean() - own
    shift = np.sign(inwards) * np.minimum(apart, np.abs(inwards))
    return Estimate(np.array([own + shift]), np.sqrt([found.variances[place, place] + shift**2]))


@Shared
def log_det_ratio(cell: Facts) -> Steps[dict[str, Estimate]]:
    """log det(SΣ⁻¹) of S = n·Cov(θ̂) and its limit Σ = A⁻¹BA⁻¹; limit 0."""
    estimates: dict[str, MatrixEstimate] = yield scaled_covariance
    return {name: _log_det(relative(found, cell.limits.covariance)) for name, found in estimates.items()}


@Shared
def largest_eigenvalue(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Largest eigenvalue of Σ^-½SΣ^-½ and, as ``information-…``, of A^-½J̄A^-½; limit 1."""
    return _extremes(cell, -1)


@Shared
def smallest_eigenvalue(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Smallest eigenvalue of Σ^-½SΣ^-½ and, as ``information-…``, of A^-½J̄A^-½; limit 1."""
    return _extremes(cell, 0)


def _extremes(cell: Facts, place: int) -> Steps[dict[str, Estimate]]:
    covariance, hessian = cell.limits.covariance, cell.limits.hessian
    covariances, informations = yield scaled_covariance, mean_information
    result = {name: _extreme(relative(found, covariance), place) for name, found in covariances.items()}
    for name, found in informations.items():
        result[f"information-{name}"] = _extreme(relative(found, hessian), place)
    return result


def has_covariance(cell: Facts) -> bool:
    """Tell whether n·Cov(θ̂) has a positive definite limit."""
    return usable(cell.limits.covariance)


def no_change(cell: Facts) -> float:
    """Return the limit of the log determinant, 0."""
    return 0.0


def ones(cell: Facts) -> dict[str, float]:
    """Return the limits of eigenvalues: 1, or NaN relative to a matrix that is not positive definite."""
    one = {"": cell.limits.covariance, "information-": cell.limits.hessian}
    return {
        prefix + name: 1.0 if usable(limit) else float("nan")
        for prefix, limit in one.items()
        for name in ("raw", "control-variate")
    }
