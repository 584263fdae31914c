"""Every family at one point, and how numpy's Generator draws from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simstudy.families import FAMILIES
from simstudy.families.base import Family
from simstudy.study.scenario import Scenario

SEED = 20240611

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


@dataclass(frozen=True)
class Case:
    """A family at a point of the parametrisation listed first.

    Attributes
    ----------
    name
        Name of the family.
    values
        Values of its parameters, as listed first.
    draw
        The Generator's own method for the family at this point: (rng, size) ↦ observations.
    constants
        Values of the family's constants.
    """

    name: str
    values: tuple[float, ...]
    draw: Draw
    constants: tuple[float, ...] = ()

    @property
    def family(self) -> Family:
        """The family."""
        return FAMILIES[self.name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return self.family.listed[0].names

    def scenario(self, n: int) -> Scenario:
        """Return the case as a scenario with data sets of n observations."""
        constants = tuple(constant.name for constant in self.family.constants)
        return Scenario(
            name=self.name,
            family=self.name,
            names=(*self.names, *constants),
            values=(*self.values, *self.constants),
            fit=self.name,
            known=constants,
            n=n,
            replicates=2,
            level=0.95,
        )

    def __str__(self) -> str:
        values = ", ".join(f"{value:g}" for value in self.values)
        return f"{self.name} ({values})"


def _skew_normal(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    half, other = np.abs(rng.standard_normal(size)), rng.standard_normal(size)
    return (3.0 * half + other) / 10.0**0.5


def _two_normals(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    second = rng.random(size) >= 0.4
    return rng.standard_normal(size) + 5.0 * second


def _draw_linear_regression(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    covariate = rng.normal(0.0, 1.0, size)
    return np.stack([covariate + rng.standard_normal(size), covariate], axis=-1)


def _draw_logistic_regression(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    covariate = rng.normal(0.0, 1.0, size)
    return np.stack([rng.random(size) < 1.0 / (1.0 + np.exp(-covariate)), covariate], axis=-1)


def _draw_poisson_regression(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    covariate = rng.normal(0.0, 1.0, size)
    return np.stack([rng.poisson(np.exp(1.0 + 0.5 * covariate)), covariate], axis=-1)


# Location 0 and scale 1, so that numpy's standard forms of the Weibull and the Cauchy are all of the drawing.
_CASES = {
    case.name: case
    for case in (
        Case("normal", (0.0, 1.0), lambda rng, size: rng.normal(0.0, 1.0, size)),
        Case("exponential", (1.0,), lambda rng, size: rng.exponential(1.0, size)),
        Case("gamma", (2.0, 1.0), lambda rng, size: rng.gamma(2.0, 1.0, size)),
        Case("weibull", (2.5, 1.0), lambda rng, size: rng.weibull(2.5, size)),
        Case("lognormal", (0.0, 1.0), lambda rng, size: rng.lognormal(0.0, 1.0, size)),
        Case("beta", (2.0, 3.0), lambda rng, size: rng.beta(2.0, 3.0, size)),
        Case("logistic", (0.0, 1.0), lambda rng, size: rng.logistic(0.0, 1.0, size)),
        Case("cauchy", (0.0, 1.0), lambda rng, size: rng.standard_cauchy(size)),
        Case("poisson", (5.0,), lambda rng, size: rng.poisson(5.0, size)),
        Case("binomial", (0.3,), lambda rng, size: rng.binomial(10, 0.3, size), (10.0,)),
        Case("bernoulli", (0.3,), lambda rng, size: rng.binomial(1, 0.3, size)),
        Case("geometric", (0.3,), lambda rng, size: rng.geometric(0.3, size)),
        Case("negative_binomial", (2.0, 0.3), lambda rng, size: rng.negative_binomial(2.0, 0.3, size)),
        Case("zero_inflated_poisson", (0.3, 4.0), lambda rng, size: rng.poisson(4.0, size) * (rng.random(size) >= 0.3)),
        Case("categorical", (0.3, 0.3), lambda rng, size: rng.choice(3, size, p=(0.3, 0.3, 0.4))),
        # By numpy's Weibull and Pareto of shape 1/ξ: this family is 1/Weibull, and the next is numpy's Pareto itself.
        Case(
            "generalized_extreme_value", (0.0, 1.0, 0.2), lambda rng, size: 5.0 * (1.0 / rng.weibull(5.0, size) - 1.0)
        ),
        Case("generalized_pareto", (1.0, 0.2), lambda rng, size: 5.0 * rng.pareto(5.0, size)),
        Case("normal_mixture", (0.4, 0.0, 1.0, 5.0, 1.0), _two_normals),
        Case("inverse_gaussian", (1.0, 2.0), lambda rng, size: rng.wald(1.0, 2.0, size)),
        Case("pareto", (3.0,), lambda rng, size: 1.0 + rng.pareto(3.0, size), (1.0,)),
        Case("rayleigh", (1.0,), lambda rng, size: rng.rayleigh(1.0, size)),
        Case("half_normal", (1.0,), lambda rng, size: np.abs(rng.standard_normal(size))),
        Case("maxwell", (1.0,), lambda rng, size: np.sqrt(2.0 * rng.standard_gamma(1.5, size))),
        Case("chi_squared", (3.0,), lambda rng, size: rng.chisquare(3.0, size)),
        Case("lindley", (1.0,), lambda rng, size: rng.standard_gamma(1.0 + (rng.random(size) < 0.5))),
        Case("von_mises", (0.0, 2.0), lambda rng, size: rng.vonmises(0.0, 2.0, size)),
        Case("laplace", (0.0, 1.0), lambda rng, size: rng.laplace(0.0, 1.0, size)),
        Case("gumbel", (0.0, 1.0), lambda rng, size: rng.gumbel(0.0, 1.0, size)),
        Case("log_logistic", (2.0, 1.0), lambda rng, size: np.exp(rng.logistic(0.0, 0.5, size))),
        Case("kumaraswamy", (2.0, 3.0), lambda rng, size: (1.0 - rng.random(size) ** (1.0 / 3.0)) ** 0.5),
        Case("uniform", (-1.0, 1.0), lambda rng, size: rng.uniform(-1.0, 1.0, size)),
        Case("shifted_exponential", (0.0, 1.0), lambda rng, size: rng.exponential(1.0, size)),
        Case(
            "bivariate_normal",
            (0.0, 0.0, 1.0, 1.0, 0.5),
            lambda rng, size: rng.multivariate_normal([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]], size, method="cholesky"),
        ),
        Case(
            "multivariate_normal",
            (0.0, 0.0, 1.0, 0.3, 1.0),
            lambda rng, size: rng.multivariate_normal([0.0, 0.0], [[1.0, 0.3], [0.3, 1.0]], size, method="cholesky"),
        ),
        Case("dirichlet", (2.0, 3.0, 4.0), lambda rng, size: rng.dirichlet([2.0, 3.0, 4.0], size)),
        Case("skew_normal", (0.0, 1.0, 3.0), _skew_normal),
        Case("student_t", (0.0, 1.0, 5.0), lambda rng, size: rng.standard_t(5.0, size)),
        Case("linear_regression", (0.0, 1.0, 1.0), _draw_linear_regression),
        Case("logistic_regression", (0.0, 1.0), _draw_logistic_regression),
        Case("poisson_regression", (1.0, 0.5), _draw_poisson_regression),
    )
}
FIRST = ("normal", "exponential", "gamma", "weibull", "lognormal", "beta", "logistic", "cauchy", "poisson")
"""Families measured in every section; the others against drawing, and against scipy where that is a goal."""
CASES = {name: _CASES[name] for name in FAMILIES}
"""Every case, in the order of the families."""
