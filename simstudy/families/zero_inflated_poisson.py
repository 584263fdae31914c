"""The zero-inflated Poisson family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.exponential_family import (
    ExponentialFamily,
    ExponentialLikelihood,
    Statistics,
    Terms,
    centred_products,
)
from simstudy.families.likelihood import Solution
from simstudy.families.poisson import mean_log_factorial
from simstudy.families.sample_space import COUNTS
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics import trace
from simstudy.numerics.special import exp_gap
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, UNIT_INTERVAL, Array, Columns, Parameter

_TOLERANCE = 1e-20
_ITERATIONS = 100


@final
class ZeroInflatedPoisson(ExponentialFamily):
    """0 with probability π, else a Poisson count: p(0) = w = π + (1−π)e^(−λ), p(x) = (1−π)e^(−λ)λˣ/x! for x > 0.

    An exponential family in T = (1{x > 0}, x). I(π, λ) = [[(1−e^(−λ))/((1−π)w), −e^(−λ)/w],
    [·, (1−π)(1/λ − πe^(−λ)/w)]].
    """

    name = "zero_inflated_poisson"
    formula = "p(x) = inflation·1{x = 0} + (1 − inflation)·exp(−rate)·rate^x/x!"
    parameters = (Parameter("inflation", UNIT_INTERVAL, (0.1, 0.7)), Parameter("rate", POSITIVE, (0.8, 20.0)))
    sample_space = COUNTS

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw Poisson counts and set a share π of them to 0."""
        counts = rng.poisson(theta[1], size)
        counts *= rng.random(size) >= theta[0]
        return np.asarray(counts)

    def statistics(self, x: Array) -> Statistics:
        """Return T = (1{x > 0}, x) and log h = −log x!; NaN where an observation is no count."""
        usable = self.sample_space.holds_all(x)
        positive = x > 0
        share, mean = (np.where(usable, value.mean(axis=-1), np.nan) for value in (positive, x))
        base = np.full(len(mean), np.nan)
        if usable.any():
            base[usable] = -mean_log_factorial(x if usable.all() else x[usable])
        (variance,) = centred_products(x - mean[:, np.newaxis])
        return Statistics((share, mean), (share * (1.0 - share), mean * (1.0 - share), variance), base)

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = (log((1−π)e^(−λ)/w), log λ), A = −log w and the moments of T."""
        inflation, rate = (np.asarray(column, dtype=float) for column in theta)
        rest, fallen = 1.0 - inflation, np.exp(-rate)
        zero = fallen - inflation * np.expm1(-rate)
        positive, mean = -rest * np.expm1(-rate), rest * rate
        slope = 1.0 / (rest * zero)
        tiny = np.finfo(float).tiny
        log_zero = np.log(np.maximum(zero, tiny))
        return Terms(
            natural=(np.log(np.maximum(rest, tiny)) - rate - log_zero, np.log(np.maximum(rate, tiny))),
            jacobian=((-slope, -inflation / zero), (0.0, 1.0 / rate)),
            curvature={
                (0, 0, 0): (1.0 - 2.0 * zero) * slope * slope,
                (0, 0, 1): -fallen / (zero * zero),
                (0, 1, 1): -inflation * rest * fallen / (zero * zero),
                (1, 1, 1): -1.0 / (rate * rate),
            },
            log_partition=-log_zero,
            mean=(positive, mean),
            covariance=(zero * positive, zero * mean, mean * (1.0 + inflation * rate)),
        )

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return the closed form."""
        inflation, rate = (np.asarray(column, dtype=float) for column in theta)
        rest, fallen = 1.0 - inflation, np.exp(-rate)
        zero = fallen - inflation * np.expm1(-rate)
        corner = rest * (1.0 / rate - inflation * fallen / zero)
        return -np.expm1(-rate) / (rest * zero), -fallen / zero, corner

    def start_from(self, statistics: Statistics) -> Columns:
        """Return the estimates, or where there are none values inside the domains."""
        share, mean = statistics.mean
        rate = _solve_rate(np.maximum((mean - share) / np.where(share > 0.0, share, 1.0), 0.1))
        return np.clip(1.0 + share / np.expm1(-rate), 0.05, 0.95), rate

    def starts(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return one start; with known inflation, x̄ and the mean of positive counts: all maxima lie between."""
        if 0 not in known:
            return super().starts(likelihood, known)
        share, mean = likelihood.statistics.mean
        return (known[0], mean), (known[0], mean / share)

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return 2 where the inflation is free: it takes a zero and a positive count."""
        return 2 if "inflation" in free else 1

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return λ̂ from the mean of the positive counts and π̂ from their share.

        λ̂/(1 − e^(−λ̂)) = m and π̂ = 1 − share/(1 − e^(−λ̂)); where that is not positive, the likelihood is largest at
        π = 0, λ = x̄. With known π, a likelihood that may have two maxima is left to the general optimiser.
        """
        share, mean = likelihood.statistics.mean
        some = share > 0.0
        if 0 in known:
            status = np.where(some, Status.MAX_ITERATIONS, Status.BOUNDARY)
            return solution((known[0], mean), likelihood, status, 0)
        excess = np.where(some, (mean - share) / np.where(some, share, 1.0), 0.0)
        rate = known[1] if 1 in known else _solve_rate(np.where(excess > 0.0, excess, 1.0))
        inflation = 1.0 + share / np.expm1(-rate)
        interior = some & (inflation > 0.0) & ((1 in known) | (excess > 0.0))
        status = np.where(interior, Status.CONVERGED, Status.BOUNDARY)
        inflation = np.where(interior, inflation, np.where(some, 0.0, 1.0))
        return solution((inflation, rate if 1 in known else np.where(interior, rate, mean)), likelihood, status, 0)


def _solve_rate(excess: Array) -> Array:
    """Solve λ/(1 − e^(−λ)) − 1 = excess > 0 by Newton's method from the right.

    The left side is convex and lies between λ/2 and λ, and above λ − 1; so Newton's steps go down to the root.
    """
    rate = np.minimum(2.0 * excess, 1.0 + excess)
    active: NDArray[np.bool_] = np.isfinite(excess)
    watched = trace.begin("Newton on the mean of positive counts")
    for _ in range(_ITERATIONS):
        fallen = -np.expm1(-rate)
        miss = exp_gap(rate) - excess * fallen
        slope = (fallen - rate * (1.0 - fallen)) / fallen
        step = miss / slope
        if watched:
            watched.note(np.arange(len(rate)), {"rate": rate}, active, step=-step)
        rate = np.where(active, rate - step, rate)
        active = active & (step * step > _TOLERANCE * rate * rate)
        if not active.any():
            break
    return rate
