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
        """Names of the base parameters."""
        return self.family.parametrisations[0].names

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


def _two_normals(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    second = rng.random(size) >= 0.4
    return rng.standard_normal(size) + 5.0 * second


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
        # numpy's Weibull and Pareto, whose shapes are 1/ξ: this family is 1/Weibull, and the next numpy's Pareto itself.
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
    )
}
