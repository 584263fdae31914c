"""Score control variates: statistics of the same data sets, of exactly known mean, that sharpen estimates.

At the limit θ*, with u = B^{-1/2}√n·(mean score), theory gives E u = 0, E uuᵀ = 1 and E J₀ = A for the
observed information J₀ at θ*. A mean h̄ is regressed on all of these controls g jointly and read off where
their means are exact, h̄ − β̂ᵀ(ḡ − E g). Jointly, because each alone misses the point: in an exponential
family J₀ is constant or linear in u, while J varies through θ̂; and θ̂ − θ* is quadratic in u at its second
order. So the variance falls by a factor of order n for the covariance, n for bias and information, and n²
for these two in exponential families.

Unbiased: replicate i is adjusted with the coefficients β̂₋ᵢ fitted to the others, which leaves E β̂₋ᵢᵀ(gᵢ −
E g) = 0 exact, where one common β̂ would bring a bias of order 1/R (a quarter of the MCSE at R = 100). All
β̂₋ᵢ follow from one regression, β̂₋ᵢ = β̂ − C⁻¹g̃ᵢrᵢ/(R fᵢ) with residual rᵢ, centred control g̃ᵢ, C = Σ
g̃g̃ᵀ/R and fᵢ = 1 − leverage (Belsley, Kuh & Welsch 1980, eq. 2.1). The deleted residuals rᵢ/fᵢ are the
influences, since fitted residuals understate the error.

Failed replicates: known means hold over all replicates, while the estimates are conditional on convergence.
A conditional mean has influence ψᵢ = cᵢ(hᵢ − h̄)/ĉ over all replicates, c the indicator of convergence.
This ψ is regressed on the controls of all replicates, so that E g stays exact and the target unchanged.
That needs finite controls in every replicate; where one is not finite there are no controls, and the raw
estimate stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis.influence import centre
from simstudy.analysis.packed import products, upper
from simstudy.parameters import Array
from simstudy.study.limits import Limits

REPLICATES_PER_CONTROL = 10
"""Replicates that a coefficient must rest on: fitting k of them multiplies the variance by about 1 + k/R."""
ROUNDING = 16.0 * float(np.finfo(float).eps)
"""Relative accuracy of a recorded number; no Monte Carlo error is claimed below it."""
_CONSTANT = 1e-12
_COLLINEAR = 1e-9
_LEAST_FREEDOM = 1e-6


@dataclass(frozen=True)
class Controls:
    """k orthonormal controls over R replicates.

    Attributes
    ----------
    columns : (k, R)
        Controls with sample mean 0 and sample covariance 1.
    offset : (k,)
        Their sample means less their known means, before they were centred.
    freedom : (R,)
        1 − leverage of each replicate in the regression on the controls and a constant.
    pull : (R,)
        g̃ᵢᵀC⁻¹(gᵢ − E g)/R: how much the adjustment of a replicate moves with its own residual.
    """

    columns: Array
    offset: Array
    freedom: Array
    pull: Array


def controls(scores: Array, information: Array, limits: Limits, n: int) -> Controls | None:
    """Return the controls that R replicates can bear, or None.

    All p + 2q of them if R ≥ 10(p + 2q + 1), else the p scores if R ≥ 10(p + 1), else none.

    Parameters
    ----------
    scores, information : (p, R), (q, R)
        Mean score and observed information at θ* of all replicates, whatever became of the fit.
    limits, n
        Limits, whose A and B are the known means, and the sample size.
    """
    size, replicates = scores.shape
    linear = _standard_scores(scores, limits.score_covariance, n)
    if linear is None or replicates < REPLICATES_PER_CONTROL * (size + 1):
        return None
    if replicates < REPLICATES_PER_CONTROL * (size + 2 * len(information) + 1):
        return orthonormal(linear)
    squares = products(linear)
    squares -= upper(np.eye(size))[:, None]
    return orthonormal(np.concatenate([linear, squares, _excess(information, upper(limits.hessian))]))


def _standard_scores(scores: Array, covariance: Array, n: int) -> Array | None:
    """Return u = B^{-1/2}√n·(mean score), (p, R), of mean 0 and covariance 1; None where B is unusable."""
    scale = np.sqrt(np.diagonal(covariance))
    correlation = covariance / np.outer(scale, scale)
    if not np.isfinite(correlation).all():
        return None
    variances, directions = np.linalg.eigh(correlation)
    whitening = (directions / np.sqrt(np.maximum(variances, _CONSTANT))).T / scale
    return np.asarray(np.sqrt(n) * np.einsum("ij,jr->ir", whitening, scores))


def _excess(information: Array, limit: Array) -> Array:
    """Return J₀ − A, (q, R); entries that vary by rounding alone become zero."""
    excess = information - limit[:, None]
    excess[np.ptp(information, axis=-1) <= _CONSTANT * np.abs(information).max(axis=-1)] = 0.0
    return excess


def orthonormal(raw: Array) -> Controls | None:
    """Turn controls (k, R) of known mean zero into orthonormal ones, dropping the constant and the collinear.

    None where a control is not finite. Sums are plain loops, not BLAS, whose bits depend on its threads.
    """
    offset, columns = centre(raw)
    scale = np.sqrt([np.square(column).mean() for column in columns])
    if not np.isfinite(scale).all():
        return None
    kept = scale > 0.0
    columns, offset = columns if kept.all() else columns[kept], offset[kept] / scale[kept]
    columns /= scale[kept, None]
    replicates = columns.shape[-1]
    variances, directions = np.linalg.eigh(np.einsum("ir,jr->ij", columns, columns) / replicates)
    usable = variances > _COLLINEAR * variances.max(initial=0.0)
    rotation = (directions[:, usable] / np.sqrt(variances[usable])).T
    columns, offset = np.einsum("ij,jr->ir", rotation, columns), rotation @ offset
    own = np.einsum("kr,kr->r", columns, columns) / replicates
    pull = own + np.einsum("k,kr->r", offset, columns) / replicates
    return Controls(columns, offset, np.maximum(1.0 - 1.0 / replicates - own, _LEAST_FREEDOM), pull)


def adjust(values: Array, converged: NDArray[np.bool_], using: Controls) -> tuple[Array, Array]:
    """Return the controlled means of values (k, m) of the converged replicates, and influences (k, R).

    The value is the mean of hᵢ − β̂₋ᵢᵀ(gᵢ − E g); ψᵢ = (1 − 1/R)rᵢ/fᵢ, so that √(Σψ²/(R(R−1))) is the MCSE by
    the jackknife.
    """
    average, deviation = centre(values)
    replicates, share = len(converged), values.shape[-1] / len(converged)
    influence = deviation
    if share < 1.0:
        influence = np.zeros((len(values), replicates))
        influence[:, converged] = deviation / share
    coefficients = np.einsum("kr,cr->kc", influence, using.columns) / replicates
    deleted = np.einsum("kc,cr->kr", coefficients, using.columns)
    np.subtract(influence, deleted, out=deleted)
    deleted /= using.freedom
    own = np.einsum("kr,r->k", deleted, using.pull) / replicates
    deleted *= 1.0 - 1.0 / replicates
    return average - coefficients @ using.offset + own, deleted
