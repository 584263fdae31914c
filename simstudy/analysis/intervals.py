"""Measures of confidence intervals, one estimator per method; all are conditional on convergence.

An interval is read as its reach below and above θ̂, so that all measures hold for angles as well, whose
error is taken the short way round. One that cannot be computed (NaN) neither covers nor misses: the measure
is then NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis import influence
from simstudy.analysis.influence import Estimate, Variance
from simstudy.analysis.reductions import Sums, Total
from simstudy.analysis.sample import Interval, Sample, SamplePart, errors
from simstudy.analysis.streaming import Rows, Shared, Steps, together
from simstudy.parameters import Array


def _of_each(sample: Sample, measure: Callable[[str], Steps[Estimate]]) -> Steps[dict[str, Estimate]]:
    """Return a measure of the intervals of each method."""
    return together({method: measure(method) for method in sample.intervals})


@Shared
def coverage(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Share of intervals that hold θ*; limit the nominal level where the interval is right."""

    def of(method: str) -> Rows:
        return lambda part: _held(part.error, *_reach(part, method))

    return _of_each(sample, lambda method: influence.proportion(of(method)))


@Shared
def bias_eliminated_coverage(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Share of intervals that hold the mean estimate θ̄ (Morris, White & Crowther 2019, section 5.2).

    θ̄ moves with the replicates as well. With P(c) the probability that an interval holds a fixed c,

        ψᵢ = 1{i holds θ̄} − P(θ̄) + P′(θ̄)(θ̂ᵢ − θ̄),

    and P′(θ̄) ≈ (P̂(θ̄ + δ) − P̂(θ̄ − δ))/(2δ), δ = S·R^(−1/5): the width at which squared bias and
    variance of a kernel density fall at the same rate. The derivative is that of the density of the lower
    ends less that of the upper ones, nil for symmetric estimators. The MCSE is that of `influence.wilson`.
    """
    spread: Variance = yield influence.variance(errors)
    return (yield from _of_each(sample, lambda method: _eliminated(method, spread, sample.count)))


def _eliminated(method: str, spread: Variance, replicates: int) -> Steps[Estimate]:
    """Return the share of one method; mean ψ² is P(1−P) + 2P′·mean(1{holds}(θ̂−θ̄)) + P′²·mean (θ̂−θ̄)²."""
    step = spread.root * replicates**-0.2

    def counted(part: SamplePart) -> Array:
        centred, (below, above) = part.error - spread.mean[:, None], _reach(part, method)
        held = _held(centred, below, above)
        up, down = (_hits(centred - t[:, None], below, above) for t in (step, -step))
        return np.concatenate([held, held * centred, up, down])

    found: Total = yield Sums(counted)
    value, joint, up, down = np.split(found.sum / found.rows, 4)
    slope = (up - down) * influence.inverse(2.0 * step)
    variance = value * (1.0 - value) + 2.0 * slope * joint + np.square(slope) * spread.centre
    return Estimate(value, influence.wilson(np.maximum(variance, 0.0), found.rows))


@Shared
def interval_width(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Mean width of the intervals; infinite where one of them is unbounded."""

    def of(method: str) -> Rows:
        return lambda part: np.subtract(*reversed(_ends(part, method)))

    return _of_each(sample, lambda method: influence.mean(of(method)))


@Shared
def rejection_rate(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Share of intervals that exclude the null value 0: power, or type I error where θ* = 0.

    NaN for a parameter that cannot be 0, such as a scale, and for an angle, whose 0 is a convention.
    """
    return _of_each(sample, lambda method: influence.proportion(lambda part: _excluded(part, method)))


def _excluded(part: SamplePart, method: str) -> Array:
    lower, upper = _ends(part, method)
    null = np.broadcast_to(part.null[:, None], lower.shape)
    return np.where(_unknown(null, lower, upper), np.nan, (null < lower) | (null > upper))


def _ends(part: SamplePart, method: str) -> Interval:
    return part.derived(_interval(method))


@cache
def _interval(method: str) -> Callable[[SamplePart], Interval]:
    """Return the function that gives the ends of the intervals of a method."""
    return lambda part: part.interval(method)


def _reach(part: SamplePart, method: str) -> tuple[Array, Array]:
    """Return θ̂ − lower and upper − θ̂, (p, m) each."""
    lower, upper = _ends(part, method)
    return part.theta - lower, upper - part.theta


def _held(error: Array, below: Array, above: Array) -> Array:
    """Tell which intervals hold the point from which the errors are measured: 0, 1, or NaN where one is unknown."""
    return np.where(_unknown(error, below, above), np.nan, _hits(error, below, above))


def _hits(error: Array, below: Array, above: Array) -> NDArray[np.bool_]:
    """Tell which intervals hold the point from which the errors are measured."""
    return np.asarray((error <= below) & (-error <= above))


def _unknown(*parts: Array) -> NDArray[np.bool_]:
    return np.asarray(np.logical_or.reduce([np.isnan(part) for part in parts]))
