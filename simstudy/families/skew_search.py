"""The highest maximum of the likelihood of the skew-normal family, and the half normal on its boundary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.ascent import Flags, Places, Slope, along
from simstudy.families.skew_likelihood import SkewLikelihood
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array

_B = math.sqrt(2.0 / math.pi)
_LOG_B = math.log(_B)
_FARTHEST = 1e7
_HIGHER = 1e-13


class _Surface:
    """The mean log-likelihood in those of (ξ, log ω, λ) that are free."""

    def __init__(self, likelihood: SkewLikelihood, known: Mapping[int, Array]) -> None:
        self.likelihood, self._known = likelihood, known
        self.rows = likelihood.rows
        self.free = tuple(i for i in range(3) if i not in known)

    def full(self, at: Sequence[Array]) -> list[Array]:
        """Return location relative to the origin, scale and shape, the known ones at their values."""
        place, log_scale, shape = (dict(zip(self.free, at, strict=True)).get(i) for i in range(3))
        return [
            self._known[0] - self.likelihood.origin if place is None else place,
            np.broadcast_to(self._known[1], self.rows) if log_scale is None else np.exp(log_scale),
            np.broadcast_to(self._known[2], self.rows) if shape is None else shape,
        ]

    def places(self, place: Array, scale: Array, shape: Array) -> Places:
        """Return the free coordinates."""
        every = (place, np.log(scale), shape)
        return [np.asarray(every[i]) for i in self.free]

    def evaluate(self, at: Places) -> Slope:
        """Return value, gradient and information."""
        place, scale, shape = self.full(at)
        over = self.likelihood.pass_over(place, scale, shape)
        units = (1.0 / scale, 1.0, 1.0)
        gradient = [s * u for s, u in zip(over.score, units, strict=True)]
        information = [h * units[i] * units[j] for h, (i, j) in zip(over.information, pairs(3), strict=True)]
        return along(Slope(over.value, gradient, information), self.free)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the rows."""
        return type(self)(self.likelihood.select(rows), self._known)

    def move(self, at: Places, step: Places) -> Places:
        """Return where a step leads: at most one scale far, log ω changed by one, λ by itself or one."""
        scale = self.full(at)[1]
        moved = []
        for i, u, du in zip(self.free, at, step, strict=True):
            reach = (scale, np.ones_like(u), 1.0 + np.abs(u))[i]
            moved.append(u + np.clip(du, -reach, reach))
        return moved

    def leaving(self, at: Places, slope: Slope) -> Flags:
        """Tell which rows go to infinite shape."""
        if 2 in self._known:
            return np.zeros(self.rows, dtype=bool)
        return np.abs(at[-1]) > _FARTHEST


def moment_estimates(likelihood):
    x = likelihood.deviation
    second = mean_product(x, x)
    sd = np.sqrt(np.where(second > 0, second, 1.0))
    third = (x**3).mean(axis=-1) / sd**3
    root = np.cbrt(2.0 * third / (4.0 - math.pi))
    delta = np.clip(root / (_B * np.hypot(1.0, root)), -0.99, 0.99)
    return at_shape(likelihood, sd, delta / np.sqrt(1 - delta**2))


def at_shape(likelihood, sd, shape):
    delta = shape / np.hypot(1.0, shape)
    scale = sd / np.sqrt(1 - (_B * delta) ** 2)
    return likelihood.origin - scale * _B * delta, scale, shape


def search(*a):
    return None
