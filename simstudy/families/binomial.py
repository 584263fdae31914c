"""The binomial family, and what it shares with the Bernoulli."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
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
from simstudy.families.sample_space import SampleSpace
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.special import log_gamma_minus_stirling
from simstudy.parameters import POSITIVE_INTEGER, UNIT_INTERVAL, Array, Columns, Parameter

_TABLE_LENGTH = 4096


class Successes(ExponentialFamily):
    """The number of successes in m independent trials: log p = log C(m, x) + x log p + (m−x) log(1−p)."""

    parameters = (Parameter("prob", UNIT_INTERVAL, (0.1, 0.9)),)

    @property
    @abstractmethod
    def number(self) -> float:
        """The number m of trials."""

    @cached_property
    def sample_space(self) -> SampleSpace:  # type: ignore[override]
        """The integers 0 … m."""
        name = f"integers from 0 to {self.number:g}"
        return SampleSpace(name, 0.0, self.number, lower_included=True, discrete=True, upper_included=True)

    @abstractmethod
    def mean_log_coefficient(self, x: Array) -> Array:
        """Return the mean of log C(m, x) along the last axis."""

    def statistics(self, x: Array) -> Statistics:
        """Return T = x and log h = log C(m, x); NaN where an observation is no number of successes."""
        usable = self.sample_space.holds_all(x)
        mean = np.where(usable, x.mean(axis=-1), np.nan)
        base = np.full(len(mean), np.nan)
        if usable.any():
            base[usable] = self.mean_log_coefficient(x if usable.all() else x[usable])
        return Statistics((mean,), centred_products(x - mean[:, np.newaxis]), base)

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = log p − log(1−p), A = −m log(1−p), E[x] = mp, Var(x) = mp(1−p)."""
        prob = np.asarray(theta[0], dtype=float)
        rest = 1.0 - prob
        tiny, inverse = np.finfo(float).tiny, 1.0 / (prob * rest)
        log_rest = np.log1p(-np.minimum(prob, 1.0 - 0.5 * np.finfo(float).eps))
        natural = np.log(np.maximum(prob, tiny)) - log_rest  # at p = 0 and 1 the likelihood is 1, in the limit
        mean = self.number * prob
        curvature = {(0, 0, 0): (2.0 * prob - 1.0) * inverse * inverse}
        return Terms((natural,), ((inverse,),), curvature, -self.number * log_rest, (mean,), (mean * rest,))

    def start_from(self, statistics: Statistics) -> Columns:
        """Return (x̄ + ½)/(m + 1)."""
        return ((statistics.mean[0] + 0.5) / (self.number + 1.0),)

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return 2 for single trials, of which at least one must succeed and one fail."""
        return 2 if self.number == 1.0 else 1

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return p̂ = x̄/m; on the boundary where no trial or every trial succeeds."""
        prob = likelihood.statistics.mean[0] / self.number
        interior = (prob > 0.0) & (prob < 1.0)
        return solution((prob,), likelihood, np.where(interior, Status.CONVERGED, Status.BOUNDARY), 0)


@final
class Binomial(Successes):
    """log p = log C(m, x) + x log p + (m−x) log(1−p), m the number of trials; I(p) = m/(p(1−p)).

    Parameters
    ----------
    trials
        Number of trials of an observation.
    """

    name = "binomial"
    formula = "log p(x) = log C(trials, x) + x·log prob + (trials − x)·log(1 − prob)"
    constants = (Parameter("trials", POSITIVE_INTEGER, (1, 50)),)

    def __init__(self, trials: float = 10.0) -> None:
        self.trials = float(trials)

    @property
    def number(self) -> float:
        """The number of trials."""
        return self.trials

    def member(self, values: Mapping[str, float | None]) -> Binomial:
        """Return the family with this number of trials."""
        trials = values.get("trials")
        return self if trials is None else Binomial(trials)

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by the generator."""
        return np.asarray(rng.binomial(int(self.trials), theta[0], size))

    def mean_log_coefficient(self, x: Array) -> Array:
        """Return the mean of log C(m, x); from a table where there are few trials."""
        if self.trials < _TABLE_LENGTH:
            return np.asarray(self._log_coefficients[x.astype(np.intp, copy=False)].mean(axis=-1))
        return np.asarray(_log_coefficient(self.trials, np.asarray(x, dtype=float)).mean(axis=-1))

    @cached_property
    def _log_coefficients(self) -> Array:
        return _log_coefficient(self.trials, np.arange(self.trials + 1.0))


def _log_coefficient(trials: float, x: Array) -> Array:
    """Return log C(m, x) = S(m) − S(x) − S(m−x) − x log(x/m) − (m−x) log((m−x)/m) + log(m/(x(m−x))).

    S(z) = log Γ(z) − (z log z − z); the terms are not larger than the result, as logarithms of factorials are.
    """
    inside = (x > 0.0) & (x < trials)
    first = np.where(inside, x, 1.0)
    second = np.where(inside, trials - x, 1.0)
    whole = log_gamma_minus_stirling(np.asarray(trials)) + np.log(trials)
    parts = sum(log_gamma_minus_stirling(k) + np.log(k) + k * np.log(k / trials) for k in (first, second))
    return np.where(inside, whole - parts, 0.0)
