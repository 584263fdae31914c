"""What the laws of maximum likelihood estimates measure."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from simstudy.contract.finding import Deviation, worst
from simstudy.contract.points import Point
from simstudy.contract.precision import EPS, score_slack
from simstudy.families.base import Family
from simstudy.families.status import Status
from simstudy.inference import Fit, fit
from simstudy.inference.likelihood import Likelihood
from simstudy.numerics.symmetric import unpack
from simstudy.parameters import Array, Parametrisation

# An optimiser stops at a decrement of at most 1e-13 and takes one more Newton step. That squares √1e-13 and multiplies
# it by the relative change of the information over one standard deviation, which is a few units.
_STOPPING = 3e-12
_BESIDE = (-1.0, -0.1, -1e-3, -1e-6, 1e-6, 1e-3, 0.1, 1.0)
# Sums of n terms, their pull-back to θ, and the solution of a linear system.
TERMS = 256.0


def quiet_fit(
    family: Family, x: Array, form: Parametrisation | None = None, known: Mapping[str, float] | None = None
) -> Fit:
    """Fit by the public verb, in the base parameters where no others are named, with warnings as errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fit(family, x, known, (form or family.parametrisations[0]).names)


def converged(found: Fit) -> NDArray[np.bool_]:
    """Tell which rows are CONVERGED."""
    return np.array([status is Status.CONVERGED for status in found.status], dtype=bool)


def same(family: Family, detail: str, theta: Array, reference: Fit, rows: NDArray[np.bool_]) -> Deviation:
    """Compare estimates in standard deviations of one observation; at a corner the score tells these."""
    corners = any(name in family.corners for name in reference.names)
    information = (reference.score_products if corners else reference.observed_information)[rows]
    miss = theta - reference.theta[rows]
    apart = np.sqrt(np.abs(np.einsum("ri,rij,rj->r", miss, information, miss)))
    return worst(detail, apart, 2.0 * tolerance(family, reference.theta[rows], information))


def distance(score: Array, information: Array) -> Array:
    """Return √(sᵀJ⁻¹s), how many standard deviations of one observation an estimate is off."""
    steps = np.linalg.solve(information, score[..., np.newaxis])[..., 0]
    return np.asarray(np.sqrt(np.abs(np.einsum("ri,ri->r", score, steps))))


def tolerance(family: Family, theta: Array, information: Array) -> Array:
    """Return what √(sᵀJ⁻¹s) may be: θ itself rounds by ε|θ|, which is ε√(Σθᵢ²Jᵢᵢ) standard deviations."""
    spread = np.sqrt(np.einsum("ri,rii->r", theta * theta, information))
    return np.asarray(TERMS * EPS * (1.0 + spread) + _STOPPING + score_slack(family))


def excess(likelihood: Likelihood, theta: Array) -> Array:
    """Return by how much the log-likelihood of each row is higher somewhere beside the corners of its estimate.

    Each corner is moved alone, by some multiples of the standard deviation of one observation.
    """
    highest, units = np.full(likelihood.rows, -np.inf), np.einsum("rii->ri", likelihood.score_products(theta)) ** -0.5
    for i in set(range(len(likelihood.free))) - set(likelihood.regular):
        for step in _BESIDE:
            moved = theta.copy()
            moved[:, i] += step * units[:, i]
            highest = np.fmax(highest, likelihood.value(moved))
    return np.asarray(highest - likelihood.value(theta))


def mean_score(family: Family, x: Array, theta: Array) -> Array:
    """Return the mean score (R, p) of data sets at one θ each, from the score of single observations."""
    columns = [column[:, np.newaxis] for column in theta.T]
    entries = [np.broadcast_to(entry, x.shape[:2]).mean(axis=-1) for entry in family.score(x, columns)]
    return np.stack(entries, axis=-1)


def mean_information(family: Family, x: Array, theta: Array) -> tuple[Array, Array]:
    """Return the observed information (R, p, p) of data sets and the mean size of the terms that make it up.

    They are the Hessians of single observations; where these cancel in the mean, it rounds by ε of their size.
    """
    columns = [column[:, np.newaxis] for column in theta.T]
    terms = [np.broadcast_to(entry, x.shape[:2]) for entry in family.hessian(x, columns)]
    information = np.stack([-term.mean(axis=-1) for term in terms], axis=-1)
    size = np.stack([np.abs(term).mean(axis=-1) for term in terms], axis=-1)
    return unpack(information), unpack(size)


def least_eigenvalue(matrix: Array) -> float:
    """Return the least eigenvalue of a matrix scaled to unit diagonal, −∞ where it is not finite."""
    scale = np.sqrt(np.abs(np.diag(matrix)))
    correlation = matrix / np.outer(scale, scale)
    return float(np.linalg.eigvalsh(correlation)[0]) if np.isfinite(correlation).all() else -np.inf


def proper_subsets(form: Parametrisation, point: Point) -> Iterator[dict[str, float]]:
    """Return the parameters that can be known while others are free, at their values."""
    values = dict(zip(form.names, point.phi, strict=True))
    for count in range(1, len(form.names)):
        for names in combinations(form.names, count):
            yield {name: values[name] for name in names}
