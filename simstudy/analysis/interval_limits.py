"""What the measures of confidence intervals tend to, by method."""

from __future__ import annotations

import numpy as np
from scipy import special

from simstudy.analysis.facts import Facts
from simstudy.analysis.interval_bounds import claimed
from simstudy.parameters import Array

_ROUNDING = 1e-12


def ratios(cell: Facts) -> dict[str, Array]:
    """Return the limits of the standard error a method claims over the true one, (p,); NaN where there is none.

    There is none where the rate is not n^-½.
    """
    true = np.where(cell.regular, cell.limiting_variance, np.nan)
    return {method: np.sqrt(claimed(cell, method) / true) for method in cell.intervals}


def coverages(cell: Facts) -> dict[str, Array]:
    """Return P(|Z| ≤ z·ratio), which is the level where the ratio is 1."""
    return {method: _coverage(cell, ratio) for method, ratio in ratios(cell).items()}


def widths(cell: Facts) -> dict[str, Array]:
    """Return 2z times the standard error that is claimed."""
    reach = 2.0 * cell.normal_quantile * np.sqrt(cell.limiting_variance)
    return {method: reach * ratio for method, ratio in ratios(cell).items()}


def powers(cell: Facts) -> dict[str, Array]:
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


def _coverage(cell: Facts, ratio: Array) -> Array:
    covered = special.erf(cell.normal_quantile * ratio / np.sqrt(2.0))
    return np.where(np.abs(ratio - 1.0) < _ROUNDING, cell.level, covered)
