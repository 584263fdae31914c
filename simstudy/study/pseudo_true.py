"""Where the estimates of a wrong model tend to: θ* maximises E_g[log f(X; θ)], g the density that draws the data.

White (1982, Econometrica 50, 1–25): θ̂ → θ*, √n(θ̂ − θ*) → N(0, A⁻¹BA⁻¹) with A = −E_g[∂² log f] and
B = E_g[∂ log f ∂ log fᵀ] at θ*. Expectations are weighted sums over a quadrature rule for g, or over counts, and
the weighted sum of log f is a likelihood like any other, maximised by the optimiser that fits data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.families.nodes import MOST_COORDINATES, nodes_in
from simstudy.families.sample_space import VectorSpace
from simstudy.families.status import Status
from simstudy.inference.likelihood import Likelihood
from simstudy.inference.newton import maximise
from simstudy.numerics import quadrature
from simstudy.numerics.symmetric import fill, pairs, unpack
from simstudy.parameters import Array, Columns
from simstudy.study.models import Model

_START_DRAWS = 20_000
# An expectation that the outermost nodes still move by this much does not exist.
_DIVERGENT = 1e-6
# Nodes of less mass than this, and the last ones of an integral, are left out to see whether they matter: what
# converges has nothing there, while the terms of what diverges do not fall.
_NEGLIGIBLE, _LAST = 1e-100, 4


@dataclass(frozen=True)
class Expectations:
    """θ* (p,), A and B (p, p) of a wrong model; NaN where they do not exist, and then why.

    Attributes
    ----------
    theta : (p,)
        θ*.
    hessian, products : (p, p)
        A and B.
    fault
        Why there is no θ*, or why one of the matrices is infinite; empty where all is well.
    """

    theta: Array
    hessian: Array
    products: Array
    fault: str


class WeightedLikelihood(FamilyLikelihood):
    """Expected log-density, score and Hessian of a family under weights on nodes, as if of one data set.

    Parameters
    ----------
    family
        The family.
    x : (1, m) or (1, m, width)
        Nodes.
    mass : (1, m)
        Weights of sum 1.
    """

    def __init__(self, family: Family, x: Array, mass: Array) -> None:
        self._family, self.x, self._mass = family, x, mass
        self.rows, self.size = x.shape[:2]
        self.usable = np.ones(self.rows, dtype=bool)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by weighted sums."""
        at = [np.reshape(np.asarray(column, dtype=float), (-1, 1)) for column in theta]
        scores = self._family.score(self.x, at)
        outer = [self._sum(scores[i] * scores[j]) for i, j in pairs(len(scores))] if products else []
        return Evaluation(
            self._sum(self._family.log_density(self.x, at)),
            [self._sum(entry) for entry in scores],
            [-self._sum(entry) for entry in self._family.hessian(self.x, at)],
            outer,
        )

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self._family, self.x[rows], self._mass[rows])

    def _sum(self, values: Array) -> Array:
        return quadrature.weighted_sum(self._mass, np.broadcast_to(values, self._mass.shape))


def pseudo_true(drawn: Model, fitted: Model) -> Expectations:
    """Return θ*, A and B of the fitted family under the one that draws the data."""
    family = drawn.family
    corners = [f"{n}: {why}" for n, why in fitted.family.corners.items() if n not in fitted.given]
    if corners:
        return _nothing(fitted, f"the limits of a wrong {fitted.family.name} are not computed ({'; '.join(corners)})")
    theta = [np.reshape(value, (1, 1)) for value in drawn.base]
    space = family.support([float(value) for value in drawn.base])
    if isinstance(space, VectorSpace) and len(space.parts) > MOST_COORDINATES:
        return _nothing(fitted, f"limits of a wrong model for vectors of length {space.width} are not computed")
    x, weights = nodes_in(family, space, theta)
    mass = weights * np.exp(family.log_density(x, theta))
    sample = family.sample(np.random.default_rng(0), drawn.base, (1, _START_DRAWS))
    if not fitted.family.sample_space.holds_all(sample).all():
        return _nothing(fitted, f"data of {family.name} lie outside the sample space of {fitted.family.name}")
    start = fitted.family.starts(fitted.family.likelihood(np.ascontiguousarray(sample)), {})[0]
    return _maximised(fitted, x, mass, start, sums=space.discrete)


def _maximised(fitted: Model, x: Array, mass: Array, start: Columns, *, sums: bool) -> Expectations:
    likelihood = _weighted(fitted, x, mass)
    phi = start if likelihood.is_base else fitted.parametrisation.from_base(start)
    found = maximise(likelihood, [np.asarray(phi[i], dtype=float) for i in likelihood.kept])
    if found.status[0] != Status.CONVERGED:
        sentence = Status(found.status[0]).sentence
        return _nothing(fitted, f"there is no pseudo-true value: of the expected log-likelihood, {sentence}")
    inner = _weighted(fitted, x, _without_ends(x, mass, sums=sums))
    whole, part = (each.evaluate(found.theta, products=True) for each in (likelihood, inner))
    theta = np.array([float(column[0]) for column in found.theta])
    hessian = _matrix(whole.information, part.information)
    products = _matrix(whole.products, part.products)
    if not np.isfinite(hessian).all():
        return _nothing(fitted, "the expected Hessian is infinite, so the estimates have no limit")
    fault = "" if np.isfinite(products).all() else "the score has no variance, so n·Cov(θ̂) has no limit"
    return Expectations(theta, hessian, products, fault)


def _without_ends(x: Array, mass: Array, *, sums: bool) -> Array:
    """Return the mass without that of nodes far out; the first counts of a sum are not."""
    inner = np.where(mass > _NEGLIGIBLE * mass.max(), mass, 0.0)
    if x.ndim == 2 and not sums:
        (order,) = np.argsort(x, axis=-1, kind="stable")
        inner[0, [*order[:_LAST], *order[-_LAST:]]] = 0.0
    return inner


def _weighted(fitted: Model, x: Array, mass: Array) -> Likelihood:
    reduced = WeightedLikelihood(fitted.family, x, mass)
    return Likelihood(fitted.family, reduced, fitted.parametrisation, fitted.given)


def _matrix(whole: Sequence[Array | float], part: Sequence[Array | float]) -> Array:
    """Return a matrix of expectations, NaN in entries that the outermost nodes decide."""
    full, inner = (unpack(fill(entries, 1))[0] for entries in (whole, part))
    scale = np.sqrt(np.abs(np.outer(np.diag(full), np.diag(full))))
    return np.where(np.abs(full - inner) <= _DIVERGENT * scale, full, np.nan)


def _nothing(fitted: Model, fault: str) -> Expectations:
    size = len(fitted.parametrisation.names) - len(fitted.given)
    nothing = np.full((size, size), np.nan)
    return Expectations(nothing[0], nothing, nothing, fault)
