"""The covariance behind White's information matrix test (1982, Econometrica 50, theorem 4.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, reparametrised
from simstudy.families.nodes import Nodes, nodes, outermost, reachable
from simstudy.families.sample_space import SampleSpace
from simstudy.numerics.symmetric import Entry, pairs, select
from simstudy.parameters import Array, Columns, Parametrisation

_DIVERGENT = 1e-8


def white_covariance(family: Family, form: Parametrisation, phi: Columns, kept: Sequence[int]) -> Array:
    """Return V = Var(d) − Cov(d, s) I⁻¹ Cov(s, d), (q, q), of the parameters kept of one member, φ as arrays (1,).

    d are the packed entries of s sᵀ + ∂²ℓ in units of √(Iᵢᵢ Iⱼⱼ), so that V does not depend on units of θ. NaN where
    d has no variance, or where there are no nodes.
    """
    count = len(pairs(len(kept)))
    if not reachable(family):
        return np.full((count, count), np.nan)
    (part,) = nodes(family, [np.asarray(c, dtype=float) + np.zeros(1) for c in form.to_base(phi)])
    score, bend = _derivatives(family, part, form, phi, kept)
    mass = part.mass[0]
    scale = np.sqrt(np.einsum("m,im,im->i", mass, score, score))
    score /= scale[:, None]
    d = np.stack([score[i] * score[j] + b / (scale[i] * scale[j]) for (i, j), b in zip(pairs(len(kept)), bend, strict=True)])
    if _diverges(family, part, d):
        return np.full((count, count), np.nan)
    information, mixed = (np.einsum("m,am,im->ai", mass, left, score) for left in (score, d))
    residual = d - np.linalg.solve(information, mixed.T).T @ score
    return np.einsum("m,am,bm->ab", mass, residual, residual)


def _derivatives(
    family: Family, part: Nodes, form: Parametrisation, phi: Columns, kept: Sequence[int]
) -> tuple[Array, Array]:
    """Return scores (p, m) and packed Hessians (q, m) of the parameters kept, 0 where there is no mass."""
    found = family.pointwise(part.x, part.theta)
    base = Evaluation(found.log_density, found.score, [-np.asarray(entry) for entry in found.hessian], [])
    mapped = base
    if form.names != family.parametrisations[0].names:
        mapped = reparametrised(base, form, [np.reshape(column, (1, 1)) for column in phi])

    def at_nodes(entries: Sequence[Entry]) -> Array:
        return np.stack([np.where(part.mass > 0.0, entry, 0.0)[0] for entry in entries])

    bend = at_nodes(select(mapped.information, kept, len(phi)))
    return at_nodes([mapped.score[i] for i in kept]), -bend


def _diverges(family: Family, part: Nodes, d: Array) -> bool:
    """Tell whether the outermost nodes matter to E[dᵀd]."""
    space = family.sample_space
    if not isinstance(space, SampleSpace):
        return False
    size = part.mass[0] * np.square(d).sum(axis=0)
    end = outermost(part.x, part.mass, (space,))[0]
    return not bool(size[end].sum() <= _DIVERGENT * size.sum())
