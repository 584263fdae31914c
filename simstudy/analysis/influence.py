"""Monte Carlo standard errors by influence functions.

An estimate T̂ from R independent replicates is, to first order, T + (1/R) Σ ψᵢ, where ψᵢ is the influence
of replicate i; so its Monte Carlo standard error (MCSE) is sd(ψ)/√R. Nothing is assumed of the distribution
of the estimator, unlike in Table 6 of Morris, White & Crowther (2019, Statistics in Medicine 38), whose
formulas for the empirical standard error and for the relative error of the model standard error hold for
normal estimators only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

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


def centre(values: Array) -> tuple[Array, Array]:
    """Return the means (k,) of values (k, R) and the deviations from them.

    The second pass removes the rounding of the first, so that equal values have deviations of exactly zero. Row by
    row, which spares the memory of a second array.
    """
    mean = values.mean(axis=-1)
    for entry, row in enumerate(values):
        mean[entry] += (row - mean[entry]).mean()
    return mean, values - mean[:, None]


def mcse(influence: Array) -> Array:
    """Return √(Σψᵢ²/(R(R−1))) for influences (k, R) that sum to zero."""
    replicates = influence.shape[-1]
    squares = np.array([np.square(row).sum() for row in influence])
    return np.asarray(np.sqrt(squares / (replicates * (replicates - 1))))


def mean(values: Array) -> Estimate:
    """Return the means of values (k, R); ψᵢ = xᵢ − x̄.

    The mean of infinite values is infinite (NaN where both signs occur), its MCSE unknown.
    """
    average, influence = centre(values)
    if np.isnan(average).any():
        average = np.where(np.isnan(average), values.mean(axis=-1), average)
    return Estimate(average, mcse(influence))


def variance(values: Array) -> tuple[Array, Array]:
    """Return the variances S² (k,) of values (k, R), divisor R−1, and ψᵢ = (xᵢ−x̄)² − S² (k, R), centred."""
    average, influence = centre(np.square(centre(values)[1]))
    replicates = values.shape[-1]
    return average * (replicates / (replicates - 1)), influence


def standard_deviation(values: Array) -> tuple[Array, Array]:
    """Return the standard deviations S (k,) of values (k, R) and ψᵢ = ((xᵢ−x̄)² − S²)/(2S)."""
    square, influence = variance(values)
    return np.sqrt(square), root(square, influence)


def standard_error(values: Array) -> Estimate:
    """Return the standard deviations of values (k, R); infinite values have an infinite one, its MCSE unknown."""
    value, psi = standard_deviation(values)
    return Estimate(np.where(np.isinf(values).any(axis=-1), np.inf, value), mcse(psi))


def root(square: Array, influence: Array) -> Array:
    """Return the influence ψᵢ/(2√v) of √v, given v (k,) and its own ψ (k, R); zero where all ψᵢ are zero."""
    return np.asarray(inverse(2.0 * np.sqrt(square))[..., None] * influence)


def inverse(values: Array) -> Array:
    """Return 1/x, and 0 where x is 0: the slope of a quantity that does not vary at all."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values != 0.0)


def proportion(hits: Array) -> Estimate:
    """Return the proportions of hits (k, R), whose entries are 0, 1 or NaN, with their MCSE by `wilson`."""
    p = hits.mean(axis=-1)
    return Estimate(p, wilson(p * (1.0 - p), hits.shape[-1]))


def wilson(variance: Array | float, replicates: int) -> Array:
    """Return the MCSE of a proportion p whose influences have that variance, p(1−p) where it is a plain share.

    It is the half-width of Wilson's interval over its normal quantile z, √(p(1−p)/R + z²/(4R²))/(1 + z²/R):
    √(p(1−p)/R) for large R, but never zero, not even at p = 0 or 1, where that claims certainty. One formula
    for all p keeps the MCSE continuous in p.
    """
    spread = np.sqrt(variance / replicates + (Z / (2.0 * replicates)) ** 2)
    return np.asarray(spread / (1.0 + Z**2 / replicates))


def quantile(values: Array, probability: float) -> Estimate:
    """Return quantiles of values (k, R), with MCSE from order statistics.

    The ranks Rq ± z√(Rq(1−q)) bound the quantile at the level of z, so (x₍ᵤ₎ − x₍ₗ₎)/(2z) is its standard
    error without a density estimate; where a rank falls off the sample, the difference is taken over what
    is left.
    """
    step = np.sqrt(probability * (1.0 - probability) / values.shape[-1])
    lower, upper = max(probability - Z * step, 0.0), min(probability + Z * step, 1.0)
    low, value, high = np.quantile(values, [lower, probability, upper], axis=-1)
    return Estimate(value, (high - low) * step / (upper - lower))
