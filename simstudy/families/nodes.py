"""Nodes and weights for expectations under members of a family."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.censored import Censored
from simstudy.families.exponential import Exponential
from simstudy.families.generalized_extreme_value import GeneralizedExtremeValue
from simstudy.families.generalized_pareto import GeneralizedPareto
from simstudy.families.gumbel import Gumbel
from simstudy.families.normal_mixture import NormalMixture
from simstudy.families.reduced_variate import from_variate
from simstudy.families.regression import Regression
from simstudy.families.sample_space import SampleSpace, VectorSpace
from simstudy.families.vectors import GaussianVectors
from simstudy.numerics import quadrature
from simstudy.numerics.symmetric import factor, lower_inverse, select
from simstudy.parameters import Array, Columns

MOST_COORDINATES = 2
"""The nodes of a rule for vectors are some four hundred to the power of the number of coordinates."""
# Terms of what diverges do not fall towards its outermost nodes.
_LAST = 2
_ROWS_AT_ONCE = 128
_MOST_NORMAL = 4
_BENDS = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
_LEAST_LOG, _MOST_LOG = math.log(2.0**-44), 300.0
_HERMITE = np.polynomial.hermite_e.hermegauss(5)


class Nodes(NamedTuple):
    """Nodes of some members of a family.

    Attributes
    ----------
    rows
        Which members.
    theta : p arrays (r, 1)
        Their parameters.
    x : (r, m) or (r, m, width)
        Nodes.
    mass : (r, m)
        Their probabilities.
    """

    rows: slice
    theta: Columns
    x: Array
    mass: Array


def reachable(family: Family) -> bool:
    """Tell whether expectations under the family can be had by nodes."""
    space = family.sample_space
    if isinstance(family, Censored) or isinstance(space, SampleSpace):
        return True
    if isinstance(family, Regression):
        return False
    return family.width <= _MOST_NORMAL if isinstance(family, GaussianVectors) else len(space.parts) <= MOST_COORDINATES


def nodes(family: Family, theta: Columns) -> Iterator[Nodes]:
    """Yield the nodes of members θ, given as p arrays (R,), some members at a time."""
    extreme = isinstance(family, GeneralizedExtremeValue | GeneralizedPareto)
    fixed = type(family).support is Family.support and isinstance(family.sample_space, SampleSpace)
    together = fixed or extreme
    step = _ROWS_AT_ONCE if together else 1
    for first in range(0, len(theta[0]), step):
        rows = slice(first, first + step)
        columns = [column[rows, np.newaxis] for column in theta]
        if isinstance(family, GaussianVectors):
            yield Nodes(rows, columns, *_normal_nodes(family, columns))
            continue
        if isinstance(family, GeneralizedExtremeValue | GeneralizedPareto):
            yield Nodes(rows, columns, *_extreme_nodes(family, columns))
            continue
        space = family.sample_space if together else family.support([float(column[0, 0]) for column in columns])
        breaks = _bends(columns) if isinstance(family, NormalMixture) else None
        x, weights = nodes_in(family, space, columns, breaks)
        mass = weights * np.exp(family.log_density(x, columns))
        yield Nodes(rows, columns, x, np.where(mass > 0.0, mass, 0.0))


def _extreme_nodes(family: GeneralizedExtremeValue | GeneralizedPareto, theta: Columns) -> tuple[Array, Array]:
    """Return nodes and mass by those of the reduced variate, whose distribution knows no parameter."""
    *location, scale, shape = theta
    y, mass = _variate_nodes(len(theta))
    x = scale * from_variate(y, shape)
    # Beyond, 1 + ξz = exp(ξy) is rounding near the end of the support, or overflows.
    sound = (shape * y > _LEAST_LOG) & (np.abs(shape * y) < _MOST_LOG)
    return (x + location[0] if location else x), np.where(sound, mass, 0.0)


@cache
def _variate_nodes(parameters: int) -> tuple[Array, Array]:
    """Return nodes and mass (1, m) of the standard Gumbel, of three parameters with location, or exponential law."""
    if parameters == 3:
        law, theta = Gumbel(), [np.zeros((1, 1)), np.ones((1, 1))]
    else:
        law, theta = Exponential(), [np.ones((1, 1))]  # type: ignore[assignment]
    y, weights = quadrature.rule(law.sample, law.sample_space, theta)
    return y, weights * np.exp(law.log_density(y, theta))


def _normal_nodes(family: GaussianVectors, theta: Columns) -> tuple[Array, Array]:
    """Return nodes (1, m, d) and their mass by Gauss and Hermite, with x = μ + L⁻ᵀD^(−½)z and I(μ) = LDLᵀ.

    They are exact for the moments of fourth order, since score and Hessian are quadratic in x.
    """
    size = family.width
    packed = select(family.expected_information([column[0] for column in theta]), range(size), len(theta))
    lower, pivots = lower_inverse(factors := factor([np.asarray(entry) for entry in packed])), factors.pivots
    z, weight = (np.stack(np.meshgrid(*[part] * size, indexing="ij")).reshape(size, -1) for part in _HERMITE)
    scaled = z / np.sqrt(np.stack(pivots))
    x = np.stack([theta[i][0] + sum(lower[k, i] * scaled[k] for k in range(i, size)) for i in range(size)], axis=-1)
    return x[np.newaxis], np.prod(weight / math.sqrt(2.0 * math.pi), axis=0)[np.newaxis]


def _bends(theta: Columns) -> list[Array]:
    """Return points between which a mixture of two normal distributions, and the share of either in it, is smooth."""
    _, *first, last, spread = theta
    return [mean + k * sd for mean, sd in (first, (last, spread)) for k in _BENDS]


def nodes_in(
    family: Family, space: SampleSpace | VectorSpace, theta: Columns, breaks: Sequence[Array] | None = None
) -> tuple[Array, Array]:
    """Return nodes (r, m) and weights (r, m) in a part of the sample space, for θ as p arrays (r, 1).

    Breaks, by default those of the family, are where its panels end. For vectors nodes are (1, m, width) and weights
    (1, m), the product of rules for the coordinates of one member.
    """
    if isinstance(family, Censored):
        return family.nodes(theta)
    if isinstance(space, SampleSpace):
        return quadrature.rule(family.sample, space, theta, family.breaks(theta) if breaks is None else breaks)

    def coordinate(axis: int) -> quadrature.Sampler:
        return lambda rng, at, size: np.asarray(space.take_apart(family.sample(rng, at, size))[axis])

    rules = [quadrature.rule(coordinate(axis), part, theta) for axis, part in enumerate(space.parts)]
    parts, weights = (
        [np.ravel(part)[np.newaxis] for part in np.meshgrid(*(each[which][0] for each in rules), indexing="ij")]
        for which in (0, 1)
    )
    x, slope = space.assemble(parts)
    return x, np.prod(weights, axis=0) * slope


def outermost(x: Array, mass: Array, spaces: Sequence[SampleSpace]) -> NDArray[np.bool_]:
    """Tell which nodes (r, m) are the last with mass at an end of a line; the first counts of a sum are no end."""
    if x.ndim > 2 or spaces[0].circular:
        return np.zeros(mass.shape, dtype=bool)
    order = np.argsort(x, axis=-1, kind="stable")
    there = np.take_along_axis(mass > 0.0, order, axis=-1)
    above = there[:, ::-1].cumsum(axis=-1)[:, ::-1] <= _LAST
    end = above if spaces[0].discrete else above | (there.cumsum(axis=-1) <= _LAST)
    result = np.zeros(mass.shape, dtype=bool)
    np.put_along_axis(result, order, there & end, axis=-1)
    return result
