"""Exponential families: log p(x; θ) = η(θ)·T(x) − A(θ) + log h(x).

The likelihood of a data set depends on it through the mean of T, and the score products through the mean and
covariance of T; so value, score, Hessian and score products cost O(1) per data set once reduced:

    score_i    = Σₖ ∂ᵢηₖ (T̄ₖ − τₖ),                         τ = E[T]
    −Hessian   = (∂η)ᵀ Cov(T) (∂η) − Σₖ ∂²ηₖ (T̄ₖ − τₖ)
    products   = (∂η)ᵀ [S + (T̄ − τ)(T̄ − τ)ᵀ] (∂η),         S = sample covariance of T with divisor n
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family, Pointwise
from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry, congruence, pairs, plus, position, pull_back, times
from simstudy.parameters import Array, Columns


class Terms(NamedTuple):
    """What an exponential family with K statistics is at θ; zeros are the float 0.0.

    Attributes
    ----------
    natural : K entries
        η(θ).
    jacobian : K rows of p entries
        ∂ηₖ/∂θᵢ.
    curvature
        {(k, i, j): ∂²ηₖ/∂θᵢ∂θⱼ}, i ≤ j, only the non-zero ones.
    log_partition
        A(θ).
    mean : K entries
        τ(θ) = E[T].
    covariance : packed entries
        Cov(T).
    """

    natural: Sequence[Entry]
    jacobian: Sequence[Sequence[Entry]]
    curvature: Mapping[tuple[int, int, int], Entry]
    log_partition: Entry
    mean: Sequence[Entry]
    covariance: Sequence[Entry]


@dataclass(frozen=True)
class Statistics:
    """Sufficient statistics of R data sets.

    Attributes
    ----------
    mean : K arrays (R,)
        T̄.
    covariance : packed arrays (R,)
        Sample covariance of T, divisor n.
    base : (R,)
        Mean of log h(x).
    origin : (R,), (R, d) or 0
        Reference point of the data that T is taken relative to, so that no digits cancel.
    extra : tuple of arrays (R,)
        Whatever else the family's `solve` needs.
    """

    mean: tuple[Array, ...]
    covariance: tuple[Array, ...]
    base: Array | float
    origin: Array | float = 0.0
    extra: tuple[NDArray[Any], ...] = field(default=())

    def select(self, rows: NDArray[np.intp]) -> Statistics:
        """Return the statistics of some of the rows."""

        def pick(value: Array | float) -> Array | float:
            return value[rows] if isinstance(value, np.ndarray) else value

        return Statistics(
            tuple(value[rows] for value in self.mean),
            tuple(value[rows] for value in self.covariance),
            pick(self.base),
            pick(self.origin),
            tuple(value[rows] for value in self.extra),
        )

    def reshaped(self, shape: tuple[int, ...]) -> Statistics:
        """Return the statistics of data sets that are arranged in that shape."""

        def turn(value: Array | float) -> Array | float:
            return value.reshape(shape) if isinstance(value, np.ndarray) else value

        return Statistics(
            tuple(value.reshape(shape) for value in self.mean),
            tuple(value.reshape(shape) for value in self.covariance),
            turn(self.base),
            turn(self.origin),
        )


def join_statistics(parts: Sequence[Statistics]) -> Statistics:
    """Return the statistics of the rows of all parts, in order."""

    def join(values: Sequence[Array | float]) -> Array | float:
        return np.concatenate(values) if isinstance(values[0], np.ndarray) else values[0]

    def join_each(columns: Sequence[tuple[NDArray[Any], ...]]) -> tuple[NDArray[Any], ...]:
        return tuple(np.concatenate(column) for column in zip(*columns, strict=True))

    return Statistics(
        join_each([part.mean for part in parts]),
        join_each([part.covariance for part in parts]),
        join([part.base for part in parts]),
        join([part.origin for part in parts]),
        join_each([part.extra for part in parts]),
    )


def centred_products(*deviations: Array) -> tuple[Array, ...]:
    """Return the packed means of products of deviations (R, n) along the last axis."""
    return tuple(mean_product(deviations[i], deviations[j]) for i, j in pairs(len(deviations)))


class ExponentialLikelihood(FamilyLikelihood):
    """The likelihood of data reduced to sufficient statistics."""

    compact = True

    def __init__(self, family: ExponentialFamily, statistics: Statistics, size: int, usable: NDArray[np.bool_]) -> None:
        self._family, self.statistics, self.size = family, statistics, size
        self.rows = statistics.mean[0].size
        self.usable = usable

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate from the sufficient statistics."""
        data = self.statistics
        terms = self._family.terms(theta, data.origin)
        deviation = [mean - expected for mean, expected in zip(data.mean, terms.mean, strict=True)]
        value = data.base - terms.log_partition
        for natural, mean in zip(terms.natural, data.mean, strict=True):
            value = value + natural * mean
        return Evaluation(
            np.asarray(value),
            pull_back(deviation, terms.jacobian),
            _information(terms, deviation),
            self._products(terms, deviation) if products else [],
        )

    def _products(self, terms: Terms, deviation: Sequence[Array]) -> list[Entry]:
        second = [
            spread + deviation[k] * deviation[m]
            for spread, (k, m) in zip(self.statistics.covariance, pairs(len(deviation)), strict=True)
        ]
        return congruence(second, terms.jacobian)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self._family, self.statistics.select(rows), self.size, self.usable[rows])

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the likelihood of the rows of all parts, in order."""
        first = parts[0]
        statistics = join_statistics([part.statistics for part in parts])
        usable = np.concatenate([part.usable for part in parts])
        return cls(first._family, statistics, first.size, usable)


def _information(terms: Terms, deviation: Sequence[Array]) -> list[Entry]:
    size = len(terms.jacobian[0])
    packed = congruence(terms.covariance, terms.jacobian)
    for (k, i, j), bend in terms.curvature.items():
        index = position(i, j, size)
        packed[index] = plus(packed[index], times(-1.0, bend, deviation[k]))
    return packed


class ExponentialFamily(Family):
    """A family given by its sufficient statistics and the functions of θ that go with them."""

    @abstractmethod
    def statistics(self, x: Array) -> Statistics:
        """Reduce data (R, n) to sufficient statistics; data outside the sample space give NaN or infinity."""

    @abstractmethod
    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η, its derivatives, A, E[T] and Cov(T) for statistics taken relative to the origin."""

    def centre(self, theta: Columns) -> Array | float:
        """Return the origin at which the terms at θ lose no digits."""
        return 0.0

    @abstractmethod
    def start_from(self, statistics: Statistics) -> Columns:
        """Return a rough estimate of θ from the statistics, inside the domains."""

    def likelihood(self, x: Array) -> ExponentialLikelihood:
        """Reduce data (R, n) to sufficient statistics."""
        statistics = self.statistics(x)
        origins = np.atleast_2d(np.transpose(statistics.origin))
        finite = np.isfinite(statistics.base) & np.isfinite(origins).all(axis=0)
        for value in (*statistics.mean, *statistics.covariance):
            finite = finite & np.isfinite(value)
        return ExponentialLikelihood(self, statistics, x.shape[1], finite)

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return I(θ) = (∂η)ᵀ Cov(T) (∂η), which no origin changes but for rounding."""
        terms = self.terms(theta, self.centre(theta))
        return congruence(terms.covariance, terms.jacobian)

    def start(self, x: Array) -> Columns:
        """Return a rough estimate of θ from data (R, n)."""
        return self.start_from(self.statistics(x))

    def starts(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the one starting point that a concave likelihood needs."""
        return (self.start_from(likelihood.statistics),)

    # A single observation is a data set of size one, so the elementwise functions are those of the likelihood.

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return η·T(x) − A + log h(x), −∞ outside the sample space."""
        evaluation, inside = self._single(x, theta)
        return np.where(inside, evaluation.value, -np.inf)

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return Σₖ ∂ᵢηₖ (Tₖ(x) − τₖ)."""
        evaluation, inside = self._single(x, theta)
        return [np.broadcast_to(entry, inside.shape) for entry in evaluation.score]

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return Σₖ ∂²ηₖ (Tₖ(x) − τₖ) − (∂η)ᵀ Cov(T) (∂η)."""
        evaluation, inside = self._single(x, theta)
        return [-np.broadcast_to(entry, inside.shape) for entry in evaluation.information]

    def pointwise(self, x: Array, theta: Columns) -> Pointwise:
        """Return log-density, score and Hessian elementwise, from one reduction of the data."""
        evaluation, inside = self._single(x, theta)
        return Pointwise(
            np.where(inside, evaluation.value, -np.inf),
            [np.broadcast_to(entry, inside.shape) for entry in evaluation.score],
            [-np.broadcast_to(entry, inside.shape) for entry in evaluation.information],
        )

    def _single(self, x: Array, theta: Columns) -> tuple[Evaluation, NDArray[np.bool_]]:
        """Evaluate every observation; what depends on θ alone is computed once for each θ, but for vectors."""
        x, width = np.asarray(x), self.sample_space.width
        if width is not None:
            return self._single_vector(x, theta, width)
        with np.errstate(all="ignore"):
            reduced = self.likelihood(x.reshape(-1, 1))
            statistics = reduced.statistics.reshaped(x.shape)
            usable = reduced.usable.reshape(x.shape)
            evaluation = ExponentialLikelihood(self, statistics, 1, usable).evaluate(theta)
        return evaluation, np.broadcast_to(usable, np.shape(evaluation.value))

    def _single_vector(self, x: Array, theta: Columns, width: int) -> tuple[Evaluation, NDArray[np.bool_]]:
        shape = np.broadcast_shapes(x.shape[:-1], *(np.shape(column) for column in theta))
        data = np.broadcast_to(x, (*shape, width)).reshape(-1, 1, width)
        columns = [np.broadcast_to(column, shape).reshape(-1) for column in theta]
        with np.errstate(all="ignore"):
            likelihood = self.likelihood(data)
            found = likelihood.evaluate(columns)

        def arranged(entries: Sequence[Entry]) -> list[Array]:
            return [np.broadcast_to(np.asarray(entry), (len(data),)).reshape(shape) for entry in entries]

        (value,), score, information = arranged([found.value]), arranged(found.score), arranged(found.information)
        return Evaluation(value, score, information, []), likelihood.usable.reshape(shape)
