"""The chi-squared family."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simstudy.families.exponential_family import (
    ExponentialFamily,
    ExponentialLikelihood,
    Statistics,
    Terms,
    centred_products,
)
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import POSITIVE_NUMBERS
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics import trace
from simstudy.numerics.logs import log_ratio
from simstudy.numerics.special import log_gamma_minus_stirling, log_minus_digamma, trigamma
from simstudy.parameters import POSITIVE, Array, Columns, Parameter

_TOLERANCE = 1e-16
_ITERATIONS = 30
# ψ(a) is near log(a − ½) above and −1/a − γ below (Minka 2000, Estimating a Dirichlet distribution, Appendix C).
_SWITCH = -2.22


@final
class ChiSquared(ExponentialFamily):
    """log p = (a−1) log(x/2) − x/2 − log 2 − log Γ(a), a = k/2; I(k) = ψ′(a)/4."""

    name = "chi_squared"
    formula = "log p(x) = (df/2 − 1)·log(x/2) − x/2 − log 2 − log Γ(df/2)"
    parameters = (Parameter("df", POSITIVE, (0.5, 100.0)),)
    sample_space = POSITIVE_NUMBERS

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by the generator."""
        return rng.chisquare(theta[0], size)

    def statistics(self, x: Array) -> Statistics:
        """Return T = log(u/ū), u = x/2, with the origin ū, so that no digits cancel at many degrees of freedom."""
        x = np.asarray(x, dtype=float)
        centre = x.mean(axis=-1)
        logs = log_ratio(x, centre)
        mean, origin = logs.mean(axis=-1), 0.5 * centre
        logs -= mean[:, np.newaxis]
        return Statistics((mean,), centred_products(logs), -np.log(origin) - mean - math.log(2.0), origin)

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = a, E[T] = ψ(a) − log ū, Var(T) = ψ′(a), and A = log Γ(a) − a log ū + ū.

        With L = log(a/ū): E[T] = L − (log a − ψ(a)), A = [log Γ(a) − a log a + a] + aL − (a − ū).
        """
        a = 0.5 * np.asarray(theta[0], dtype=float)
        level = _log_over(a, origin)
        return Terms(
            natural=(a,),
            jacobian=((0.5,),),
            curvature={},
            log_partition=log_gamma_minus_stirling(a) + (a * level - (a - origin)),
            mean=(level - log_minus_digamma(a),),
            covariance=(trigamma(a),),
        )

    def centre(self, theta: Columns) -> Array | float:
        """Return a."""
        return 0.5 * np.asarray(theta[0], dtype=float)

    def start_from(self, statistics: Statistics) -> Columns:
        """Return an approximate inverse of ψ."""
        return (2.0 * _start(statistics),)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the root of ψ(k/2) = mean log(x/2), which there always is, by Newton's method."""
        a, done, iterations = _inverse_digamma(likelihood.statistics, likelihood.usable)
        return solution((2.0 * a,), likelihood, np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS), iterations)


def _log_over(a: Array, origin: Array | float) -> Array:
    """Return log(a/ū)."""
    ratio = np.asarray((a - origin) / origin)
    return np.where(np.abs(ratio) < 0.5, np.log1p(ratio), np.log(a) - np.log(origin))


def _start(statistics: Statistics) -> Array:
    mean = statistics.mean[0] + np.log(statistics.origin)
    return np.asarray(np.where(mean < _SWITCH, -1.0 / (mean - special.digamma(1.0)), np.exp(mean) + 0.5))


def _inverse_digamma(
    statistics: Statistics, usable: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.bool_], NDArray[np.int16]]:
    """Solve ψ(a) = mean log u; ψ is concave, so that after the first step Newton's method climbs to the root.

    Stops on the decrement of the log-likelihood before the last step.
    """
    mean, origin = statistics.mean[0], statistics.origin
    a = _start(statistics)
    iterations, active = np.zeros(len(a), dtype=np.int16), usable.copy()
    watched = trace.begin("Newton")
    for _ in range(_ITERATIONS):
        slope = mean - (_log_over(a, origin) - log_minus_digamma(a))
        curve = trigamma(a)
        if watched:
            watched.note(np.arange(len(a)), {"df/2": a}, active, decrement=slope * slope / curve)
        a = np.where(active, a + slope / curve, a)
        iterations += active
        active &= slope * slope > _TOLERANCE * curve
        if not active.any():
            break
    return a, ~active, iterations
