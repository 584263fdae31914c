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
_DIVERGENT, _DIVERGENT_MIXED = 1e-8, 1e-6
# E[s sᵀ] = −E[∂²ℓ] must hold to this, relative to √(Iᵢᵢ Iⱼⱼ): else the family is not regular or the nodes do not do.
_UNEQUAL, _ROUGH = 1e-7, 1e-5


def third_by_nodes(family: Family, theta: Columns, kept: Sequence[int]) -> tuple[Array, Array, Array]:
    """Return I (R, p, p), κᵢⱼ,ₖ and κᵢ,ⱼ,ₖ (R, p, p, p) of p base parameters, of members θ given as arrays (R,).

    κᵢ,ⱼ,ₖ is NaN where it diverges or its digits do not do; κᵢⱼ,ₖ, where the family is not regular.
    """
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
    all_sound, mixed_sound = _sound(family, part, score, bend, information)
    all_sound &= _equal(information, curvature, _UNEQUAL)
    mixed_sound &= _equal(information, curvature, _ROUGH)
    mixed = np.where(mixed_sound[:, None, None, None], mixed, np.nan)
    return information, mixed, np.where(all_sound[:, None, None, None], triple, np.nan)


def _equal(information: Array, curvature: Array, tolerance: float) -> NDArray[np.bool_]:
    """Tell where the second of Bartlett's identities holds."""
    scale = np.sqrt(np.einsum("rii->ri", information))
    unit = scale[:, :, None] * scale[:, None, :]
    return np.asarray((np.abs(information - curvature) <= tolerance * unit).all(axis=(1, 2)))


def _sound(
    family: Family, part: Nodes, score: Array, bend: Array, information: Array
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell where the outermost nodes do not matter to the largest of all moments, and of κᵢⱼ,ₖ, in units of I."""
    space, everywhere = family.sample_space, np.ones(len(score), dtype=bool)
    if not isinstance(space, SampleSpace) or len(family.breaks(part.theta)):  # mass may end at a break
        return everywhere, everywhere.copy()
    scale = np.sqrt(np.einsum("rii->ri", information))[:, :, None]
    length = np.abs(score / scale).sum(axis=1)
    mixed = length * np.abs(bend / scale[:, None] / scale[:, :, None]).sum(axis=(1, 2)) * part.mass
    end = outermost(part.x, part.mass, (space,))

    def matters(size: Array, tolerance: float) -> NDArray[np.bool_]:
        return np.asarray(np.where(end, size, 0.0).sum(axis=-1) > tolerance * size.sum(axis=-1))

    return ~matters(length**3 * part.mass + mixed, _DIVERGENT), ~matters(mixed, _DIVERGENT_MIXED)
