"""Moments of third order by quadrature or summation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.nodes import Nodes, nodes, outermost
from simstudy.families.sample_space import SampleSpace
from simstudy.numerics.symmetric import select, unpack
from simstudy.parameters import Array, Columns

# What the outermost nodes still move by more than this diverges, or is not known to more digits.
_DIVERGENT = 1e-8
# E[s sᵀ] = −E[∂²ℓ] must hold to this, relative to √(Iᵢᵢ Iⱼⱼ): else the family is not regular or the nodes do not do.
_UNEQUAL = 1e-7


def third_by_nodes(family: Family, theta: Columns, kept: Sequence[int]) -> tuple[Array, Array, Array]:
    """Return I (R, p, p), κᵢⱼ,ₖ and κᵢ,ⱼ,ₖ (R, p, p, p) of p base parameters, of members θ given as arrays (R,)."""
    rows, size = len(theta[0]), len(kept)
    information = np.full((rows, size, size), np.nan)
    mixed, triple = np.full((2, rows, size, size, size), np.nan)
    usable = np.flatnonzero(np.isfinite(np.stack(theta)).all(axis=0))
    for part in nodes(family, [column[usable] for column in theta]):
        at = usable[part.rows]
        information[at], mixed[at], triple[at] = _moments(family, part, kept)
    return information, mixed, triple


def derivatives(family: Family, part: Nodes, kept: Sequence[int]) -> tuple[Array, Array]:
    """Return scores (r, p, m) and Hessians (r, p, p, m) at the nodes, 0 where there is no mass."""
    found = family.pointwise(part.x, part.theta)
    there = part.mass > 0.0
    packed = select(found.hessian, kept, len(part.theta))
    score, bend = (
        np.stack([np.where(there, entry, 0.0) for entry in entries], axis=-1)
        for entries in ([found.score[i] for i in kept], packed)
    )
    return np.moveaxis(score, -1, 1), np.moveaxis(unpack(bend), 1, -1)


def _moments(family: Family, part: Nodes, kept: Sequence[int]) -> tuple[Array, Array, Array]:
    score, bend = derivatives(family, part, kept)
    weighted = part.mass[:, None, :] * score
    information = np.einsum("rim,rjm->rij", weighted, score)
    mixed = np.einsum("rijm,rkm->rijk", bend, weighted)
    products = weighted[:, :, None, :] * score[:, None, :, :]
    triple = np.einsum("rijm,rkm->rijk", products, score)
    curvature = -np.einsum("rijm,rm->rij", bend, part.mass)
    sound = _equal(information, curvature) & ~_diverges(family, part, score, bend, information)
    return tuple(np.where(sound.reshape(-1, *(1,) * (a.ndim - 1)), a, np.nan) for a in (information, mixed, triple))  # type: ignore[return-value]


def _equal(information: Array, curvature: Array) -> NDArray[np.bool_]:
    """Tell where the second of Bartlett's identities holds."""
    scale = np.sqrt(np.einsum("rii->ri", information))
    unit = scale[:, :, None] * scale[:, None, :]
    return np.asarray((np.abs(information - curvature) <= _UNEQUAL * unit).all(axis=(1, 2)))


def _diverges(family: Family, part: Nodes, score: Array, bend: Array, information: Array) -> NDArray[np.bool_]:
    """Tell where the outermost nodes matter to the largest of the moments, in units of I."""
    space = family.sample_space
    if not isinstance(space, SampleSpace) or len(family.breaks(part.theta)):  # mass may end at a break
        return np.zeros(len(score), dtype=bool)
    scale = np.sqrt(np.einsum("rii->ri", information))[:, :, None]
    length = np.abs(score / scale).sum(axis=1)
    size = length * (length**2 + np.abs(bend / scale[:, None] / scale[:, :, None]).sum(axis=(1, 2))) * part.mass
    end = outermost(part.x, part.mass, (space,))
    return np.asarray(np.where(end, size, 0.0).sum(axis=-1) > _DIVERGENT * size.sum(axis=-1))
