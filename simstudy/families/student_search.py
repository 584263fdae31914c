"""The highest local maximum of the likelihood of Student's t family, and the normal limit on its boundary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.ascent import Flags, Places, Slope, along, climb
from simstudy.families.likelihood import Solution
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.families.student_likelihood import StudentLikelihood
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array

# τ = log(1 + 4/ν) is like −log ν for small ν and like 4/ν for large: of about constant information.
_TURN = 4.0


class _Surface:
    """The mean log-likelihood in (μ, log σ, τ), those that are free."""

    def __init__(self, likelihood, known, free, floor, rising):
        self.likelihood, self.known, self.free, self.floor, self.rising = likelihood, known, free, floor, rising
        self.rows = likelihood.rows

    def full(self, at):
        free = dict(zip(self.free, at, strict=True))
        return [free[i] if i in free else np.broadcast_to(self.known[i], (self.rows,)) for i in range(3)]

    def evaluate(self, at):
        place, log_scale, tau = self.full(at)
        if 0 in self.known:
            place = place - self.likelihood.origin
        scale = np.exp(log_scale)
        df = _TURN / np.expm1(tau)
        means = self.likelihood.means(place, scale, df)
        inverse = 1.0 / scale
        turn = -df * (df + _TURN) / _TURN
        bend = -turn * (2.0 * df + _TURN) / _TURN
        slope = means.slope_df(df)
        pp, pl, pd, ll, ld, dd = means.information(df)
        s = Slope(
            means.value(df) - log_scale,
            [(1 + 1 / df) * means.zq * inverse, (df + 1) * means.b - 1, slope * turn],
            [pp * inverse**2, pl * inverse, pd * inverse * turn, ll, ld * turn, dd * turn**2 - slope * bend],
        )
        return along(s, self.free)

    def select(self, rows):
        return type(self)(self.likelihood.select(rows), self.known, self.free, self.floor[rows], self.rising[rows])

    def move(self, at, step):
        full = self.full(at)
        out = []
        for i, u, d in zip(self.free, at, step):
            if i == 0:
                s = 3 * np.exp(full[1])
                out.append(u + np.clip(d, -s, s))
            elif i == 1:
                out.append(u + np.clip(d, -2, 2))
            else:
                out.append(np.clip(u + d, u / 8, u + 1))
        return out

    def leaving(self, at, slope):
        if 2 not in self.free:
            return self.floor > np.inf
        tau = at[-1]
        df = _TURN / np.expm1(tau)
        return (df < self.floor) | ((tau < 1e-3) & (slope.gradient[-1] < 0) & ~self.rising) | (tau < 1e-13)
