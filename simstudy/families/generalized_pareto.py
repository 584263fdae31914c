"""The generalized Pareto family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.endpoint_profile import candidates, endpoints
from simstudy.families.extreme_value_information import INFINITE_INFORMATION
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.newton_rows import newton
from simstudy.families.reduced_variate import Rows, by_form, from_variate, reduced, variate
from simstudy.families.sample_space import NON_NEGATIVE_NUMBERS, SampleSpace
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

_MANY = 33
_SUBSAMPLE = 256
# Of data in their units.
_TYPICAL = 0.7
_MOMENT_SHAPES = (-0.45, 0.9)
_SHAPES = (-0.7, -0.3, 0.05, 0.5, 1.5)
_INSIDE = 0.9
_NEAR = 0.02
_LONGEST_STEP = 1.0


class ParetoLikelihood(FamilyLikelihood):
    """The likelihood of data kept in units near their mean, with the largest and an ordered part of each data set."""

    def __init__(self, z: Array, unit: Array, high: Array, sample: Array) -> None:
        self.z, self.unit, self.high, self.sample = z, unit, high, sample
        self.rows, self.size = z.shape
        self.usable = np.isfinite(unit)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data; −∞ where an observation lies outside the support."""
        scale, shape = (np.broadcast_to(np.asarray(column, dtype=float), (self.rows,)) for column in theta)
        m, inverse = 1.0 + shape, 1.0 / scale
        y, k, kk, f, g, *outer = _means(self.z, self.unit * inverse, shape, products=products)
        value = -np.log(scale) - m * y
        score = [(m * k - 1.0) * inverse, -y - m * f]
        information = [
            (m * (2.0 * k - shape * kk) - 1.0) * inverse * inverse,
            (m * kk - k) * inverse,
            2.0 * f + m * g,
        ]
        if products:
            outer = [outer[0] * inverse * inverse, outer[1] * inverse, outer[2]]
        return Evaluation(np.where(np.isnan(value), -np.inf, value), score, information, outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.z[rows], self.unit[rows], self.high[rows], self.sample[rows])


def _means(data: NDArray[np.floating], factor: Array, shape: Array, *, products: bool = False) -> list[Array]:
    """Return the means of y, k = z/(1 + ξz), k², f and g at z = data·factor, and the products of the unit score."""

    def of_rows(rows: Rows, short: bool) -> list[Array]:
        z = data[rows] * factor[rows].astype(data.dtype)[:, np.newaxis]
        return (_short_means if short else _long_means)(z, shape[rows], products=products)

    return by_form(_TYPICAL * shape * factor, of_rows)


def _short_means(z: Any, shape: Array, *, products: bool) -> list[Array]:
    column = shape.astype(z.dtype)[:, np.newaxis]
    s = z * column
    s += 1.0
    k = z
    k /= s
    y = np.log(s, out=s)
    mean_k, mean_y, kk = k.mean(axis=-1), y.mean(axis=-1) / shape, mean_product(k, k)
    f = (mean_k - mean_y) / shape
    means = [mean_y, mean_k, kk, f, -(kk + 2.0 * f) / shape]
    if not products:
        return means
    y /= column
    k *= 1.0 + column
    y -= k
    y /= column
    k -= 1.0
    return [*means, mean_product(k, k), mean_product(k, y), mean_product(y, y)]


