"""What the Weibull and the Gumbel family share: minus the logarithm of a Weibull is a Gumbel of maxima.

With v = k(log x − log λ) for the one and v = −(x − m)/s for the other, the log-density is v − eᵛ and terms without v.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.numerics import trace
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array

EULER = float(np.euler_gamma)
STANDARD_VARIANCE = math.pi**2 / 6.0
"""Variance of log E, E standard exponential; its mean is −γ."""

_TOLERANCE = 1e-11
_ITERATIONS = 100


class ExponentialMeans(NamedTuple):
    """Means over the observations of a data set of w = eᵛ, v w, v² w, and of w², v w² and v² w² where asked for."""

    w: Array
    vw: Array
    vvw: Array
    ww: Array
    vww: Array
    vvww: Array


def exponential_means(v: Array, *, squares: bool) -> ExponentialMeans:
    """Return the means, each (R,), for v (R, n); those with w² are NaN unless asked for."""
    w = np.exp(v)
    vw = v * w
    first = w.mean(axis=-1), vw.mean(axis=-1), mean_product(v, vw)
    if not squares:
        return ExponentialMeans(*first, *([np.full(len(v), np.nan)] * 3))
    return ExponentialMeans(*first, mean_product(w, w), mean_product(w, vw), mean_product(vw, vw))


class Profile(NamedTuple):
    """The power t that solves the profile equation of y, log mean e^{ty}, whether it was found, and the iterations."""

    power: Array
    log_mean: Array
    done: NDArray[np.bool_]
    iterations: NDArray[np.int16]


def moment_power(mean: Array, mean_square: Array) -> Array:
    """Return π/(√6 sd), the power by the first two moments of y; one where the data do not vary."""
    variance = mean_square - mean * mean
    return np.asarray(math.sqrt(STANDARD_VARIANCE) / np.where(variance > 0.0, np.sqrt(variance), 1.0))


def log_mean_power(y: Array, power: Array) -> Array:
    """Return log mean e^{ty} of y ≤ 0."""
    return _moments(y, power).log_mean


class _Moments(NamedTuple):
    """Of y under the weights w ∝ e^{ty}: log mean w, mean, variance and third central moment."""

    log_mean: Array
    mean: Array
    variance: Array
    third: Array


def _moments(y: Array, t: Array) -> _Moments:
    w = y * t[:, np.newaxis]
    np.exp(w, out=w)
    mean = w.mean(axis=-1)
    w *= y
    first, second = w.mean(axis=-1) / mean, mean_product(w, y) / mean
    w *= y
    third = mean_product(w, y) / mean
    variance = second - first * first
    return _Moments(np.log(mean), first, variance, third - first * (3.0 * second - 2.0 * first * first))


def solve_profile(y: Array, mean: Array, start: Array, exists: NDArray[np.bool_], name: str = "shape") -> Profile:
    """Solve f(t) = 1 + t(ȳ − E_w[y]) = 0, w ∝ e^{ty}, by Halley's method in log t within a live bracket.

    Of censored lifetimes, ȳ is the mean over what was seen. f falls monotonely from 1, so its sign keeps the bracket.
    Convergence is cubic: a decrement f²/|f′| of 10⁻¹¹ before a step leaves an error below rounding after it. The
    largest y is 0, so that no power overflows.
    """
    rows = len(y)
    t, log_mean = start.copy(), np.zeros(rows)
    done, iterations = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=np.int16)
    left = np.flatnonzero(exists)
    if len(left) < rows:
        y, mean = y[left], mean[left]
    low, high = np.zeros(len(left)), np.full(len(left), np.inf)
    watched = trace.begin("Halley on the profile")
    for _ in range(_ITERATIONS):
        if not len(left):
            break
        now = t[left]
        moments = _moments(y, now)
        f = 1.0 + now * (mean - moments.mean)
        bend = now * now * moments.variance
        slope = (f - 1.0) - bend
        curve = slope - 2.0 * bend - now * bend * moments.third / moments.variance
        low, high = np.where(f > 0.0, now, low), np.where(f > 0.0, high, now)
        moved = now * np.exp(_halley(f, slope, curve))
        inside = (moved >= low) & (moved <= high)
        moved = np.where(inside, moved, np.where(high < np.inf, 0.5 * (low + high), 2.0 * now))
        step = moved - now
        finished = inside & (f * f <= _TOLERANCE * -slope)
        series = moments.mean + step * (moments.variance / 2.0 + step * moments.third / 6.0)
        fresh = ~done[left]  # a finished row stays as it is, however long its neighbours take
        if watched:
            outside = {"left the bracket": ~inside}
            watched.note(left, {name: now}, fresh, decrement=-f * f / slope, safeguard=outside)
        iterations[left] += fresh
        t[left] = np.where(fresh, moved, now)
        log_mean[left] = np.where(fresh, moments.log_mean + step * series, log_mean[left])
        done[left] |= finished
        keep = ~done[left]
        if not keep.any():
            break
        if keep.sum() < 0.5 * len(left):
            left, y, mean, low, high = left[keep], y[keep], mean[keep], low[keep], high[keep]
    return Profile(t, log_mean, done, iterations)


def _halley(f: Array, slope: Array, curve: Array) -> Array:
    """Return Halley's step, or Newton's where Halley's does not go downhill, at most one."""
    newton = -f / slope
    denominator = 1.0 + 0.5 * newton * curve / slope
    return np.clip(np.where(denominator > 0.5, newton / denominator, newton), -1.0, 1.0)
