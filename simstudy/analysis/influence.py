"""Monte Carlo standard errors by influence functions.

An estimate T̂ from R independent replicates is, to first order, T + (1/R) Σ ψᵢ, where ψᵢ is the influence
of replicate i; so its Monte Carlo standard error (MCSE) is sd(ψ)/√R. Nothing is assumed of the distribution
of the estimator, unlike in Table 6 of Morris, White & Crowther (2019, Statistics in Medicine 38), whose
formulas for the empirical standard error and for the relative error of the model standard error hold for
normal estimators only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simstudy.analysis.order_statistics import quantiles as exact_quantiles
from simstudy.analysis.reductions import Moment, Moments, Sums, Total
from simstudy.analysis.streaming import Rows, Steps
from simstudy.parameters import Array

Z = 1.959963984540054
"""Standard normal quantile of 97.5%: the width at which Wilson and order-statistic intervals are read."""


class Estimate(NamedTuple):
    """Entries of a performance measure, each with its Monte Carlo standard error.

    Attributes
    ----------
    value, mcse : (k,)
        One number per entry: k = 1, p or p(p+1)/2.
    """

    value: Array
    mcse: Array


class Variance(NamedTuple):
    """Variances of values xᵢ (k, R), and what their influence needs to be known of a part.

    Attributes
    ----------
    of
        The values of a part.
    mean, value : (k,)
        Means x̄, and variances S² with divisor R−1.
    centre : (k,)
        Means of (xᵢ−x̄)².
    """

    of: Rows
    mean: Array
    value: Array
    centre: Array

    @property
    def root(self) -> Array:
        """Standard deviations S, (k,)."""
        return np.sqrt(self.value)

    def psi(self, part: object) -> Array:
        """Return ψᵢ = (xᵢ−x̄)² − S², centred, of a part."""
        return np.asarray(np.square(self.of(part) - self.mean[:, None]) - self.centre[:, None])

    def root_psi(self, part: object) -> Array:
        """Return ψᵢ = ((xᵢ−x̄)² − S²)/(2S) of a part; zero where all are zero."""
        return np.asarray(inverse(2.0 * self.root)[:, None] * self.psi(part))


def error_of(squares: Array, replicates: int) -> Array:
    """Return the MCSE √(Σψᵢ²/(R(R−1))) from the sums Σψᵢ² of R influences that sum to zero."""
    if replicates < 2:
        return np.full_like(squares, np.nan)
    return np.asarray(np.sqrt(squares / (replicates * (replicates - 1))))


def mcse(psi: Rows) -> Steps[Array]:
    """Return the MCSE (k,) of influences ψ (k, R) that sum to zero."""
    found: Total = yield Sums(lambda part: np.square(psi(part)))
    return error_of(found.sum, found.rows)


def mean(of: Rows) -> Steps[Estimate]:
    """Return the means of values (k, R); ψᵢ = xᵢ − x̄.

    The mean of infinite values is infinite (NaN where both signs occur), its MCSE unknown. Fewer than two values tell
    nothing.
    """
    found: Moment = yield Moments(of)
    value = found.mean if found.rows > 1 else np.full_like(found.mean, np.nan)
    return Estimate(value, error_of(found.square, found.rows))


def variance(of: Rows) -> Steps[Variance]:
    """Return the variances S² (k,) of values (k, R), divisor R−1, with their influences."""
    found: Moment = yield Moments(of)
    return Variance(of, found.centre, found.variance, found.square / found.rows)


def standard_error(of: Rows) -> Steps[Estimate]:
    """Return the standard deviations of values (k, R); infinite values have an infinite one, its MCSE unknown."""
    square, infinite = yield variance(of), Sums(lambda part: np.isinf(of(part)))
    return Estimate(np.where(infinite.sum > 0, np.inf, square.root), (yield mcse(square.root_psi)))


def inverse(values: Array) -> Array:
    """Return 1/x, and 0 where x is 0: the slope of a quantity that does not vary at all."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values != 0.0)


def proportion(hits: Rows) -> Steps[Estimate]:
    """Return the proportions of hits (k, R), whose entries are 0, 1 or NaN, with their MCSE by `wilson`."""
    found: Total = yield Sums(lambda part: hits(part).astype(float))
    p = found.sum / found.rows
    return Estimate(p, wilson(p * (1.0 - p), found.rows))


def wilson(variance: Array | float, replicates: int) -> Array:
    """Return the MCSE of a proportion p whose influences have that variance, p(1−p) where it is a plain share.

    It is the half-width of Wilson's interval over its normal quantile z, √(p(1−p)/R + z²/(4R²))/(1 + z²/R):
    √(p(1−p)/R) for large R, but never zero, not even at p = 0 or 1, where that claims certainty. One formula
    for all p keeps the MCSE continuous in p.
    """
    spread = np.sqrt(variance / replicates + (Z / (2.0 * replicates)) ** 2)
    return np.asarray(spread / (1.0 + Z**2 / replicates))


def quantiles(of: Rows, probabilities: Sequence[float]) -> Steps[list[Estimate]]:
    """Return quantiles of values (k, R) at each probability q, with MCSE from order statistics.

    The ranks Rq ± z√(Rq(1−q)) bound the quantile at the level of z, so (x₍ᵤ₎ − x₍ₗ₎)/(2z) is its standard
    error without a density estimate; where a rank falls off the sample, the difference is taken over what
    is left.
    """
    reach: list[tuple[float, float, float]] = []

    def wanted(replicates: int) -> Array:
        for q in probabilities:
            step = float(np.sqrt(q * (1.0 - q) / replicates))
            reach.append((max(q - Z * step, 0.0), min(q + Z * step, 1.0), step))
        return np.array(
            [each for q, (low, high, _) in zip(probabilities, reach, strict=True) for each in (low, q, high)]
        )

    found: Array = yield exact_quantiles(of, wanted)
    return [
        Estimate(value, (high - low) * step / (upper - lower))
        for (low, value, high), (lower, upper, step) in zip(found.reshape(len(reach), 3, -1), reach, strict=True)
    ]
