"""The Weibull family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self, final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.sample_space import POSITIVE_NUMBERS
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, Array, Columns, Parameter

_TOLERANCE = 1e-11
_ITERATIONS = 100
_EULER = float(np.euler_gamma)
_START = math.pi / math.sqrt(6.0)


class WeibullLikelihood(FamilyLikelihood):
    """The likelihood of data kept as y = log x − origin ≤ 0, origin = max log x, so that no power overflows.

    With v = k(log x − log λ) and w = eᵛ:
    log p = log k + v − w − log x, score_k = (1 + v(1 − w))/k, score_λ = −k(1 − w)/λ.
    """

    def __init__(self, y: Array, origin: Array) -> None:
        self.y, self.origin = y, origin
        self.rows, self.size = y.shape
        self.mean, self.mean_square = y.mean(axis=-1), mean_product(y, y)
        self.exists = self.mean_square > 0.0
        self.usable = np.isfinite(self.mean_square + origin)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data."""
        shape, scale = (np.asarray(column, dtype=float) for column in theta)
        shift = shape * (self.origin - np.log(scale))
        v = self.y * np.broadcast_to(shape, (self.rows,))[:, np.newaxis]
        v += shift[:, np.newaxis]
        w = np.exp(v)
        vw = v * w
        mean_v, mean_w, mean_vw = shape * self.mean + shift, w.mean(axis=-1), vw.mean(axis=-1)
        mean_vvw = mean_product(v, vw)
        ratio = shape / scale
        outer: list[Array] = []
        if products:
            mean_vv = shape * (shape * self.mean_square + 2.0 * shift * self.mean) + shift * shift
            ww, wvw, vwvw = mean_product(w, w), mean_product(w, vw), mean_product(vw, vw)
            outer = [
                (1.0 + 2.0 * (mean_v - mean_vw) + mean_vv - 2.0 * mean_vvw + vwvw) / (shape * shape),
                (mean_w - 1.0 + 2.0 * mean_vw - mean_v - wvw) / scale,
                (1.0 - 2.0 * mean_w + ww) * ratio * ratio,
            ]
        information = [
            (1.0 + mean_vvw) / (shape * shape),
            (1.0 - mean_w - mean_vw) / scale,
            ratio * ((shape + 1.0) * mean_w - 1.0) / scale,
        ]
        value = np.log(shape) + mean_v - mean_w - self.origin - self.mean
        return Evaluation(value, [(1.0 + mean_v - mean_vw) / shape, ratio * (mean_w - 1.0)], information, outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.y[rows], self.origin[rows])


@final
class Weibull(Family):
    """log p = log k − k log λ + (k−1) log x − (x/λ)ᵏ; I = [[(π²/6 + (1−γ)²)/k², −(1−γ)/λ], [·, k²/λ²]]."""

    name = "weibull"
    formula = "log p(x) = log shape − shape·log scale + (shape − 1) log x − (x/scale)^shape"
    parameters = (Parameter("shape", POSITIVE, (0.4, 6.0)), Parameter("scale", POSITIVE, (0.1, 10.0)))
    sample_space = POSITIVE_NUMBERS

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return log k − log x + v − eᵛ, v = k log(x/λ)."""
        v = theta[0] * np.log(x / theta[1])
        return np.asarray(np.log(theta[0]) - np.log(x) + v - np.exp(v))

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return ((1 + v(1 − w))/k, −k(1 − w)/λ)."""
        v = theta[0] * np.log(x / theta[1])
        gap = -np.expm1(v)
        return (1.0 + v * gap) / theta[0], -theta[0] * gap / theta[1]

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (−(1 + v²w)/k², −(1 − w − vw)/λ, k(1 − (k+1)w)/λ²)."""
        v = theta[0] * np.log(x / theta[1])
        w = np.exp(v)
        return (
            -(1.0 + v * v * w) / np.square(theta[0]),
            -(1.0 - w - v * w) / theta[1],
            theta[0] * (1.0 - (theta[0] + 1.0) * w) / np.square(theta[1]),
        )

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return the closed form."""
        shape, scale = (np.asarray(column, dtype=float) for column in theta)
        corner = math.pi**2 / 6.0 + (1.0 - _EULER) ** 2
        return corner / (shape * shape), -(1.0 - _EULER) / scale, np.square(shape / scale)

    def log_survival(self, x: Array, theta: Columns) -> Array:
        """Return −(x/λ)ᵏ."""
        return np.asarray(-np.exp(theta[0] * np.log(x / theta[1])))

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw λE^(1/k) of a standard exponential E; the vectorised power is twice as fast as the generator's own."""
        draws = rng.standard_exponential(size)
        np.power(draws, 1.0 / np.asarray(theta[0]), out=draws)
        draws *= theta[1]
        return draws

    def start(self, x: Array) -> Columns:
        """Return shape and scale from the first two moments of log x, which is Gumbel."""
        return self.starts(self.likelihood(x), {})[0]

    def starts(self, likelihood: WeibullLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return shape π/(√6 sd), one for constant data, and its scale; a known λ bounds k log(max x/λ) by one."""
        shape = _moment_shape(likelihood)
        if 1 in known:
            farthest = likelihood.origin - np.log(known[1])
            shape = np.where(farthest * shape > 1.0, 1.0 / farthest, shape)
        centre = likelihood.origin + likelihood.mean
        return ((shape, np.exp(centre + _EULER / shape)),)

    def likelihood(self, x: Array) -> WeibullLikelihood:
        """Take logarithms relative to the largest."""
        y = np.log(x)
        origin = y.max(axis=-1)
        y -= origin[:, np.newaxis]
        return WeibullLikelihood(y, origin)

    def solve(self, likelihood: WeibullLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return k̂ from the profile equation and λ̂ᵏ = mean xᵏ."""
        if 1 in known:
            return None
        if 0 in known:
            shape = np.broadcast_to(known[0], (likelihood.rows,))
            log_power = log_mean_power(likelihood.y, shape)
            exists, done, iterations = np.array(True), np.array(True), np.array(0)
        else:
            shape, log_power, done, iterations = solve_profile(likelihood, _moment_shape(likelihood))
            exists = likelihood.exists
        scale = np.exp(likelihood.origin + log_power / shape)
        status = np.where(exists, np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS), Status.NO_MAXIMUM)
        return solution((shape, scale), likelihood, status, iterations)


