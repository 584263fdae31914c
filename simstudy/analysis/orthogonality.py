"""How far parameters are estimated independently: correlations of the estimates, and of the information."""

from __future__ import annotations

import numpy as np

from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate
from simstudy.analysis.matrices import MatrixEstimate, mean_information, scaled_covariance
from simstudy.analysis.streaming import Shared, Steps
from simstudy.numerics.symmetric import order, pairs, position
from simstudy.parameters import Array


@Shared
def orthogonality(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Correlation of θ̂ᵢ and θ̂ⱼ, and J̄ᵢⱼ/√(J̄ᵢᵢJ̄ⱼⱼ); limits those of A⁻¹BA⁻¹ and of A, 0 for orthogonal parameters."""
    covariances, informations = yield scaled_covariance, mean_information
    return {"estimates": correlations(covariances["raw"]), "information": correlations(informations["raw"])}


def correlations(matrix: MatrixEstimate) -> Estimate:
    """Return r = Mᵢⱼ/√(MᵢᵢMⱼⱼ) off the diagonal; ψ = ψᵢⱼ/√(MᵢᵢMⱼⱼ) − ½r(ψᵢᵢ/Mᵢᵢ + ψⱼⱼ/Mⱼⱼ)."""
    size = order(len(matrix.value))
    found = [_correlation(matrix, i, j, size) for i, j in pairs(size) if i != j]
    value, variance = np.array(found).reshape(-1, 2).T
    return Estimate(value, np.sqrt(variance))


def _correlation(matrix: MatrixEstimate, i: int, j: int, size: int) -> tuple[float, float]:
    places = [position(i, j, size), position(i, i, size), position(j, j, size)]
    own, first, second = matrix.value[places]
    scale = np.sqrt(first * second)
    slope = np.array([1.0 / scale, -0.5 * own / scale / first, -0.5 * own / scale / second])
    # not matrix products, whose bits are not everywhere the same
    variance = np.einsum("a,ab,b->", slope, matrix.covariance[np.ix_(places, places)], slope)
    return own / scale, np.maximum(variance, 0.0)


def limits(cell: Facts) -> dict[str, Array]:
    """Return the correlations of the limits, NaN for a parameter that has no positive entry on the diagonal."""
    return {"estimates": _off_diagonal(cell.limits.covariance), "information": _off_diagonal(cell.limits.hessian)}


def _off_diagonal(matrix: Array) -> Array:
    own = np.diagonal(matrix)
    scale = np.sqrt(np.where(own > 0.0, own, np.nan))
    return np.array([matrix[i, j] / (scale[i] * scale[j]) for i, j in pairs(len(matrix)) if i != j])


def several(cell: Facts) -> bool:
    """Tell whether there are pairs of parameters."""
    return cell.size > 1
