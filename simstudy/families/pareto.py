"""The Pareto family: log(x/minimum) is exponential."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import final

import numpy as np

from simstudy.families.exponential import Exponential
from simstudy.families.exponential_family import ExponentialFamily, ExponentialLikelihood, Statistics, Terms
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import SampleSpace
from simstudy.numerics.logs import log_ratio
from simstudy.parameters import POSITIVE, Array, Columns, Parameter

_LOGARITHM = Exponential()


@final
class Pareto(ExponentialFamily):
    """log p = log α − log m − (α+1) log(x/m), x ≥ m; I(α) = 1/α².

    Parameters
    ----------
    minimum
        m, which is known.
    """

    name = "pareto"
    formula = "log p(x) = log shape − log minimum − (shape + 1)·log(x/minimum),  minimum known"
    parameters = (Parameter("shape", POSITIVE, (0.3, 20.0)),)
    constants = (Parameter("minimum", POSITIVE, (0.1, 10.0)),)

    def __init__(self, minimum: float = 1.0) -> None:
        self.minimum = minimum
        self.sample_space = SampleSpace("[minimum, ∞)", minimum, np.inf, lower_included=True)

    def member(self, values: Mapping[str, float | None]) -> Pareto:
        """Return the family with the minimum given."""
        minimum = values.get("minimum")
        return self if minimum is None else Pareto(minimum)

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw m exp(E/α) of a standard exponential E, as m + m(exp(E/α) − 1) to keep the digits of a small E/α."""
        draws = rng.standard_exponential(size)
        draws /= theta[0]
        np.expm1(draws, out=draws)
        draws *= self.minimum
        draws += self.minimum
        return draws

    def statistics(self, x: Array) -> Statistics:
        """Return T = log(x/m), which is exponential of rate α."""
        x = np.asarray(x, dtype=float)
        logs = _LOGARITHM.statistics(log_ratio(x, np.full(len(x), self.minimum)))
        return replace(logs, base=-logs.mean[0] - math.log(self.minimum))

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = −α, A = −log α, E[T] = 1/α, Var(T) = 1/α²."""
        return _LOGARITHM.terms(theta, origin)

    def start_from(self, statistics: Statistics) -> Columns:
        """Return the estimate."""
        return _LOGARITHM.start_from(statistics)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return α̂ = 1/mean log(x/m); without a maximum where all observations are m."""
        return _LOGARITHM.solve(likelihood, known)
