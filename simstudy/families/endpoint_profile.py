"""Where the likelihood of an extreme-value family may have local maxima: a grid over the end of the support.

The support ends where 1 + θx = 0, θ = ξ/σ for data taken relative to the location. Given θ, the other parameters are
those of a simple family fitted to log(1 + θx)/θ, so that the likelihood is a profile in θ (Grimshaw 1993). A node of
the grid is v = log of (1 + θx) at the largest observation over that at the smallest, which is ξ times the range of the
reduced variates: a number of moderate size that runs over the whole real line.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.parameters import Array

# So many observations have one local maximum at most; of fewer, 1 in 100 data sets have two, and many none.
MANY = 33
# Shapes to start from where a parameter is known, and how far towards the endpoint an observation lies then at most.
SHAPES = (-0.7, -0.3, 0.05, 0.5, 1.5)
INSIDE = 0.9

# Shapes near −1 have v ≈ −log n; large ones have v up to the logarithm of the range over the distance to the endpoint.
_LOWEST, _BEYOND, _HIGHEST = -20.0, 20.0, 400.0
_NODES = 161
# A slope that changes by as much as this share of itself from one node to the next may vanish between them.
_SHALLOW = 0.5
_LEAST = -1e300
# A Newton step takes an error of δ standard deviations to at most 12 δ² for these shapes, to at most 100 δ² for others.
_CALM, _CURVED = (-0.2, 1.0), 100.0


class Candidates(NamedTuple):
    """Two nodes per data set at or beside which the profile may have its highest local maxima, and if there is one."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    found: NDArray[np.bool_]


def endpoints(low: Array, middle: Array, high: Array) -> Array:
    """Return θ (nodes, R) for data sets that run from −low to high, of which the middle is that far above the lowest.

    Parameters
    ----------
    low, high : (R,)
        Distances, not negative, of the least and the largest observation from the origin.
    middle : (R,)
        Distance of a typical observation from the least, positive.
    """
    with np.errstate(all="ignore"):
        top = np.minimum(np.log((low + high) / middle) + _BEYOND, _HIGHEST)
        share = ((np.arange(_NODES) + 0.5) / _NODES)[:, np.newaxis]
        v = _LOWEST + (top - _LOWEST) * share
        small = np.exp(-np.abs(v))
        reach = np.where(v < 0.0, high + low * small, high * small + low)
        return np.asarray(np.expm1(-np.abs(v)) * np.where(v < 0.0, 1.0, -1.0) / reach)


def candidates(value: Array) -> Candidates:
    """Find local maxima of a profile (nodes, R) that grows without bound towards one end or both.

    Where no node is higher than its neighbours, a maximum may still hide where the slope is shallow.
    """
    with np.errstate(all="ignore"):
        rise = np.diff(np.where(np.isfinite(value), value, np.nan), axis=0)
        rank = np.full(value.shape, -np.inf)
        before, here, after = (np.abs(part) for part in (rise[:-2], rise[1:-1], rise[2:]))
        one_way = (rise[:-2] * rise[1:-1] > 0.0) & (rise[1:-1] * rise[2:] > 0.0)
        dip = one_way & (here <= np.minimum(before, after)) & (here < _SHALLOW * np.maximum(before, after))
        rank[1:-2][dip] = rank[2:-1][dip] = _LEAST
        peak = (rise[:-1] > 0.0) & (rise[1:] <= 0.0)
    rank[1:-1][peak] = value[1:-1][peak]
    columns = np.arange(value.shape[1])
    first = rank.argmax(axis=0)
    found = rank[first, columns] > -np.inf
    rank[first, columns] = -np.inf
    second = rank.argmax(axis=0)
    return Candidates(first, np.where(rank[second, columns] > -np.inf, second, first), found)


def weighed(decrement: Array, shape: Array) -> Array:
    """Return a Newton decrement, a hundredfold where a step leaves a larger multiple of it."""
    return np.where((shape < _CALM[0]) | (shape > _CALM[1]), _CURVED * decrement, decrement)
