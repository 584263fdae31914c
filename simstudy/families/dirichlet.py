"""The Dirichlet family of two to ten shares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.exponential_family import ExponentialFamily, ExponentialLikelihood, Statistics, Terms
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import OPEN_UNIT_INTERVAL, VectorSpace
from simstudy.families.simplex import (
    NARROW,
    defect,
    dirichlet_terms,
    log_moments,
    log_ratio,
    precision_start,
    solve_shares,
)
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.symmetric import position
from simstudy.parameters import POSITIVE, Array, Columns, Parameter

_FEWEST, _MOST = 2, 10
# Shares are rounded, and may be written down with fewer digits than they have.
_SLACK = 1e-9
# Gamma variates of a smaller shape may underflow.
_SMALL = 0.1


def _contains(x: Array) -> NDArray[np.bool_]:
    return np.asarray((x > 0.0).all(axis=-1) & (np.abs(x.sum(axis=-1) - 1.0) <= _SLACK))


def _broken(sticks: Sequence[Array]) -> tuple[Array, Array]:
    """Return x₁ = v₁, x₂ = (1 − v₁)v₂, …: each share is broken off what is left; and the Jacobian determinant."""
    left, slope = np.ones_like(sticks[0]), np.ones_like(sticks[0])
    shares = []
    for stick in sticks:
        shares.append(left * stick)
        slope = slope * left
        left = left * (1.0 - stick)
    return np.stack([*shares, left], axis=-1), slope


def _sticks(x: Array) -> list[Array]:
    rest = np.cumsum(x[..., ::-1], axis=-1)[..., ::-1]
    return [x[..., i] / rest[..., i] for i in range(x.shape[-1] - 1)]


@final
class Dirichlet(ExponentialFamily):
    """log p = Σ (αᵢ − 1) log xᵢ − Σ log Γ(αᵢ) + log Γ(Σα); I = diag ψ′(αᵢ) − ψ′(Σα).

    Parameters
    ----------
    width
        Number K of shares, from 2 to 10.
    """

    name = "dirichlet"
    formula = "log p(x) = Σ (alphaᵢ − 1) log xᵢ − Σ log Γ(alphaᵢ) + log Γ(Σ alphaᵢ), i = 1 … K, K = 2 … 10"
    numbered = "alpha([1-9]|10)"

    def __init__(self, width: int = 3) -> None:
        self.parameters = tuple(Parameter(f"alpha{i + 1}", POSITIVE, (0.5, 10.0)) for i in range(width))
        name = f"{width} positive numbers of sum 1"
        self.sample_space = VectorSpace(name, width, (OPEN_UNIT_INTERVAL,) * (width - 1), _broken, _sticks, _contains)

    def member(self, values: Mapping[str, float | None]) -> Dirichlet:
        """Return the family of as many shares as the names need."""
        numbers = [int(found[1]) for name in values if (found := re.fullmatch(r"alpha([1-9]\d?)", name))]
        return _member(min(max(_FEWEST, *numbers), _MOST)) if numbers else self

    def suited(self, x: Array) -> Dirichlet:
        """Return the family of as many shares as the data."""
        return _member(min(max(_FEWEST, x.shape[-1]), _MOST))

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Divide gamma variates by their sum; with a small α in logarithms, g = g′u^(1/α) with g′ of shape α + 1."""
        if min(float(np.min(alpha)) for alpha in theta) >= _SMALL:
            draws = np.stack([rng.standard_gamma(alpha, size) for alpha in theta])
        else:
            boosted = [(np.log(rng.standard_gamma(a + 1.0, size)), rng.standard_exponential(size) / a) for a in theta]
            logs = np.stack([log - lowered for log, lowered in boosted])
            draws = np.exp(logs - logs.max(axis=0))
        draws /= sum(draws)
        return np.moveaxis(draws, 0, -1)

    def statistics(self, x: Array) -> Statistics:
        """Return T = log(x/o) for shares o, the mean of the data."""
        columns = np.ascontiguousarray(np.moveaxis(np.asarray(x, dtype=float), -1, 0))
        mean = columns.mean(axis=-1)
        origin = mean / sum(mean)
        means, covariance = log_moments(list(np.log(columns)))
        means = [one - log for one, log in zip(means, np.log(origin), strict=True)]
        narrow = np.min([covariance[position(i, i, len(columns))] for i in range(len(columns))], axis=0) < NARROW
        if narrow.any():
            near, o = columns[:, narrow], origin[:, narrow]
            moved = near - o[..., np.newaxis]
            moved[o.argmax(axis=0), np.arange(o.shape[1])] -= defect(o)[:, np.newaxis]
            exact = log_moments(list(log_ratio(near, o[..., np.newaxis], moved)))
            for column, better in zip((*means, *covariance), (*exact[0], *exact[1]), strict=True):
                column[narrow] = better
        constant = (columns.max(axis=-1) == columns.min(axis=-1)).all(axis=0)
        base = np.where(self.sample_space.holds_all(x), -sum(np.log(origin)) - sum(means), np.nan)
        return Statistics(tuple(means), covariance, base, origin.T, (constant,))

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = α, A = log B(α), E[T] = ψ(αᵢ) − ψ(Σα) and Cov(T), without cancellation."""
        return dirichlet_terms(
            [np.asarray(alpha, dtype=float) for alpha in theta], list(np.moveaxis(np.asarray(origin), -1, 0))
        )

    def centre(self, theta: Columns) -> Array | float:
        """Return the mean."""
        alpha = np.stack(np.broadcast_arrays(*theta), axis=-1)
        return np.asarray(alpha / alpha.sum(axis=-1, keepdims=True))

    def start_from(self, statistics: Statistics) -> Columns:
        """Return the mean times Minka's approximation of the sum of α."""
        origin = list(np.transpose(statistics.origin))
        precision = precision_start(statistics.mean, origin)
        return [share * precision for share in origin]

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return 2 where all is free; one α that is known settles the scale of the others."""
        return 2 if len(free) == len(self.parameters) else 1

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return the zero of the score by Newton's method; with some α known, that is left to the optimiser."""
        if known:
            return None
        data = likelihood.statistics
        exists = ~data.extra[0]
        usable = likelihood.usable & exists
        origin = [np.where(usable, share, 1.0 / len(self.parameters)) for share in np.transpose(data.origin)]
        alpha, done, iterations = solve_shares([np.where(usable, mean, -0.5) for mean in data.mean], origin)
        status = np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS)
        return solution(alpha, likelihood, np.where(exists, status, Status.NO_MAXIMUM), iterations)


_member = cache(Dirichlet)
