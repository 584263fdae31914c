"""The mean log-likelihood of a block of data sets in a family's base parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.errors import FamilyError
from simstudy.numerics.symmetric import Entry, congruence, pairs, plus, position, pull_back, times
from simstudy.parameters import Array, Columns, Parametrisation


class Evaluation(NamedTuple):
    """Averages over the n observations of each data set at one θ per data set.

    Attributes
    ----------
    value : (R,)
        Mean log-likelihood.
    score : p entries
        Mean score.
    information : packed entries
        Observed information −(1/n)∂²ℓ.
    products : packed entries
        Mean score products (1/n)Σ sᵢsᵢᵀ; empty unless asked for.
    """

    value: Array
    score: Sequence[Entry]
    information: Sequence[Entry]
    products: Sequence[Entry]


class Solution(NamedTuple):
    """Estimates of the free parameters found by a family's own algorithm.

    Attributes
    ----------
    theta : p arrays (R,)
        Estimates of all base parameters, known ones included.
    status : (R,) int8
        Status of each row.
    iterations : (R,)
        Iterations used.
    """

    theta: Sequence[Array]
    status: NDArray[np.int8]
    iterations: NDArray[np.int16]


class FamilyLikelihood(ABC):
    """Reduced data of R data sets of n observations, and what the likelihood is made of.

    Attributes
    ----------
    rows, size
        R and n.
    usable : (R,) bool
        Rows whose observations are finite and lie in the sample space.
    compact
        Whether the reduced data take O(1) memory per row, so that many blocks can be fitted together.
    """

    compact: ClassVar[bool] = False

    rows: int
    size: int
    usable: NDArray[np.bool_]

    @abstractmethod
    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate at θ, given as p arrays of shape (R,) or scalars."""

    @abstractmethod
    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the likelihood of the rows of all parts, in order; compact likelihoods only."""
        message = f"{cls.__name__} keeps all observations of {len(parts)} parts; fit them one by one"
        raise TypeError(message)


def reparametrised(base: Evaluation, form: Parametrisation, phi: Columns) -> Evaluation:
    """Carry an evaluation in the base parameters to φ; score products only where there are any.

    With J = ∂θ/∂φ: score Jᵀs, information Jᵀ𝒥J − Σᵢ sᵢ ∂²θᵢ, products JᵀPJ.
    """
    jacobian = form.jacobian(phi)
    information = congruence(base.information, jacobian)
    for (i, j, k), bend in form.curvature(phi).items():
        index = position(j, k, len(phi))
        information[index] = plus(information[index], times(-1.0, base.score[i], bend))
    outer = congruence(base.products, jacobian) if base.products else []
    return Evaluation(base.value, pull_back(base.score, jacobian), information, outer)


def against_rows(theta: Columns) -> list[Array]:
    """Give parameters of shape (R,) a last axis, so that they broadcast against data (R, n); read only."""
    columns = [np.asarray(column, dtype=float)[..., np.newaxis] for column in theta]
    for column in columns:
        column.flags.writeable = False  # a family that writes into θ would change it under the optimiser
    return columns


class ElementwiseLikelihood(FamilyLikelihood):
    """The general route: every evaluation passes over all observations.

    Parameters
    ----------
    x : (R, n)
        Data.
    usable : (R,)
        Rows that lie in the sample space.
    log_density, score, hessian
        Functions of (x, θ) that return arrays (R, n); score one per parameter, Hessian packed.
    """

    def __init__(
        self,
        x: Array,
        usable: NDArray[np.bool_],
        log_density: Callable[[Array, Columns], Array],
        score: Callable[[Array, Columns], Sequence[Array]],
        hessian: Callable[[Array, Columns], Sequence[Array]],
    ) -> None:
        self.x, self.usable = x, usable
        self.rows, self.size = x.shape[:2]
        self._functions = (log_density, score, hessian)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by averages of the elementwise log-density, score and Hessian."""
        log_density, score, hessian = self._functions
        at = against_rows(theta)
        scores = score(self.x, at)
        outer = [self._mean(scores[i] * scores[j], "score") for i, j in pairs(len(scores))] if products else []
        return Evaluation(
            self._mean(log_density(self.x, at), "log_density"),
            [self._mean(entry, "score") for entry in scores],
            [-self._mean(entry, "hessian") for entry in hessian(self.x, at)],
            outer,
        )

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.x[rows], self.usable[rows], *self._functions)

    def _mean(self, values: Array, what: str) -> Array:
        shape = (self.rows, self.size)
        try:
            return np.asarray(np.broadcast_to(values, shape).mean(axis=-1))
        except ValueError:
            message = f"{what} returned an array of shape {np.shape(values)} for data of shape {shape}"
            raise FamilyError(message) from None