def _moment_shape(likelihood: WeibullLikelihood) -> Array:
    variance = likelihood.mean_square - likelihood.mean * likelihood.mean
    return np.asarray(_START / np.where(variance > 0.0, np.sqrt(variance), 1.0))


class _Moments(NamedTuple):
    """Of y under the weights w ∝ e^{ty}: log mean w, mean, variance and third central moment."""

    log_power: Array
    mean: Array
    variance: Array
    third: Array


def _moments(y: Array, t: Array) -> _Moments:
    w = y * t[:, np.newaxis]
    np.exp(w, out=w)
    mean = w.mean(axis=-1)
    w *= y
    first, second = w.mean(axis=-1) / mean, mean_product(w, y) / mean
    w *= y
    third = mean_product(w, y) / mean
    variance = second - first * first
    return _Moments(np.log(mean), first, variance, third - first * (3.0 * second - 2.0 * first * first))


def log_mean_power(y: Array, t: Array) -> Array:
    """Return log mean e^{ty}."""
    return _moments(y, t).log_power


def solve_profile(
    likelihood: WeibullLikelihood, start: Array
) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.int16]]:
    """Solve f(t) = 1 + t(ȳ − E_w[y]) = 0, w ∝ e^{ty}, by Halley's method in log t within a live bracket.

    Of censored lifetimes, ȳ is the mean over what was seen. f falls monotonely from 1, so its sign keeps the bracket.
    Convergence is cubic: a decrement f²/|f′| of 10⁻¹¹ before a step leaves an error below rounding after it. Returns t,
    log mean e^{ty}, whether it converged, and the iterations.
    """
    rows = likelihood.rows
    t, log_power = start.copy(), np.zeros(rows)
    done, iterations = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=np.int16)
    left = np.flatnonzero(likelihood.usable & likelihood.exists)
    part = likelihood if len(left) == rows else likelihood.select(left)
    y, mean = part.y, part.mean
    low, high = np.zeros(len(left)), np.full(len(left), np.inf)
    for _ in range(_ITERATIONS):
        if not len(left):
            break
        now = t[left]
        moments = _moments(y, now)
        f = 1.0 + now * (mean - moments.mean)
        bend = now * now * moments.variance
        slope = (f - 1.0) - bend
        curve = slope - 2.0 * bend - now * bend * moments.third / moments.variance
        low, high = np.where(f > 0.0, now, low), np.where(f > 0.0, high, now)
        moved = now * np.exp(_halley(f, slope, curve))
        inside = (moved >= low) & (moved <= high)
        moved = np.where(inside, moved, np.where(high < np.inf, 0.5 * (low + high), 2.0 * now))
        step = moved - now
        finished = inside & (f * f <= _TOLERANCE * -slope)
        series = moments.mean + step * (moments.variance / 2.0 + step * moments.third / 6.0)
        fresh = ~done[left]  # a finished row stays as it is, however long its neighbours take
        iterations[left] += fresh
        t[left] = np.where(fresh, moved, now)
        log_power[left] = np.where(fresh, moments.log_power + step * series, log_power[left])
        done[left] |= finished
        keep = ~done[left]
        if not keep.any():
            break
        if keep.sum() < 0.5 * len(left):
            left, y, mean, low, high = left[keep], y[keep], mean[keep], low[keep], high[keep]
    return t, log_power, done, iterations


def _halley(f: Array, slope: Array, curve: Array) -> Array:
    """Return Halley's step, or Newton's where Halley's does not go downhill, at most one."""
    newton = -f / slope
    denominator = 1.0 + 0.5 * newton * curve / slope
    return np.clip(np.where(denominator > 0.5, newton / denominator, newton), -1.0, 1.0)
