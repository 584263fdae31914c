"""The beta family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np

from simstudy.families.base import constant_rows
from simstudy.families.exponential_family import (
    ExponentialFamily,
    ExponentialLikelihood,
    Statistics,
    Terms,
)
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import OPEN_UNIT_INTERVAL
from simstudy.families.simplex import NARROW, dirichlet_terms, log_moments, log_ratio, precision_start, solve_shares
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.parameters import POSITIVE, UNIT_INTERVAL, Array, Columns, Parameter, Parametrisation


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
        means, covariance = log_moments((np.log(x), np.log1p(-x)))
        means = [means[0] - np.log(mean), means[1] - np.log1p(-mean)]
        narrow = np.minimum(covariance[0], covariance[2]) < NARROW
        if narrow.any():
            near, m = x[narrow], mean[narrow, np.newaxis]
            d = near - m
            exact = log_moments((log_ratio(near, m, d), log_ratio(1.0 - near, 1.0 - m, -d)))
            for column, better in zip((*means, *covariance), (*exact[0], *exact[1]), strict=True):
                column[narrow] = better
        base = -(means[0] + np.log(mean) + means[1] + np.log1p(-mean))
        return Statistics(tuple(means), covariance, base, mean, (constant_rows(x),))

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return those of the Dirichlet family of two shares."""
        origin = np.asarray(origin, dtype=float)
        return dirichlet_terms([np.asarray(column, dtype=float) for column in theta], (origin, 1.0 - origin))

    def centre(self, theta: Columns) -> Array | float:
        """Return the mean."""
        alpha, beta = (np.asarray(column, dtype=float) for column in theta)
        return np.asarray(alpha / (alpha + beta))

    def start_from(self, statistics: Statistics) -> Columns:
        """Return x̄ and 1 − x̄ times Minka's approximation of the precision."""
        mean = np.asarray(statistics.origin)
        precision = precision_start(statistics.mean, (mean, 1.0 - mean))
        return mean * precision, (1.0 - mean) * precision

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return the zero of the score by Newton's method; with one parameter known, that is left to the optimiser."""
        if known:
            return None
        data = likelihood.statistics
        exists = ~data.extra[0]
        usable = likelihood.usable & exists
        mean = np.where(usable, data.origin, 0.5)
        theta, done, iterations = solve_shares([np.where(usable, t, -0.5) for t in data.mean], (mean, 1.0 - mean))
        status = np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS)
        return solution(theta, likelihood, np.where(exists, status, Status.NO_MAXIMUM), iterations)
