"""The Lindley family: a mixture of an exponential and a gamma of shape 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import final

import numpy as np

from simstudy.families.exponential import Exponential
from simstudy.families.exponential_family import ExponentialFamily, ExponentialLikelihood, Statistics, Terms
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import NON_NEGATIVE_NUMBERS
from simstudy.families.solution import closed_form
from simstudy.parameters import POSITIVE, Array, Columns, Parameter

_WAITING_TIME = Exponential()


@final
class Lindley(ExponentialFamily):
    """log p = 2 log θ − log(1+θ) + log(1+x) − θx; I(θ) = 2/θ² − 1/(1+θ)²."""

    name = "lindley"
    formula = "log p(x) = 2 log theta − log(1 + theta) + log(1 + x) − theta·x"
    parameters = (Parameter("theta", POSITIVE, (0.1, 10.0)),)
    sample_space = NON_NEGATIVE_NUMBERS

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw (E₁ + max(E₂ − log(1+θ), 0))/θ of standard exponentials.

        E₂ exceeds log(1+θ) with probability 1/(1+θ), and then by a standard exponential: a gamma of shape 2.
        """
        second = rng.standard_exponential(size)
        second -= np.log1p(theta[0])
        np.maximum(second, 0.0, out=second)
        draws = rng.standard_exponential(size)
        draws += second
        draws /= theta[0]
        return draws

    def statistics(self, x: Array) -> Statistics:
        """Return T = x, as of an exponential, and log h = log(1+x)."""
        x = np.asarray(x, dtype=float)
        return replace(_WAITING_TIME.statistics(x), base=np.log1p(x).mean(axis=-1))

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = −θ, A = log(1+θ) − 2 log θ, E[x] = (1 + 1/(1+θ))/θ, Var(x) = 2/θ² − 1/(1+θ)²."""
        rate = np.asarray(theta[0], dtype=float)
        scale, share = 1.0 / rate, 1.0 / (1.0 + rate)
        return Terms(
            natural=(-rate,),
            jacobian=((-1.0,),),
            curvature={},
            log_partition=np.log1p(rate) - 2.0 * np.log(rate),
            mean=(scale * (1.0 + share),),
            covariance=(2.0 * scale * scale - share * share,),
        )

    def start_from(self, statistics: Statistics) -> Columns:
        """Return the estimate; for data that are all 0 a rate of one."""
        mean = statistics.mean[0]
        return (_root(np.where(mean > 0.0, mean, 1.0)),)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the positive root of x̄θ² + (x̄−1)θ − 2 = 0; without a maximum where all observations are 0."""
        mean = likelihood.statistics.mean[0]
        return closed_form((_root(mean),), likelihood, mean > 0.0)


def _root(mean: Array) -> Array:
    """Return (−b + √(b² + 8x̄))/(2x̄), b = x̄ − 1, in the form in which nothing cancels."""
    b = mean - 1.0
    larger = np.abs(b) + np.sqrt(b * b + 8.0 * mean)
    return np.asarray(np.where(b > 0.0, 4.0 / larger, larger / (2.0 * mean)))
