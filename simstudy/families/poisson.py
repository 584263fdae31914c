"""The Poisson family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np
from scipy import special

from simstudy.families.exponential_family import (
    ExponentialFamily,
    ExponentialLikelihood,
    Statistics,
    Terms,
    centred_products,
)
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import COUNTS
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.parameters import POSITIVE, Array, Columns, Parameter

_TABLE_LENGTH = 4096


def mean_log_factorial(x: Array) -> Array:
    """Return the mean of log x! along the last axis; from a table while all counts are small."""
    largest = x.max()
    if x.min() >= 0 and largest < _TABLE_LENGTH:
        table = special.gammaln(np.arange(int(largest) + 1) + 1.0)
        return np.asarray(table[x.astype(np.intp, copy=False)].mean(axis=-1))
    return np.asarray(special.gammaln(x + 1.0).mean(axis=-1))


@final
class Poisson(ExponentialFamily):
    """log p = x log μ − μ − log x!; I(μ) = 1/μ."""

    name = "poisson"
    formula = "log p(x) = x·log mean − mean − log x!"
    parameters = (Parameter("mean", POSITIVE, (0.5, 50.0)),)
    sample_space = COUNTS

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw counts by the generator."""
        return np.asarray(rng.poisson(theta[0], size))

    def statistics(self, x: Array) -> Statistics:
        """Return T = x and log h = −log x!; NaN where an observation is no count."""
        mean = np.where(self.sample_space.holds_all(x), x.mean(axis=-1), np.nan)
        deviation = x - mean[:, np.newaxis]
        usable = np.isfinite(mean)
        base = np.full(len(mean), np.nan)
        if usable.any():
            base[usable] = -mean_log_factorial(x if usable.all() else x[usable])
        return Statistics((mean,), centred_products(deviation), base)

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = log μ, A = μ, E[x] = Var(x) = μ."""
        mean = np.asarray(theta[0], dtype=float)
        inverse = 1.0 / mean
        natural = np.log(np.maximum(mean, np.finfo(float).tiny))  # times T̄ = 0 where the mean is 0
        return Terms((natural,), ((inverse,),), {(0, 0, 0): -inverse * inverse}, mean, (mean,), (mean,))

    def start_from(self, statistics: Statistics) -> Columns:
        """Return x̄."""
        return (statistics.mean[0],)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return μ̂ = x̄; on the boundary 0 where all counts are 0."""
        mean = likelihood.statistics.mean[0]
        return solution((mean,), likelihood, np.where(mean > 0.0, Status.CONVERGED, Status.BOUNDARY), 0)
