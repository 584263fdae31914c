"""The exponential family of waiting times (a family of one parameter, itself an exponential family)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np

from simstudy.families.exponential_family import (
    ExponentialFamily,
    ExponentialLikelihood,
    Statistics,
    Terms,
)
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import NON_NEGATIVE_NUMBERS
from simstudy.families.solution import closed_form
from simstudy.numerics.sums import mean_product
from simstudy.parameters import POSITIVE, Array, Columns, Parameter, Parametrisation


@final
class Exponential(ExponentialFamily):
    """log p = log λ − λx; I(λ) = 1/λ²."""

    name = "exponential"
    formula = "log p(x) = log rate − rate·x"
    parameters = (Parameter("rate", POSITIVE, (0.1, 10.0)),)
    sample_space = NON_NEGATIVE_NUMBERS
    alternatives = (
        Parametrisation(
            (Parameter("scale", POSITIVE, (0.1, 10.0)),),
            to_base=lambda phi: (1.0 / phi[0],),
            from_base=lambda theta: (1.0 / theta[0],),
            jacobian=lambda phi: ((-1.0 / phi[0] ** 2,),),
            curvature=lambda phi: {(0, 0, 0): 2.0 / phi[0] ** 3},
        ),
    )

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by the generator's ziggurat."""
        return rng.exponential(1.0 / np.asarray(theta[0]), size)

    def log_survival(self, x: Array, theta: Columns) -> Array:
        """Return −λx."""
        return np.asarray(-theta[0] * x)

    def statistics(self, x: Array) -> Statistics:
        """Return T = x; the raw second moment is enough for the variance of data of one sign."""
        x = np.asarray(x, dtype=float)
        mean = np.where(x.min(axis=-1) < 0.0, np.nan, x.mean(axis=-1))
        return Statistics((mean,), (np.maximum(mean_product(x, x) - mean * mean, 0.0),), 0.0)

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = −λ, A = −log λ, E[x] = 1/λ, Var(x) = 1/λ²."""
        rate = np.asarray(theta[0], dtype=float)
        scale = 1.0 / rate
        return Terms((-rate,), ((-1.0,),), {}, -np.log(rate), (scale,), (scale * scale,))

    def start_from(self, statistics: Statistics) -> Columns:
        """Return 1/x̄."""
        return (1.0 / statistics.mean[0],)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return λ̂ = 1/x̄; without a maximum where all observations are 0."""
        mean = likelihood.statistics.mean[0]
        return closed_form((1.0 / mean,), likelihood, mean > 0.0)
