"""The beta family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import constant_rows
from simstudy.families.exponential_family import (
    ExponentialFamily,
    ExponentialLikelihood,
    Statistics,
    Terms,
    centred_products,
)
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import OPEN_UNIT_INTERVAL
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.special import log_gamma_minus_stirling, log_minus_digamma, trigamma_excess
from simstudy.parameters import POSITIVE, UNIT_INTERVAL, Array, Columns, Parameter, Parametrisation

_TOLERANCE = 1e-14
_ITERATIONS = 100
# Below this variance of a statistic, logarithms relative to that of the mean would lose digits.
_NARROW = 1e-3


@final
class Beta(ExponentialFamily):
    """log p = (α−1) log x + (β−1) log(1−x) − log B(α, β); I = diag(ψ′(α), ψ′(β)) − ψ′(α+β)."""

    name = "beta"
    formula = "log p(x) = (alpha − 1) log x + (beta − 1) log(1 − x) − log B(alpha, beta)"
    parameters = (Parameter("alpha", POSITIVE, (0.5, 10.0)), Parameter("beta", POSITIVE, (0.5, 10.0)))
    sample_space = OPEN_UNIT_INTERVAL
    alternatives = (
        Parametrisation(
            (Parameter("mean", UNIT_INTERVAL, (0.2, 0.8)), Parameter("precision", POSITIVE, (2.0, 20.0))),
            to_base=lambda phi: (phi[0] * phi[1], (1.0 - phi[0]) * phi[1]),
            from_base=lambda theta: (theta[0] / (theta[0] + theta[1]), theta[0] + theta[1]),
            jacobian=lambda phi: ((phi[1], phi[0]), (-phi[1], 1.0 - phi[0])),
            curvature=lambda _: {(0, 0, 1): 1.0, (1, 0, 1): -1.0},
        ),
    )

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by the generator; shapes below about 0.2 can round to exactly 0 or 1."""
        return rng.beta(theta[0], theta[1], size)

    def statistics(self, x: Array) -> Statistics:
        """Return T = (log(x/x̄), log((1 − x)/(1 − x̄)))."""
        x = np.asarray(x, dtype=float)
        mean = x.mean(axis=-1)
        first, second = _log_moments(x, mean)
        narrow = np.minimum(first[1], second[1]) < _NARROW
        if narrow.any():
            for columns, exact in zip((first, second), _deviation_moments(x[narrow], mean[narrow]), strict=True):
                for column, better in zip(columns, exact, strict=True):
                    column[narrow] = better
        base = -(first[0] + np.log(mean) + second[0] + np.log1p(-mean))
        return Statistics((first[0], second[0]), (first[1], first[2], second[1]), base, mean, (constant_rows(x),))

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = (α − 1, β − 1), A = log B, E[T] = ψ(·) − ψ(α+β), Cov(T) = diag ψ′ − ψ′(α+β), without cancellation.

        With φ = α + β and m = α/φ: ψ(α) − ψ(φ) = log m − (log α − ψ(α)) + (log φ − ψ(φ)), and ψ′(α) − ψ′(φ) =
        β/(αφ) + (ψ′(α) − 1/α) − (ψ′(φ) − 1/φ).
        """
        alpha, beta = (np.asarray(column, dtype=float) for column in theta)
        total = alpha + beta
        log_first, log_second = _log_shares(alpha / total, beta / total, origin)
        gap = log_minus_digamma(total)
        excess = trigamma_excess(total)
        stirling = log_gamma_minus_stirling(alpha) + log_gamma_minus_stirling(beta) - log_gamma_minus_stirling(total)
        return Terms(
            natural=(alpha, beta),
            jacobian=((1.0, 0.0), (0.0, 1.0)),
            curvature={},
            log_partition=stirling + alpha * log_first + beta * log_second,
            mean=(log_first - log_minus_digamma(alpha) + gap, log_second - log_minus_digamma(beta) + gap),
            covariance=(
                beta / (alpha * total) + (trigamma_excess(alpha) - excess),
                -(1.0 / total + excess),
                alpha / (beta * total) + (trigamma_excess(beta) - excess),
            ),
        )

    def centre(self, theta: Columns) -> Array | float:
        """Return the mean."""
        alpha, beta = (np.asarray(column, dtype=float) for column in theta)
        return np.asarray(alpha / (alpha + beta))

    def start_from(self, statistics: Statistics) -> Columns:
        """Return the mean, and the precision 1/(2·gap) with gap = −x̄ T̄₁ − (1 − x̄) T̄₂, at most 10⁶."""
        mean = statistics.origin
        gap = -(mean * statistics.mean[0] + (1.0 - mean) * statistics.mean[1])
        precision = 0.5 / np.maximum(gap, 5e-7)
        return mean * precision, (1.0 - mean) * precision

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return the zero of the score by Newton's method in mean and precision; the rest is the optimiser's."""
        if known:
            return None
        data = likelihood.statistics
        exists = ~data.extra[0]
        usable = likelihood.usable & exists
        first, second = (np.where(usable, mean, -0.5) for mean in data.mean)
        theta, done, iterations = _newton(first, second, np.where(usable, data.origin, 0.5))
        status = np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS)
        return solution(theta, likelihood, np.where(exists, status, Status.NO_MAXIMUM), iterations)


