"""The lognormal family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import final

import numpy as np

from simstudy.families.exponential_family import ExponentialFamily, ExponentialLikelihood, Statistics, Terms
from simstudy.families.likelihood import Solution
from simstudy.families.normal import gaussian_solve, gaussian_statistics, gaussian_terms
from simstudy.families.sample_space import POSITIVE_NUMBERS
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter


@final
class Lognormal(ExponentialFamily):
    """log p = −½ log 2π − log σ − log x − (log x − μ)²/(2σ²); I(μ, σ) = diag(1, 2)/σ²."""

    name = "lognormal"
    formula = "log p(x) = −½ log(2π) − log sigma − log x − (log x − mu)²/(2 sigma²)"
    parameters = (Parameter("mu", REAL, (-2.0, 2.0)), Parameter("sigma", POSITIVE, (0.2, 2.0)))
    sample_space = POSITIVE_NUMBERS

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw the exponential of a normal."""
        draws = rng.normal(theta[0], theta[1], size)
        return np.asarray(np.exp(draws, out=draws))

    def statistics(self, x: Array) -> Statistics:
        """Return the normal statistics of log x; log h has the extra term −log x."""
        y = np.log(x)
        normal = gaussian_statistics(y, out=y)
        return replace(normal, base=normal.base - normal.origin - normal.mean[0])

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return the terms of (d, d²), d = log x − mean log x."""
        return gaussian_terms(theta, origin)

    def centre(self, theta: Columns) -> Array | float:
        """Return μ."""
        return np.asarray(theta[0], dtype=float)

    def start_from(self, statistics: Statistics) -> Columns:
        """Return mean and standard deviation of log x; for constant data a standard deviation of one."""
        sd = np.sqrt(statistics.covariance[0])
        return statistics.origin + statistics.mean[0], np.where(sd > 0.0, sd, 1.0)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the closed form."""
        return gaussian_solve(likelihood, known)
