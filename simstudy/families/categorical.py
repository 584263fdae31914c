"""The categorical family."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import final

import numpy as np

from simstudy.families.base import packed_information
from simstudy.families.exponential_family import ExponentialFamily, ExponentialLikelihood, Statistics, Terms
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import SampleSpace
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import UNIT_INTERVAL, Array, Columns, Parameter

_MOST = 10


@final
class Categorical(ExponentialFamily):
    """K categories coded 0 … K−1: p(x) = prob(x+1), the last one 1 − Σ prob; I = diag(1/probᵢ) + 1/p(K−1).

    Parameters
    ----------
    categories
        Their number K, from 2 to 10.
    """

    name = "categorical"
    formula = "p(x) = prob(x + 1) for x = 0, …, K − 2, and p(K − 1) = 1 − prob1 − … − prob(K−1)"
    numbered = "prob[1-9]"

    def __init__(self, categories: int = 3) -> None:
        self.categories = categories
        typical = 0.2 / (categories - 1), 0.8 / (categories - 1)
        self.parameters = tuple(Parameter(f"prob{k}", UNIT_INTERVAL, typical) for k in range(1, categories))
        last = categories - 1.0
        name = f"integers from 0 to {last:g}"
        self.sample_space = SampleSpace(name, 0.0, last, lower_included=True, discrete=True, upper_included=True)

    def member(self, values: Mapping[str, float | None]) -> Categorical:
        """Return the family with as many categories as the highest number among the names needs."""
        return self._of(int(name[4:]) + 1 for name in values if name[:4] == "prob" and name[4:] in set("123456789"))

    def suited(self, x: Array) -> Categorical:
        """Return the family with categories up to the highest that occurs, at least two and at most ten."""
        possible = SampleSpace("", 0.0, _MOST - 1.0, lower_included=True, discrete=True, upper_included=True)
        inside = possible.holds_all(np.asarray(x, dtype=float)[..., np.newaxis])
        return self._of([max(2, int(np.max(x, where=inside, initial=0)) + 1)])

    def _of(self, numbers: Iterable[int]) -> Categorical:
        categories = max(numbers, default=self.categories)
        return self if categories == self.categories else Categorical(categories)

    def constraint(self, theta: Sequence[float]) -> str:
        """Return what the probabilities must fulfil, where the last category has none left."""
        return "" if sum(theta) < 1.0 else f"{' + '.join(p.name for p in self.parameters)} < 1"

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw uniform numbers and count the cumulative probabilities that they reach."""
        uniform = rng.random(size)
        x = np.zeros(size, dtype=np.int64)
        reached: Array | float = 0.0
        for column in theta:
            reached = reached + np.asarray(column, dtype=float)
            x += uniform >= reached
        return x  # type: ignore[return-value]

    def statistics(self, x: Array) -> Statistics:
        """Return the share of every category; NaN where an observation is none of them."""
        usable = self.sample_space.holds_all(x)
        shares = [np.where(usable, (x == k).mean(axis=-1), np.nan) for k in range(self.categories)]
        return Statistics(tuple(shares), tuple(_covariance(shares)), np.zeros(len(x)))

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = log p of every category, A = 0, E[T] = p, Cov(T) = diag(p) − ppᵀ."""
        size = self.categories - 1
        probs = [*(np.asarray(column, dtype=float) for column in theta), _rest(theta)]
        inverses = [1.0 / prob for prob in probs]
        rows = [[inverses[i] if i == j else 0.0 for j in range(size)] for i in range(size)]
        bends: dict[tuple[int, int, int], Entry] = {(i, i, i): -inverses[i] * inverses[i] for i in range(size)}
        bends |= {(size, i, j): -inverses[size] * inverses[size] for i, j in pairs(size)}
        logs = [np.log(np.maximum(prob, np.finfo(float).tiny)) for prob in probs]  # times T̄ = 0 where p is 0
        return Terms(logs, [*rows, [-inverses[size]] * size], bends, 0.0, probs, _covariance(probs))

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return diag(1/probᵢ) + 1/p(K−1)."""
        last, size = 1.0 / _rest(theta), self.categories - 1
        return packed_information(
            [[1.0 / theta[i] + last if i == j else last for j in range(size)] for i in range(size)]
        )

    def start_from(self, statistics: Statistics) -> Columns:
        """Return the shares, moved a little towards equal ones."""
        return [0.98 * share + 0.02 / self.categories for share in statistics.mean[:-1]]

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return the number of free categories and the last one: each must occur."""
        return len(free) + 1

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the shares; the free ones share what the known ones leave. BOUNDARY where one does not occur."""
        shares = likelihood.statistics.mean
        free = [k for k in range(self.categories) if k not in known]
        left = 1.0 - sum(np.asarray(value, dtype=float) for value in known.values())
        total = sum(shares[k] for k in free)
        scale = np.where(total > 0.0, left / np.where(total > 0.0, total, 1.0), 0.0)
        theta = [known[k] if k in known else shares[k] * scale for k in range(self.categories - 1)]
        interior = np.all([shares[k] > 0.0 for k in free], axis=0)
        status = np.where(interior, Status.CONVERGED, Status.BOUNDARY)
        return solution(theta, likelihood, np.where(left > 0.0, status, Status.NOT_FINITE), 0)


def _rest(theta: Columns) -> Array:
    """Return what is left for the last category."""
    return np.asarray(1.0 - sum(np.asarray(column, dtype=float) for column in theta))


def _covariance(probs: Sequence[Array]) -> list[Array]:
    """Return diag(p) − ppᵀ packed."""
    return [probs[i] * (1.0 - probs[i]) if i == j else -probs[i] * probs[j] for i, j in pairs(len(probs))]
