"""Location, scale and shape of the skew normal by its mean, standard deviation and skewness."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from simstudy.families.skew_likelihood import SkewLikelihood
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array

Triple = tuple[Array, Array, Array]

_B = math.sqrt(2.0 / math.pi)
_MOST_SKEW = 0.99


class Lean(NamedTuple):
    """(μ − ξ)/σ, its derivatives in log |λ|, ω/σ, and the derivatives of log(ω/σ)."""

    shift: Array
    shift_slope: Array
    shift_bend: Array
    stretch: Array
    stretch_slope: Array
    stretch_bend: Array


def leans(shape: Array, scale_known: bool) -> Lean:
    """Return c/√(1 − c²) and 1/√(1 − c²), c = bδ; where the scale is known and stands for σ, c and 1."""
    rest = 1.0 / (1.0 + shape * shape)  # 1 − δ²
    c = _B * shape * np.sqrt(rest)
    slope = c * rest
    bend = slope * (3.0 * rest - 2.0)
    if scale_known:
        zero = np.zeros_like(c)
        return Lean(c, slope, bend, zero + 1.0, zero, zero)
    room = 1.0 - c * c
    root = np.sqrt(room)
    return Lean(
        c / root,
        slope / (room * root),
        (bend + 3.0 * c * slope * slope / room) / (room * root),
        1.0 / root,
        c * slope / room,
        (slope * slope + c * bend) / room + 2.0 * np.square(c * slope / room),
    )


def moment_estimates(likelihood: SkewLikelihood) -> Triple:
    """Return location, scale and shape by mean, standard deviation and skewness, which is cut to what is possible."""
    sd, skewness = moments(likelihood)
    root = np.cbrt(2.0 * skewness / (4.0 - math.pi))
    delta = np.clip(root / (_B * np.hypot(1.0, root)), -_MOST_SKEW, _MOST_SKEW)
    place, scale, shape = at_shape(sd, delta / np.sqrt(1.0 - delta * delta))
    return place + likelihood.origin, scale, shape


def at_shape(sd: Array, shape: Array) -> Triple:
    """Return location relative to the mean, scale and shape of that standard deviation."""
    lean = leans(shape, False)
    return -sd * lean.shift, sd * lean.stretch, shape


def moments(likelihood: SkewLikelihood) -> tuple[Array, Array]:
    """Return standard deviation, one where it is 0, and skewness."""
    x = likelihood.deviation
    square = x * x
    second = square.mean(axis=-1)
    sd = np.sqrt(np.where(second > 0.0, second, 1.0))
    return sd, mean_product(square, x) / sd**3
