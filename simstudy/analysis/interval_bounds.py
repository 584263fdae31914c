"""Ends of the confidence intervals of every converged replicate, by method, and the variance that these claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simstudy.analysis.packed import inverse_diagonal
from simstudy.inference.intervals import DATA_METHODS, wald, wald_on_real_line
from simstudy.parameters import Array
from simstudy.study.limits import invert

if TYPE_CHECKING:
    from simstudy.analysis.cell import Cell
    from simstudy.analysis.facts import Facts

_WALD = "wald-"
_OPG, _REAL_LINE, _SCORE = "wald-opg", "wald-log", "score"


def bounds(cell: Cell, method: str) -> tuple[Array, Array]:
    """Return lower and upper ends (p, m) by one of the cell's methods; NaN where there is no interval.

    Those of Wald are θ̂ ∓ z·se; the ends by a method that needs the data are those recorded.
    """
    if method in DATA_METHODS:
        return _recorded(cell, method)
    error, z = np.sqrt(_variances(cell, method)), cell.normal_quantile
    if method == _REAL_LINE:
        return wald_on_real_line(cell.theta, error, z, cell.domains)
    return wald(cell.theta, error, z)


def _recorded(cell: Cell, method: str) -> tuple[Array, Array]:
    size = len(cell.theta)
    first = 2 * size * [name for name in cell.intervals if name in DATA_METHODS].index(method)
    return cell.ends[first : first + size], cell.ends[first + size : first + 2 * size]


def _variances(cell: Cell, method: str) -> Array:
    """Return the variances (p, m) on which a method of Wald rests."""
    if method == _OPG:
        return inverse_diagonal(cell.products) / cell.n
    return cell.model_variances["observed" if method == _REAL_LINE else method.removeprefix(_WALD)]


def claimed(cell: Facts, method: str) -> Array:
    """Return the variance of θ̂ (p,) that an interval of this method is as wide as, in the limit.

    A⁻¹ⱼⱼ/n, I⁻¹ⱼⱼ/n, (A⁻¹BA⁻¹)ⱼⱼ/n or B⁻¹ⱼⱼ/n by what a Wald interval rests on. The deviance tends to n(θ̂ − θ*)²/A⁻¹ⱼⱼ,
    as the square of the observed Wald statistic does; the score statistic to n(θ̂ − θ*)²·I⁻¹ⱼⱼ/(A⁻¹ⱼⱼ)².
    """
    if method == _OPG:
        return np.asarray(np.diagonal(invert(cell.limits.score_covariance)) / cell.n)
    variances = cell.claimed_variances
    if method == _SCORE:
        return variances["observed"] ** 2 / variances["expected"]
    known = method.removeprefix(_WALD)
    return variances[known if known in variances else "observed"]
