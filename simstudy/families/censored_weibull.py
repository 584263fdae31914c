"""Weibull lifetimes under type-I censoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.censored import Censored, taken_apart
from simstudy.families.extreme_value import log_mean_power, solve_profile
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.families.tail import information_until
from simstudy.families.weibull import WeibullLikelihood
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import Array, Columns


class CensoredWeibullLikelihood(WeibullLikelihood):
    """The likelihood of y = log t − max log t and of which times were seen (d = 1).

    With v = k log(t/λ) and w = eᵛ: log p = d(log k + v − log t) − w, score_k = (d(1 + v) − vw)/k,
    score_λ = k(w − d)/λ. `mean` is that of y over what was seen, as the profile equation has it.
    """

    def __init__(self, y: Array, origin: Array, seen: Array) -> None:
        super().__init__(y, origin)
        self.seen, self.share = seen, seen.mean(axis=-1)
        self.seen_mean = mean_product(seen, y)
        self.mean = self.seen_mean / np.where(self.share > 0.0, self.share, 1.0)
        self.exists = self.mean < 0.0

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data."""
        shape, scale = (np.asarray(column, dtype=float) for column in theta)
        shift = shape * (self.origin - np.log(scale))
        v = self.y * np.broadcast_to(shape, (self.rows,))[:, np.newaxis]
        v += shift[:, np.newaxis]
        w = np.exp(v)
        vw = v * w
        mean_v, mean_w, mean_vw = mean_product(self.seen, v), w.mean(axis=-1), vw.mean(axis=-1)
        ratio = shape / scale
        outer: list[Array] = []
        if products:
            first, second = self.seen * (1.0 + v) - vw, w - self.seen
            outer = [
                mean_product(first, first) / (shape * shape),
                mean_product(first, second) / scale,
                mean_product(second, second) * ratio * ratio,
            ]
        information = [
            (self.share + mean_product(v, vw)) / (shape * shape),
            (self.share - mean_w - mean_vw) / scale,
            ratio * ((shape + 1.0) * mean_w - self.share) / scale,
        ]
        logs = self.seen_mean + self.share * self.origin
        value = self.share * np.log(shape) + mean_v - logs - mean_w
        score = [(self.share + mean_v - mean_vw) / shape, ratio * (mean_w - self.share)]
        return Evaluation(value, score, information, outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.y[rows], self.origin[rows], self.seen[rows])


@final
class CensoredWeibull(Censored):
    """log p = d(log k − k log λ + (k−1) log t) − (t/λ)ᵏ; I(k, λ) is scaled as if uncut, from W = (c/λ)ᵏ."""

    def survival_derivatives(self, theta: Columns) -> tuple[Sequence[Entry], Sequence[Entry]]:
        """Return the derivatives of −w, w = (c/λ)ᵏ."""
        shape, scale = theta
        v = shape * np.log(self.time / scale)
        w = np.exp(v)
        score = (-v * w / shape, shape * w / scale)
        return score, (-v * v * w / shape**2, (1.0 + v) * w / scale, -shape * (shape + 1.0) * w / scale**2)

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return that of unit exponentials, taken for Weibulls, cut at W, by quadrature."""
        shape, scale = np.broadcast_arrays(*(np.asarray(column, dtype=float) for column in theta))
        cut_at = np.exp(shape * np.log(self.time / scale))
        one = np.ones_like(shape)
        corner, mixed, last = information_until(self.base, 1.0, (one, 1.0 / cut_at))
        return corner / shape**2, mixed / (cut_at * scale), last * np.square(shape / (cut_at * scale))

    def likelihood(self, x: Array) -> FamilyLikelihood:
        """Take logarithms relative to the largest."""
        times, seen = taken_apart(x)
        with np.errstate(all="ignore"):
            y = np.log(times)
        origin = y.max(axis=-1)
        y -= origin[:, np.newaxis]
        reduced = CensoredWeibullLikelihood(y, origin, seen.astype(float))
        reduced.usable &= self.sample_space.holds_all(x)
        return reduced

    def start(self, x: Array) -> Columns:
        """Return a shape below the estimate, and its scale."""
        return self.starts(self.likelihood(x), {})[0]

    def starts(self, likelihood: FamilyLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the profile's lower bound of the shape, one where nothing was seen, and its scale."""
        assert isinstance(likelihood, CensoredWeibullLikelihood)
        shape = _least_shape(likelihood)
        if 1 in known:
            farthest = likelihood.origin - np.log(known[1])
            shape = np.where(farthest * shape > 1.0, 1.0 / farthest, shape)
        share = np.maximum(likelihood.share, 0.5 / likelihood.size)
        return ((shape, np.exp(likelihood.origin + (log_mean_power(likelihood.y, shape) - np.log(share)) / shape)),)

    def solve(self, likelihood: FamilyLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return k̂ from the profile equation and λ̂ᵏ = Σtᵏ/Σd; without a maximum where nothing was seen.

        With nothing seen the likelihood exp(−(c/λ)ᵏ) has no maximum in λ; for a known λ < c it grows as k → 0.
        """
        assert isinstance(likelihood, CensoredWeibullLikelihood)
        some = likelihood.share > 0.0
        if 1 in known:
            nothing = np.where(likelihood.origin > np.log(known[1]), Status.BOUNDARY, Status.NO_MAXIMUM)
            return solution((0.0, known[1]), likelihood, np.where(some, Status.MAX_ITERATIONS, nothing), 0)
        if 0 in known:
            shape = np.broadcast_to(known[0], (likelihood.rows,))
            log_power = log_mean_power(likelihood.y, shape)
            exists, done, iterations = some, np.array(True), np.array(0)
        else:
            exists = likelihood.exists & some
            start, found = _least_shape(likelihood), likelihood.usable & likelihood.exists
            shape, log_power, done, iterations = solve_profile(likelihood.y, likelihood.mean, start, found)
        scale = np.exp(likelihood.origin + (log_power - np.log(likelihood.share)) / shape)
        status = np.where(exists, np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS), Status.NO_MAXIMUM)
        return solution((shape, scale), likelihood, status, iterations)


def _least_shape(likelihood: CensoredWeibullLikelihood) -> Array:
    """Return −1/ȳ over what was seen, where the profile equation is still positive."""
    return np.asarray(-1.0 / np.where(likelihood.exists, likelihood.mean, -1.0))
