"""The mixture of two normal families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.mixture_likelihood import NormalMixtureLikelihood, components, curvature, parts, scores
from simstudy.families.mixture_starts import proposals
from simstudy.families.sample_space import REAL_LINE
from simstudy.numerics.quadrature import weighted_sum
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import POSITIVE, REAL, UNIT_INTERVAL, Array, Columns, Parameter, Parametrisation

FLOOR = 0.05
"""Least ratio of the two standard deviations, without which the likelihood is unbounded (Hathaway 1985)."""

# What EM has put on the floor lies there to rounding.
_ABOVE = FLOOR * (1.0 + 1e-9)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
# Ends of panels in standard deviations of each component; beyond the last the density is below 1e-30 of its height.
_REACH = np.array([-12.0, -8.0, -6.0, -4.5, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 12.0])
_ROWS_AT_ONCE = 256


@final
class NormalMixture(Family):
    """p = w N(x; m₁, s₁²) + (1 − w) N(x; m₂, s₂²), labels ordered by m₁ < m₂; I(θ) by quadrature.

    With r₁ = w N₁/p and r₂ = 1 − r₁, gₖ the gradient and Hₖ the Hessian of log(wₖNₖ):
    score s = r₁g₁ + r₂g₂, Hessian Σ rₖ(Hₖ + gₖgₖᵀ) − s sᵀ.

    The likelihood is unbounded as one standard deviation tends to 0, so the estimate is the highest maximum among those
    whose standard deviations differ by less than a factor 20; where the likelihood is higher at that ratio itself, the
    data set is BOUNDARY.
    """

    name = "normal_mixture"
    formula = "log p(x) = log(weight·N(x; mean1, sd1²) + (1 − weight)·N(x; mean2, sd2²)),  mean1 < mean2"
    parameters = (
        Parameter("weight", UNIT_INTERVAL, (0.3, 0.6)),
        Parameter("mean1", REAL, (-1.0, 0.5)),
        Parameter("sd1", POSITIVE, (0.5, 1.5)),
        Parameter("mean2", REAL, (3.5, 6.0)),
        Parameter("sd2", POSITIVE, (0.6, 1.8)),
    )
    sample_space = REAL_LINE

    def constraint(self, theta: Sequence[float]) -> str:
        """Labels are ordered."""
        return "" if theta[1] < theta[3] else "mean1 < mean2"

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return log(eᵃ + eᵇ), a and b the log-densities of the weighted components."""
        return np.logaddexp(*components(x, theta))

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return r₁g₁ + r₂g₂."""
        return scores(theta, *parts(x, theta))

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return Σ rₖ(Hₖ + gₖgₖᵀ) − s sᵀ."""
        share, z1, z2 = parts(x, theta)
        found = scores(theta, share, z1, z2)
        own = curvature(theta, [share * z1**k for k in range(5)], [(1.0 - share) * z2**k for k in range(5)])
        return [own[k] - found[i] * found[j] for k, (i, j) in enumerate(pairs(5))]

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return E[s sᵀ] by Gauss–Legendre panels between the standard deviations of both components."""
        shape = np.broadcast_shapes(*(np.shape(column) for column in theta))
        flat = [np.broadcast_to(np.asarray(column, dtype=float), shape).reshape(-1) for column in theta]
        packed: list[list[Array]] = [[] for _ in pairs(5)]
        for first in range(0, len(flat[0]), _ROWS_AT_ONCE):
            part = [column[first : first + _ROWS_AT_ONCE, np.newaxis] for column in flat]
            x, weights = _panels(part)
            mass = weights * np.exp(self.log_density(x, part))
            found = self.score(x, part)
            for entry, (i, j) in zip(packed, pairs(5), strict=True):
                entry.append(weighted_sum(mass, found[i] * found[j]))
        return [np.concatenate(entry).reshape(shape) for entry in packed]

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw a label and a standard normal for each observation."""
        first = rng.random(size) < theta[0]
        draws = rng.standard_normal(size)
        draws *= np.where(first, theta[2], theta[4])
        draws += np.where(first, theta[1], theta[3])
        return draws

    def likelihood(self, x: Array) -> NormalMixtureLikelihood:
        """Keep the data, sorted, relative to their mean."""
        return NormalMixtureLikelihood.of(np.asarray(x, dtype=float))

    def start(self, x: Array) -> Columns:
        """Return the best of many short runs of the EM algorithm."""
        return self.starts(self.likelihood(x), {})[0]

    def starts(self, likelihood: NormalMixtureLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the best ends of many short runs of the EM algorithm, with what is known put in its place.

        What is known tells the components apart, so that their order is not free, and both are tried.
        """
        found = proposals(likelihood.deviation, FLOOR)
        if known:
            found = [order for columns in found for order in (columns, _exchanged(columns))]
        return [_placed(columns, likelihood.origin, known) for columns in found]

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return 5: with fewer observations than parameters a component fits observations exactly."""
        return 5 if len(free) > 1 else 2

    # ---- the boundary

    def admits(self, theta: Columns) -> NDArray[np.bool_]:
        """Tell where the ratio of the standard deviations is above its floor."""
        return np.asarray(np.minimum(theta[2], theta[4]) > _ABOVE * np.maximum(theta[2], theta[4]))

    @property
    def faces(self) -> tuple[Parametrisation, ...]:
        """The two faces on which one standard deviation is the least part of the other that is allowed."""
        return _face(2, 4), _face(4, 2)

    def canonical(self, theta: Columns) -> Columns:
        """Order the labels by the means."""
        swap = theta[1] > theta[3]
        return [np.where(swap, new, old) for new, old in zip(_exchanged(theta), theta, strict=True)]


def _panels(theta: Columns) -> tuple[Array, Array]:
    """Return nodes and weights (R, m) between the ends of both components' panels, for θ as arrays (R, 1)."""
    _, m1, s1, m2, s2 = theta
    ends = np.sort(np.concatenate([m1 + s1 * _REACH, m2 + s2 * _REACH], axis=-1), axis=-1)
    half = 0.5 * np.diff(ends, axis=-1)[:, :, np.newaxis]
    nodes = ends[:, :-1, np.newaxis] + half * (1.0 + _NODES)
    return nodes.reshape(len(ends), -1), (half * _WEIGHTS).reshape(len(ends), -1)


def _exchanged(theta: Columns) -> Columns:
    """Return the same mixture with its components in the other order."""
    w, m1, s1, m2, s2 = theta
    return 1.0 - w, m2, s2, m1, s1


def _placed(columns: Columns, origin: Array, known: Mapping[int, Array]) -> Columns:
    w, m1, s1, m2, s2 = columns
    placed = [w, m1 + origin, s1, m2 + origin, s2]
    return [np.broadcast_to(known[i], origin.shape) if i in known else column for i, column in enumerate(placed)]


def _face(small: int, large: int) -> Parametrisation:
    """Return the parametrisation of the face on which the one standard deviation is FLOOR times the other."""
    kept = [i for i in range(5) if i != small]

    def to_base(phi: Columns) -> tuple[Array, ...]:
        full = dict(zip(kept, phi, strict=True))
        return tuple(FLOOR * full[large] if i == small else full[i] for i in range(5))

    def jacobian(phi: Columns) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(FLOOR if (i, j) == (small, large) else float(i == j) for j in kept) for i in range(5))

    return Parametrisation(
        tuple(NormalMixture.parameters[i] for i in kept),
        to_base,
        lambda theta: tuple(theta[i] for i in kept),
        jacobian,
    )
