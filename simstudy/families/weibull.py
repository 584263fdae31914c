"""The Weibull family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.extreme_value import (
    EULER,
    STANDARD_VARIANCE,
    exponential_means,
    log_mean_power,
    moment_power,
    solve_profile,
)
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.sample_space import POSITIVE_NUMBERS
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, Array, Columns, Parameter


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
        means = exponential_means(v, squares=products)
        mean_v, mean_w, mean_vw, mean_vvw = shape * self.mean + shift, *means[:3]
        ratio = shape / scale
        outer: list[Array] = []
        if products:
            mean_vv = shape * (shape * self.mean_square + 2.0 * shift * self.mean) + shift * shift
            outer = [
                (1.0 + 2.0 * (mean_v - mean_vw) + mean_vv - 2.0 * mean_vvw + means.vvww) / (shape * shape),
                (mean_w - 1.0 + 2.0 * mean_vw - mean_v - means.vww) / scale,
                (1.0 - 2.0 * mean_w + means.ww) * ratio * ratio,
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
        corner = STANDARD_VARIANCE + (1.0 - EULER) ** 2
        return corner / (shape * shape), -(1.0 - EULER) / scale, np.square(shape / scale)

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
        shape = moment_power(likelihood.mean, likelihood.mean_square)
        if 1 in known:
            farthest = likelihood.origin - np.log(known[1])
            shape = np.where(farthest * shape > 1.0, 1.0 / farthest, shape)
        centre = likelihood.origin + likelihood.mean
        return ((shape, np.exp(centre + EULER / shape)),)

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
            log_mean = log_mean_power(likelihood.y, shape)
            exists, done, iterations = np.array(True), np.array(True), np.array(0)
        else:
            exists = likelihood.exists
            start = moment_power(likelihood.mean, likelihood.mean_square)
            found = solve_profile(likelihood.y, likelihood.mean, start, likelihood.usable & exists)
            shape, log_mean, done, iterations = found
        scale = np.exp(likelihood.origin + log_mean / shape)
        status = np.where(exists, np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS), Status.NO_MAXIMUM)
        return solution((shape, scale), likelihood, status, iterations)