Moments = tuple[Array, Array, Array]


def _log_shares(first: Array, second: Array, origin: Array | float) -> tuple[Array, Array]:
    """Return log(m/x̄) and log((1 − m)/(1 − x̄)) for m = first = 1 − second, from the smaller of the two."""
    rest = 1.0 - origin
    moved = np.where(first < second, first - origin, rest - second)
    return np.log1p(moved / origin), np.log1p(-moved / rest)


def _log_moments(x: Array, mean: Array) -> tuple[Moments, Moments]:
    """Return, for both statistics, mean, variance and their covariance."""
    first, second = np.log(x), np.log1p(-x)
    means = first.mean(axis=-1), second.mean(axis=-1)
    first -= means[0][:, np.newaxis]
    second -= means[1][:, np.newaxis]
    variance, covariance, other = centred_products(first, second)
    return (means[0] - np.log(mean), variance, covariance), (means[1] - np.log1p(-mean), other, covariance)


def _deviation_moments(x: Array, mean: Array) -> tuple[Moments, Moments]:
    """Return the same from x − x̄, so that nothing cancels where the data vary little beside x̄ and 1 − x̄."""
    d = x - mean[:, np.newaxis]
    first, second = np.log1p(d / mean[:, np.newaxis]), np.log1p(-d / (1.0 - mean)[:, np.newaxis])
    means = first.mean(axis=-1), second.mean(axis=-1)
    variance, covariance, other = centred_products(first - means[0][:, np.newaxis], second - means[1][:, np.newaxis])
    return (means[0], variance, covariance), (means[1], other, covariance)


def _newton(first: Array, second: Array, centre: Array) -> tuple[list[Array], NDArray[np.bool_], NDArray[np.int16]]:
    """Solve E[T] = T̄ in m = α/φ and φ = α + β; stops on the Newton decrement.

    With gᵢ = T̄ᵢ − E[Tᵢ] the score is (φ(g₁ − g₂), m g₁ + (1 − m) g₂), and with e(x) = ψ′(x) − 1/x the information is
    φ²(ψ′(α) + ψ′(β)), φ(m e(α) − (1 − m) e(β)), m² e(α) + (1 − m)² e(β) − e(φ): no digits cancel at large φ. Steps in
    logit m and log φ are at most one.
    """
    gap = -(centre * first + (1.0 - centre) * second)
    mean, rest, total = centre, 1.0 - centre, 0.5 / np.maximum(gap, 1e-300)
    done, iterations = np.zeros(len(first), dtype=bool), np.zeros(len(first), dtype=np.int16)
    for _ in range(_ITERATIONS):
        alpha, beta = mean * total, rest * total
        log_first, log_second = _log_shares(mean, rest, centre)
        shared = log_minus_digamma(total)
        one = first - log_first + log_minus_digamma(alpha) - shared
        two = second - log_second + log_minus_digamma(beta) - shared
        excess, other = trigamma_excess(alpha), trigamma_excess(beta)
        slope_mean, slope_total = total * (one - two), mean * one + rest * two
        a = total * total * (1.0 / alpha + excess + 1.0 / beta + other)
        b = total * (mean * excess - rest * other)
        c = mean * mean * excess + rest * rest * other - trigamma_excess(total)
        inverse = 1.0 / (a * c - b * b)
        step = (c * slope_mean - b * slope_total) * inverse
        growth = (a * slope_total - b * slope_mean) * inverse
        decrement = step * slope_mean + growth * slope_total
        odds = mean / rest * np.exp(np.clip(step / (mean * rest), -1.0, 1.0))
        grown = total * np.exp(np.clip(growth / total, -1.0, 1.0))
        iterations += ~done
        mean, rest = np.where(done, mean, odds / (1.0 + odds)), np.where(done, rest, 1.0 / (1.0 + odds))
        total = np.where(done, total, grown)
        done |= np.abs(decrement) <= _TOLERANCE
        if done.all():
            break
    return [mean * total, rest * total], done, iterations
