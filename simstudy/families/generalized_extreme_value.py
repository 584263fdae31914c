"""The generalized extreme value family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import final

import numpy as np

from simstudy.families.base import Family
from simstudy.families.endpoint_profile import MANY, SHAPES
from simstudy.families.extreme_value_information import INFINITE_INFORMATION, unit_information
from simstudy.families.extreme_value_likelihood import ExtremeValueLikelihood, centre
from simstudy.families.extreme_value_newton import newton_step
from simstudy.families.extreme_value_starts import best_of_profile, feasible, rough
from simstudy.families.likelihood import Solution
from simstudy.families.newton_rows import newton
from simstudy.families.reduced_variate import from_variate, reduced, variate
from simstudy.families.sample_space import REAL_LINE, SampleSpace
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

_COORDINATES = ("loc − origin", "log scale", "shape")


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
        """Centre data (R, n)."""
        with np.errstate(all="ignore"):
            return ExtremeValueLikelihood(centre(np.asarray(x, dtype=float)))

    def start(self, x: Array) -> Columns:
        """Return estimates by probability-weighted moments, or by quantiles where tails are heavy."""
        likelihood = self.likelihood(x)
        place, scale, shape = rough(likelihood.data)
        return likelihood.data.origin + place, scale, shape

    def solve(self, likelihood: ExtremeValueLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return the estimates by Newton's method in (μ, log σ, ξ), where data are many and all is free."""
        rows, data = likelihood.rows, likelihood.data
        if known:
            hopeless = 2 in known and bool(np.all(known[2] <= -1.0))
            nothing = [np.full(rows, np.nan)] * 3
            return solution(nothing, likelihood, Status.NO_MAXIMUM, 0) if hopeless else None
        status, iterations = np.full(rows, Status.MAX_ITERATIONS), np.zeros(rows, np.int16)
        with np.errstate(all="ignore"):
            place, scale, shape = rough(data)
            left = np.flatnonzero(likelihood.usable & (data.low + data.high > 0.0) & (likelihood.size >= MANY))
            part = data if len(left) == rows else likelihood.select(left).data
            state, constants = (place[left], np.log(scale[left]), shape[left]), (part.spread, part.low, part.high)
            found, done, iterations[left] = newton(part.deviation, state, constants, newton_step, _COORDINATES)
            place[left], log_scale, shape[left] = found
        scale[left] = np.exp(log_scale)
        status[left[done]] = Status.CONVERGED
        return solution((data.origin + place, scale, shape), likelihood, status, iterations)

    def starts(self, likelihood: ExtremeValueLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the two best candidates for a local maximum; where parameters are known, feasible points."""
        with np.errstate(all="ignore"):
            if known:
                shapes = [known[2]] if 2 in known else [np.asarray(shape) for shape in SHAPES]
                return [feasible(likelihood, shape, known) for shape in shapes]
            origin = likelihood.data.origin
            return [(origin + place, scale, shape) for place, scale, shape in best_of_profile(likelihood.data)]
