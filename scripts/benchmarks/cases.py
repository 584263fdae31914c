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
    """A family at a point of its base parametrisation.

    Attributes
    ----------
    name
        Name of the family.
    values
        Values of its base parameters.
    draw
        The Generator's own method for the family at this point: (rng, size) ↦ observations.
    """

    name: str
    values: tuple[float, ...]
    draw: Draw

    @property
    def family(self) -> Family:
        """The family."""
        return FAMILIES[self.name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the base parameters."""
        return self.family.parametrisations[0].names

    def scenario(self, n: int) -> Scenario:
        """Return the case as a scenario with data sets of n observations."""
        return Scenario(
            name=self.name,
            family=self.name,
            names=self.names,
            values=self.values,
            fit=self.name,
            known=(),
            n=n,
            replicates=2,
            level=0.95,
        )

    def __str__(self) -> str:
        values = ", ".join(f"{value:g}" for value in self.values)
        return f"{self.name} ({values})"


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
CASES = {
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
        Case("linear_regression", (0.0, 1.0, 1.0), _draw_linear_regression),
        Case("logistic_regression", (0.0, 1.0), _draw_logistic_regression),
        Case("poisson_regression", (1.0, 0.5), _draw_poisson_regression),
    )
}
