"""The negative binomial family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.histogram import HistogramLikelihood
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import COUNTS
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.special import exp_gap, log1p_gap, log_gamma_minus_stirling, rising_sums
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, UNIT_INTERVAL, Array, Columns, Parameter, Parametrisation

_MEAN = Parameter("mean", POSITIVE, (1.0, 50.0))
_SIZE = Parameter("size", POSITIVE, (0.5, 10.0))
_TOLERANCE = 1e-18
# A variance around a known mean that exceeds the mean by less is equal to it.
_ROUNDING = 4.0 * np.finfo(float).eps
_ITERATIONS = 100
# A dispersion below this, also 0 on the boundary, is that of the Poisson limit to rounding.
_POISSON = 1e-100
# Below this αx, what is of second order in it is less than what the terms of second derivatives lose by cancellation.
_LIMIT = 1e-5
# Trapezoidal rule in v for ∫ … ds with s = e^(v − e⁻ᵛ)/r; for α from 1e-6 to 100 and μ from 0.01 to 10⁴ its error is
# below 1e-13.
_NODES = np.arange(-3.7, 4.2, 1.0 / 12.0)
_SCALES = np.exp(_NODES - np.exp(-_NODES))
_WEIGHTS = np.exp(-_SCALES) * _SCALES * (1.0 + np.exp(-_NODES)) / 12.0
_ROWS_AT_ONCE = 512


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
        slope, bend = _dispersion_slopes(count, mean, r)
        return ((count - mean) / variance, slope), (
            -(count + mean / r * (2.0 * count - mean)) / np.square(variance),
            -(count - mean) / np.square(1.0 + mean / r),
            bend,
        )

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return the closed form in μ, and in α an integral that is exact to rounding."""
        mean, dispersion = (np.asarray(column, dtype=float) for column in theta)
        return 1.0 / (mean * (1.0 + dispersion * mean)), 0.0, _dispersion_information(mean, dispersion)

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
        """Reduce data (R, n) to frequencies of small counts and a list of the others."""
        return HistogramLikelihood(x, self.sample_space, self.log_density, self.derivatives)

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return 2 where the dispersion is free: a single count is not overdispersed."""
        return len(free)

    def solve(self, likelihood: HistogramLikelihood, known: Mapping[int, Array]) -> Solution | None:
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
        dispersion, done, iterations = _solve_dispersion(likelihood, centre, begin)
        status = np.where(exists, np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS), Status.BOUNDARY)
        if 0 in known:
            status = np.where(some, status, Status.NO_MAXIMUM)
        return solution((centre, dispersion), likelihood, status, iterations)


class _Slopes(NamedTuple):
    """∂ log p/∂α and ∂² log p/∂α² elementwise."""

    score: Array
    hessian: Array


def _columns(x: Array, theta: Columns) -> tuple[Array, Array, Array]:
    """Return counts, means and sizes r = 1/α."""
    dispersion = np.maximum(np.asarray(theta[1], dtype=float), _POISSON)
    return np.asarray(x, dtype=float), np.asarray(theta[0], dtype=float), 1.0 / dispersion


def _log_ratio(top: Array, bottom: Array, apart: Array) -> Array:
    """Return log(top/bottom) where apart = top − bottom is known to more digits."""
    share = apart / bottom
    near = np.abs(share) < 0.5
    return np.where(near, np.log1p(np.where(near, share, 0.0)), np.log(top / bottom))


def _dispersion_slopes(x: Array, mean: Array, r: Array) -> _Slopes:
    """Return r²G and r⁴[d²/(x+r) − E] − 2r³G with d = (x−μ)/(μ+r), G = d − log(1+d) − B, and B, E of `rising_sums`."""
    first, second = rising_sums(x, r)
    total = mean + r
    share = (x - mean) / total
    gap = np.where(share > -0.5, log1p_gap(np.maximum(share, -0.5)), share - np.log((x + r) / total))
    slope = r * r * (gap - first)
    bend = r * r * (r * r * (share * share / (x + r) - second)) - 2.0 * r * slope
    return _Slopes(slope, np.where(np.maximum(x, mean) < _LIMIT * r, _bend_near_poisson(x, mean, 1.0 / r), bend))


def _bend_near_poisson(x: Array, mean: Array, dispersion: Array) -> Array:
    """Return ∂² log p/∂α² = G(μ) + (x−μ)g(μ) − Σⱼ g(j), g(j) = j²/(1+αj)² and G its integral, to first order in α."""
    pairs, slope = 0.5 * x * (x - 1.0), 2.0 * dispersion
    square = mean * mean
    tangent = square * (mean / 3.0 + (x - mean) - slope * mean * (mean / 4.0 + (x - mean)))
    return np.asarray(tangent - pairs * ((2.0 * x - 1.0) / 3.0 - slope * pairs))


def _solve_dispersion(
    likelihood: HistogramLikelihood, mean: Array, begin: Array
) -> tuple[Array, NDArray[np.bool_], NDArray[np.int16]]:
    """Solve for the zero of the mean score in α by Newton's method in log α within a live bracket.

    The score is positive at α = 0 and changes sign once; rows that begin at 0 have no zero. Stops on the Newton
    decrement.
    """
    dispersion, rows = begin.copy(), likelihood.rows
    done, iterations = begin == 0.0, np.zeros(rows, dtype=np.int16)
    low, high = np.zeros(rows), np.full(rows, np.inf)
    for _ in range(_ITERATIONS):
        left = np.flatnonzero(~done)
        if not len(left):
            break
        now, part = dispersion[left], likelihood.select(left)
        slope, bend = part.average(lambda x, theta: _dispersion_slopes(*_columns(x, theta)), (mean[left], now))
        score, bend = now * slope, -now * (now * bend + slope)
        low[left], high[left] = np.where(score > 0.0, now, low[left]), np.where(score > 0.0, high[left], now)
        step = np.where(bend > 0.0, np.clip(score / bend, -2.0, 2.0), np.sign(score))
        moved = now * np.exp(step)
        inside = (moved >= low[left]) & (moved <= high[left])
        middle = np.where(low[left] > 0.0, np.sqrt(low[left] * high[left]), 0.1 * now)
        dispersion[left] = np.where(inside, moved, middle)
        iterations[left] += 1
        done[left] = inside & (bend > 0.0) & (score * score <= _TOLERANCE * bend)
    return dispersion, done, iterations


def _dispersion_information(mean: Array, dispersion: Array) -> Array:
    """Return I(α), of the shape that the parameters broadcast to, a few rows at a time."""
    mean, dispersion = np.broadcast_arrays(mean, dispersion)
    columns = mean.reshape(-1, 1), dispersion.reshape(-1, 1)
    starts = range(0, mean.size, _ROWS_AT_ONCE)
    parts = [_information_rows(*(column[k : k + _ROWS_AT_ONCE] for column in columns)) for k in starts]
    return np.concatenate(parts).reshape(mean.shape)


def _information_rows(mean: Array, dispersion: Array) -> Array:
    """Return r⁴ ∫ e^(−rs) F(s) ds, with y = 1 − e⁻ˢ, v = 1 + ty and t = αμ.

    From ψ′(r) − ψ′(r+x) = ∫ s e^(−rs)(1 − e^(−sx))/(1 − e⁻ˢ) ds and E e^(−sx) = v⁻ʳ:
    F = (s−y)/y·(1 − v⁻ʳ) − v⁻ʳty/v; less an integral that is zero, F = ty(1 − v⁻ʳ⁻¹) − (s−y)/y·(v⁻ʳ − 1 + rty),
    which cancels less for t < 1.
    """
    r, t = 1.0 / dispersion, dispersion * mean
    s = _SCALES / r
    y = -np.expm1(-s)
    share, growth = exp_gap(s) / y, t * y
    log_v = np.log1p(growth)
    power = r * log_v
    small = growth * -np.expm1(-power - log_v) - share * (exp_gap(power) + r * log1p_gap(growth))
    large = share * -np.expm1(-power) - np.exp(-power) * growth / (1.0 + growth)
    return np.asarray((_WEIGHTS * np.where(t < 1.0, small, large)).sum(axis=-1)) / dispersion[:, 0] ** 3
