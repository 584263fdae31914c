"""The highest local maximum of the likelihood of Student's t family, and the normal limit on its boundary.

With μ at an observation of multiplicity m and σ → 0, the likelihood is unbounded for ν < m/(n − m) (Fernández & Steel
1999); its local maxima have larger ν. They lie where observations are close: beside a start from the quartiles, the
search begins at the shortest windows that hold a number of neighbours, in small data sets at all windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.ascent import Flags, Places, Slope, Summit, along, climb, improve
from simstudy.families.likelihood import Solution
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.families.student_likelihood import StudentLikelihood
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array

# τ = log(1 + 4/ν) is like −log ν for small ν and like 4/ν for large: its information varies little.
_TURN = 4.0
_NEAR_NORMAL, _NORMAL = 1e-3, 1e-13
_BELOW_BOUND = 0.7
# Up to so many observations clusters of any size are looked for, those of two and three anywhere; in large data sets
# further starts are made only where the first finds no maximum.
_SMALL, _CLOSE, _MANY = 10, 3, 40
_SHARES, _FEW_SHARES = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8), (0.2, 0.5)
_CANDIDATES, _KEPT = 64, 4
_START_DF, _START_DFS = 4.0, (1.0, 6.0)
_HIGHER = 1e-13


Triple = tuple[Array, Array, Array]


class Limit(NamedTuple):
    """The normal limit ν = ∞: location relative to the origin, scale, value, and whether there are higher ones nearby.

    There are where mean z⁴ − 2 mean z² − 1 > 0; with location and scale free, where the sample kurtosis is over 3.
    """

    place: Array
    scale: Array
    value: Array
    rising: Flags


class _Surface:
    """The mean log-likelihood in those of (μ, log σ, τ) that are free."""

    def __init__(self, likelihood: StudentLikelihood, known: Mapping[int, Array], bound: Array, rising: Flags) -> None:
        self.likelihood, self._known, self._bound, self._rising = likelihood, known, bound, rising
        self.rows = likelihood.rows
        self.free = tuple(i for i in range(3) if i not in known)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return tuple(("loc − median", "log scale", "log(1 + 4/df)")[i] for i in self.free)

    def full(self, at: Sequence[Array]) -> list[Array]:
        """Return location relative to the origin, scale and ν, the known ones at their values."""
        place, log_scale, tau = (dict(zip(self.free, at, strict=True)).get(i) for i in range(3))
        return [
            self._known[0] - self.likelihood.origin if place is None else place,
            np.broadcast_to(self._known[1], self.rows) if log_scale is None else np.exp(log_scale),
            np.broadcast_to(self._known[2], self.rows) if tau is None else _TURN / np.expm1(tau),
        ]

    def places(self, place: Array, scale: Array, df: Array) -> Places:
        """Return the free coordinates."""
        every = (place, np.log(scale), np.log1p(_TURN / df))
        return [np.asarray(every[i]) for i in self.free]

    def evaluate(self, at: Places) -> Slope:
        """Return value, gradient and information."""
        place, scale, df = self.full(at)
        means, inverse = self.likelihood.means(place, scale, df), 1.0 / scale
        place_place, place_log, place_df, log_log, log_df, df_df = means.information(df)
        turn = -df * (df + _TURN) / _TURN  # dν/dτ
        bend = -turn * (2.0 * df + _TURN) / _TURN
        slope_df = means.slope_df(df)
        slope = Slope(
            means.value(df) - np.log(scale),
            [(1.0 + 1.0 / df) * means.zq * inverse, (df + 1.0) * means.b - 1.0, slope_df * turn],
            [
                place_place * inverse * inverse,
                place_log * inverse,
                place_df * inverse * turn,
                log_log,
                log_df * turn,
                df_df * turn * turn - slope_df * bend,
            ],
        )
        return along(slope, self.free)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the rows."""
        return type(self)(self.likelihood.select(rows), self._known, self._bound[rows], self._rising[rows])

    def move(self, at: Places, step: Places) -> Places:
        """Return where a step leads: at most three scales far, log σ changed by two, τ by one and positive."""
        reach = 3.0 * self.full(at)[1]
        moved = []
        for i, u, du in zip(self.free, at, step, strict=True):
            low, high = ((u - reach, u + reach), (u - 2.0, u + 2.0), (u / 8.0, u + 1.0))[i]
            moved.append(np.clip(u + du, low, high))
        return moved

    def leaving(self, at: Places, slope: Slope) -> Flags:
        """Tell which rows come near the normal limit, where the likelihood rises towards it, or to an unbounded end."""
        if 2 in self._known:
            return np.zeros(self.rows, dtype=bool)
        tau = at[-1]
        normal = (tau < _NEAR_NORMAL) & (slope.gradient[-1] < 0.0) & ~self._rising
        return normal | (tau < _NORMAL) | (_TURN / np.expm1(tau) < _BELOW_BOUND * self._bound)


