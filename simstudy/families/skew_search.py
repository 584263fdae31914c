"""The highest maximum of the likelihood of the skew-normal family, and the half normal on its boundary.

At λ = 0 the profile likelihood of λ always has a stationary point, and rises to the side of the sample skewness. As
λ → ±∞ it rises to that of the half normal with location at the least or largest observation, which is therefore
compared with the highest maximum inside. In mean μ, standard deviation σ and log |λ|, on either side of 0, its ridge is
straight (Azzalini 1985; Arellano-Valle & Azzalini 2008).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.ascent import Flags, Places, Slope, Summit, along, climb, improve
from simstudy.families.likelihood import Solution
from simstudy.families.skew_likelihood import SkewLikelihood
from simstudy.families.skew_moments import Triple, at_shape, leans, moment_estimates, moments
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import congruence, pairs
from simstudy.parameters import Array

_B = math.sqrt(2.0 / math.pi)
_LOG_B = math.log(_B)
# λ as large as this times n no longer tells how near the observations are to their end, about ω/n.
_FARTHEST = 1e3
_NEAR, _NEAREST = 0.05, 1e-3
_FURTHER = (12.0, -3.0)
# Skewness in standard errors from which on its sign is that of the shape, if there are more observations than this.
_CERTAIN, _FEW = 3.0, 60
_HIGHER = 1e-13


class Limit(NamedTuple):
    """The highest likelihood on the boundary λ = ±∞: location relative to the origin, scale, shape and value."""

    place: Array
    scale: Array
    shape: Array
    value: Array


class _Surface:
    """The mean log-likelihood in those of (ξ, log ω, λ) that are free, or in (μ, log σ, λ) where ξ and λ are.

    In the latter, derivatives are with respect to log |λ|, so that λ keeps its sign. Where ω is known, σ is ω.
    """

    def __init__(self, likelihood: SkewLikelihood, known: Mapping[int, Array], sign: Array) -> None:
        self.likelihood, self._known, self._sign = likelihood, known, sign
        self.rows = likelihood.rows
        self.free = tuple(i for i in range(3) if i not in known)
        self.centred = 0 not in known and 2 not in known

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        names = ("mean − origin", "log sd", "shape") if self.centred else ("loc − origin", "log scale", "shape")
        return tuple(names[i] for i in self.free)

    def full(self, at: Sequence[Array]) -> Triple:
        """Return ξ relative to the origin, ω and λ, the known ones at their values."""
        place, log_scale, shape = self._spread(at)
        scale = np.exp(log_scale)
        if not self.centred:
            return place, scale, shape
        lean = leans(shape, 1 in self._known)
        return place - scale * lean.shift, scale * lean.stretch, shape

    def places(self, place: Array, scale: Array, shape: Array) -> Places:
        """Return the free coordinates, the inverse of `full`."""
        if self.centred:
            lean = leans(shape, 1 in self._known)
            scale = scale / lean.stretch
            place = place + scale * lean.shift
        every = (place, np.log(scale), shape)
        return [np.asarray(every[i]) for i in self.free]

    def evaluate(self, at: Places) -> Slope:
        """Return value, gradient and information."""
        place, scale, shape = self.full(at)
        over = self.likelihood.pass_over(place, scale, shape)
        units: Sequence[Array | float] = (1.0 / scale, 1.0, 1.0)
        gradient = [s * u for s, u in zip(over.score, units, strict=True)]
        information = [h * units[i] * units[j] for h, (i, j) in zip(over.information, pairs(3), strict=True)]
        slope = Slope(over.value, gradient, information)
        return along(self._centre(slope, at) if self.centred else slope, self.free)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the rows."""
        return type(self)(self.likelihood.select(rows), self._known, self._sign[rows])

    def move(self, at: Places, step: Places) -> Places:
        """Return where a step leads: at most one scale far, log ω changed by one, λ by 1 + |λ| or log |λ| by one."""
        scale = np.exp(self._spread(at)[1])
        reaches: Sequence[Array] = (scale, np.ones_like(scale), 1.0 + np.abs(at[-1]))
        moved = []
        for i, u, du in zip(self.free, at, step, strict=True):
            if i == 2 and self.centred:
                moved.append(u * np.exp(np.clip(du, -1.0, 1.0)))
            else:
                moved.append(u + np.clip(du, -reaches[i], reaches[i]))
        return moved

    def leaving(self, at: Places, slope: Slope) -> Flags:
        """Tell which rows go to infinite shape, or to 0 from the side from which this is uphill."""
        if not self.centred:
            return np.zeros(self.rows, dtype=bool)
        shape = at[-1]
        size = np.abs(shape)
        back = (size < _NEAR) & (np.sign(shape) != self._sign)
        return np.asarray((size > _FARTHEST * self.likelihood.size) | (size < _NEAREST) | back)

    def _spread(self, at: Sequence[Array]) -> Triple:
        place, log_scale, shape = (dict(zip(self.free, at, strict=True)).get(i) for i in range(3))
        return (
            self._known[0] - self.likelihood.origin if place is None else place,
            np.log(np.broadcast_to(self._known[1], self.rows)) if log_scale is None else log_scale,
            np.broadcast_to(self._known[2], self.rows) if shape is None else shape,
        )

    def _centre(self, slope: Slope, at: Places) -> Slope:
        """Carry derivatives in (ξ, log ω, λ) to (μ, log σ, log |λ|)."""
        _, log_scale, shape = self._spread(at)
        scale, lean = np.exp(log_scale), leans(shape, 1 in self._known)
        jacobian = (
            (1.0, -scale * lean.shift, -scale * lean.shift_slope),
            (0.0, 1.0, lean.stretch_slope),
            (0.0, 0.0, shape),
        )
        place, log, tilt = slope.gradient
        gradient = [
            place,
            log - place * scale * lean.shift,
            shape * tilt + log * lean.stretch_slope - place * scale * lean.shift_slope,
        ]
        information = [np.asarray(entry) for entry in congruence(slope.information, jacobian)]
        information[3] = information[3] + place * scale * lean.shift
        information[4] = information[4] + place * scale * lean.shift_slope
        information[5] = information[5] + place * scale * lean.shift_bend - log * lean.stretch_bend - tilt * shape
        return Slope(slope.value, gradient, information)


