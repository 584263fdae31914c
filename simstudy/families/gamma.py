"""The gamma family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from simstudy.families.sample_space import POSITIVE_NUMBERS
from simstudy.families.solution import closed_form, solution
from simstudy.families.status import Status
from simstudy.numerics import trace
from simstudy.numerics.special import (
    log_gamma_minus_stirling,
    log_gamma_survival,
    log_minus_digamma,
    trigamma,
    trigamma_excess,
)
from simstudy.parameters import POSITIVE, Array, Columns, Parameter, Parametrisation

_SHAPE = Parameter("shape", POSITIVE, (0.3, 20.0))
_TOLERANCE = 1e-14
_ITERATIONS = 30
# Below this log x̄ − mean log x, that is above a shape of about 500, ratios to the mean would lose digits.
_NARROW = 1e-3


@final
class Gamma(ExponentialFamily):
    """log p = (k−1) log x − x/s − k log s − log Γ(k); I(k, s) = [[ψ′(k), 1/s], [1/s, k/s²]].

    With the mean m = ks in place of the scale the parameters are orthogonal: I(k, m) = diag(ψ′(k) − 1/k, k/m²).
    """

    name = "gamma"
    formula = "log p(x) = (shape − 1) log x − x/scale − shape·log scale − log Γ(shape)"
    parameters = (_SHAPE, Parameter("scale", POSITIVE, (0.1, 10.0)))
    sample_space = POSITIVE_NUMBERS
    alternatives = (
        Parametrisation(
            (_SHAPE, Parameter("rate", POSITIVE, (0.1, 10.0))),
            to_base=lambda phi: (phi[0], 1.0 / phi[1]),
            from_base=lambda theta: (theta[0], 1.0 / theta[1]),
            jacobian=lambda phi: ((1.0, 0.0), (0.0, -1.0 / phi[1] ** 2)),
            curvature=lambda phi: {(1, 1, 1): 2.0 / phi[1] ** 3},
        ),
        Parametrisation(
            (_SHAPE, Parameter("mean", POSITIVE, (0.1, 20.0))),
            to_base=lambda phi: (phi[0], phi[1] / phi[0]),
            from_base=lambda theta: (theta[0], theta[0] * theta[1]),
            jacobian=lambda phi: ((1.0, 0.0), (-phi[1] / phi[0] ** 2, 1.0 / phi[0])),
            curvature=lambda phi: {(1, 0, 0): 2.0 * phi[1] / phi[0] ** 3, (1, 0, 1): -1.0 / phi[0] ** 2},
            expected_information=lambda phi: (trigamma_excess(phi[0]), 0.0, phi[0] / np.square(phi[1])),
        ),
    )

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by Marsaglia and Tsang's method."""
        return rng.gamma(theta[0], theta[1], size)

    def log_survival(self, x: Array, theta: Columns) -> Array:
        """Return log Q(k, x/s)."""
        return log_gamma_survival(theta[0], x / theta[1])

    def statistics(self, x: Array) -> Statistics:
        """Return T = (log x − log x̄, x)."""
        x = np.asarray(x, dtype=float)
        mean = x.mean(axis=-1)
        columns = _ratio_moments(x, mean)
        narrow = columns[1] < _NARROW
        if narrow.any():
            exact = _deviation_moments(x[narrow], mean[narrow])
            for column, better in zip(columns, exact, strict=True):
                column[narrow] = better
        mean_log, gap, log_log, log_x, x_x = columns
        origin = np.log(mean)
        return Statistics(
            (mean_log, mean), (log_log, mean * log_x, mean * mean * x_x), -(mean_log + origin), origin, (gap,)
        )

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = (k, −1/s), A and the moments of (log x − origin, x).

        With L = log(ks) − origin: A = kL + [log Γ(k) − k log k], E[T] = (L − (log k − ψ(k)), ks).
        """
        shape, scale = (np.asarray(column, dtype=float) for column in theta)
        rate = 1.0 / scale
        level = np.log(shape * scale) - origin
        return Terms(
            natural=(shape, -rate),
            jacobian=((1.0, 0.0), (0.0, rate * rate)),
            curvature={(1, 1, 1): -2.0 * rate * rate * rate},
            log_partition=shape * (level - 1.0) + log_gamma_minus_stirling(shape),
            mean=(level - log_minus_digamma(shape), shape * scale),
            covariance=(trigamma(shape), scale, shape * scale * scale),
        )

    def start_from(self, statistics: Statistics) -> Columns:
        """Return Minka's closed approximation of the shape, at most 10⁶."""
        shape = _minka_start(np.maximum(statistics.extra[0], 5e-7))
        return shape, statistics.mean[1] / shape

    def starts(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return Minka's shape and its scale; with known scale, the shape ½ above the geometric mean in its units."""
        if 1 not in known:
            return super().starts(likelihood, known)
        data = likelihood.statistics
        return ((0.5 + np.exp(data.origin + data.mean[0]) / known[1], known[1]),)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return k̂ by Minka's generalised Newton iteration on log k − ψ(k) = gap, and ŝ = x̄/k̂.

        Source: Minka (2002), Estimating a Gamma distribution, eq. 6–10.
        """
        mean, gap = likelihood.statistics.mean[1], likelihood.statistics.extra[0]
        if 1 in known:
            return None
        if 0 in known:
            return closed_form((known[0], mean / known[0]), likelihood)
        exists = gap > 0.0
        shape, done, iterations = _solve_shape(np.where(exists & likelihood.usable, gap, 1.0))
        status = np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS)
        status = np.where(exists, status, Status.NO_MAXIMUM)
        return solution((shape, mean / shape), likelihood, status, iterations)


def _ratio_moments(x: Array, mean: Array) -> tuple[Array, ...]:
    """Return, for r = x/x̄: mean log r, the gap log r̄ − mean log r, Var(log r), Cov(log r, r) and Var(r)."""
    ratio = x * (1.0 / mean)[:, np.newaxis]
    logs = np.log(ratio)
    mean_log = logs.mean(axis=-1)
    log_log, log_ratio, ratio_ratio = centred_products(logs, ratio)
    return mean_log, -mean_log, log_log - mean_log * mean_log, log_ratio - mean_log, ratio_ratio - 1.0


def _deviation_moments(x: Array, mean: Array) -> tuple[Array, ...]:
    """Return the same from d = (x − x̄)/x̄, so that nothing cancels where the data vary little beside their mean."""
    d = (x - mean[:, np.newaxis]) / mean[:, np.newaxis]
    logs = np.log1p(d)
    mean_d, mean_log = d.mean(axis=-1), logs.mean(axis=-1)
    log_log, log_d, d_d = centred_products(logs - mean_log[:, np.newaxis], d - mean_d[:, np.newaxis])
    gap = np.where(constant_rows(x), 0.0, np.log1p(mean_d) - mean_log)
    return mean_log, gap, log_log, log_d, d_d


def _minka_start(gap: Array) -> Array:
    return np.asarray((3.0 - gap + np.sqrt((gap - 3.0) ** 2 + 24.0 * gap)) / (12.0 * gap))


def _solve_shape(gap: Array) -> tuple[Array, NDArray[np.bool_], NDArray[np.int16]]:
    """Solve log k − ψ(k) = gap; stops on the Newton decrement of the profile log-likelihood."""
    shape = _minka_start(gap)
    iterations = np.zeros(len(gap), dtype=np.int16)
    active = np.ones(len(gap), dtype=bool)
    watched = trace.begin("Minka's iteration on the profile")
    for _ in range(_ITERATIONS):
        excess = trigamma_excess(shape)
        slope = log_minus_digamma(shape) - gap
        step = slope / (shape * shape * excess)
        if watched:
            watched.note(np.arange(len(gap)), {"shape": shape}, active, decrement=slope * slope / excess)
        shape = np.where(active, 1.0 / (1.0 / shape - step), shape)
        iterations += active
        active &= slope * slope > _TOLERANCE * excess
        if not active.any():
            break
    return shape, ~active, iterations