def _long_means(z: Any, shape: Array, *, products: bool) -> list[Array]:
    column = shape.astype(z.dtype)[:, np.newaxis]
    y, w, f, g = reduced(z, column)
    k = z * w
    means = [y.mean(axis=-1), k.mean(axis=-1), mean_product(k, k), f.mean(axis=-1), g.mean(axis=-1)]
    if not products:
        return means
    first, second = (1.0 + column) * k - 1.0, -y - (1.0 + column) * f
    return [*means, mean_product(first, first), mean_product(first, second), mean_product(second, second)]


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

    def likelihood(self, x: Array) -> ParetoLikelihood:
        """Take data (R, n) in units of a power of two near their mean."""
        x = np.asarray(x, dtype=float)
        with np.errstate(all="ignore"):
            mean, high = x.mean(axis=-1), x.max(axis=-1)
            unit = np.ldexp(1.0, np.frexp(np.where(mean > 0.0, mean, 1.0))[1])
            unit = np.where((x.min(axis=-1) >= 0.0) & np.isfinite(mean), unit, np.nan)
            inverse = 1.0 / unit
            sample = np.sort(x[:, :: max(1, x.shape[1] // _SUBSAMPLE)], axis=-1)
            z = x * inverse[:, np.newaxis]
            return ParetoLikelihood(z, unit, high * inverse, sample * inverse[:, np.newaxis])

    def start(self, x: Array) -> Columns:
        """Return the estimates by probability-weighted moments, ξ from −0.45 to 0.9 and feasible."""
        likelihood = self.likelihood(x)
        scale, shape = _moments(likelihood)
        return likelihood.unit * scale, shape

    def solve(self, likelihood: ParetoLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return the estimates by Newton's method on Grimshaw's profile, where data are many and all is free."""
        rows = likelihood.rows
        if known:
            hopeless = 1 in known and bool(np.all(known[1] <= -1.0))
            nothing = [np.full(rows, np.nan)] * 2
            return solution(nothing, likelihood, Status.NO_MAXIMUM, 0) if hopeless else None
        with np.errstate(all="ignore"):
            scale, shape = _moments(likelihood)
            status, iterations = np.full(rows, Status.MAX_ITERATIONS), np.zeros(rows, np.int16)
            left = np.flatnonzero(likelihood.usable & (likelihood.high > 0.0) & (likelihood.size >= _MANY))
            part = likelihood if len(left) == rows else likelihood.select(left)
            state = [np.log1p(part.high * shape[left] / scale[left]), part.high, scale[left]]
            (v, high, scale[left]), done, iterations[left] = newton(part.z, state, _profile_step)
            shape[left] = scale[left] * np.expm1(v) / high
            status[left[done]] = Status.CONVERGED
            return solution((likelihood.unit * scale, shape), likelihood, status, iterations)

    def starts(self, likelihood: ParetoLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the two best candidates for a local maximum; where a parameter is known, feasible points."""
        with np.errstate(all="ignore"):
            if 1 in known:
                scale = np.maximum(_moments(likelihood)[0], -known[1] * likelihood.high / _INSIDE)
                return [(likelihood.unit * scale, known[1])]
            if 0 in known:
                least = -_INSIDE * known[0] / (likelihood.unit * likelihood.high)
                return [(known[0], np.maximum(shape, least)) for shape in _SHAPES]
            return [(likelihood.unit * scale, shape) for scale, shape in _best_of_profile(likelihood)]


def _moments(likelihood: ParetoLikelihood) -> tuple[Array, Array]:
    """Return estimates in the units of the data by probability-weighted moments of some observations.

    Source: Hosking & Wallis (1987), Technometrics 29, 339–349, section 3.2.
    """
    size = likelihood.sample.shape[1]
    first = likelihood.sample.mean(axis=-1)
    second = (likelihood.sample * (np.arange(size)[::-1] / max(1, size - 1))).mean(axis=-1)
    with np.errstate(all="ignore"):
        shape = np.clip(np.nan_to_num(2.0 - first / (first - 2.0 * second)), *_MOMENT_SHAPES)
        scale = np.where(first > 0.0, first * (1.0 - shape), 1.0)
        return scale, np.maximum(shape, -_INSIDE * scale / np.maximum(likelihood.high, 1e-300))


def _profile_step(data: NDArray[np.floating], state: list[Array], last: Array) -> tuple[tuple[Array, ...], Array]:
    """Take one Newton step in v = log(1 + θ·max x) on the profile −log S − 1 − θS, S(θ) = mean log(1 + θx)/θ = σ.

    Where the profile is not concave, or the decrement does not fall, the step is of bounded length uphill.
    """
    v, high, _ = state
    theta = np.expm1(v) / high
    y, _, _, f, g = (np.asarray(mean, dtype=float) for mean in _means(data, np.ones_like(v), theta))
    ratio, stretch = f / y, theta + 1.0 / high
    slope = (-ratio - y - theta * f) * stretch
    bend = (ratio * ratio - g / y - 2.0 * f - theta * g) * stretch * stretch + slope
    step = slope / np.abs(bend)
    decrement = slope * step
    sound = (bend < 0.0) & ((decrement < _NEAR) | (decrement < 0.5 * last)) & (np.abs(step) <= _LONGEST_STEP)
    moved = v + np.clip(np.nan_to_num(step), -_LONGEST_STEP, _LONGEST_STEP)
    change = np.expm1(moved) / high - theta
    return (moved, high, y + change * (f + 0.5 * change * g)), np.where(sound, decrement, np.inf)


def _best_of_profile(likelihood: ParetoLikelihood) -> list[tuple[Array, Array]]:
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