def search(likelihood: StudentLikelihood, known: Mapping[int, Array]) -> Solution:
    """Return the highest local maximum; BOUNDARY where the normal limit is higher, NO_MAXIMUM where neither is."""
    bound = _bound(likelihood, known)
    exists = likelihood.usable & (bound < known.get(2, np.inf))
    rows = np.flatnonzero(exists)
    limit = _normal_limit(likelihood, known)
    theta = [limit.place + likelihood.origin, limit.scale.copy(), np.full(likelihood.rows, np.inf)]
    status = np.where(exists, Status.BOUNDARY, Status.NO_MAXIMUM)
    iterations = np.zeros(likelihood.rows, dtype=np.int16)
    if len(rows):
        surface = _Surface(likelihood, known, bound, limit.rising)
        best = _best(surface if len(rows) == likelihood.rows else surface.select(rows), known)
        place, scale, df = surface.select(rows).full(best.at)
        inside = best.reached & (df > bound[rows])
        rising = limit.rising[rows] | (2 in known)
        inside &= rising | (best.value > limit.value[rows] + _HIGHER)
        found = (place + likelihood.origin[rows], scale, df)
        for i, (column, new) in enumerate(zip(theta, found, strict=True)):
            column[rows] = known[i] if i in known else np.where(inside, new, column[rows])
        ended = np.where(best.left, Status.NO_MAXIMUM, Status.MAX_ITERATIONS)
        status[rows] = np.where(inside, Status.CONVERGED, np.where(rising, ended, Status.BOUNDARY))
        iterations[rows] = best.iterations
    return solution(theta, likelihood, status, iterations)


def _bound(likelihood: StudentLikelihood, known: Mapping[int, Array]) -> Array:
    """Return m/(n − m), below which ν leaves the likelihood unbounded; 0 where the scale is known."""
    if 1 in known:
        return np.zeros(likelihood.rows)
    x, size = likelihood.deviation, likelihood.size
    if 0 in known:
        equal = (x == (known[0] - likelihood.origin)[:, np.newaxis]).sum(axis=-1)
    else:
        fresh = np.ones(x.shape, dtype=bool)
        fresh[:, 1:] = x[:, 1:] != x[:, :-1]
        place = np.arange(size)
        equal = (place - np.maximum.accumulate(np.where(fresh, place, 0), axis=-1)).max(axis=-1) + 1
    return np.asarray(equal / (size - equal))


def _normal_limit(likelihood: StudentLikelihood, known: Mapping[int, Array]) -> Limit:
    x, rows = likelihood.deviation, likelihood.rows
    place = known[0] - likelihood.origin if 0 in known else x.mean(axis=-1)
    square = np.square(x - place[:, np.newaxis])
    second, fourth = square.mean(axis=-1), mean_product(square, square)
    scale = np.array(np.broadcast_to(known[1], rows)) if 1 in known else np.sqrt(second)
    second, fourth = second / scale**2, fourth / scale**4
    value = -np.log(scale) - 0.5 * (np.log(2.0 * np.pi) + second)
    return Limit(place, scale, value, fourth - 2.0 * second > 1.0)


