"""The third of Bartlett's identities at θ*, and the limit of n·bias."""

from __future__ import annotations

from collections import Counter

import numpy as np

from simstudy.analysis.cell import Cell
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate, error_of
from simstudy.analysis.reductions import JointMoment, JointMoments, Moment, Moments
from simstudy.analysis.streaming import Shared, Steps
from simstudy.numerics.symmetric import pairs, position
from simstudy.parameters import Array
from simstudy.study import higher_order as theory

_MOST_PARAMETERS = 4


def bias_limit(cell: Facts) -> Array:
    """Return b(θ*), where the model is right and regular."""
    return np.full(cell.size, np.nan) if cell.scenario is None else theory.higher_order(cell.scenario).bias


def has_third(cell: Facts) -> bool:
    """Tell whether theory gives E[∂³ log p] of few parameters."""
    if cell.scenario is None or cell.size > _MOST_PARAMETERS:
        return False
    return bool(np.isfinite(theory.higher_order(cell.scenario).third).all())


@Shared
def third_bartlett(cell: Facts) -> Steps[dict[str, Estimate]]:
    """κᵢ,ⱼ,ₖ + κᵢⱼ,ₖ + κᵢₖ,ⱼ + κⱼₖ,ᵢ + κᵢⱼₖ, by replicates of all fits but for the last, which is theory; limit 0.

    From the mean scores s̄ and observed information J₀ of n observations at θ*: κᵢ,ⱼ,ₖ = n² E[s̄ᵢ s̄ⱼ s̄ₖ] about the
    means, κᵢⱼ,ₖ = −n Cov(J₀ᵢⱼ, s̄ₖ). Each k is an estimator, named after its parameter, of the entries (i, j).
    """
    assert cell.scenario is not None
    size, third = cell.size, theory.higher_order(cell.scenario).third
    sums: JointMoment = yield JointMoments(_recorded)
    if sums.rows < 3:
        nothing = np.full(len(pairs(size)), np.nan)
        return {name: Estimate(nothing, nothing) for name in cell.scenario.free}
    keys = {name: [tuple(sorted((i, j, k))) for i, j in pairs(size)] for k, name in enumerate(cell.scenario.free)}
    every = dict.fromkeys(key for own in keys.values() for key in own)
    found = yield {key: _identity(sums, cell.n, size, key) for key in every}
    return {
        name: Estimate(np.array([found[key][0] + third[key] for key in own]), np.array([found[key][1] for key in own]))
        for name, own in keys.items()
    }


def _recorded(part: Cell) -> Array:
    """Return mean scores and observed information at θ*, (p + q, ≤ R), where both are finite."""
    both = np.concatenate([part.all_scores, part.all_information])
    finite = np.isfinite(both).all(axis=0)
    return both if finite.all() else np.asarray(both[:, finite])


def _identity(sums: JointMoment, n: int, size: int, key: tuple[int, ...]) -> Steps[tuple[float, float]]:
    """Return κᵢ,ⱼ,ₖ + κᵢⱼ,ₖ + κᵢₖ,ⱼ + κⱼₖ,ᵢ and its MCSE from the joint moments of scores and information.

    ψ = n²(sᵢsⱼsₖ − Σ sᵢ Cov(sⱼ, sₖ)) − n Σ Jᵢⱼsₖ, less its mean; the sums run over the three ways to set one apart. The
    factors R²/((R−1)(R−2)) and R/(R−1) make the moments unbiased.
    """
    i, j, k = key
    replicates, ways = sums.rows, Counter((((i, j), k), ((i, k), j), ((j, k), i)))

    def terms(part: Cell) -> Array:
        """sᵢsⱼsₖ, Σ Jᵢⱼsₖ and ψ but for its mean, (3, rows)."""
        values = _recorded(part) - sums.mean[:, None]
        scores, information = values[:size], values[size:]
        triple = scores[i] * scores[j] * scores[k]
        mixed, lost = np.zeros_like(triple), np.zeros_like(triple)
        for ((a, b), c), times in ways.items():
            mixed += times * information[position(a, b, size)] * scores[c]
            lost += times * (sums.cross[a, b] / replicates) * scores[c]
        return np.stack([triple, mixed, n**2 * (triple - lost) - n * mixed])

    found: Moment = yield Moments(terms)
    triple, mixed, _ = found.centre
    value = n**2 * triple * replicates**2 / ((replicates - 1) * (replicates - 2))
    value -= n * mixed * replicates / (replicates - 1)
    return float(value), float(error_of(found.square, replicates)[2])
