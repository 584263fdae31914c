"""The covariance behind White's information matrix test (1982, Econometrica 50, theorem 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, reparametrised
from simstudy.families.nodes import Nodes, nodes, outermost, reachable
from simstudy.families.sample_space import SampleSpace
from simstudy.families.third_order import inverted
from simstudy.numerics.symmetric import Entry, pairs, select
from simstudy.parameters import Array, Columns, Parametrisation

# The test needs fewer digits than a bias.
_DIVERGENT = 1e-6
_ROUNDING = 1e-12


class White(NamedTuple):
    """V of R members; NaN where d has no variance, or where there are no nodes.

    Attributes
    ----------
    spread : (R, q)
        Standard deviations of d in units of √(Iᵢᵢ Iⱼⱼ), 0 where d is nothing but rounding.
    residual : (R, q, q)
        V in units of these standard deviations.
    """

    spread: Array
    residual: Array


def white_covariance(family: Family, form: Parametrisation, phi: Columns, kept: Sequence[int]) -> White:
    """Return V = Var(d) − Cov(d, s) I⁻¹ Cov(s, d) of the parameters kept at φ, given as arrays (R,).

    d are the packed entries of s sᵀ + ∂²ℓ of one observation.
    """
    rows, count = len(phi[0]), len(pairs(len(kept)))
    found = no_white(rows, count)
    theta = [np.asarray(column, dtype=float) + np.zeros(rows) for column in form.to_base(phi)]
    usable = np.flatnonzero(np.isfinite(np.stack(theta)).all(axis=0))
    if reachable(family):
        for part in nodes(family, [column[usable] for column in theta]):
            at = usable[part.rows]
            derivatives = _derivatives(family, part, form, [c[at] for c in phi], kept)
            found.spread[at], found.residual[at] = _covariance(family, part, *derivatives)
    return found


def no_white(rows: int, count: int) -> White:
    """Return NaN."""
    return White(np.full((rows, count), np.nan), np.full((rows, count, count), np.nan))


def _derivatives(
    family: Family, part: Nodes, form: Parametrisation, phi: Columns, kept: Sequence[int]
) -> tuple[Array, Array]:
    """Return scores (r, p, m) and packed Hessians (r, q, m) of the parameters kept, 0 where there is no mass."""
    found = family.pointwise(part.x, part.theta)
    mapped = Evaluation(found.log_density, found.score, [-np.asarray(entry) for entry in found.hessian], [])
    if form.names != family.parametrisations[0].names:
        mapped = reparametrised(mapped, form, [column[:, np.newaxis] for column in phi])

    def at_nodes(entries: Sequence[Entry]) -> Array:
        return np.stack([np.where(part.mass > 0.0, entry, 0.0) for entry in entries], axis=1)

    bend = at_nodes(select(mapped.information, kept, len(phi)))
    return at_nodes([mapped.score[i] for i in kept]), -bend


def _covariance(family: Family, part: Nodes, score: Array, bend: Array) -> White:
    mass, size = part.mass[:, None, :], score.shape[1]
    scale = np.sqrt(np.einsum("rm,rim,rim->ri", part.mass, score, score))
    score = score / scale[:, :, None]
    d = np.stack([score[:, i] * score[:, j] for i, j in pairs(size)], axis=1)
    d += bend / np.stack([scale[:, i] * scale[:, j] for i, j in pairs(size)], axis=1)[:, :, None]
    information, mixed = (np.einsum("ram,rim->rai", mass * left, score) for left in (score, d))
    slopes = np.einsum("rai,rij->raj", mixed, inverted(information))
    residual = d - np.einsum("rai,rim->ram", slopes, score)
    spread = np.sqrt(np.einsum("ram,ram->ra", mass * d, d))
    spread = np.where(_diverges(family, part, d)[:, None], np.nan, np.where(spread > _ROUNDING, spread, 0.0))
    inverse = np.where(spread > 0.0, 1.0 / spread, spread)
    found = np.einsum("ram,rbm->rab", mass * residual, residual)
    return White(spread, found * inverse[:, :, None] * inverse[:, None, :])


def _diverges(family: Family, part: Nodes, d: Array) -> Array:
    """Tell where the outermost nodes matter to E[dᵀd]."""
    space = family.sample_space
    if not isinstance(space, SampleSpace) or len(family.breaks(part.theta)):  # mass may end at a break
        return np.zeros(len(d), dtype=bool)
    size = part.mass * np.square(d).sum(axis=1)
    end = outermost(part.x, part.mass, (space,))
    return np.asarray(~(np.where(end, size, 0.0).sum(axis=-1) <= _DIVERGENT * size.sum(axis=-1)))
