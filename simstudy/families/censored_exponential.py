"""Exponential lifetimes under type-I censoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.censored import Censored, taken_apart
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import Array, Columns


class CensoredExponentialLikelihood(FamilyLikelihood):
    """The likelihood of data reduced to the share seen, the mean time, its square, and the mean time of those seen.

    ℓ/n = d̄ log λ − λt̄.
    """

    compact = True

    def __init__(self, moments: Sequence[Array], size: int, usable: NDArray[np.bool_]) -> None:
        self.moments, self.size, self.usable = tuple(moments), size, usable
        self.rows = len(usable)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate from the moments; with nothing seen, log λ does not count."""
        share, mean, square, seen_mean = self.moments
        rate = np.asarray(theta[0], dtype=float)
        inverse = 1.0 / rate
        value = np.where(share > 0.0, share * np.log(rate), 0.0) - rate * mean
        outer = [share * inverse * inverse - 2.0 * inverse * seen_mean + square] if products else []
        return Evaluation(value, [share * inverse - mean], [share * inverse * inverse], outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)([moment[rows] for moment in self.moments], self.size, self.usable[rows])

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the likelihood of the rows of all parts, in order."""
        moments = [np.concatenate(columns) for columns in zip(*(part.moments for part in parts), strict=True)]
        return cls(moments, parts[0].size, np.concatenate([part.usable for part in parts]))


@final
class CensoredExponential(Censored):
    """log p = d log λ − λt; I(λ) = (1 − e^(−λc))/λ²."""

    def survival_derivatives(self, theta: Columns) -> tuple[Sequence[Entry], Sequence[Entry]]:
        """Return −c and 0."""
        rate = np.asarray(theta[0], dtype=float)
        return (np.full_like(rate, -self.time),), (np.zeros_like(rate),)

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return the closed form."""
        rate = np.asarray(theta[0], dtype=float)
        return (-np.expm1(-rate * self.time) / (rate * rate),)

    def likelihood(self, x: Array) -> FamilyLikelihood:
        """Reduce data (R, n, 2) to four moments."""
        times, seen = taken_apart(x)
        times = np.ascontiguousarray(times)
        event = seen.astype(float)
        moments = (event.mean(axis=-1), times.mean(axis=-1), mean_product(times, times), mean_product(times, event))
        return CensoredExponentialLikelihood(moments, times.shape[1], self.sample_space.holds_all(x))

    def start(self, x: Array) -> Columns:
        """Return (d + ½)/Σt."""
        return self.starts(self.likelihood(x), {})[0]

    def starts(self, likelihood: FamilyLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return (d + ½)/Σt."""
        assert isinstance(likelihood, CensoredExponentialLikelihood)
        share, mean, *_ = likelihood.moments
        return (((share + 0.5 / likelihood.size) / np.where(mean > 0.0, mean, 1.0),),)

    def solve(self, likelihood: FamilyLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return λ̂ = d/Σt; 0 where nothing was seen, and without a maximum where all times are 0."""
        assert isinstance(likelihood, CensoredExponentialLikelihood)
        share, mean, *_ = likelihood.moments
        status = np.where(share > 0.0, Status.CONVERGED, Status.BOUNDARY)
        return solution((share / mean,), likelihood, np.where(mean > 0.0, status, Status.NO_MAXIMUM), 0)
