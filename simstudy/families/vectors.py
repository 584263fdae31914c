"""What the normal families of vectors share: reduced data, the functions of one vector, and closed-form estimates."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.families.moments import Moments
from simstudy.families.sample_space import REAL_LINE, VectorSpace
from simstudy.numerics.symmetric import Entry, factor, pairs, position, solve
from simstudy.parameters import Array, Columns

# Below this a squared distance, relative to the variance, is rounding: coordinates are linear in each other.
_SINGULAR = 1e-13


@cache
def real_vectors(width: int) -> VectorSpace:
    """Return the space of vectors of that many real numbers."""
    return VectorSpace(
        "real line" if width == 1 else f"vectors of {width} real numbers",
        width,
        (REAL_LINE,) * width,
        assemble=lambda columns: (np.stack(columns, axis=-1), np.ones_like(columns[0])),
        take_apart=lambda x: [x[..., i] for i in range(width)],
        contains=lambda x: np.asarray(np.isfinite(x).all(axis=-1)),
    )


class GaussianVectors(Family):
    """A family of normal vectors.

    A member gives the mean value, score, information and score products at θ of data sets of which the deviations
    y = x̄ − μ (d, …) and the packed scatter S about x̄ are given; a single observation has no scatter.
    """

    width: int

    @abstractmethod
    def mean_value(self, theta: Columns, y: Array, scatter: Array | None) -> Array:
        """Return the mean log-likelihood."""

    @abstractmethod
    def mean_score(self, theta: Columns, y: Array, scatter: Array | None) -> list[Entry]:
        """Return the mean score."""

    @abstractmethod
    def mean_information(self, theta: Columns, y: Array, scatter: Array | None) -> list[Entry]:
        """Return the observed information, packed."""

    @abstractmethod
    def mean_products(self, theta: Columns, y: Array, moments: Moments) -> list[Entry]:
        """Return the mean score products, packed."""

    def likelihood(self, x: Array) -> VectorLikelihood:
        """Reduce data (R, n, d) to moments."""
        moments = Moments.of(x)
        usable = np.isfinite(moments.origin).all(axis=0) & np.isfinite(moments.fourth).all(axis=(0, 1))
        return VectorLikelihood(self, moments, x.shape[1], np.asarray(usable))

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return log p(x; θ), of vectors along the last axis."""
        return self.mean_value(*self._single(x, theta))

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return ∂ log p/∂θᵢ, one array per parameter."""
        return [np.asarray(entry) for entry in self.mean_score(*self._single(x, theta))]

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return ∂² log p/∂θᵢ∂θⱼ, packed."""
        return [-np.asarray(entry) for entry in self.mean_information(*self._single(x, theta))]

    def _single(self, x: Array, theta: Columns) -> tuple[list[Array], Array, None]:
        axes = max(np.ndim(x) - 1, *(np.ndim(column) for column in theta))
        columns = [np.asarray(column, dtype=float) for column in theta]
        columns = [column.reshape((1,) * (axes - column.ndim) + column.shape) for column in columns]
        data = np.moveaxis(np.asarray(x, dtype=float), -1, 0)
        y = np.stack([one - column for one, column in zip(data, columns, strict=False)])
        return columns, y, None

    def start(self, x: Array) -> Columns:
        """Return a rough estimate of θ from data (R, n, d)."""
        (first,) = self.starts(self.likelihood(x), {})
        return first

    @abstractmethod
    def starts(self, likelihood: VectorLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return starting points for the general optimiser."""


class VectorLikelihood(FamilyLikelihood):
    """The likelihood of vectors reduced to moments."""

    compact = True

    def __init__(self, family: GaussianVectors, moments: Moments, size: int, usable: NDArray[np.bool_]) -> None:
        self._family, self.moments, self.size, self.usable = family, moments, size, usable
        self.rows = len(usable)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate from the moments."""
        family, moments = self._family, self.moments
        at = [np.reshape(np.asarray(column, dtype=float), -1) for column in theta]
        y = np.stack([moments.origin[i] - at[i] + moments.rest[i] for i in range(family.width)])
        return Evaluation(
            family.mean_value(at, y, moments.scatter),
            family.mean_score(at, y, moments.scatter),
            family.mean_information(at, y, moments.scatter),
            family.mean_products(at, y, moments) if products else [],
        )

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self._family, self.moments.select(rows), self.size, self.usable[rows])

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the likelihood of the rows of all parts, in order."""
        moments = Moments.join([part.moments for part in parts])
        return cls(parts[0]._family, moments, parts[0].size, np.concatenate([part.usable for part in parts]))


class Estimate(NamedTuple):
    """Mean (d arrays) and packed covariance (m arrays) that maximise the likelihood, and where there are such."""

    mean: list[Array]
    covariance: list[Array]
    exists: NDArray[np.bool_]


def estimate(likelihood: VectorLikelihood, known: Mapping[int, Array]) -> Estimate:
    """Return the maximum likelihood estimates, some of the means being known.

    With no mean known: x̄ and S. The coordinates a with known means have Σ̂ₐ = S + yyᵀ about them; the others follow
    by their regression on these, whose slopes and residual covariances do not depend on the mean of a: B = S_ba Sₐ⁻¹,
    μ̂_b = x̄_b − B y, Σ̂_ba = BΣ̂ₐ, Σ̂_b = S_b + ByyᵀBᵀ. So Σ̂ = S + vvᵀ with v = (y, By).
    """
    moments, size = likelihood.moments, len(likelihood.moments.origin)
    centre = [moments.origin[i] + moments.rest[i] for i in range(size)]
    scatter = list(moments.scatter)
    fixed = sorted(known)
    y = {i: moments.origin[i] - known[i] + moments.rest[i] for i in fixed}
    moved: dict[int, Array] = dict(y)
    if 0 < len(fixed) < size:
        weights, _ = solve(
            [scatter[position(i, j, size)] for k, i in enumerate(fixed) for j in fixed[k:]], [*y.values()]
        )
        for b in set(range(size)) - set(fixed):
            moved[b] = np.asarray(sum(scatter[position(a, b, size)] * w for a, w in zip(fixed, weights, strict=True)))
    covariance = [s + (moved[i] * moved[j] if fixed else 0.0) for s, (i, j) in zip(scatter, pairs(size), strict=True)]
    mean = [known[i] if i in known else centre[i] - (moved[i] if fixed else 0.0) for i in range(size)]
    return Estimate(mean, covariance, definite(covariance, size))


def definite(covariance: Sequence[Array], size: int) -> NDArray[np.bool_]:
    """Tell where a packed covariance matrix is positive definite by more than rounding."""
    factors = factor(covariance)
    sound = factors.definite
    for i, pivot in enumerate(factors.pivots):
        sound = sound & (pivot > _SINGULAR * covariance[position(i, i, size)])
    return np.asarray(sound)


def minimum_size(free: Sequence[str], means: Sequence[str], variances: Sequence[str]) -> int:
    """Return the n at which deviations span as many dimensions as there are free variances."""
    spread = sum(name in free for name in variances)
    return max(1, spread + any(name in free for name in means) if spread else 1)
