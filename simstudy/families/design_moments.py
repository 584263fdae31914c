"""E[w(η) x xᵀ] over a random design with x = (1, x₁, …, x_k) and η = xᵀβ, packed and batched over β."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from simstudy.families.design import Design
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import Array, Columns

DRAWS = 40_000
"""Draws of a design of more than two covariates that are not normal."""
_NUMBERS_AT_ONCE = 4_000_000

Weight = Callable[[Array], Array]
WeightMoments = Callable[[Array, Array], tuple[Array, Array, Array]]
"""(a, τ) ↦ E[w(a + τz) zʲ] for j = 0, 1, 2 and standard normal z."""


def normal_squares(design: Design, moments: WeightMoments, beta: Columns) -> list[Entry]:
    """Return E[w x xᵀ] of normal covariates xⱼ = mⱼ + sⱼzⱼ.

    With bⱼ = βⱼsⱼ, τ = |b| and u = b/τ: η = a + τ(u·z), and what is orthogonal to u does not depend on η, so that
    E[w z] = u M₁ and E[w z zᵀ] = M₀ 1 + (M₂ − M₀) uuᵀ.
    """
    centres = [margin.theta[0] for margin in design.margins]
    scales = [margin.theta[1] for margin in design.margins]
    intercept, *slopes = (np.asarray(column, dtype=float) for column in np.broadcast_arrays(*beta))
    level = intercept + sum(b * m for b, m in zip(slopes, centres, strict=True))
    parts = [b * s for b, s in zip(slopes, scales, strict=True)]
    largest = np.max(np.abs(parts), axis=0)
    unit = np.where(largest > 0.0, largest, 1.0)
    length = unit * np.sqrt(sum(np.square(part / unit) for part in parts))
    along = [np.where(length > 0.0, part / np.where(length > 0.0, length, 1.0), 0.0) for part in parts]
    zeroth, first, second = (part.reshape(level.shape) for part in moments(level.reshape(-1), length.reshape(-1)))
    # Mean of w zⱼ, then of w x xᵀ.
    pulls = [u * first for u in along]
    means = [m * zeroth + s * pull for m, s, pull in zip(centres, scales, pulls, strict=True)]
    result: list[Entry] = [zeroth, *means]
    for i, j in pairs(len(along)):
        bend = along[i] * along[j] * (second - zeroth) + (zeroth if i == j else 0.0)
        mixed = centres[j] * scales[i] * pulls[i] + centres[i] * scales[j] * pulls[j]
        result.append(centres[i] * centres[j] * zeroth + mixed + scales[i] * scales[j] * bend)
    return result


def exponential_squares(design: Design, beta: Columns) -> list[Entry]:
    """Return E[e^η x xᵀ] by the moment generating functions of the covariates; infinite where one is."""
    intercept, *slopes = (np.asarray(column, dtype=float) for column in np.broadcast_arrays(*beta))
    moments = [design.exponential_moments(j, slope.reshape(-1)) for j, slope in enumerate(slopes)]
    log_total = intercept.reshape(-1) + sum(moment[0] for moment in moments)
    with np.errstate(over="ignore"):
        total = np.exp(log_total)
    firsts = [np.ones_like(total), *(moment[1] for moment in moments)]
    seconds = [np.ones_like(total), *(moment[2] for moment in moments)]
    result: list[Entry] = []
    for i, j in pairs(len(firsts)):
        ratio = seconds[i] if i == j else firsts[i] * firsts[j]
        result.append(np.where(np.isinf(total), np.inf, total * ratio).reshape(intercept.shape))
    return result


def expected_squares(design: Design, weight: Weight, beta: Columns) -> list[Entry]:
    """Return E[w x xᵀ] for a bounded weight, as a sum over the nodes of the design."""
    return [first for first, _ in _sums(design, weight, beta, squares=False)]


def squares_error(design: Design, weight: Weight, beta: Columns) -> list[Array]:
    """Return the Monte Carlo standard errors of what `expected_squares` returns."""
    return [
        np.sqrt(np.maximum(second - first * first, 0.0) / DRAWS)
        for first, second in _sums(design, weight, beta, squares=True)
    ]


def _sums(design: Design, weight: Weight, beta: Columns, *, squares: bool) -> Iterator[tuple[Array, Array]]:
    """Yield, per packed entry, the means of w xᵢxⱼ and, if asked for, of its square."""
    columns = [np.asarray(column, dtype=float) for column in np.broadcast_arrays(*beta)]
    shape, flat = columns[0].shape, [column.reshape(-1) for column in columns]
    x, mass, _ = design.nodes(DRAWS)
    ones = [np.ones(len(x)), *x.T]
    terms = [ones[i] * ones[j] for i, j in pairs(len(ones))]
    out = np.zeros((2, len(terms), len(flat[0])))
    step = max(1, _NUMBERS_AT_ONCE // len(x))
    for start in range(0, len(flat[0]), step):
        part = slice(start, start + step)
        predictor = flat[0][part, np.newaxis] + sum(b[part, np.newaxis] * c for b, c in zip(flat[1:], x.T, strict=True))
        values = weight(predictor)
        for k, term in enumerate(terms):
            out[0, k, part] = np.einsum("rm,m->r", values, mass * term)
            if squares:
                out[1, k, part] = np.einsum("rm,m->r", values * values, mass * term * term)
    yield from ((first.reshape(shape), second.reshape(shape)) for first, second in zip(*out, strict=True))
