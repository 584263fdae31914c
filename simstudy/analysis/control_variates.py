"""Score control variates: statistics of the same data sets, of exactly known mean, that sharpen estimates.

At the limit θ*, with u = B^{-1/2}√n·(mean score), theory gives E u = 0, E uuᵀ = 1 and E J₀ = A for the
observed information J₀ at θ*. A mean h̄ is regressed on all of these controls g jointly and read off where
their means are exact, h̄ − β̂ᵀ(ḡ − E g). Jointly, because each alone misses the point: in an exponential
family J₀ is constant or linear in u, while J varies through θ̂; and θ̂ − θ* is quadratic in u at its second
order. So the variance falls by a factor of order n for the covariance, n for bias and information, and n²
for these two in exponential families.

Estimates are adjusted in `sharpening`; columns and leverages are had part by part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis.packed import products, upper
from simstudy.analysis.reductions import Extent, JointMoment, JointMoments, Range
from simstudy.analysis.streaming import Rows, Shared, Steps
from simstudy.parameters import Array
from simstudy.study.limits import Limits

if TYPE_CHECKING:
    from simstudy.analysis.cell import Cell
    from simstudy.analysis.facts import Facts

REPLICATES_PER_CONTROL = 10
"""Replicates that a coefficient must rest on: fitting k of them multiplies the variance by about 1 + k/R."""
ROUNDING = 16.0 * float(np.finfo(float).eps)
"""Relative accuracy of a recorded number; no Monte Carlo error is claimed below it."""
_CONSTANT = 1e-12
_COLLINEAR = 1e-9
_LEAST_FREEDOM = 1e-6


@dataclass(frozen=True, eq=False)
class Controls:
    """k orthonormal controls over R replicates, linear in l raw ones.

    Attributes
    ----------
    raw
        The raw controls (l, rows) of a part, whose known means are zero.
    centre : (l,)
        Their sample means.
    rotation : (k, l)
        Turns their deviations into controls with sample mean 0 and sample covariance 1.
    offset : (k,)
        Sample means of the controls less their known means, before they were centred.
    replicates
        R.
    """

    raw: Rows
    centre: Array
    rotation: Array
    offset: Array
    replicates: int

    def columns(self, part: Any) -> Array:
        """Return the controls (k, rows) of all replicates of a part."""
        return np.asarray(np.einsum("ij,jr->ir", self.rotation, self.raw(part) - self.centre[:, None]))

    def leverage(self, part: Any) -> Array:
        """Return g̃ᵢᵀC⁻¹g̃ᵢ/R, (rows,): what the controls of a replicate count in the regression."""
        columns = part.derived(self.columns)
        return np.asarray(np.einsum("kr,kr->r", columns, columns) / self.replicates)

    def freedom(self, part: Any) -> Array:
        """Return 1 − leverage, (rows,), in the regression on the controls and a constant."""
        return np.asarray(np.maximum(1.0 - 1.0 / self.replicates - part.derived(self.leverage), _LEAST_FREEDOM))

    def pull(self, part: Any) -> Array:
        """Return g̃ᵢᵀC⁻¹(gᵢ − E g)/R, (rows,): how much an adjustment moves with its own residual."""
        columns = part.derived(self.columns)
        return np.asarray(part.derived(self.leverage) + np.einsum("k,kr->r", self.offset, columns) / self.replicates)


@Shared
def score_controls(cell: Facts) -> Steps[Controls | None]:
    """Return the score controls that the replicates of a cell can bear, None if fewer than two converged."""
    return (yield from controls(cell.limits, cell.n, cell.total)) if cell.usable > 1 else None


def controls(limits: Limits, n: int, replicates: int) -> Steps[Controls | None]:
    """Return the controls that R replicates can bear, or None.

    All p + 2q of them if R ≥ 10(p + 2q + 1), else the p scores if R ≥ 10(p + 1), else none. They are made of mean score
    and observed information at θ* of all replicates, whatever became of the fit.

    Parameters
    ----------
    limits, n
        Limits, whose A and B are the known means, and the sample size.
    replicates
        R.
    """
    size, known = len(limits.theta), upper(limits.hessian)
    whitening = _whitening(limits.score_covariance)
    if whitening is None or replicates < REPLICATES_PER_CONTROL * (size + 1):
        return None

    def linear(part: Cell) -> Array:
        """u = B^{-1/2}√n·(mean score), (p, rows), of mean 0 and covariance 1."""
        return np.asarray(np.sqrt(n) * np.einsum("ij,jr->ir", whitening, part.all_scores))

    def quadratic(part: Cell) -> Array:
        """u, uuᵀ − 1 and J₀ − A, (p + 2q, rows)."""
        u = linear(part)
        squares = products(u)
        squares -= upper(np.eye(size))[:, None]
        return np.concatenate([u, squares, part.all_information - known[:, None]])

    if replicates < REPLICATES_PER_CONTROL * (size + 2 * len(known) + 1):
        return (yield from orthonormal(linear))
    return (yield from orthonormal(quadratic, size + len(known)))


def _whitening(covariance: Array) -> Array | None:
    """Return B^{-1/2}, (p, p); None where B is unusable."""
    scale = np.sqrt(np.diagonal(covariance))
    correlation = covariance / np.outer(scale, scale)
    if not np.isfinite(correlation).all():
        return None
    variances, directions = np.linalg.eigh(correlation)
    return np.asarray((directions / np.sqrt(np.maximum(variances, _CONSTANT))).T / scale)


def _information(part: Cell) -> Array:
    return part.all_information


def _constant(extent: Extent) -> NDArray[np.bool_]:
    """Tell which values (k,) vary by rounding alone."""
    return np.asarray(extent.high - extent.low <= _CONSTANT * extent.size)


def orthonormal(raw: Rows, information: int | None = None) -> Steps[Controls | None]:
    """Turn controls (l, rows) of known mean zero into orthonormal ones, dropping the constant and the collinear.

    None where a control is not finite.

    Parameters
    ----------
    raw
        The raw controls of a part.
    information
        Where in their order those begin that are entries of J₀, which are constant if J₀ varies by rounding alone.
    """
    found: JointMoment
    if information is None:
        found, kept = (yield JointMoments(raw)), np.ones(1, bool)
    else:
        found, extent = yield JointMoments(raw), Range(_information)
        kept = np.append(np.ones(information, bool), ~_constant(extent))
    replicates = found.rows
    square = np.where(kept, np.diagonal(found.cross), 0.0) / replicates
    scale = np.sqrt(square)
    if not np.isfinite(scale).all():
        return None
    kept = scale > 0.0
    places = np.flatnonzero(kept)
    correlation = found.cross[np.ix_(places, places)] / np.outer(scale[kept], scale[kept]) / replicates
    variances, directions = np.linalg.eigh(correlation)
    usable = variances > _COLLINEAR * variances.max(initial=0.0)
    rotation = (directions[:, usable] / np.sqrt(variances[usable])).T / scale[kept]
    offset = rotation @ found.mean[kept]
    if kept.all():
        return Controls(raw, found.mean, rotation, offset, replicates)
    return Controls(lambda part: raw(part)[places], found.mean[kept], rotation, offset, replicates)