def search(likelihood: SkewLikelihood, known: Mapping[int, Array]) -> Solution:
    """Return the highest maximum inside, or that of the half normal on the boundary where this is higher."""
    limit = _half_normal(likelihood, known)
    theta = [np.array(column) for column in (limit.place, limit.scale, limit.shape)]
    exists = likelihood.usable & _varied(likelihood, known)
    status = np.where(exists, Status.BOUNDARY, Status.NO_MAXIMUM)
    iterations = np.zeros(likelihood.rows, dtype=np.int16)
    one_sided = (0 in known) & (limit.value > -np.inf)
    rows = np.flatnonzero(exists & ~one_sided)
    if len(rows):
        sd, skewness = moments(likelihood)
        surface = _Surface(likelihood, known, np.sign(skewness)).select(rows)
        best = _best(surface, known, np.abs(skewness[rows]))
        inside = best.reached & (best.value > limit.value[rows] + _HIGHER)
        ended = np.where(limit.value[rows] > -np.inf, Status.BOUNDARY, Status.MAX_ITERATIONS)
        status[rows] = np.where(inside, Status.CONVERGED, ended)
        iterations[rows] = best.iterations
        for column, new in zip(theta, surface.full(best.at), strict=True):
            column[rows] = np.where(inside, new, column[rows])
        if surface.centred:
            highest = limit.value.copy()
            highest[rows] = np.where(inside, best.value, highest[rows])
            _normal(theta, status, highest, np.broadcast_to(known.get(1, sd), sd.shape), sd)
    theta[0] = theta[0] + likelihood.origin
    return solution([known.get(i, column) for i, column in enumerate(theta)], likelihood, status, iterations)


