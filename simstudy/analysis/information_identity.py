"""The second Bartlett identity: at θ* the score products and the Hessian of one observation have the same mean."""

from __future__ import annotations

import numpy as np

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.influence import Estimate
from simstudy.analysis.packed import upper
from simstudy.parameters import Array


def second_bartlett(cell: Cell) -> dict[str, Estimate]:
    """Mean of K₀ − J₀ at θ*, over all replicates where it is finite, whatever became of the fits.

    K₀ the mean score products, J₀ the observed information. Its mean is E[s sᵀ] + E[∂²ℓ] at every n: 0 where the model
    is right and regular.
    """
    difference = np.ascontiguousarray(cell.all_products) - cell.all_information
    finite = np.isfinite(difference).all(axis=0)
    if finite.sum() < 2:
        difference = np.full((len(difference), 2), np.nan)
    elif not finite.all():
        difference = difference[:, finite]
    return {"raw": influence.mean(difference)}


def limit(cell: Cell) -> Array:
    """Return B + E[s]E[s]ᵀ − A; NaN without θ*."""
    found = cell.limits
    return upper(found.score_covariance + np.outer(found.score_mean, found.score_mean) - found.hessian)
