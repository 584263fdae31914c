"""Families of positive numbers whose logarithm has a location–scale family, with m = log scale and s = 1/shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution, reparametrised
from simstudy.families.location_scale import LocationScale, LocationScaleLikelihood
from simstudy.families.sample_space import POSITIVE_NUMBERS
from simstudy.numerics.symmetric import Entry, congruence
from simstudy.parameters import POSITIVE, Array, Columns, Parameter, Parametrisation

_PARAMETERS = (Parameter("shape", POSITIVE, (0.4, 10.0)), Parameter("scale", POSITIVE, (0.1, 10.0)))

OF_LOGARITHM = Parametrisation(
    _PARAMETERS,
    to_base=lambda phi: (np.log(phi[1]), 1.0 / phi[0]),
    from_base=lambda theta: (1.0 / theta[1], np.exp(theta[0])),
    jacobian=lambda phi: ((0.0, 1.0 / phi[1]), (-1.0 / np.square(phi[0]), 0.0)),
    curvature=lambda phi: {(0, 1, 1): -1.0 / np.square(phi[1]), (1, 0, 0): 2.0 / np.power(phi[0], 3)},
)
"""Shape and scale of x as names for location and scale of log x."""


class LogLikelihood(FamilyLikelihood):
    """The likelihood of data kept as those of their logarithms: log p(x) = log q(log x) − log x."""

    def __init__(self, inner: LocationScaleLikelihood, mean: Array) -> None:
        self.inner, self._mean = inner, mean
        self.rows, self.size, self.usable = inner.rows, inner.size, inner.usable

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate the logarithms and carry the result to shape and scale."""
        phi = [np.asarray(column, dtype=float) for column in theta]
        inner = self.inner.evaluate(OF_LOGARITHM.to_base(phi), products=products)
        return reparametrised(inner._replace(value=inner.value - self._mean), OF_LOGARITHM, phi)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.inner.select(rows), self._mean[rows])


class LogLocationScale(Family):
    """A family of positive numbers by the family of their logarithms.

    Attributes
    ----------
    logarithm
        The location–scale family of log x.
    """

    parameters = _PARAMETERS
    sample_space = POSITIVE_NUMBERS
    logarithm: ClassVar[LocationScale]

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return log q(log x) − log x."""
        return np.asarray(self.logarithm.log_density(*self._relative(x, theta)) - np.log(x))

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return Jᵀs."""
        return [np.asarray(entry) for entry in self._single(x, theta).score]

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return JᵀHJ + Σ sᵢ ∂²θᵢ."""
        return [-np.asarray(entry) for entry in self._single(x, theta).information]

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return JᵀI(m, s)J."""
        phi = [np.asarray(column, dtype=float) for column in theta]
        return congruence(self.logarithm.expected_information(OF_LOGARITHM.to_base(phi)), OF_LOGARITHM.jacobian(phi))

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw the exponential of a draw of the logarithm."""
        draws = self.logarithm.sample(rng, OF_LOGARITHM.to_base([np.asarray(column) for column in theta]), size)
        return np.asarray(np.exp(draws, out=draws))

    def start(self, x: Array) -> Columns:
        """Return shape and scale by the rough location and scale of log x."""
        return OF_LOGARITHM.from_base(self.logarithm.start(np.log(x)))

    def starts(self, likelihood: LogLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the starts of the logarithms."""
        starts = self.logarithm.starts(likelihood.inner, _of_logarithm(known))
        return [OF_LOGARITHM.from_base(start) for start in starts]

    def likelihood(self, x: Array) -> LogLikelihood:
        """Take logarithms."""
        y = np.log(x)
        return LogLikelihood(self.logarithm.likelihood(y), y.mean(axis=-1))

    def solve(self, likelihood: LogLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return the solution of the logarithms."""
        found = self.logarithm.solve(likelihood.inner, _of_logarithm(known))
        return None if found is None else found._replace(theta=OF_LOGARITHM.from_base(found.theta))

    def _single(self, x: Array, theta: Columns) -> Evaluation:
        """Return score and information of single observations."""
        y, at = self._relative(x, theta)
        value, bend = self.logarithm.log_density(y, at), self.logarithm.hessian(y, at)
        single = Evaluation(value, self.logarithm.score(y, at), [-entry for entry in bend], [])
        return reparametrised(single, OF_LOGARITHM, theta)

    def _relative(self, x: Array, theta: Columns) -> tuple[Array, Columns]:
        """Return log(x/scale), which has location 0, so that no digits cancel."""
        return np.log(x / theta[1]), (np.zeros(()), 1.0 / np.asarray(theta[0], dtype=float))


def _of_logarithm(known: Mapping[int, Array]) -> dict[int, Array]:
    """Return what is known of location and scale."""
    found = {0: np.log(known[1])} if 1 in known else {}
    return found | ({1: 1.0 / np.asarray(known[0])} if 0 in known else {})