def _varied(likelihood: SkewLikelihood, known: Mapping[int, Array]) -> Flags:
    """Tell which data sets say something of the scale, if it is free, and of the shape, if the location is not."""
    if 0 in known:
        return np.asarray((likelihood.deviation != (known[0] - likelihood.origin)[:, np.newaxis]).any(axis=-1))
    if 1 in known:
        return np.ones(likelihood.rows, dtype=bool)
    return np.asarray(likelihood.deviation.max(axis=-1) > likelihood.deviation.min(axis=-1))


def _normal(theta: list[Array], status: NDArray[np.integer], highest: Array, scale: Array, sd: Array) -> None:
    """Write down the normal, λ = 0, where it is higher than all else.

    With the scale known to be below the standard deviation it is a regular maximum. With the scale free it can be the
    highest for symmetric data only; the information there is singular.
    """
    value = -np.log(scale) - 0.5 * (np.log(2.0 * np.pi) + np.square(sd / scale))
    there = (status != Status.NO_MAXIMUM) & (value > highest + _HIGHER)
    status[there] = np.where(sd > scale, Status.CONVERGED, Status.NOT_CONCAVE)[there]
    for column, exact in zip(theta, (np.zeros_like(sd), scale, np.zeros_like(sd)), strict=True):
        column[there] = exact[there]


def _half_normal(likelihood: SkewLikelihood, known: Mapping[int, Array]) -> Limit:
    """Return the half normal; its value is −∞ where the shape is known or, with the location known, on both sides."""
    x, rows = likelihood.deviation, likelihood.rows
    ends = [x.min(axis=-1), x.max(axis=-1)]
    places = [known[0] - likelihood.origin] * 2 if 0 in known else ends
    sides = []
    for place, end, sign in zip(places, ends, (1.0, -1.0), strict=True):
        deviation = x - place[:, np.newaxis]
        second = mean_product(deviation, deviation)
        scale = np.broadcast_to(known[1], rows) if 1 in known else np.sqrt(second)
        value = _LOG_B - np.log(scale) - 0.5 * second / np.square(scale)
        possible = (sign * (end - place) >= 0.0) & (2 not in known)
        sides.append(Limit(place, scale, np.full(rows, sign * np.inf), np.where(possible, value, -np.inf)))
    upper = sides[1].value > sides[0].value
    return Limit(*(np.where(upper, b, a) for a, b in zip(*sides, strict=True)))


def _best(surface: _Surface, known: Mapping[int, Array], skewness: Array) -> Summit:
    """Climb from the estimates by moments; from both sides of λ = 0 where its sign is not certain."""
    likelihood = surface.likelihood
    sd = moments(likelihood)[0]
    if not surface.centred:
        return climb(surface, surface.places(*_only_start(likelihood, known, sd)))
    shape = moment_estimates(likelihood)[2]
    towards = np.where(np.abs(shape) < _NEAREST, 1.0, shape)
    shapes = (towards, *(factor * np.sign(towards) for factor in _FURTHER))
    first, *others = [surface.places(*at_shape(sd, shape)) for shape in shapes]
    best = climb(surface, first)
    size = likelihood.size
    uncertain = ~best.reached | (size <= _FEW) | (skewness < _CERTAIN * math.sqrt(6.0 / size))
    improve(best, surface, np.flatnonzero(uncertain), others, size)
    return best


def _only_start(likelihood: SkewLikelihood, known: Mapping[int, Array], sd: Array) -> Triple:
    """Return the start where location or shape is known, and the likelihood concave in 1/ω with ξ/ω or λ/ω."""
    shape = np.broadcast_to(known.get(2, np.zeros(())), sd.shape)
    if 0 not in known:
        return at_shape(sd, shape)
    x = likelihood.deviation - (known[0] - likelihood.origin)[:, np.newaxis]
    return known[0] - likelihood.origin, np.sqrt(mean_product(x, x)), shape
