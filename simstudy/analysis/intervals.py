"""Measures of confidence intervals, one estimator per method; all are conditional on convergence.

An interval is read as its reach below and above θ̂, so that all measures hold for angles as well, whose
error is taken the short way round. One that cannot be computed (NaN) neither covers nor misses: the measure
is then NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis import influence
from simstudy.analysis.influence import Estimate
from simstudy.analysis.sample import Sample
from simstudy.parameters import Array


def coverage(sample: Sample) -> dict[str, Estimate]:
    """Share of intervals that hold θ*; limit the nominal level where the interval is right."""
    result = {}
    for method in sample.intervals:
        below, above = _reach(sample, method)
        hits = _hits(sample.error, below, above)
        result[method] = influence.proportion(np.where(_unknown(sample.error, below, above), np.nan, hits))
    return result


def bias_eliminated_coverage(sample: Sample) -> dict[str, Estimate]:
    """Share of intervals that hold the mean estimate θ̄ (Morris, White & Crowther 2019, section 5.2).

    θ̄ moves with the replicates as well. With P(c) the probability that an interval holds a fixed c,

        ψᵢ = 1{i holds θ̄} − P(θ̄) + P′(θ̄)(θ̂ᵢ − θ̄),

    and P′(θ̄) ≈ (P̂(θ̄ + δ) − P̂(θ̄ − δ))/(2δ), δ = S·R^(−1/5): the width at which squared bias and
    variance of a kernel density fall at the same rate. The derivative is that of the density of the lower
    ends less that of the upper ones, nil for symmetric estimators. The MCSE is that of `influence.wilson`.
    """
    centred, (spread, _) = influence.centre(sample.error)[1], influence.standard_deviation(sample.error)
    replicates = centred.shape[-1]
    step = spread * replicates**-0.2
    result = {}
    for method in sample.intervals:
        below, above = _reach(sample, method)
        hits = _hits(centred, below, above)
        up, down = (_hits(centred - t[:, None], below, above).mean(axis=-1) for t in (step, -step))
        slope = (up - down) * influence.inverse(2.0 * step)
        value = np.where(_unknown(centred, below, above).any(axis=-1), np.nan, hits.mean(axis=-1))
        psi = hits - value[:, None] + slope[:, None] * centred
        variance = np.square(psi).mean(axis=-1)
        result[method] = Estimate(value, influence.wilson(variance, replicates))
    return result


def interval_width(sample: Sample) -> dict[str, Estimate]:
    """Mean width of the intervals; infinite where one of them is unbounded."""
    result = {}
    for method in sample.intervals:
        lower, upper = sample.interval(method)
        result[method] = influence.mean(upper - lower)
    return result


def rejection_rate(sample: Sample) -> dict[str, Estimate]:
    """Share of intervals that exclude the null value 0: power, or type I error where θ* = 0.

    NaN for a parameter that cannot be 0, such as a scale, and for an angle, whose 0 is a convention.
    """
    result = {}
    for method in sample.intervals:
        lower, upper = sample.interval(method)
        null = np.broadcast_to(sample.null[:, None], lower.shape)
        excluded = (null < lower) | (null > upper)
        result[method] = influence.proportion(np.where(_unknown(null, lower, upper), np.nan, excluded))
    return result


def _reach(sample: Sample, method: str) -> tuple[Array, Array]:
    """Return θ̂ − lower and upper − θ̂, (p, m) each."""
    lower, upper = sample.interval(method)
    return sample.theta - lower, upper - sample.theta


def _hits(error: Array, below: Array, above: Array) -> NDArray[np.bool_]:
    """Tell which intervals hold the point from which the errors are measured."""
    return np.asarray((error <= below) & (-error <= above))


def _unknown(*parts: Array) -> NDArray[np.bool_]:
    return np.asarray(np.logical_or.reduce([np.isnan(part) for part in parts]))
