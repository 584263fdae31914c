"""The third of Bartlett's identities at θ*, and the limit of n·bias."""

from __future__ import annotations

from collections import Counter

import numpy as np

from simstudy.analysis.cell import Cell
from simstudy.analysis.influence import Estimate, centre, mcse
from simstudy.numerics.symmetric import pairs, position
from simstudy.parameters import Array
from simstudy.study import higher_order as theory

_MOST_PARAMETERS = 4


def bias_limit(cell: Cell) -> Array:
    """Return b(θ*), where the model is right and regular."""
    return np.full(len(cell.theta), np.nan) if cell.scenario is None else theory.higher_order(cell.scenario).bias


def has_third(cell: Cell) -> bool:
    """Tell whether theory gives E[∂³ log p] of few parameters."""
    if cell.scenario is None or len(cell.theta) > _MOST_PARAMETERS:
        return False
    return bool(np.isfinite(theory.higher_order(cell.scenario).third).all())


def third_bartlett(cell: Cell) -> dict[str, Estimate]:
    """κᵢ,ⱼ,ₖ + κᵢⱼ,ₖ + κᵢₖ,ⱼ + κⱼₖ,ᵢ + κᵢⱼₖ, by replicates of all fits but for the last, which is theory; limit 0.

    From the mean scores s̄ and observed information J₀ of n observations at θ*: κᵢ,ⱼ,ₖ = n² E[s̄ᵢ s̄ⱼ s̄ₖ] about the
    means, κᵢⱼ,ₖ = −n Cov(J₀ᵢⱼ, s̄ₖ). Each k is an estimator, named after its parameter, of the entries (i, j).
    """
    assert cell.scenario is not None
    size, third = len(cell.theta), theory.higher_order(cell.scenario).third
    finite = np.isfinite(cell.all_scores).all(axis=0) & np.isfinite(cell.all_information).all(axis=0)
    if finite.sum() < 3:
        nothing = np.full(len(pairs(size)), np.nan)
        return {name: Estimate(nothing, nothing) for name in cell.scenario.free}
    scores = centre(cell.all_scores if finite.all() else cell.all_scores[:, finite])[1]
    information = centre(cell.all_information if finite.all() else cell.all_information[:, finite])[1]
    found: dict[tuple[int, ...], tuple[float, float]] = {}
    result = {}
    for k, name in enumerate(cell.scenario.free):
        keys = [tuple(sorted((i, j, k))) for i, j in pairs(size)]
        for key in keys:
            if key not in found:
                found[key] = _identity(scores, information, cell.n, key)
        value = np.array([found[key][0] + third[key] for key in keys])
        result[name] = Estimate(value, np.array([found[key][1] for key in keys]))
    return result


def _identity(scores: Array, information: Array, n: int, key: tuple[int, ...]) -> tuple[float, float]:
    """Return κᵢ,ⱼ,ₖ + κᵢⱼ,ₖ + κᵢₖ,ⱼ + κⱼₖ,ᵢ and its MCSE from deviations (p, R), (q, R).

    ψ = n²(sᵢsⱼsₖ − Σ sᵢ Cov(sⱼ, sₖ)) − n Σ Jᵢⱼsₖ, less its mean; the sums run over the three ways to set one apart. The
    factors R²/((R−1)(R−2)) and R/(R−1) make the moments unbiased.
    """
    size, replicates = scores.shape
    i, j, k = key
    triple = scores[i] * scores[j] * scores[k]
    mixed, lost = np.zeros(replicates), np.zeros(replicates)
    for ((a, b), c), times in Counter((((i, j), k), ((i, k), j), ((j, k), i))).items():
        mixed += times * information[position(a, b, size)] * scores[c]
        lost += times * (scores[a] * scores[b]).mean() * scores[c]
    value = n**2 * triple.mean() * replicates**2 / ((replicates - 1) * (replicates - 2))
    value -= n * mixed.mean() * replicates / (replicates - 1)
    influence = centre((n**2 * (triple - lost) - n * mixed)[np.newaxis])[1]
    return float(value), float(mcse(influence)[0])
