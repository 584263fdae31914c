"""The geometric family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np

from simstudy.families.exponential_family import (
    ExponentialFamily,
    ExponentialLikelihood,
    Statistics,
    Terms,
    centred_products,
)
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import POSITIVE_COUNTS
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.parameters import UNIT_INTERVAL, Array, Columns, Parameter

_LARGEST = 2.0**62


@final
class Geometric(ExponentialFamily):
    """Trials up to the first success, x = 1, 2, …: log p = log p + (x−1) log(1−p); I(p) = 1/(p²(1−p))."""

    name = "geometric"
    formula = "log p(x) = log prob + (x − 1)·log(1 − prob), x = 1, 2, … the trials up to the first success"
    parameters = (Parameter("prob", UNIT_INTERVAL, (0.02, 0.9)),)
    sample_space = POSITIVE_COUNTS

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw 1 + ⌊E/−log(1−p)⌋ of a standard exponential E, in vectors, at most 2⁶²."""
        draws = rng.standard_exponential(size)
        draws *= -1.0 / np.log1p(-np.asarray(theta[0], dtype=float))
        np.minimum(draws, _LARGEST, out=draws)
        x = draws.astype(np.int64)
        x += 1
        return x  # type: ignore[return-value]

    def statistics(self, x: Array) -> Statistics:
        """Return T = x − 1, the number of failures; NaN where an observation is no number of trials."""
        usable = self.sample_space.holds_all(x)
        x = np.asarray(x, dtype=float)
        mean = np.where(usable, x.mean(axis=-1), np.nan)
        return Statistics((mean - 1.0,), centred_products(x - mean[:, np.newaxis]), np.zeros(len(mean)))

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = log(1−p), A = −log p, E[x − 1] = (1−p)/p, Var(x) = (1−p)/p²."""
        prob = np.asarray(theta[0], dtype=float)
        rest = 1.0 - prob
        natural = np.log1p(-np.minimum(prob, 1.0 - 0.5 * np.finfo(float).eps))  # times T̄ = 0 where p is 1
        mean, inverse = rest / prob, 1.0 / rest
        return Terms(
            (natural,), ((-inverse,),), {(0, 0, 0): -inverse * inverse}, -np.log(prob), (mean,), (mean / prob,)
        )

    def start_from(self, statistics: Statistics) -> Columns:
        """Return 1/x̄, less where all observations are 1."""
        return (1.0 / (1.0 + np.maximum(statistics.mean[0], 1e-3)),)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return p̂ = 1/x̄; on the boundary 1 where all observations are 1."""
        failures = likelihood.statistics.mean[0]
        status = np.where(failures > 0.0, Status.CONVERGED, Status.BOUNDARY)
        return solution((1.0 / (1.0 + failures),), likelihood, status, 0)
