"""Estimates of whole symmetric matrices, with the covariance of their entries."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis.control_variates import ROUNDING, Controls, adjust
from simstudy.analysis.influence import Estimate, centre, inverse, mcse, variance
from simstudy.analysis.packed import diagonal, multiplicity, products, upper
from simstudy.parameters import Array


class MatrixEstimate(NamedTuple):
    """An estimated symmetric matrix as q packed entries.

    Attributes
    ----------
    value : (q,)
        The entries.
    covariance : (q, q)
        Monte Carlo covariance of the entries, ΣψᵢψᵢᵀR⁻¹(R−1)⁻¹ (and rounding, where that is larger).
    noise : Estimate
        √Σ MCSE² over all p² entries, the Frobenius norm that pure noise would have, with its own MCSE.
    """

    value: Array
    covariance: Array
    noise: Estimate

    @property
    def entries(self) -> Estimate:
        """The entries with their Monte Carlo standard errors."""
        return Estimate(self.value, np.sqrt(np.diagonal(self.covariance)))


def mean(entries: Array) -> MatrixEstimate:
    """Return the mean of packed matrices (q, m); ψᵢ = Jᵢ − J̄."""
    return _estimate(*centre(entries))


def controlled_mean(entries: Array, converged: NDArray[np.bool_], using: Controls) -> MatrixEstimate:
    """Return the mean of packed positive matrices (q, m) sharpened by the controls."""
    value, influence = adjust(entries, converged, using)
    size = np.sqrt(diagonal(np.abs(entries).max(axis=-1)))
    return _estimate(value, influence, rounding=ROUNDING * upper(np.outer(size, size)))


def covariance(vectors: Array) -> MatrixEstimate:
    """Return the covariance S of vectors (p, m), divisor m−1; ψᵢ = (zᵢ−z̄)(zᵢ−z̄)ᵀ − S, centred."""
    average, influence = centre(products(centre(vectors)[1]))
    replicates = vectors.shape[-1]
    return _estimate(average * (replicates / (replicates - 1)), influence)


def controlled_covariance(
    vectors: Array, converged: NDArray[np.bool_], using: Controls, accuracy: Array
) -> MatrixEstimate:
    """Return the covariance of vectors z (p, m) sharpened by the controls; ``accuracy`` (p,) is that of z.

    With b the controlled mean of z, this is the controlled mean of (z−b)(z−b)ᵀ plus the Monte Carlo
    covariance of b, which the centring took away (with b = z̄ and no control, exactly the divisor m−1).
    Centring at z̄ instead would leave the noise of z̄z̄ᵀ in the estimate, which hides any gain beyond a
    factor R.
    """
    average, average_influence = adjust(vectors, converged, using)
    value, influence = adjust(products(vectors - average[:, None]), converged, using)
    lost = upper(_cross(average_influence))
    size = np.outer(accuracy, np.sqrt(variance(vectors)[0]))
    return _estimate(value + lost, influence, rounding=upper(size + size.T))


def _estimate(value: Array, influence: Array, rounding: Array | float = 0.0) -> MatrixEstimate:
    """Summarise influences (q, R); ``rounding`` (q,) is the accuracy below which no error is claimed."""
    entries = _cross(influence)
    entries[np.diag_indices_from(entries)] += np.square(rounding)
    weights = multiplicity(len(value))
    square = weights @ np.diagonal(entries)
    replicates = influence.shape[-1]
    summed = np.einsum("q,qr,qr->r", weights, influence, influence) / (replicates - 1)
    spread = mcse(centre(summed[None])[1])
    floor = np.sqrt(square)[None]
    return MatrixEstimate(value, entries, Estimate(floor, inverse(2.0 * floor) * spread))


def _cross(influence: Array) -> Array:
    """Return the Monte Carlo covariance (k, k) of estimates with influences (k, R), without BLAS."""
    replicates = influence.shape[-1]
    return np.asarray(np.einsum("ar,br->ab", influence, influence) / (replicates * (replicates - 1)))
