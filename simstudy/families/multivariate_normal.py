"""The multivariate normal family of up to ten dimensions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple, final

import numpy as np

from simstudy.families.completion import completed, scored
from simstudy.families.likelihood import Solution
from simstudy.families.moments import Moments, along, along_both, triangle
from simstudy.families.solution import closed_form
from simstudy.families.vectors import GaussianVectors, VectorLikelihood, estimate, minimum_size, real_vectors
from simstudy.numerics.symmetric import Entry, factor, lower_inverse, pairs, position
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

_LARGEST = 10
_LOG_TWO_PI = math.log(2.0 * math.pi)


class _Place(NamedTuple):
    """What Σ = LDLᵀ is at θ: Σ and Λ = Σ⁻¹ as packed pairs (m, …); Λ, L⁻¹ and L⁻ᵀD⁻¹ as (d, d, …); D as (d, …)."""

    covariance: Array
    packed: Array
    precision: Array
    inner: Array
    outer: Array
    pivots: Array


@final
class MultivariateNormal(GaussianVectors):
    """log p = −½ d log 2π − ½ log det Σ − ½ (x − μ)ᵀΛ(x − μ), Λ = Σ⁻¹.

    I(μ) = Λ, I(μ, σₖₗ) = 0, and I(σₖₗ, σᵢⱼ) = ½ tr(Λ Eₖₗ Λ Eᵢⱼ) with Eₖₗ = ∂Σ/∂σₖₗ the symmetric unit matrices.
    The score is Λ(x − μ) in μ and ½ tr(Eₖₗ G) in σₖₗ, G = Λ((x − μ)(x − μ)ᵀ − Σ)Λ.

    Parameters
    ----------
    width
        Dimension d, from 1 to 10.
    """

    name = "multivariate_normal"
    formula = "log p(x) = −½ d log(2π) − ½ log det cov − ½ (x − mean)ᵀ cov⁻¹ (x − mean), d = 1 … 10"
    numbered = r"mean([1-9]|10)|cov[1-9]{2}|cov([1-9]|10)_10"

    def __init__(self, width: int = 2) -> None:
        self.width = width
        means = [Parameter(f"mean{i + 1}", REAL, (-5.0, 5.0)) for i in range(width)]
        # Rows of the covariance matrix are dominated by its diagonal.
        away = 0.4 / max(1, width - 1)
        ranges = {True: (POSITIVE, (0.5, 5.0)), False: (REAL, (-away, away))}
        covariance = [Parameter(_name(i + 1, j + 1), *ranges[i == j]) for i, j in pairs(width)]
        self.parameters = (*means, *covariance)
        self.sample_space = real_vectors(width)

    def member(self, values: Mapping[str, float | None]) -> MultivariateNormal:
        """Return the family of as many dimensions as the names need."""
        numbers = [int(number) for name in values for number in _numbers(name)]
        return _member(min(max(numbers), _LARGEST)) if numbers else self

    def suited(self, x: Array) -> MultivariateNormal:
        """Return the family of as many dimensions as the data."""
        return _member(min(max(1, x.shape[-1]), _LARGEST))

    def constraint(self, theta: Sequence[float]) -> str:
        """Return that Σ is positive definite, where it is not."""
        sound = factor([np.asarray(value) for value in theta[self.width :]]).definite
        wanted = "cov12² < cov11·cov22" if self.width == 2 else "positive definiteness of the covariance matrix"
        return "" if sound else wanted

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw x = μ + L√D z, Σ = LDLᵀ, from standard normal z."""
        draws = rng.standard_normal((self.width, *size))
        lower, pivots, _ = factor([np.asarray(column, dtype=float) for column in theta[self.width :]])
        for one, pivot in zip(draws, pivots, strict=True):
            one *= np.sqrt(pivot)
        for i in reversed(range(self.width)):
            for k in range(i):
                draws[i] += lower[i, k] * draws[k]
            draws[i] += theta[i]
        return np.moveaxis(draws, 0, -1)

    def mean_value(self, theta: Columns, y: Array, scatter: Array | None) -> Array:
        """Return the mean log-likelihood, yᵀΛy as Σᵢ eᵢ²/Dᵢ with e = L⁻¹y."""
        place = _place(theta, self.width)
        # Python's sum adds in one order whatever the number of data sets.
        square = sum(along(place.inner, y) ** 2 / place.pivots + np.log(place.pivots))
        if scatter is not None:
            square = square + sum(_column(2.0 * _halves(self.width), scatter.ndim - 1) * place.packed * scatter)
        return np.asarray(-0.5 * (self.width * _LOG_TWO_PI + square))

    def mean_score(self, theta: Columns, y: Array, scatter: Array | None) -> list[Entry]:
        """Return Λy and ½ tr(Eₖₗ G)."""
        place = _place(theta, self.width)
        halves = _halves(self.width)
        surplus = _surplus(place, y, scatter)
        return [*along(place.precision, y), *(f * entry for f, entry in zip(halves, surplus, strict=True))]

    def mean_information(self, theta: Columns, y: Array, scatter: Array | None) -> list[Entry]:
        """Return Λ, ΛEₖₗΛy and ½ tr(Eₖₗ ΛEᵢⱼΛ) + ½ tr(Eₖₗ(ΛEᵢⱼG + GEᵢⱼΛ))."""
        place, size = _place(theta, self.width), self.width
        k, m, position_of = triangle(size)
        u = along(place.precision, y)
        surplus = _surplus(place, y, scatter)[position_of]
        halves = _column(_halves(size), u.ndim - 1)
        mixed = halves * (place.precision[:, k] * u[m] + place.precision[:, m] * u[k])
        double = _trace(place.precision, place.precision + 2.0 * surplus, size)
        return _packed(place.packed, mixed, list(double), size)

    def mean_products(self, theta: Columns, y: Array, moments: Moments) -> list[Entry]:
        """Return the mean score products from the covariances of z = Λ(x − μ) and z zᵀ."""
        place, size = _place(theta, self.width), self.width
        u = along(place.precision, y)
        spread = moments.spread(along(place.outer, along(place.inner, moments.mixing)), u)
        surplus = _surplus(place, y, moments.scatter)
        first, second = triangle(size)[:2]
        one, two = triangle(len(surplus))[:2]
        halves = _halves(size)
        single = spread.single + u[first] * u[second]
        mixed = _column(halves, 1) * (spread.mixed + u[:, np.newaxis] * surplus)
        double = _column(halves[one] * halves[two], 1) * (spread.double[one, two] + surplus[one] * surplus[two])
        return _packed(single, mixed, list(double), size)

    def expected_information(self, theta: Columns) -> list[Entry]:
        """Return Λ and ½ tr(ΛEₖₗΛEᵢⱼ)."""
        place = _place([np.asarray(column, dtype=float) for column in theta], self.width)
        double = _trace(place.precision, place.precision, self.width)
        return _packed(place.packed, None, list(double), self.width)

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return d + 1 where all is free."""
        numbers = range(1, self.width + 1)
        return minimum_size(free, [f"mean{i}" for i in numbers], [_name(i, i) for i in numbers])

    def starts(self, likelihood: VectorLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return where scoring leads from the sample moments, made positive definite with what is known."""
        size = self.width
        mean, sample, _ = estimate(likelihood, {i: value for i, value in known.items() if i < size})
        held = {pairs(size)[i - size]: value for i, value in known.items() if i >= size}
        start = [np.broadcast_to(c, (likelihood.rows,)) for c in (*mean, *completed(sample, held, size))]
        return (scored(self, likelihood, start, [i for i in range(len(start)) if i not in known]),)

    def solve(self, likelihood: VectorLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return mean and covariance of the sample with divisor n, as far as means only are known."""
        if any(i >= self.width for i in known):
            return None
        mean, covariance, exists = estimate(likelihood, known)
        return closed_form(
            [*mean, *covariance], likelihood, exists & (likelihood.size >= self.width + (len(known) < self.width))
        )


def _name(i: int, j: int) -> str:
    return f"cov{i}_{j}" if _LARGEST in (i, j) else f"cov{i}{j}"


def _numbers(name: str) -> list[str]:
    """Return the numbers in the name of a parameter."""
    if found := re.fullmatch(r"mean([1-9]\d?)|cov([1-9])([1-9])|cov([1-9]\d?)_([1-9]\d?)", name):
        return [number for number in found.groups() if number]
    return []


_member = cache(MultivariateNormal)


@cache
def _halves(size: int) -> Array:
    """Return ½ for pairs of equal indices and 1 for others: Eₖₗ is that times eₖeₗᵀ + eₗeₖᵀ."""
    return np.array([0.5 if i == j else 1.0 for i, j in pairs(size)])


def _column(values: Array, axes: int) -> Array:
    return values.reshape(-1, *(1,) * axes)


def _place(theta: Columns, size: int) -> _Place:
    covariance = np.stack(np.broadcast_arrays(*theta[size:]))
    factors = factor(list(covariance))
    inner, pivots = lower_inverse(factors), np.stack(factors.pivots)
    outer = np.swapaxes(inner, 0, 1) / pivots
    rows, columns, place = triangle(size)
    packed = along(outer, inner)[rows, columns]
    return _Place(covariance, packed, packed[place], inner, outer, pivots)


def _surplus(place: _Place, y: Array, scatter: Array | None) -> Array:
    """Return G = Λ(S + yyᵀ − Σ)Λ, packed; 0 to rounding at the estimates.

    As L⁻ᵀD⁻¹ H D⁻¹L⁻¹ with H = L⁻¹(S + yyᵀ − Σ)L⁻ᵀ, so that where Σ is nearly singular, rounding is large along its
    small eigenvalues only.
    """
    rows, columns, _ = triangle(len(y))
    e = along(place.inner, y)
    if scatter is None:
        rest = -(place.pivots[rows] * _column(rows == columns, y.ndim - 1))
    else:
        rest = along_both(place.inner, scatter - place.covariance)
    return along_both(place.outer, rest + e[rows] * e[columns])


def _trace(one: Array, two: Array, size: int) -> Array:
    """Return ½ tr(Eₖₗ A Eᵢⱼ B) made symmetric in A and B, for all packed pairs of packed pairs."""
    rows, columns, _ = triangle(size)
    first, second = triangle(len(rows))[:2]
    k, m, i, j = rows[first], columns[first], rows[second], columns[second]
    factors = _halves(size)[first] * _halves(size)[second]
    total = one[k, i] * two[m, j] + one[m, i] * two[k, j] + one[k, j] * two[m, i] + one[m, j] * two[k, i]
    return np.asarray(0.5 * _column(factors, total.ndim - 1) * total)


def _packed(single: Array, mixed: Array | None, double: list[Entry], size: int) -> list[Entry]:
    """Pack a matrix of means and covariances from its three blocks."""
    count = len(pairs(size))
    entries: list[Entry] = []
    for i in range(size):
        entries += [single[position(i, j, size)] for j in range(i, size)]
        entries += [0.0] * count if mixed is None else list(mixed[i])
    return entries + double
