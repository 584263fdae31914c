"""The inverse Gaussian family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import final

import numpy as np

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
from simstudy.families.solution import closed_form
from simstudy.parameters import POSITIVE, Array, Columns, Parameter

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@final
class InverseGaussian(ExponentialFamily):
    """log p = ½ log(λ/2π) − (3/2) log x − λ(x−μ)²/(2μ²x); I(μ, λ) = diag(λ/μ³, 1/(2λ²))."""

    name = "inverse_gaussian"
    formula = "log p(x) = ½ log(shape/2π) − (3/2) log x − shape·(x − mean)²/(2 mean²·x)"
    parameters = (Parameter("mean", POSITIVE, (0.2, 5.0)), Parameter("shape", POSITIVE, (0.2, 20.0)))
    sample_space = POSITIVE_NUMBERS

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by Michael, Schucany and Haas's method (1976, The American Statistician 30, 88–90).

        With y = μN²/(2λ), (x−μ)²/(2μx) = y has the roots μr and μ/r, r = 1/(1 + y + √(y² + 2y)), a form that keeps
        its digits at large y; μr is taken with probability 1/(1+r).
        """
        mean, shape = theta
        y = rng.standard_normal(size)
        np.square(y, out=y)
        y *= 0.5 * np.asarray(mean) / shape
        ratio = y + 2.0
        ratio *= y
        np.sqrt(ratio, out=ratio)
        ratio += y
        ratio += 1.0
        larger = rng.random(size)
        larger *= 1.0 + 1.0 / ratio
        draws = np.where(larger <= 1.0, 1.0 / ratio, ratio)
        draws *= mean
        return draws

    def statistics(self, x: Array) -> Statistics:
        """Return T = (d, d²x̄/x), d = (x − x̄)/x̄; nothing cancels where the data vary little beside their mean."""
        x = np.asarray(x, dtype=float)
        constant = constant_rows(x)
        origin = np.where(constant, x[:, 0], x.mean(axis=-1))
        unit = origin[:, np.newaxis]
        d = (x - unit) / unit
        q = unit / x
        q *= d
        q *= d
        means = d.mean(axis=-1), q.mean(axis=-1)
        d -= means[0][:, np.newaxis]
        q -= means[1][:, np.newaxis]
        covariance = centred_products(d, q)
        base = -_HALF_LOG_TWO_PI - 1.5 * np.log(x, out=d).mean(axis=-1)
        return Statistics(means, covariance, base, origin, (constant,))

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return the terms of T = (d, q) for d = x/o − 1, q = x/o − 2 + o/x, o the origin.

        With w = o/μ and φ = λ/o: η = (½φ(1−w²), −½φ), A = ½φ(1−w)² − ½ log λ.
        """
        mean, shape = (np.asarray(column, dtype=float) for column in theta)
        w, r, inverse_phi = origin / mean, mean / origin, origin / shape
        gap, excess = (mean - origin) / mean, (mean - origin) / origin
        phi, half = shape / origin, 0.5 / np.asarray(origin)
        slope = w / (mean * mean)
        across = excess * (r + 1.0)
        return Terms(
            natural=(0.5 * phi * gap * (1.0 + w), -0.5 * phi),
            jacobian=((shape * slope, half * gap * (1.0 + w)), (0.0, -half)),
            curvature={(0, 0, 0): -3.0 * shape * slope / mean, (0, 0, 1): slope},
            log_partition=0.5 * phi * gap * gap - 0.5 * np.log(shape),
            mean=(excess, gap * excess + inverse_phi),
            covariance=(
                r * r * r * inverse_phi,
                r * across * inverse_phi,
                across * across * w * inverse_phi + 2.0 * inverse_phi * inverse_phi,
            ),
        )

    def centre(self, theta: Columns) -> Array | float:
        """Return μ."""
        return np.asarray(theta[0], dtype=float)

    # Of one observation far below the mean, the statistics would lose digits.

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (λ(x−μ)/μ³, 1/(2λ) − (x−μ)²/(2μ²x))."""
        mean, shape = theta
        d = (x - mean) / mean
        return shape * d / np.square(mean), 0.5 / shape - 0.5 * d * (d / x)

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (−λ(3x−2μ)/μ⁴, (x−μ)/μ³, −1/(2λ²))."""
        mean, shape = theta
        d, square = (x - mean) / mean, np.square(mean)
        return -shape * (1.0 + 3.0 * d) / (square * mean), d / square, -0.5 / np.square(shape)

    def start_from(self, statistics: Statistics) -> Columns:
        """Return the estimates; for constant data a shape equal to the mean."""
        spread = statistics.mean[1]
        origin = np.asarray(statistics.origin)
        return origin, origin / np.where(spread > 0.0, spread, 1.0)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return μ̂ = x̄ and 1/λ̂ = mean (x−μ̂)²/(μ̂²x); a known value in place of its estimate.

        In the statistics, with μ = x̄(1+e): mean (x−μ)²/(μ²x) = [q̄ + (w²−1)d̄ + (1−w)²]/o, w = 1/(1+e).
        """
        data = likelihood.statistics
        (d, q), origin = data.mean, data.origin
        if 0 in known:
            w, gap = origin / known[0], (known[0] - origin) / known[0]
            spread = q - gap * (1.0 + w) * d + gap * gap
            return closed_form((known[0], origin / spread), likelihood, spread > 0.0)
        mean = origin + origin * d
        if 1 in known:
            return closed_form((mean, known[1]), likelihood)
        return closed_form((mean, origin / (q - d * d / (1.0 + d))), likelihood, ~data.extra[0])
