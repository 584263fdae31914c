"""What the measures of confidence intervals tend to, by method."""

from __future__ import annotations

import numpy as np
from scipy import special

from simstudy.analysis.cell import Cell
from simstudy.parameters import Array
from simstudy.study.limits import invert

_ROUNDING = 1e-12
_CLAIMS = {
    "wald-observed": "observed",
    "wald-expected": "expected",
    "wald-sandwich": "sandwich",
    "wald-opg": "opg",
    "wald-log": "observed",
    "likelihood-ratio": "observed",
}
"""Kind of standard error that a method amounts to as n → ∞, also where the model is wrong: a profile likelihood has
the curvature of the j-th diagonal of A⁻¹."""


def ratios(cell: Cell) -> dict[str, Array]:
    """Return the limits of the standard error a method claims over the true one, (p,); NaN where there is none.

    There is none where the rate is not n^-½. Methods not listed, such as ``score``, have one where the model is right.
    """
    true = np.where(cell.regular, cell.limiting_variance, np.nan)
    claims = cell.claimed_variances | {"opg": np.diagonal(invert(cell.limits.score_covariance)) / cell.n}
    found = {name: np.sqrt(claimed / true) for name, claimed in claims.items()}
    right = found["observed"] if cell.limits.right else np.full_like(true, np.nan)
    return {method: found[_CLAIMS[method]] if method in _CLAIMS else right for method in cell.intervals}


def coverages(cell: Cell) -> dict[str, Array]:
    """Return P(|Z| ≤ z·ratio), which is the level where the ratio is 1."""
    return {method: _coverage(cell, ratio) for method, ratio in ratios(cell).items()}


def widths(cell: Cell) -> dict[str, Array]:
    """Return 2z times the standard error that is claimed."""
    reach = 2.0 * cell.normal_quantile * np.sqrt(cell.limiting_variance)
    return {method: reach * ratio for method, ratio in ratios(cell).items()}


def powers(cell: Cell) -> dict[str, Array]:
    """Return P(|Z + θ*/se| > z·ratio), the power at n were θ̂ normal; 1 − level where θ* is what is tested.

    Zero of each parameter is tested; NaN for one that cannot be.
    """
    shift = (cell.truth - cell.null) / np.sqrt(cell.limiting_variance)
    result = {}
    for method, ratio in ratios(cell).items():
        reach = cell.normal_quantile * ratio
        power = special.ndtr(shift - reach) + special.ndtr(-shift - reach)
        result[method] = np.where(shift == 0.0, 1.0 - _coverage(cell, ratio), power)
    return result


def _coverage(cell: Cell, ratio: Array) -> Array:
    covered = special.erf(cell.normal_quantile * ratio / np.sqrt(2.0))
    return np.where(np.abs(ratio - 1.0) < _ROUNDING, cell.level, covered)
