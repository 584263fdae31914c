"""The information matrix test of every data set (White 1982, Econometrica 50, theorem 4.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simstudy.analysis import influence
from simstudy.analysis.bias_correction import MOST_PARAMETERS, from_coordinates, unconstrained
from simstudy.analysis.cell import Cell
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate
from simstudy.analysis.interpolation import Function, everywhere
from simstudy.analysis.packed import diagonal, quadratic
from simstudy.analysis.streaming import Shared, Steps
from simstudy.families.white import White
from simstudy.numerics.symmetric import pack, pairs
from simstudy.parameters import Array
from simstudy.study.higher_order import white_at
from simstudy.study.scenario import Scenario

# What vanishes identically has eigenvalues of rounding, some 1e-15; others were seen from 1e-9 on.
_NOTHING = 1e-12
# Relative error that interpolation may add to a statistic, in units of R^-½: the share of rejections moves by a fifth
# of that at most, while its Monte Carlo error is a fifth of R^-½.
_SHARE = 0.1


def has_test(cell: Facts) -> bool:
    """Tell whether the entries of K − J have a covariance under the fitted model at θ*, and one that is not 0."""
    return cell.scenario is not None and cell.size <= MOST_PARAMETERS and _rank(_at_limit(cell)) > 0


def test_limit(cell: Facts) -> float:
    """Return the level of the test where the model is right."""
    return 1.0 - cell.level if cell.limits.right else float("nan")


@Shared
def information_matrix_test(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Share of data sets in which n dᵀV⁻d exceeds the χ² quantile of the level; limit 1 − level if the model is right.

    d are the entries of K − J at θ̂, the mean score products less the observed information. V is their covariance under
    the fitted model at θ̂, less what the estimation of θ takes away; its rank is the number of degrees of freedom, since
    some entries vanish identically. NaN where V is not to be had at every θ̂: V at θ* instead would have directions of
    little variance where d varies because θ̂ does.
    """
    assert cell.scenario is not None
    limit = _at_limit(cell)
    rank = _rank(limit)
    size = np.diagonal(_inverse(limit, rank)[0])
    left = np.flatnonzero(size > _NOTHING * size.max())
    function, tolerance = _weights(cell.scenario, rank, left), _SHARE / np.sqrt(cell.count)
    weights: Function | None = yield everywhere(function, unconstrained, cell.count, tolerance)
    if weights is None:
        return {"raw": Estimate(np.full(1, np.nan), np.full(1, np.nan))}
    bound = special.chdtri(rank, 1.0 - cell.level)

    def beyond(part: Cell) -> Array:
        own, d = weights(part.derived(unconstrained)), _difference(part)[left]
        statistic = part.n * quadratic(own[len(left) :], d * np.exp(own[: len(left)]))
        return np.where(np.isnan(statistic), np.nan, statistic > bound)[np.newaxis]

    return {"raw": (yield influence.proportion(beyond))}


def _difference(part: Cell) -> Array:
    """Return d in units of the expected information, (q, m)."""
    scale = 1.0 / np.sqrt(diagonal(part.expected))
    i, j = zip(*pairs(len(scale)), strict=True)
    return np.asarray((part.products - part.information) * scale[list(i)] * scale[list(j)])


def _weights(scenario: Scenario, rank: int, left: NDArray[np.intp]) -> Function:
    """Return the function of unconstrained coordinates (r, p) that gives ½ log of the diagonal of V⁻, and then V⁻.

    It is that of the entries of d that are left, and packed, in units of its diagonal, so that no value is large.
    """

    def function(points: Array) -> Array:
        with np.errstate(all="ignore"):
            found = white_at(scenario, from_coordinates(scenario, points))
            inverse = _inverse(found, rank)[:, left][:, :, left]
            unit = np.sqrt(np.einsum("raa->ra", inverse))
            return np.concatenate([np.log(unit), pack(inverse / unit[:, :, None] / unit[:, None, :])], axis=1)

    return function


def _at_limit(cell: Facts) -> White:
    assert cell.scenario is not None
    return white_at(cell.scenario, cell.limits.theta[np.newaxis])


def _rank(found: White) -> int:
    """Return the rank of V of one member; 0 where there is none."""
    residual = found.residual[0]
    return int((np.linalg.eigvalsh(residual) > _NOTHING).sum()) if np.isfinite(residual).all() else 0


def _inverse(found: White, rank: int) -> Array:
    """Return V⁻ (r, q, q), of the largest eigenvalues of what remains of each entry of d; NaN where there is no V."""
    sound = np.asarray(np.isfinite(found.residual).all(axis=(1, 2)))
    values, directions = np.linalg.eigh(np.where(sound[:, None, None], found.residual, 0.0))
    values, directions = values[:, -rank:], directions[:, :, -rank:]
    inverse = np.where(found.spread > 0.0, 1.0 / found.spread, 0.0)
    half = directions / np.sqrt(np.where(values > 0.0, values, np.nan))[:, None, :] * inverse[:, :, None]
    result = np.einsum("rak,rbk->rab", half, half)
    return np.where(sound[:, None, None], result, np.nan)
