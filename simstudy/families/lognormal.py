"""The lognormal family."""

from __future__ import annotations

from dataclasses import replace
from typing import final

import numpy as np
from scipy import special

from simstudy.families.exponential_family import Statistics
from simstudy.families.gaussian import Gaussian, gaussian_statistics
from simstudy.families.sample_space import POSITIVE_NUMBERS
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter


@final
class Lognormal(Gaussian):
    """log p = −½ log 2π − log σ − log x − (log x − μ)²/(2σ²); I(μ, σ) = diag(1, 2)/σ²."""

    name = "lognormal"
    formula = "log p(x) = −½ log(2π) − log sigma − log x − (log x − mu)²/(2 sigma²)"
    parameters = (Parameter("mu", REAL, (-2.0, 2.0)), Parameter("sigma", POSITIVE, (0.2, 2.0)))
    sample_space = POSITIVE_NUMBERS

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw the exponential of a normal."""
        draws = rng.normal(theta[0], theta[1], size)
        return np.asarray(np.exp(draws, out=draws))

    def log_survival(self, x: Array, theta: Columns) -> Array:
        """Return log Φ(−(log x − μ)/σ)."""
        return np.asarray(special.log_ndtr((theta[0] - np.log(x)) / theta[1]))

    def statistics(self, x: Array) -> Statistics:
        """Return the normal statistics of log x; log h has the extra term −log x."""
        y = np.log(x)
        normal = gaussian_statistics(y, out=y)
        return replace(normal, base=normal.base - normal.origin - normal.mean[0])
