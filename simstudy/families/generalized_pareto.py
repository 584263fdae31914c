"""The generalized Pareto family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.endpoint_profile import INSIDE, MANY, SHAPES, candidates, endpoints, weighed
from simstudy.families.extreme_value_information import INFINITE_INFORMATION
from simstudy.families.generalized_pareto_likelihood import GeneralizedParetoLikelihood, unit_means
from simstudy.families.likelihood import Solution
from simstudy.families.newton_rows import newton
from simstudy.families.reduced_variate import from_variate, reduced, variate
from simstudy.families.sample_space import NON_NEGATIVE_NUMBERS, SampleSpace
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

_SUBSAMPLE = 256
_LEAST_MOMENT_SHAPE, _HEAVY = -0.45, 0.6
_NEAR = 0.02
_LONGEST_STEP = 1.0

_COORDINATES = ("log(1 + shape max/scale)", "scale/unit")


@final
class GeneralizedPareto(Family):
    """log p = −log σ − (1/ξ + 1) log(1 + ξx/σ), −log σ − x/σ at ξ = 0.

    I = [[1/(σ²(1+2ξ)), 1/(σ(1+ξ)(1+2ξ))], [·, 2/((1+ξ)(1+2ξ))]] for ξ > −½.

    The likelihood is unbounded, for ξ < −1 as the end of the support falls to the largest observation. The estimate is
    the best local maximum; all of them have ξ > −1.
    """

    name = "generalized_pareto"
    formula = "log p(x) = −log scale − (1/shape + 1) log(1 + shape·x/scale)"
    parameters = (Parameter("scale", POSITIVE, (0.2, 5.0)), Parameter("shape", REAL, (-0.25, 0.6)))
    sample_space = NON_NEGATIVE_NUMBERS
    unbounded = True

    def support(self, theta: Sequence[float]) -> SampleSpace:
        """Return the numbers from 0 to −σ/ξ where ξ < 0."""
        scale, shape = theta
        return replace(self.sample_space, upper=-scale / shape) if shape < 0.0 else self.sample_space

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return −log σ − (1 + ξ)y, −∞ outside the support."""
        value = -np.log(theta[0]) - (1.0 + theta[1]) * variate(x / theta[0], theta[1])
        return np.where((x < 0.0) | np.isnan(value), -np.inf, value)

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (((1 + ξ)k − 1)/σ, −y − (1 + ξ)f)."""
        z, m = x / theta[0], 1.0 + theta[1]
        y, w, f, _ = reduced(z, theta[1])
        return (m * z * w - 1.0) / theta[0], -y - m * f

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return ((1 − (1 + ξ)(k + kw))/σ², k(1 − (1 + ξ)k)/σ, −2f − (1 + ξ)g)."""
        z, scale, m = x / theta[0], theta[0], 1.0 + theta[1]
        _, w, f, g = reduced(z, theta[1])
        k = z * w
        return (1.0 - m * (k + k * w)) / (scale * scale), k * (1.0 - m * k) / scale, -2.0 * f - m * g

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return the closed form, NaN for ξ ≤ −½."""
        scale, shape = np.broadcast_arrays(*(np.asarray(column, dtype=float) for column in theta))
        shape = np.where(shape > -0.5, shape, np.nan)
        twice = 1.0 + 2.0 * shape
        return 1.0 / (scale * scale * twice), 1.0 / (scale * (1.0 + shape) * twice), 2.0 / ((1.0 + shape) * twice)

    def irregularity(self, theta: Sequence[float]) -> str:
        """Say that the information is infinite for ξ ≤ −½."""
        return "" if theta[1] > -0.5 else INFINITE_INFORMATION

    def log_survival(self, x: Array, theta: Columns) -> Array:
        """Return −y, −∞ beyond the support."""
        y = variate(x / theta[0], theta[1])
        return np.where(np.isnan(y), -np.inf, -np.maximum(y, 0.0))

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw σ(eˢ − 1)/ξ, s = ξE, of a standard exponential E."""
        draws = from_variate(rng.standard_exponential(size), theta[1])
        draws *= theta[0]
        return draws

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return 5 for both parameters: of fewer observations, most data sets have no local maximum."""
        return 5 if len(free) == 2 else 1

    def likelihood(self, x: Array) -> GeneralizedParetoLikelihood:
        """Take data (R, n) in units of a power of two near their mean."""
        x = np.asarray(x, dtype=float)
        with np.errstate(all="ignore"):
            mean, high = x.mean(axis=-1), x.max(axis=-1)
            unit = np.ldexp(1.0, np.frexp(np.where(mean > 0.0, mean, 1.0))[1])
            unit = np.where((x.min(axis=-1) >= 0.0) & np.isfinite(mean), unit, np.nan)
            inverse = 1.0 / unit
            sample = np.sort(x[:, :: -(-x.shape[1] // _SUBSAMPLE)], axis=-1)
            z = x * inverse[:, np.newaxis]
            return GeneralizedParetoLikelihood(z, unit, high * inverse, sample * inverse[:, np.newaxis])

    def start(self, x: Array) -> Columns:
        """Return estimates by probability-weighted moments, or by quantiles where tails are heavy."""
        likelihood = self.likelihood(x)
        scale, shape = _rough(likelihood)
        return likelihood.unit * scale, shape

    def solve(self, likelihood: GeneralizedParetoLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return the estimates by Newton's method on Grimshaw's profile, where data are many and all is free."""
        rows = likelihood.rows
        if known:
            hopeless = 1 in known and bool(np.all(known[1] <= -1.0))
            nothing = [np.full(rows, np.nan)] * 2
            return solution(nothing, likelihood, Status.NO_MAXIMUM, 0) if hopeless else None
        with np.errstate(all="ignore"):
            scale, shape = _rough(likelihood)
            status, iterations = np.full(rows, Status.MAX_ITERATIONS), np.zeros(rows, np.int16)
            left = np.flatnonzero(likelihood.usable & (likelihood.high > 0.0) & (likelihood.size >= MANY))
            part = likelihood if len(left) == rows else likelihood.select(left)
            state = np.log1p(part.high * shape[left] / scale[left]), scale[left]
            (v, scale[left]), done, iterations[left] = newton(part.z, state, [part.high], _profile_step, _COORDINATES)
            shape[left] = scale[left] * np.expm1(v) / part.high
            status[left[done]] = Status.CONVERGED
            return solution((likelihood.unit * scale, shape), likelihood, status, iterations)

    def starts(self, likelihood: GeneralizedParetoLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the two best candidates for a local maximum; where a parameter is known, feasible points."""
        with np.errstate(all="ignore"):
            if 1 in known:
                scale = np.maximum(_rough(likelihood)[0], -known[1] * likelihood.high / INSIDE)
                return [(likelihood.unit * scale, known[1])]
            if 0 in known:
                least = -INSIDE * known[0] / (likelihood.unit * likelihood.high)
                return [(known[0], np.maximum(shape, least)) for shape in SHAPES]
            return [(likelihood.unit * scale, shape) for scale, shape in _best_of_profile(likelihood)]


def _rough(likelihood: GeneralizedParetoLikelihood) -> tuple[Array, Array]:
    """Return feasible estimates in the units of the data from some observations.

    By probability-weighted moments (Hosking & Wallis 1987, Technometrics 29, 339–349, section 3.2), or by the median
    and the upper quartile where tails are heavy.
    """
    sample = likelihood.sample
    size = sample.shape[1]
    first = sample.mean(axis=-1)
    second = (sample * (np.arange(size)[::-1] / max(1, size - 1))).mean(axis=-1)
    median, quartile = sample[:, size // 2], sample[:, 3 * size // 4]
    with np.errstate(all="ignore"):
        shape = np.maximum(2.0 - first / (first - 2.0 * second), _LEAST_MOMENT_SHAPE)
        by_quantiles = np.log2(quartile / median - 1.0)
        heavy = by_quantiles > _HEAVY
        scale = np.where(heavy, median * by_quantiles / (np.exp2(by_quantiles) - 1.0), first * (1.0 - shape))
        shape = np.where(heavy, by_quantiles, shape)
        sound = np.isfinite(shape + scale) & (scale > 0.0)
        scale = np.where(sound, scale, np.where(first > 0.0, first, 1.0))
        return scale, np.maximum(np.where(sound, shape, 0.0), -INSIDE * scale / np.maximum(likelihood.high, 1e-300))


def _profile_step(
    data: NDArray[np.floating], state: list[Array], constants: list[Array], last: Array
) -> tuple[tuple[Array, ...], Array]:
    """Take one Newton step in v = log(1 + θ·max x) on the profile −log S − 1 − θS, S(θ) = mean log(1 + θx)/θ = σ.

    Where the profile is not concave, or the decrement does not fall, the step is of bounded length uphill.
    """
    v, high = state[0], constants[0]
    theta = np.expm1(v) / high
    y, _, _, f, g = (np.asarray(mean, dtype=float) for mean in unit_means(data, np.ones_like(v), theta))
    ratio, stretch = f / y, theta + 1.0 / high
    slope = (-ratio - y - theta * f) * stretch
    bend = (ratio * ratio - g / y - 2.0 * f - theta * g) * stretch * stretch + slope
    step = slope / np.abs(bend)
    decrement = slope * step
    sound = (bend < 0.0) & ((decrement < _NEAR) | (decrement < 0.5 * last)) & (np.abs(step) <= _LONGEST_STEP)
    moved = v + np.clip(np.nan_to_num(step), -_LONGEST_STEP, _LONGEST_STEP)
    change = np.expm1(moved) / high - theta
    scale = y + change * (f + 0.5 * change * g)
    return (moved, scale), np.where(sound, weighed(decrement, theta * y), np.inf)


def _best_of_profile(likelihood: GeneralizedParetoLikelihood) -> list[tuple[Array, Array]]:
    """Return scale and shape, in the units of the data, at two candidates for the best local maximum, or NaN."""
    middle = likelihood.sample[:, likelihood.sample.shape[1] // 2]
    high = likelihood.high
    theta = endpoints(np.zeros_like(high), np.where(middle > 0.0, middle, 1e-3 * high), high)
    scale = np.stack([variate(likelihood.z, column[:, np.newaxis]).mean(axis=-1) for column in theta])
    found = candidates(-np.log(scale) - theta * scale)
    points = []
    for node in (found.first, found.second):
        at, size = (np.take_along_axis(part, node[np.newaxis], axis=0)[0] for part in (theta, scale))
        points.append((np.where(found.found, size, np.nan), np.where(found.found, at * size, np.nan)))
    return points
