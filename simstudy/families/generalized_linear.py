"""Regressions whose response has one parameter, a function of the linear predictor η with the canonical link."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families import irls
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.orthogonal import orthonormal
from simstudy.families.regression import Regression, separated
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array, Columns


class Response(NamedTuple):
    """log p(y | η), its slope y − μ in η, and the weight −∂² = dμ/dη, elementwise."""

    log_density: Array
    slope: Array
    weight: Array


class GeneralizedLikelihood(FamilyLikelihood):
    """The likelihood of responses y (R, n) and columns 1, x₁, …, x_k: score (y − μ)x, Hessian −w x xᵀ."""

    def __init__(
        self,
        family: GeneralizedLinear,
        y: Array,
        covariates: Sequence[Array],
        base: Array,
        usable: NDArray[np.bool_],
    ) -> None:
        self._family, self.y, self.covariates, self.base, self.usable = family, y, list(covariates), base, usable
        self.rows, self.size = y.shape

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data."""
        columns = [np.broadcast_to(np.asarray(c, dtype=float), (self.rows,))[:, np.newaxis] for c in theta]
        log_density, slope, weight = self._family.response(self.y, self._family.predictor(self.covariates, columns))
        return Evaluation(
            self.base + log_density.mean(axis=-1),
            [slope.mean(axis=-1), *(mean_product(slope, x) for x in self.covariates)],
            self._squares(weight),
            self._squares(slope * slope) if products else [],
        )

    def _squares(self, weights: Array) -> list[Array]:
        """Return the means of products of the columns under weights, packed."""
        weighted = [weights * x for x in self.covariates]
        inner = [mean_product(weighted[i], self.covariates[j]) for i, j in pairs(len(weighted))]
        return [weights.mean(axis=-1), *(mean_product(weights, x) for x in self.covariates), *inner]

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        covariates = [x[rows] for x in self.covariates]
        return type(self)(self._family, self.y[rows], covariates, self.base[rows], self.usable[rows])


class GeneralizedLinear(Regression):
    """A regression with p(y | η) of one parameter; I(β) = E[w x xᵀ] over the design, w = dμ/dη."""

    @abstractmethod
    def response(self, y: Array, predictor: Array) -> Response:
        """Return log p(y | η), slope and weight."""

    @abstractmethod
    def first_guess(self, y: Array) -> tuple[Array, Array]:
        """Return η near each response, and weights, for a first least-squares fit."""

    @abstractmethod
    def receding(self, y: Array, direction: Array) -> Array:
        """Return by how much log p(y | η) is kept from rising for ever along a direction of η; 0 where it is not."""

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return log p(y | η) + Σ log g(xⱼ)."""
        y, covariates = separated(x)
        value = self.response(y, self.predictor(covariates, theta)).log_density
        return np.asarray(value + self.design.log_density(covariates))

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (y − μ)x."""
        y, covariates = separated(x)
        slope = self.response(y, self.predictor(covariates, theta)).slope
        return slope, *(slope * column for column in covariates)

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return −w x xᵀ."""
        y, covariates = separated(x)
        weight = self.response(y, self.predictor(covariates, theta)).weight
        columns = [np.ones_like(y), *covariates]
        return [-weight * columns[i] * columns[j] for i, j in pairs(len(columns))]

    def start(self, x: Array) -> Columns:
        """Return the intercept of the mean guess, without slopes."""
        guess, weight = self.first_guess(np.asarray(x[..., 0], dtype=float))
        centre = mean_product(guess, weight) / weight.mean(axis=-1)
        return centre, *(np.zeros_like(centre) for _ in range(self.slopes))

    def likelihood(self, x: Array) -> GeneralizedLikelihood:
        """Give every column an array of its own."""
        y, covariates = separated(x)
        usable = self.sample_space.holds_all(x)
        base = self.design.mean_log_density(covariates)
        return GeneralizedLikelihood(self, y, covariates, base, usable)

    def starts(self, likelihood: GeneralizedLikelihood, known: Mapping[int, Any]) -> Sequence[Columns]:
        """Return the start of the intercept alone."""
        return (self.start(likelihood.y[..., np.newaxis]),)

    def solve(self, likelihood: GeneralizedLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the estimates by iteratively reweighted least squares in orthonormal columns.

        There is no maximum where the columns are linearly dependent, or where the data are separated.
        """
        rows = likelihood.rows
        columns = [np.ones_like(likelihood.y), *likelihood.covariates]
        theta: list[Array] = [np.broadcast_to(known.get(j, np.asarray(0.0)), (rows,)) for j in range(len(columns))]
        free = [j for j in range(len(columns)) if j not in known]
        offset = self.predictor(likelihood.covariates, [value[:, np.newaxis] for value in theta])
        basis = orthonormal([columns[j] for j in free])
        sound = np.flatnonzero(basis.full & likelihood.usable)
        names = [self.parameters[j].name for j in free]
        found = irls.maximise(self, likelihood.y[sound], offset[sound], basis.select(sound), names)
        own = np.zeros((len(free), rows))
        status, iterations = np.full(rows, Status.NO_MAXIMUM, dtype=np.int8), np.zeros(rows, dtype=np.int16)
        own[:, sound], status[sound], iterations[sound] = found.own, found.status, found.iterations
        for j, value in zip(free, basis.coefficients(list(own)), strict=True):
            theta[j] = value
        return solution(theta, likelihood, status, iterations)
