"""What a parametric family is: four compulsory members, and closed forms that replace numerical defaults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.errors import ConfigError, nearest
from simstudy.families.likelihood import ElementwiseLikelihood, FamilyLikelihood, Solution
from simstudy.families.sample_space import SampleSpace, VectorSpace
from simstudy.numerics import derivatives, quadrature
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import Array, Columns, Parameter, Parametrisation, base_parametrisation


class IrregularLimits(NamedTuple):
    """What theory says of the base parameters of an irregular family, per observation; NaN where it says nothing.

    Attributes
    ----------
    score_mean : (p,)
        E[s], not 0 where the sample space depends on θ.
    score_covariance : (p, p)
        Cov(s).
    hessian : (p, p)
        −E[∂² log p].
    covariance : (p, p)
        Limit of n·Cov(θ̂).
    rates : (p,)
        r, where θ̂ − θ is of order n⁻ʳ.
    rate_covariance : (p, p)
        Limit of n^(rᵢ + rⱼ)·Cov(θ̂)ᵢⱼ.
    """

    score_mean: Array
    score_covariance: Array
    hessian: Array
    covariance: Array
    rates: Array
    rate_covariance: Array


class Pointwise(NamedTuple):
    """Log-density, p scores and packed Hessian of every observation."""

    log_density: Array
    score: Sequence[Array]
    hessian: Sequence[Array]


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
    variants
        Families of the same name with other base parameters, such as one whose lower end is fixed at 0. `member` takes
        the one that has exactly the names given.
    constants
        What a member of the family has beside its parameters and what is never estimated, such as a number of trials.
        `member` binds them.
    base_last
        Whether the base parametrisation, that in which the family is computed, comes last, so that the first of the
        alternatives is the one that a fit takes where none is named.
    numbered
        Pattern of the names of parameters whose number is not fixed, such as ``alpha[1-9]``; `member` takes it from
        the names given.
    irregular
        Laws of the contract suite that do not hold, with the reason.
    corners
        Base parameters in which the likelihood has its maximum at a corner or a jump, where the score is not zero, with
        the reason. What `solve` returns for them is taken as it is.
    periods
        Base parameters that are angles, with their period; differences wrap.
    unbounded
        Whether the likelihood has no greatest value, so that the estimate is its best local maximum. A data set from
        no start of which the optimiser reaches one is NO_MAXIMUM.
    """

    # Declared once for most families; one with constants or numbered parameters sets them for each of its members.
    name: str
    parameters: tuple[Parameter, ...]
    sample_space: SampleSpace | VectorSpace
    formula: str = ""
    alternatives: tuple[Parametrisation, ...] = ()
    variants: tuple[Family, ...] = ()
    base_last: ClassVar[bool] = False
    constants: tuple[Parameter, ...] = ()
    numbered: ClassVar[str] = ""
    irregular: ClassVar[Mapping[str, str]] = {}
    corners: ClassVar[Mapping[str, str]] = {}
    periods: ClassVar[Mapping[str, float]] = {}
    unbounded: ClassVar[bool] = False

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

    def pointwise(self, x: Array, theta: Columns) -> Pointwise:
        """Return log-density, score and Hessian elementwise, where a family has them cheaper together."""
        return Pointwise(self.log_density(x, theta), self.score(x, theta), self.hessian(x, theta))

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return I(θ) = E[s sᵀ] of one observation, packed, batched over θ; by default by quadrature."""
        if isinstance(self.sample_space, VectorSpace):
            message = f"{self.name}: expected_information: vectors have no numerical default; give the closed form"
            raise TypeError(message)
        return quadrature.expected_products(
            self.sample, self.log_density, self.score, self.sample_space, theta, self.breaks
        )

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

    # ---- what sets some families apart

    def member(self, values: Mapping[str, float | None]) -> Family:
        """Return the family with these parameter names, its constants at these values (None: not given yet)."""
        names = set(values)
        fitting = (v for v in self.variants if any({p.name for p in form} == names for form in v.forms))
        return next(fitting, self)

    def suited(self, x: Array) -> Family:
        """Return the family with as many parameters as data (R, n) or (R, n, width) need."""
        return self

    def support(self, theta: Sequence[float]) -> SampleSpace | VectorSpace:
        """Return the part of the sample space where the density is positive, for a family in which θ decides that."""
        return self.sample_space

    def constraint(self, theta: Sequence[float]) -> str:
        """Return what θ has to fulfil beside its domains and does not, such as ``prob1 + prob2 < 1``, or nothing."""
        return ""

    def admits(self, theta: Columns) -> NDArray[np.bool_] | bool:
        """Tell elementwise where a maximum counts as the estimate; elsewhere the likelihood may be unbounded."""
        return True

    @property
    def faces(self) -> tuple[Parametrisation, ...]:
        """Faces of what `admits` allows, each by parameters of its own; BOUNDARY where one holds the maximum."""
        return ()

    def canonical(self, theta: Columns) -> Columns:
        """Return the same distribution by the one θ that names it, where several do, such as labels in order."""
        return theta

    def irregularity(self, theta: Sequence[float]) -> str:
        """Return in one sentence why the asymptotic theory of maximum likelihood fails at θ, or nothing.

        The reason may be that I(θ) is infinite, singular, or has two values by its two definitions.
        """
        return ""

    def irregular_limits(self, theta: Sequence[float]) -> IrregularLimits | None:
        """Return the limits at an irregular θ where theory knows others than I(θ) and its inverse, else None."""
        return None

    def breaks(self, theta: Columns) -> Sequence[Array]:
        """Return the points, ascending, where the density at θ or a derivative in x jumps; quadrature splits there."""
        return ()

    def log_survival(self, x: Array, theta: Columns) -> Array | None:
        """Return log P(X > x; θ) elementwise, or None where the family cannot be censored."""
        return None

    # ---- derived

    @cached_property
    def parametrisations(self) -> tuple[Parametrisation, ...]:
        """All parametrisations, the base one first."""
        return (base_parametrisation(self.parameters), *self.alternatives)

    @cached_property
    def listed(self) -> tuple[Parametrisation, ...]:
        """All parametrisations in the order in which they are shown and tried, the usual one first."""
        base, *others = self.parametrisations
        return (*others, base) if self.base_last else (base, *others)

    @property
    def _domains(self) -> tuple[Any, ...]:
        return tuple(parameter.domain for parameter in self.parameters)

    @cached_property
    def forms(self) -> tuple[tuple[Parameter, ...], ...]:
        """What a config may give: parameters of each parametrisation, constants after them, then what variants take."""
        own = tuple((*form.parameters, *self.constants) for form in self.listed)
        return (*own, *(form for variant in self.variants for form in variant.forms))

    @property
    def choices(self) -> str:
        """The forms in one line."""
        return " or ".join("{" + ", ".join(p.name for p in form) + "}" for form in self.forms)

    def find_parametrisation(self, names: Iterable[str]) -> Parametrisation:
        """Return the parametrisation with exactly these names, in any order, of parameters and of all constants.

        Raises
        ------
        KeyError
            If none fits.
        """
        wanted = set(names)
        # The forms of variants, which come last, are found by the variants.
        for parametrisation, form in zip(self.listed, self.forms, strict=False):
            if {parameter.name for parameter in form} == wanted:
                return parametrisation
        message = f"{self.name} has no parametrisation {{{', '.join(sorted(wanted))}}}; it has {self.choices}"
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
