"""What the score control variates save: how many times fewer replicates reach the same Monte Carlo error.

With ψ and ψ' the influences of the raw and of the controlled estimate, the factor is F = Σψ²/Σψ'². It is a ratio of
two means, so its own influence is F(ψ²/mean ψ² − ψ'²/mean ψ'²).
"""

from __future__ import annotations

import numpy as np

from simstudy.analysis.cell import Cell
from simstudy.analysis.control_variates import ROUNDING, Controls, adjust
from simstudy.analysis.influence import Estimate, centre, mcse
from simstudy.analysis.packed import diagonal
from simstudy.parameters import Array


def replicates_saved(cell: Cell) -> dict[str, Estimate]:
    """Variance of the raw estimate over that of the controlled one; of a matrix, of its diagonal entries.

    1 without controls. Infinite (its MCSE not a number) where the controlled estimate is exact but for rounding, and
    NaN where the raw one is. Given convergence, as the estimates are.
    """
    error, information, using = cell.error, diagonal(cell.information), cell.controls
    accuracy = cell.accuracy
    if using is None:
        one = np.where(np.isnan(error).any(axis=-1), np.nan, 1.0)
        return dict.fromkeys(
            ("bias", "mse", "scaled_covariance", "mean_observed_information"), Estimate(one, 0.0 * one)
        )
    average = adjust(error, cell.converged, using)[0]
    size, spread = np.sqrt(np.square(error).mean(axis=-1)), error.std(axis=-1)
    return {
        "bias": _factor(error, accuracy, cell, using),
        "mse": _factor(np.square(error), 2.0 * accuracy * size, cell, using),
        "scaled_covariance": _factor(np.square(error - average[:, None]), 2.0 * accuracy * spread, cell, using),
        "mean_observed_information": _factor(information, ROUNDING * np.abs(information).max(axis=-1), cell, using),
    }


def _factor(values: Array, rounding: Array, cell: Cell, using: Controls) -> Estimate:
    """Return the factor for the means of values (p, m), known to ``rounding`` (p,)."""
    replicates, deviation = len(cell.converged), centre(values)[1]
    raw = np.zeros((len(values), replicates))
    raw[:, cell.converged] = deviation * (replicates / values.shape[-1])
    controlled = adjust(values, cell.converged, using)[1]
    raw_error, controlled_error = mcse(raw), mcse(controlled)
    factor = np.square(raw_error) / (np.square(controlled_error) + np.square(rounding))
    psi = _relative_square(raw) - _relative_square(controlled)
    exact, constant = controlled_error <= rounding, raw_error <= rounding
    value = np.where(constant, np.nan, np.where(exact, np.inf, factor))
    return Estimate(value, np.where(np.isfinite(value), factor * mcse(psi), np.nan))


def _relative_square(psi: Array) -> Array:
    square = np.square(psi)
    return np.asarray(square / square.mean(axis=-1, keepdims=True))