def _best(surface: _Surface, known: Mapping[int, Array]) -> Summit:
    """Climb from the first start, and from others where there may be more than one maximum; keep the best."""
    first, *others = _starts(surface, known)
    best = climb(surface, first)
    # With ν ≥ 1 known there is one maximum in location and scale (Copas 1975; Kent & Tyler 1991), and with any ν known
    # there is one in the scale alone.
    one = 2 in known and 1 not in known and (0 in known or known[2] >= 1.0)
    several = not one and (1 in known or surface.likelihood.size <= _MANY)
    improve(best, surface, np.flatnonzero(~best.reached | several), others, surface.likelihood.size)
    return best


def _starts(surface: _Surface, known: Mapping[int, Array]) -> list[Places]:
    """Return starting places, the first of which does for most data sets of any size."""
    likelihood, rows = surface.likelihood, surface.rows
    first = np.zeros(rows), likelihood.unit, np.full(rows, _START_DF)
    if 0 not in known:
        others = _peaks(surface) if 1 in known else _windows(likelihood)
    else:
        others = _distances(likelihood, known[0] - likelihood.origin)
    return [surface.places(*triple) for triple in (first, *others)]


def _windows(likelihood: StudentLikelihood) -> Iterator[Triple]:
    """Yield middle, scale and ν for windows of k neighbours, as if these were the centre and the others the tails."""
    x, size = likelihood.deviation, likelihood.size
    for k in _counts(2, size):
        width = x[:, k - 1 :] - x[:, : size - k + 1]
        shortest = width.argmin(axis=-1)
        for left in range(size - k + 1) if k <= _CLOSE and size <= _SMALL else (shortest,):
            index = np.broadcast_to(np.asarray(left), shortest.shape)[:, np.newaxis]
            span = np.take_along_axis(width, index, axis=-1)[:, 0]
            middle = np.take_along_axis(x, index, axis=-1)[:, 0] + 0.5 * span
            yield middle, _positive(1.1 * span / (k - 1) ** 0.8, likelihood), _tails(likelihood, k)


def _distances(likelihood: StudentLikelihood, place: Array) -> Iterator[Triple]:
    """Yield a known location, scales that hold k observations and ν."""
    distance, size = np.sort(np.abs(likelihood.deviation - place[:, np.newaxis]), axis=-1), likelihood.size
    for k in _counts(1, size):
        yield place, _positive(distance[:, k - 1], likelihood), _tails(likelihood, k)


def _peaks(surface: _Surface) -> list[Triple]:
    """Return observations at which the likelihood with the known scale is highest; order statistics are tried."""
    ordered, size = surface.likelihood.deviation, surface.likelihood.size
    picks = np.unique(np.linspace(0, size - 1, _CANDIDATES).round().astype(int))
    triples = [
        (np.ascontiguousarray(ordered[:, pick]), surface.likelihood.unit, np.full(surface.rows, df))
        for df in _START_DFS
        for pick in picks
    ]
    values = np.stack([surface.evaluate(surface.places(*triple)).value for triple in triples])
    best = np.argsort(-values, axis=0, kind="stable")[:_KEPT]
    columns = [np.stack(column) for column in zip(*triples, strict=True)]
    return [tuple(np.take_along_axis(c, row[np.newaxis], axis=0)[0] for c in columns) for row in best]


def _counts(least: int, size: int) -> Sequence[int]:
    """Return numbers of observations that may be a cluster: all in small data sets, else some shares of them."""
    if size <= _SMALL:
        return range(least, size)
    return sorted({max(2, round(share * size)) for share in (_SHARES if size <= _MANY else _FEW_SHARES)})


def _positive(scale: Array, likelihood: StudentLikelihood) -> Array:
    return np.where(scale > 0.0, scale, likelihood.unit)


def _tails(likelihood: StudentLikelihood, k: int) -> Array:
    """Return a ν that suits tails of all but k observations."""
    return np.full(likelihood.rows, 0.5 * k / (likelihood.size - k))
