"""Regressions with random design: observations (y, x₁, …, x_k), the response first, and a linear predictor η = xᵀβ."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.design import STANDARD_NORMAL, Design, Margin
from simstudy.families.sample_space import SampleSpace, VectorSpace
from simstudy.parameters import REAL, Array, Columns, Parameter

MOST_SLOPES = 9
_SLOPE = re.compile(r"slope([1-9])")


class Regression(Family):
    """log p = log p(y | η) + Σ log g(xⱼ), η = intercept + Σ slopeⱼ·xⱼ; the density g of the design has no parameters.

    Parameters
    ----------
    slopes
        k, from 1 to 9.
    margins
        How each covariate is drawn; by default standard normal.
    """

    response_space: ClassVar[SampleSpace]
    intercept: ClassVar[tuple[float, float]]
    """Typical range of the intercept."""
    slope: ClassVar[tuple[float, float]]
    """Typical range of slopes."""
    others: ClassVar[tuple[Parameter, ...]] = ()
    """Parameters beside intercept and slopes."""

    def __init__(self, slopes: int = 1, margins: Sequence[Margin] = ()) -> None:
        self.slopes, self.margins = slopes, tuple(margins)
        self.design = Design(self.margins or (STANDARD_NORMAL,) * slopes)
        names = [f"slope{j}" for j in range(1, slopes + 1)]
        self.parameters = (
            Parameter("intercept", REAL, self.intercept),
            *(Parameter(name, REAL, self.slope) for name in names),
            *self.others,
        )
        self.sample_space = _space((self.response_space, *self.design.spaces))

    @abstractmethod
    def draw_response(self, rng: np.random.Generator, predictor: Array, others: Columns) -> Array:
        """Draw responses at linear predictors."""

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw the covariates, then the responses."""
        covariates = self.design.sample(rng, size)
        x = np.empty((*size, 1 + self.slopes))
        x[..., 0] = self.draw_response(rng, self.predictor(covariates, theta), theta[1 + self.slopes :])
        for j, column in enumerate(covariates, start=1):
            x[..., j] = column
        return x

    def predictor(self, covariates: Sequence[Array], theta: Columns) -> Array:
        """Return η."""
        total = theta[0] + theta[1] * covariates[0]
        for slope, column in zip(theta[2 : 1 + self.slopes], covariates[1:], strict=True):
            total = total + slope * column
        return np.asarray(total)

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return the number of free parameters."""
        return max(1, len(free))

    def member(self, values: Mapping[str, float | None]) -> Self:
        """Return the regression with as many slopes as the names need, at least those it has."""
        found = (int(match.group(1)) for name in values if (match := _SLOPE.fullmatch(name)))
        slopes = max((self.slopes, *found))
        return self if slopes == self.slopes else type(self)(slopes, self.margins[:1] * slopes)

    def suited(self, x: Array) -> Self:
        """Return the regression with a slope for each column of data (R, n, 1 + k) but the first."""
        slopes = min(max(x.shape[-1] - 1, 1), MOST_SLOPES)
        return self if slopes == self.slopes else type(self)(slopes, self.margins[:1] * slopes)

    def designed(self, margins: Sequence[Margin]) -> Self:
        """Return the regression whose covariates are drawn so."""
        return type(self)(len(margins), margins)

    def irregularity(self, theta: Sequence[float]) -> str:
        """Say where the information is infinite."""
        entries = self.expected_information([np.asarray(value, dtype=float) for value in theta])
        finite = all(np.isfinite(entry).all() for entry in entries)
        return "" if finite else "I(θ) is infinite: the covariates have no such moments"

    def information_error(self, theta: Columns) -> Sequence[Array] | None:
        """Return the standard errors of the entries of I(θ) where it is found by Monte Carlo, else None."""
        return None


def separated(x: Array) -> tuple[Array, list[Array]]:
    """Return responses and covariates of observations (…, 1 + k), each in an array of its own."""
    first, *others = (np.ascontiguousarray(x[..., j], dtype=float) for j in range(x.shape[-1]))
    return first, others


def _within(space: SampleSpace, x: Array) -> NDArray[np.bool_]:
    """Tell of each number whether it lies in a space."""
    above = x >= space.lower if space.lower_included else x > space.lower
    inside = above & (x <= space.upper if space.upper_included or space.atom else x < space.upper)
    return inside & (x == np.floor(x)) if space.discrete else inside


def _space(parts: tuple[SampleSpace, ...]) -> VectorSpace:
    def assemble(coordinates: Sequence[Array]) -> tuple[Array, Array]:
        return np.stack(coordinates, axis=-1), np.ones(np.shape(coordinates[0]))

    def contains(x: Array) -> NDArray[np.bool_]:
        return np.asarray(np.logical_and.reduce([_within(part, x[..., j]) for j, part in enumerate(parts)]))

    def take_apart(x: Array) -> list[Array]:
        return [x[..., j] for j in range(len(parts))]

    return VectorSpace("responses and covariates", len(parts), parts, assemble, take_apart, contains)
