"""What the score control variates save: how many times fewer replicates reach the same Monte Carlo error.

With ψ and ψ' the influences of the raw and of the controlled estimate, the factor is F = Σψ²/Σψ'². It is a ratio of
two means, so its own influence is F(ψ²/mean ψ² − ψ'²/mean ψ'²).
"""

from __future__ import annotations

import numpy as np

from simstudy.analysis.cell import Cell
from simstudy.analysis.control_variates import ROUNDING, Controls, score_controls
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate, Variance, error_of, variance
from simstudy.analysis.packed import diagonal
from simstudy.analysis.performance import squared_errors
from simstudy.analysis.reductions import JointMoment, JointMoments, Moment, Moments, Range
from simstudy.analysis.sample import accuracy, errors
from simstudy.analysis.sharpening import Controlled, Regression, adjust, controlled, regressed
from simstudy.analysis.streaming import Rows, Shared, Steps, together
from simstudy.parameters import Array


@Shared
def replicates_saved(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Variance of the raw estimate over that of the controlled one; of a matrix, of its diagonal entries.

    1 without controls. Infinite (its MCSE not a number) where the controlled estimate is exact but for rounding, and
    NaN where the raw one is. Given convergence, as the estimates are.
    """
    using: Controls | None
    error: Variance
    square: Moment
    using, error, square, rounding, extent = (
        yield score_controls, variance(errors), Moments(squared_errors), accuracy, Range(_information),
    )  # fmt: skip
    if using is None:
        one = np.where(np.isnan(error.mean), np.nan, 1.0)
        return dict.fromkeys(
            ("bias", "mse", "scaled_covariance", "mean_observed_information"), Estimate(one, 0.0 * one)
        )
    size, spread = np.sqrt(square.centre), np.sqrt(error.centre)
    factors = {
        "bias": _factor(errors, rounding, using),
        "mse": _factor(squared_errors, 2.0 * rounding * size, using),
        "scaled_covariance": _of_covariance(2.0 * rounding * spread, using),
        "mean_observed_information": _factor(_information, ROUNDING * extent.size, using),
    }
    return (yield from together(factors))


def _information(part: Cell) -> Array:
    return diagonal(part.information)


def _of_covariance(rounding: Array, using: Controls) -> Steps[Estimate]:
    """Return the factor for squares about the controlled mean."""
    average: Controlled = yield adjust(errors, using)
    centre = average.value[:, None]
    return (yield from _factor(lambda part: np.square(part.error - centre), rounding, using))


def _factor(of: Rows, rounding: Array, using: Controls) -> Steps[Estimate]:
    """Return the factor for the means of values (p, m), known to ``rounding`` (p,)."""
    regression: Regression = yield regressed(of, using)
    found: JointMoment
    own: Controlled
    found, own = yield JointMoments(lambda part: _squares(part, regression)), controlled(regression)
    raw_error, controlled_error = error_of(np.split(found.mean, 3)[0] * found.rows, found.rows), own.mcse
    factor = np.square(raw_error) / (np.square(controlled_error) + np.square(rounding))
    exact, constant = controlled_error <= rounding, raw_error <= rounding
    value = np.where(constant, np.nan, np.where(exact, np.inf, factor))
    mcse = factor * error_of(_square_of_psi(found), found.rows)
    return Estimate(value, np.where(np.isfinite(value), mcse, np.nan))


def _squares(part: Cell, regression: Regression) -> Array:
    """Return a = ψ², b = ψ'² and d = a − b, (3p, rows)."""
    a, b = np.square(regression.raw_psi(part)), np.square(part.derived(regression.psi))
    return np.concatenate([a, b, a - b])


def _square_of_psi(found: JointMoment) -> Array:
    """Return Σ(a/ā − b/b̄)², (p,), by the moments of a and b, or of a and d, so that nothing cancels.

    Where the controls change little, b near to a, it is Σ((d−d̄)/ā − d̄(a−ā)/ā²)²·(ā/b̄)².
    """
    a, b, d = np.split(found.mean, 3)
    (aa, ab, ad), (_, bb, _), (_, _, dd) = (
        [np.diagonal(block) for block in np.split(row, 3, axis=1)] for row in np.split(found.cross, 3)
    )
    apart = aa / np.square(a) - 2.0 * ab / (a * b) + bb / np.square(b)
    near = (dd - 2.0 * ad * d / a + aa * np.square(d / a)) / np.square(b)
    return np.asarray(np.maximum(np.where(b < 0.5 * a, apart, near), 0.0))
