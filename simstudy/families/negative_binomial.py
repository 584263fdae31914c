"""The negative binomial family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np

from simstudy.families.base import Family
from simstudy.families.dispersion import dispersion_information, dispersion_slopes, solve_dispersion
from simstudy.families.histogram import HistogramLikelihood
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import COUNTS
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.special import log_gamma_minus_stirling
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, UNIT_INTERVAL, Array, Columns, Parameter, Parametrisation

_MEAN = Parameter("mean", POSITIVE, (1.0, 50.0))
_SIZE = Parameter("size", POSITIVE, (0.5, 10.0))
# A variance around a known mean that exceeds the mean by less is equal to it.
_ROUNDING = 4.0 * np.finfo(float).eps
# A dispersion below this, also 0 on the boundary, is that of the Poisson limit to rounding.
_POISSON = 1e-60


@final
class NegativeBinomial(Family):
    """Counts of failures before success number r: log p = log Γ(x+r)/(Γ(r) x!) + r log p + x log(1 − p), mean r(1−p)/p.

    With the mean μ and the dispersion α = 1/r, Var(x) = μ(1 + αμ), the parameters are orthogonal:
    I(μ, α) = diag(1/(μ(1+αμ)), r⁴[Σⱼ P(x > j)/(r+j)² − μ/(r(μ+r))]). Near α = 0, the Poisson limit, size and prob can
    hardly be told apart, so the likelihood is computed in (μ, α); (size, prob) are the names by which it is known.

    Source: Lawless (1987), Canad. J. Statist. 15, 209–225; Levin & Reeds (1977), Ann. Statist. 5, 79–87: α has an
    interior maximum if, and only if, the sample variance (divisor n) exceeds the mean, and then a single one.
    """

    name = "negative_binomial"
    formula = "log p(x) = log Γ(x + size) − log Γ(size) − log x! + size·log prob + x·log(1 − prob)"
    parameters = (_MEAN, Parameter("dispersion", POSITIVE, (0.1, 2.0)))
    sample_space = COUNTS
    base_last = True
    alternatives = (
        Parametrisation(
            (_SIZE, Parameter("prob", UNIT_INTERVAL, (0.05, 0.6))),
            to_base=lambda phi: (phi[0] * (1.0 - phi[1]) / phi[1], 1.0 / phi[0]),
            from_base=lambda theta: (1.0 / theta[1], 1.0 / (1.0 + theta[0] * theta[1])),
            jacobian=lambda phi: (
                ((1.0 - phi[1]) / phi[1], -phi[0] / np.square(phi[1])),
                (-1.0 / np.square(phi[0]), 0.0),
            ),
            curvature=lambda phi: {
                (0, 0, 1): -1.0 / np.square(phi[1]),
                (0, 1, 1): 2.0 * phi[0] / phi[1] ** 3,
                (1, 0, 0): 2.0 / phi[0] ** 3,
            },
        ),
        Parametrisation(
            (_MEAN, _SIZE),
            to_base=lambda phi: (phi[0], 1.0 / phi[1]),
            from_base=lambda theta: (theta[0], 1.0 / theta[1]),
            jacobian=lambda phi: ((1.0, 0.0), (0.0, -1.0 / np.square(phi[1]))),
            curvature=lambda phi: {(1, 1, 1): 2.0 / phi[1] ** 3},
        ),
    )

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return r log (μ+r)⁻¹(x+r) − x log (μ/x)⁻¹(μ+r)⁻¹(x+r) + S(x+r) − S(r) − S(x) − log x, −∞ where x is no count.

        S(z) = log Γ(z) − (z log z − z): no digits cancel, in the tails or near the Poisson limit.
        """
        count, mean, r = _columns(x, theta)
        inside = (count >= 0.0) & (count == np.floor(count)) & (count < np.inf)
        count = np.where(inside, count, 0.0)
        some = np.maximum(count, 1.0)
        apart = count - mean
        first = r * _log_ratio(count + r, mean + r, apart)
        second = some * _log_ratio(some * (mean + r), mean * (some + r), r * (some - mean))
        gammas = log_gamma_minus_stirling(some + r) - log_gamma_minus_stirling(r)
        density = np.where(count > 0.0, gammas - second - log_gamma_minus_stirling(some) - np.log(some), 0.0) + first
        return np.where(inside, density, -np.inf)

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return ((x − μ)/(μ(1+αμ)), r²[d − log(1+d) − Σⱼ(1/(r+j) − log(1 + 1/(r+j)))]), d = (x−μ)/(μ+r), j < x."""
        return self.derivatives(x, theta)[0]

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (−(x + αμ(2x−μ))/(μ(1+αμ))², −(x−μ)/(1+αμ)², that of α)."""
        return self.derivatives(x, theta)[1]

    def derivatives(self, x: Array, theta: Columns) -> tuple[Sequence[Array], Sequence[Array]]:
        """Return score and Hessian, which share what they are made of."""
        count, mean, r = _columns(x, theta)
        variance = mean * (1.0 + mean / r)
        slope, bend = dispersion_slopes(count, mean, r)
        return ((count - mean) / variance, slope), (
            -(count + mean / r * (2.0 * count - mean)) / np.square(variance),
            -(count - mean) / np.square(1.0 + mean / r),
            bend,
        )

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return the closed form in μ, and in α an integral that is exact to rounding."""
        mean, dispersion = (np.asarray(column, dtype=float) for column in theta)
        corner = dispersion_information(mean, np.maximum(dispersion, _POISSON))
        return 1.0 / (mean * (1.0 + dispersion * mean)), 0.0, corner

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw Poisson counts of gamma means."""
        shape = 1.0 / np.asarray(theta[1], dtype=float)
        return np.asarray(rng.poisson(rng.gamma(shape, theta[0] / shape, size)))

    def start(self, x: Array) -> Columns:
        """Return the mean and the dispersion by moments, at least 0.01/(1 + x̄); a small mean where all counts are 0."""
        return self.starts(self.likelihood(x), {})[0]

    def starts(self, likelihood: HistogramLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the one start by moments."""
        mean = np.where(likelihood.mean > 0.0, likelihood.mean, 0.5 / likelihood.size)
        excess = np.where(likelihood.mean > 0.0, likelihood.excess, 0.0)
        return ((mean, np.maximum(excess / np.square(mean), 0.01 / (1.0 + mean))),)

    def likelihood(self, x: Array) -> HistogramLikelihood:
        """Reduce data (R, n) to the values that occur and how often they do."""
        return HistogramLikelihood(x, self.sample_space, self.log_density, self.derivatives)

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return 2 where the dispersion is free: a single count is not overdispersed."""
        return len(free)

    def solve(self, likelihood: HistogramLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return μ̂ = x̄, and α̂ by Newton's method; on the boundary α = 0 where the counts are not overdispersed.

        Around a known μ they are where mean (x−μ)² > x̄. Counts of 0 alone lie on the boundary μ = 0; with a known μ
        they let α grow for ever.
        """
        mean, some = likelihood.mean, likelihood.mean > 0.0
        if 1 in known:
            return solution((mean, known[1]), likelihood, np.where(some, Status.CONVERGED, Status.BOUNDARY), 0)
        centre = np.broadcast_to(known.get(0, mean), mean.shape)
        apart = np.square(mean - centre)
        excess = likelihood.excess + apart
        exists = some & (excess > _ROUNDING * (mean + apart))
        begin = np.where(exists & likelihood.usable, excess / np.square(centre), 0.0)
        dispersion, done, iterations = solve_dispersion(likelihood, centre, begin)
        status = np.where(exists, np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS), Status.BOUNDARY)
        if 0 in known:
            status = np.where(some, status, Status.NO_MAXIMUM)
        return solution((centre, dispersion), likelihood, status, iterations)


def _columns(x: Array, theta: Columns) -> tuple[Array, Array, Array]:
    """Return counts, means and sizes r = 1/α."""
    dispersion = np.maximum(np.asarray(theta[1], dtype=float), _POISSON)
    return np.asarray(x, dtype=float), np.asarray(theta[0], dtype=float), 1.0 / dispersion


def _log_ratio(top: Array, bottom: Array, apart: Array) -> Array:
    """Return log(top/bottom) where apart = top − bottom is known to more digits."""
    share = apart / bottom
    near = np.abs(share) < 0.5
    return np.where(near, np.log1p(np.where(near, share, 0.0)), np.log(top / bottom))
