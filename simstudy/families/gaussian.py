"""What the normal and the lognormal family share: both are normal in y, which is x or log x."""

from __future__ import annotations

import math
from collections.abc import Mapping

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
from simstudy.families.solution import closed_form
from simstudy.parameters import Array, Columns

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_FAR = 1e-3


def gaussian_statistics(y: Array, out: Array | None = None) -> Statistics:
    """Return the statistics (d, d²), d = y − ȳ, of data (R, n) that are normal in y; d is written to ``out``.

    The mean of d is the rounding error of ȳ; it matters only where ȳ is large beside the standard deviation.
    """
    origin = y.mean(axis=-1)
    d = np.subtract(y, origin[:, np.newaxis], out=out)
    second, third, fourth = centred_products(d, np.square(d))
    first, constant = np.zeros_like(origin), np.zeros(len(origin), dtype=bool)
    suspect = second <= (_FAR * origin) ** 2
    if suspect.any():
        first[suspect] = d[suspect].mean(axis=-1)
        constant[suspect] = constant_rows(d[suspect])
    covariance = (second - first * first, third - first * second, fourth - second * second)
    return Statistics((first, second), covariance, -_HALF_LOG_TWO_PI, origin, (constant,))


class Gaussian(ExponentialFamily):
    """A family with the statistics of a normal y and the parameters (μ, σ)."""

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return the terms of T = (d, d²) for d = y − origin normal with mean m = μ − origin and sd σ.

        η = (m/σ², −1/(2σ²)), A = m²/(2σ²) + log σ, E[T] = (m, m² + σ²).
        """
        m, sigma = theta[0] - origin, np.asarray(theta[1], dtype=float)
        precision = 1.0 / (sigma * sigma)
        cube = precision / sigma
        variance = sigma * sigma
        ratio = m * precision
        return Terms(
            natural=(ratio, -0.5 * precision),
            jacobian=((precision, -2.0 * ratio / sigma), (0.0, cube)),
            curvature={
                (0, 0, 1): -2.0 * cube,
                (0, 1, 1): 6.0 * ratio * precision,
                (1, 1, 1): -3.0 * precision * precision,
            },
            log_partition=0.5 * m * ratio + np.log(sigma),
            mean=(m, m * m + variance),
            covariance=(variance, 2.0 * m * variance, 2.0 * variance * (variance + 2.0 * m * m)),
        )

    def centre(self, theta: Columns) -> Array | float:
        """Return μ."""
        return np.asarray(theta[0], dtype=float)

    def start_from(self, statistics: Statistics) -> Columns:
        """Return mean and standard deviation; for constant data a standard deviation of one."""
        sd = np.sqrt(statistics.covariance[0])
        return statistics.origin + statistics.mean[0], np.where(sd > 0.0, sd, 1.0)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return μ̂ = ȳ and σ̂² = mean (y − μ̂)², or with the known value in place of its estimate."""
        data = likelihood.statistics
        centre = data.origin + data.mean[0]
        spread = data.covariance[0]
        mu = known.get(0, centre)
        sigma = known.get(1, np.sqrt(spread + (centre - mu) ** 2))
        exists = np.asarray(sigma > 0.0) if known else ~data.extra[0]
        return closed_form((mu, sigma), likelihood, exists)
