"""The generalized extreme value family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import final

import numpy as np
from scipy import special

from simstudy.families.base import Family
from simstudy.families.endpoint_profile import candidates, endpoints
from simstudy.families.extreme_value_information import INFINITE_INFORMATION, unit_information
from simstudy.families.extreme_value_likelihood import ExtremeValueLikelihood, newton_step, standardise
from simstudy.families.likelihood import Solution
from simstudy.families.newton_rows import newton
from simstudy.families.reduced_variate import from_variate, reduced, variate
from simstudy.families.sample_space import REAL_LINE, SampleSpace
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

# So many observations have one local maximum at most; of fewer, 1 in 100 data sets have two, and many none.
_MANY = 33
_MOST_MOMENT_SHAPE = 0.45
_SHAPES = (-0.7, -0.3, 0.05, 0.5, 1.5)
_INSIDE = 0.9
# Newton steps of the inner fit at the first node of the profile and at the others.
_FIRST_STEPS, _STEPS = 12, 4


@final
class GeneralizedExtremeValue(Family):
    """log p = −log σ − (1 + ξ)y − e⁻ʸ with y = log(1 + ξz)/ξ, z = (x − μ)/σ; y = z at ξ = 0, the Gumbel family.

    With p = (1+ξ)²Γ(1+2ξ), g = Γ(2+ξ), q = g(ξψ(1+ξ) + 1 + ξ), for ξ > −½ and up to 1/σ for each μ or σ:
    I = [[p, (g−p)/ξ, (p−q)/ξ²], [·, (1−2g+p)/ξ², −(1−g−q+p+(1−γ)ξ)/ξ³], [·, ·,
    (1−2q+p+2(1−γ)ξ+(π²/6+(1−γ)²)ξ²)/ξ⁴]].

    The likelihood is unbounded: for ξ < −1 as the upper end of the support falls to the largest observation, and for
    ξ → ∞ as its lower end rises to the least. The estimate is the best local maximum; all of them have ξ > −1.
    """

    name = "generalized_extreme_value"
    formula = "log p(x) = −log scale − (1 + shape) y − e⁻ʸ,  y = log(1 + shape·(x − loc)/scale)/shape"
    parameters = (
        Parameter("loc", REAL, (-5.0, 5.0)),
        Parameter("scale", POSITIVE, (0.2, 5.0)),
        Parameter("shape", REAL, (-0.25, 0.6)),
    )
    sample_space = REAL_LINE
    unbounded = True

    def support(self, theta: Sequence[float]) -> SampleSpace:
        """Return the part of the real line where 1 + ξz > 0."""
        location, scale, shape = theta
        if shape == 0.0:
            return self.sample_space
        end = location - scale / shape
        return replace(self.sample_space, lower=end) if shape > 0.0 else replace(self.sample_space, upper=end)

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return −log σ − (1 + ξ)y − e⁻ʸ, −∞ outside the support."""
        y = variate((x - theta[0]) / theta[1], theta[2])
        with np.errstate(all="ignore"):
            value = -np.log(theta[1]) - (1.0 + theta[2]) * y - np.exp(-y)
        return np.where(np.isnan(value), -np.inf, value)

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (−aw/σ, −(1 + ak)/σ, af − y)."""
        z = (x - theta[0]) / theta[1]
        y, w, f, _ = reduced(z, theta[2])
        with np.errstate(all="ignore"):
            a = np.exp(-y) - (1.0 + theta[2])
            return -a * w / theta[1], -(1.0 + a * z * w) / theta[1], a * f - y

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return the second derivatives, in the notation of the likelihood."""
        z, scale, shape = (x - theta[0]) / theta[1], theta[1], theta[2]
        y, w, f, g = reduced(z, shape)
        with np.errstate(all="ignore"):
            t, k = np.exp(-y), z * w
            a, c = t - (1.0 + shape), (1.0 + shape) * (t - shape)
            e = 1.0 + t * f + a * k
            square = scale * scale
            return (
                -c * w * w / square,
                (a - c * k) * w / square,
                w * e / scale,
                (1.0 + (2.0 * a - c * k) * k) / square,
                k * e / scale,
                a * g - (2.0 + t * f) * f,
            )

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return the closed form, NaN for ξ ≤ −½."""
        _, scale, shape = np.broadcast_arrays(*(np.asarray(column, dtype=float) for column in theta))
        factors = (1.0 / scale, 1.0 / scale, 1.0)
        return [e * factors[i] * factors[j] for e, (i, j) in zip(unit_information(shape), pairs(3), strict=True)]

    def irregularity(self, theta: Sequence[float]) -> str:
        """Say that the information is infinite for ξ ≤ −½."""
        return "" if theta[2] > -0.5 else INFINITE_INFORMATION

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw μ + σ(E⁻ᵏ − 1)/k, k = ξ, of a standard exponential E."""
        draws = rng.standard_exponential(size)
        np.log(draws, out=draws)
        np.negative(draws, out=draws)
        draws = from_variate(draws, theta[2])
        draws *= theta[1]
        draws += theta[0]
        return draws

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return 5 for all parameters: of fewer observations, most data sets have no local maximum."""
        return 5 if len(free) == 3 else len(free)

    def likelihood(self, x: Array) -> ExtremeValueLikelihood:
        """Standardise data (R, n)."""
        with np.errstate(all="ignore"):
            return ExtremeValueLikelihood(standardise(np.asarray(x, dtype=float)))

    def start(self, x: Array) -> Columns:
        """Return the estimates by probability-weighted moments, |ξ| at most 0.45 and feasible."""
        likelihood = self.likelihood(x)
        return _in_units(likelihood, *_moments(likelihood))

    def solve(self, likelihood: ExtremeValueLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return the estimates by Newton's method in (μ, log σ, ξ), where data are many and all is free."""
        rows = likelihood.rows
        if known:
            hopeless = 2 in known and bool(np.all(known[2] <= -1.0))
            nothing = [np.full(rows, np.nan)] * 3
            return solution(nothing, likelihood, Status.NO_MAXIMUM, 0) if hopeless else None
        with np.errstate(all="ignore"):
            place, scale, shape = _moments(likelihood)
            data, status, iterations = likelihood.data, np.full(rows, Status.MAX_ITERATIONS), np.zeros(rows, np.int16)
            left = np.flatnonzero(likelihood.usable & (data.high > -data.low) & (likelihood.size >= _MANY))
            part = data if len(left) == rows else likelihood.select(left).data
            state = [place[left], np.log(scale[left]), shape[left], part.low, part.high]
            (place[left], log_scale, shape[left], *_), done, iterations[left] = newton(part.z, state, newton_step)
            scale[left] = np.exp(log_scale)
            status[left[done]] = Status.CONVERGED
            return solution(_in_units(likelihood, place, scale, shape), likelihood, status, iterations)

    def starts(self, likelihood: ExtremeValueLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the two best candidates for a local maximum; where parameters are known, feasible points."""
        with np.errstate(all="ignore"):
            if known:
                shapes = [known[2]] if 2 in known else [np.asarray(shape) for shape in _SHAPES]
                return [_feasible(likelihood, shape, known) for shape in shapes]
            return [_in_units(likelihood, *columns) for columns in _best_of_profile(likelihood)]


def _in_units(likelihood: ExtremeValueLikelihood, place: Array, scale: Array, shape: Array) -> tuple[Array, ...]:
    data = likelihood.data
    return data.origin + data.unit * place, data.unit * scale, shape


def _moments(likelihood: ExtremeValueLikelihood) -> tuple[Array, Array, Array]:
    """Return estimates of standardised data by probability-weighted moments of some observations.

    Source: Hosking, Wallis & Wood (1985), Technometrics 27, 251–261, eq. 14 and 15.
    """
    data = likelihood.data
    size = data.sample.shape[1]
    rank = np.arange(size)
    first = data.sample.mean(axis=-1)
    second = (data.sample * (rank / max(1, size - 1))).mean(axis=-1)
    third = (data.sample * (rank * (rank - 1.0) / max(1, (size - 1) * (size - 2)))).mean(axis=-1)
    with np.errstate(all="ignore"):
        ratio = (2.0 * second - first) / (3.0 * third - first) - math.log(2.0) / math.log(3.0)
        k = np.clip(np.nan_to_num(7.8590 * ratio + 2.9554 * ratio * ratio), -_MOST_MOMENT_SHAPE, _MOST_MOMENT_SHAPE)
        k = np.where(np.abs(k) < 1e-3, 1e-3, k)
        gamma = special.gamma(1.0 + k)
        scale = (2.0 * second - first) * k / (gamma * (1.0 - 2.0**-k))
        scale = np.where(scale > 0.0, scale, 1.0)
        place = first + scale * (gamma - 1.0) / k
        return (
            place,
            scale,
            np.clip(-k, -_INSIDE * scale / _positive(data.high - place), _INSIDE * scale / _positive(place + data.low)),
        )


def _positive(distance: Array) -> Array:
    return np.maximum(distance, 1e-300)


def _feasible(likelihood: ExtremeValueLikelihood, shape: Array, known: Mapping[int, Array]) -> Columns:
    """Return a point with all observations inside the support: by a larger scale, a moved location or less shape."""
    data = likelihood.data
    location, scale, _ = _in_units(likelihood, *_moments(likelihood))
    location, scale = known.get(0, location), known.get(1, scale)
    low = location - (data.origin - data.unit * data.low)
    high = data.origin + data.unit * data.high - location
    if 1 not in known:
        scale = np.maximum(scale, np.maximum(shape * low, -shape * high) / _INSIDE)
    elif 0 not in known:
        reach = _INSIDE * scale / np.abs(shape)
        location = np.where(
            shape < 0.0, location + np.maximum(high - reach, 0.0), location - np.maximum(low - reach, 0.0)
        )
    else:
        shape = np.clip(shape, -_INSIDE * scale / _positive(high), _INSIDE * scale / _positive(low))
    return [np.broadcast_to(column, (likelihood.rows,)) for column in (location, scale, shape)]


def _best_of_profile(likelihood: ExtremeValueLikelihood) -> list[list[Array]]:
    """Return the parameters of standardised data at two candidates for the best local maximum, NaN where none is.

    Given the endpoint, log(1 + θz)/θ is a Gumbel sample.
    """
    data = likelihood.data
    theta = endpoints(data.low, np.where(data.low > 0.0, data.low, 1e-3 * data.high), data.high)
    value, rate, middle = np.empty((3, *theta.shape))
    rate[-1] = 1.0
    for node, column in enumerate(theta):
        y = variate(data.z, column[:, np.newaxis])
        fitted, rate[node], middle[node] = _gumbel(y, rate[node - 1], _FIRST_STEPS if node == 0 else _STEPS)
        value[node] = fitted - column * y.mean(axis=-1)
    found = candidates(value)
    points = []
    for chosen in (found.first, found.second):
        at, slope, centre = (np.take_along_axis(part, chosen[np.newaxis], axis=0)[0] for part in (theta, rate, middle))
        stretched = np.exp(at * centre)
        point = np.expm1(at * centre) / at, stretched / slope, at / slope
        points.append([np.where(found.found, column, np.nan) for column in point])
    return points


def _gumbel(y: Array, rate: Array, steps: int) -> tuple[Array, Array, Array]:
    """Return the mean log-likelihood, 1/scale and location of the Gumbel family fitted to y, from a rate nearby."""
    least = y.min(axis=-1)
    y = y - least[:, np.newaxis]
    mean = y.mean(axis=-1)
    for step in range(steps + 1):
        weight = np.exp(-rate[:, np.newaxis] * y)
        total = weight.mean(axis=-1)
        if step == steps:
            break
        weight *= y
        first, second = weight.mean(axis=-1) / total, mean_product(weight, y) / total
        gap = 1.0 + rate * (first - mean)
        rate = rate * np.exp(np.clip(gap / (1.0 + rate * rate * (second - first * first)), -1.0, 1.0))
    return np.log(rate) - rate * mean - np.log(total) - 1.0, rate, least - np.log(total) / rate
