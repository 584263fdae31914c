"""Relative Frobenius error of an estimated matrix against its limit, cleared of Monte Carlo noise.

An estimate with errors δ and Monte Carlo covariance C of its entries has E‖estimate − limit‖² = ‖δ‖² + Σ
MCSE², so its naive norm never falls below the noise floor √Σ MCSE². With W the multiplicities of the
entries (1 on the diagonal, 2 off it) and δ̂ = estimate − limit,

    D² = δ̂ᵀWδ̂ − tr(WC)

is unbiased for ‖δ‖² however the entries correlate. Its variance, for normal errors of the entries, is
4 δᵀWCWδ + 2 tr(WCWC); the influences 2Σ Wδψ give the first term, the second is of second order and rules near
zero. Since E δ̂ᵀWCWδ̂ = δᵀWCWδ + tr(WCWC), the estimate of the variance is

    v = 2t + max(0, 4(δ̂ᵀWCWδ̂ − t)),   t = tr(WCWC),

never below what it is at δ = 0. With s = √v, the MCSE of D = √max(0, D²) is s/max(2D, √s): the delta method
where 2D ≥ √s, and √s, the root of the MCSE of D², nearer to zero, where the root has no useful derivative.
The two meet at 2D = √s. Near zero this bounds the error (about 1.8 times the true one at δ = 0).
"""

from __future__ import annotations

import numpy as np

from simstudy.analysis.influence import Estimate, inverse
from simstudy.analysis.matrices import MatrixEstimate
from simstudy.analysis.packed import multiplicity
from simstudy.parameters import Array


def frobenius(entries: Array) -> float:
    """Return the Frobenius norm of a symmetric matrix of packed entries (q,).

    >>> frobenius(np.array([3.0, 0.0, 4.0]))
    5.0
    """
    return float(np.sqrt(multiplicity(len(entries)) @ np.square(entries)))


def _size(limit: Array) -> float:
    """Return the norm by which errors are divided; an error relative to zero is not a number."""
    return frobenius(limit) or float("nan")


def relative_error(estimate: MatrixEstimate, limit: Array) -> Estimate:
    """Return √max(0, D²)/‖limit‖ with its MCSE, given the packed limit (q,)."""
    weights = multiplicity(len(limit))
    weighted = weights[:, None] * estimate.covariance
    deviation = estimate.value - limit
    square = np.maximum(0.0, frobenius(deviation) ** 2 - np.trace(weighted))
    second = 2.0 * np.sum(weighted * weighted.T)
    pull = weights * deviation
    first = np.maximum(0.0, 4.0 * (pull @ estimate.covariance @ pull) - 2.0 * second)
    error, spread = np.sqrt([square]), np.sqrt([first + second])
    slope = inverse(np.maximum(2.0 * error, np.sqrt(spread)))
    return Estimate(error / _size(limit), slope * spread / _size(limit))


def noise_floor(estimate: MatrixEstimate, limit: Array) -> Estimate:
    """Return √Σ MCSE²/‖limit‖, the relative error that pure noise would show, with its MCSE."""
    size = _size(limit)
    return Estimate(estimate.noise.value / size, estimate.noise.mcse / size)
