"""The beta family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import special

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
from simstudy.numerics.special import trigamma
from simstudy.parameters import POSITIVE, UNIT_INTERVAL, Array, Columns, Parameter, Parametrisation

_TOLERANCE = 1e-14
_ITERATIONS = 200


@final
class Beta(ExponentialFamily):
    """log p = (α−1) log x + (β−1) log(1−x) − log B(α, β); I = diag(ψ′(α), ψ′(β)) − ψ′(α+β)."""

    name = "beta"
    formula = "log p(x) = (alpha − 1) log x + (beta − 1) log(1 − x) − log B(alpha, beta)"
    parameters = (Parameter("alpha", POSITIVE, (0.5, 10.0)), Parameter("beta", POSITIVE, (0.5, 10.0)))
    sample_space = OPEN_UNIT_INTERVAL
    alternatives = (
        Parametrisation(
            (Parameter("mean", UNIT_INTERVAL, (0.1, 0.9)), Parameter("precision", POSITIVE, (1.0, 20.0))),
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
        """Return T = (log x, log(1 − x))."""
        x = np.asarray(x, dtype=float)
        first, second = np.log(x), np.log1p(-x)
        means = first.mean(axis=-1), second.mean(axis=-1)
        first -= means[0][:, np.newaxis]
        second -= means[1][:, np.newaxis]
        return Statistics(means, centred_products(first, second), 0.0, 0.0, (constant_rows(x),))

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = (α − 1, β − 1), A = log B, E[T] = ψ(·) − ψ(α+β), Cov(T) = diag ψ′ − ψ′(α+β)."""
        alpha, beta = (np.asarray(column, dtype=float) for column in theta)
        total = alpha + beta
        shared = trigamma(total)
        centre = special.digamma(total)
        return Terms(
            natural=(alpha - 1.0, beta - 1.0),
            jacobian=((1.0, 0.0), (0.0, 1.0)),
            curvature={},
            log_partition=special.betaln(alpha, beta),
            mean=(special.digamma(alpha) - centre, special.digamma(beta) - centre),
            covariance=(trigamma(alpha) - shared, -shared, trigamma(beta) - shared),
        )

    def start_from(self, statistics: Statistics) -> Columns:
        """Return Minka's start α = m/(2 Σ mⱼ(log mⱼ − T̄ⱼ)), m the geometric means made to sum to one."""
        first, second = statistics.mean
        share = special.expit(first - second)
        divergence = share * (np.log(share) - first) + (1.0 - share) * (np.log1p(-share) - second)
        precision = 0.5 / np.maximum(divergence, 1e-12)
        return share * precision, (1.0 - share) * precision

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return the zero of the score by Newton's method in (α, β), steps multiplicative: a·exp(Δ/a)."""
        if known:
            return None
        data = likelihood.statistics
        exists = ~data.extra[0]
        usable = likelihood.usable & exists
        target = [np.where(usable, mean, -1.0) for mean in data.mean]
        start = [np.where(usable, column, 1.0) for column in self.start_from(data)]
        theta, done, iterations = _newton(target, start)
        status = np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS)
        return solution(theta, likelihood, np.where(exists, status, Status.NO_MAXIMUM), iterations)


def _newton(target: list[Array], start: list[Array]) -> tuple[list[Array], NDArray[np.bool_], NDArray[np.int16]]:
    """Solve ψ(α) − ψ(α+β) = T̄₁, ψ(β) − ψ(α+β) = T̄₂; stops on the Newton decrement."""
    theta = start
    iterations = np.zeros(len(target[0]), dtype=np.int16)
    active = np.ones(len(target[0]), dtype=bool)
    for _ in range(_ITERATIONS):
        total = theta[0] + theta[1]
        centre, shared = special.digamma(total), trigamma(total)
        slope = [t - special.digamma(a) + centre for t, a in zip(target, theta, strict=True)]
        weight = [1.0 / trigamma(a) for a in theta]
        # Sherman–Morrison: (D − c·11ᵀ)⁻¹ = D⁻¹ + D⁻¹11ᵀD⁻¹ · c/(1 − c·tr D⁻¹)
        pooled = slope[0] * weight[0] + slope[1] * weight[1]
        lift = pooled * shared / (1.0 - shared * (weight[0] + weight[1]))
        step = [(g + lift) * w for g, w in zip(slope, weight, strict=True)]
        decrement = step[0] * slope[0] + step[1] * slope[1]
        moved = [a * np.exp(np.clip(s / a, -1.0, 1.0)) for a, s in zip(theta, step, strict=True)]
        theta = [np.where(active, new, old) for new, old in zip(moved, theta, strict=True)]
        iterations += active
        active &= decrement > _TOLERANCE
        if not active.any():
            break
    return theta, ~active, iterations
