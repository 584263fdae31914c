"""What a parametric family is: four compulsory members, and closed forms that replace numerical defaults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simstudy.errors import ConfigError, nearest
from simstudy.families.likelihood import ElementwiseLikelihood, FamilyLikelihood, Solution
from simstudy.families.sample_space import SampleSpace
from simstudy.numerics import derivatives, quadrature
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import Array, Columns, Parameter, Parametrisation, base_parametrisation


class Family(ABC):
    """A parametric family {p(x; θ)}; stateless, parameters are always arguments.

    A family gives `name`, `parameters`, `sample_space` and the methods `log_density`, `sample` and `start`.
    Everything else has a numerical default; a closed form that replaces it is checked against it by the contract
    suite.

    Attributes
    ----------
    name
        Its key in the table of families and in configs.
    parameters
        The base parameters θ in canonical order.
    sample_space
        Where observations lie.
    formula
        The density in one line, for `simstudy families NAME`.
    alternatives
        Parametrisations beside the base one.
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    sample_space: ClassVar[SampleSpace]
    formula: ClassVar[str] = ""
    alternatives: ClassVar[tuple[Parametrisation, ...]] = ()

    # ---- compulsory

    @abstractmethod
    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return log p(x; θ) elementwise; parameters broadcast against x."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw an array of that size; parameters are floats or broadcast against the size."""

    @abstractmethod
    def start(self, x: Array) -> Columns:
        """Return a rough estimate of θ from data (R, n): one array (R,) per parameter, inside its domain."""

    # ---- closed forms, where a family has them

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return ∂ log p/∂θᵢ elementwise, one array per parameter; by default a fourth-order stencil."""
        return derivatives.score(self.log_density, x, theta, self._domains)

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return ∂² log p/∂θᵢ∂θⱼ elementwise, packed; by default a fourth-order stencil."""
        return derivatives.hessian(self.log_density, x, theta, self._domains)

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return I(θ) = E[s sᵀ] of one observation, packed, batched over θ; by default by quadrature."""
        return quadrature.expected_products(self.sample, self.log_density, self.score, self.sample_space, theta)

    def likelihood(self, x: Array) -> FamilyLikelihood:
        """Reduce data (R, n) to what the mean log-likelihood needs; by default the data themselves."""
        usable = self.sample_space.holds_all(x)
        return ElementwiseLikelihood(x, usable, self.log_density, self.score, self.hessian)

    def solve(self, likelihood: Any, known: Mapping[int, Array]) -> Solution | None:
        """Return the estimates by the family's own algorithm, or None to leave it to the general optimiser.

        Parameters
        ----------
        likelihood
            What `likelihood` returned.
        known
            Values of the base parameters held known, by index.
        """
        return None

    def starts(self, likelihood: Any, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return starting points for the general optimiser; the best maximum found from any of them is kept."""
        return (self.start(likelihood.x),)

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return the least n at which the free parameters can have a maximum likelihood estimate."""
        return max(1, len(free))

    # ---- derived

    @cached_property
    def parametrisations(self) -> tuple[Parametrisation, ...]:
        """All parametrisations, the base one first."""
        return (base_parametrisation(self.parameters), *self.alternatives)

    @property
    def _domains(self) -> tuple[Any, ...]:
        return tuple(parameter.domain for parameter in self.parameters)

    def find_parametrisation(self, names: Iterable[str]) -> Parametrisation:
        """Return the parametrisation with exactly these parameter names, in any order (KeyError where none fits)."""
        wanted = set(names)
        for parametrisation in self.parametrisations:
            if set(parametrisation.names) == wanted:
                return parametrisation
        choices = " or ".join("{" + ", ".join(p.names) + "}" for p in self.parametrisations)
        message = f"{self.name} has no parametrisation {{{', '.join(sorted(wanted))}}}; it has {choices}"
        raise KeyError(message)


def constant_rows(x: Array) -> NDArray[np.bool_]:
    """Tell per data set whether all observations are equal."""
    return np.asarray(x.max(axis=-1) == x.min(axis=-1))


def unknown_family(name: str, known: Iterable[str]) -> ConfigError:
    """Return the error for a name that is not in the table."""
    known = sorted(known)
    hint = nearest(name, known) or f"; known: {', '.join(known)}"
    return ConfigError(f"family: there is no family '{name}'{hint}")


def packed_information(full: Sequence[Sequence[Entry]]) -> list[Entry]:
    """Pack a symmetric matrix written out as rows."""
    return [full[i][j] for i, j in pairs(len(full))]
