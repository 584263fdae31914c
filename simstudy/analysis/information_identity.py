"""The second Bartlett identity: at θ* the score products and the Hessian of one observation have the same mean."""

from __future__ import annotations

import numpy as np

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate
from simstudy.analysis.packed import upper
from simstudy.analysis.streaming import Shared, Steps
from simstudy.parameters import Array


@Shared
def second_bartlett(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Mean of K₀ − J₀ at θ*, over all replicates where it is finite, whatever became of the fits.

    K₀ the mean score products, J₀ the observed information. Its mean is E[s sᵀ] + E[∂²ℓ] at every n: 0 where the model
    is right and regular.
    """
    return {"raw": (yield influence.mean(_difference))}


def _difference(part: Cell) -> Array:
    difference = np.ascontiguousarray(part.all_products) - part.all_information
    finite = np.isfinite(difference).all(axis=0)
    return difference if finite.all() else np.asarray(difference[:, finite])


def limit(cell: Facts) -> Array:
    """Return B + E[s]E[s]ᵀ − A; NaN without θ*."""
    found = cell.limits
    return upper(found.score_covariance + np.outer(found.score_mean, found.score_mean) - found.hessian)
