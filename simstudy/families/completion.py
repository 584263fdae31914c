"""Covariance matrices of which some entries are known, completed so that they are positive definite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simstudy.families.vectors import definite
from simstudy.numerics.symmetric import pairs, position, solve
from simstudy.parameters import Array

# What is completed keeps this far from matrices that are not positive definite.
_SHRUNK, _ROOM = 0.9, 2.0

Held = Mapping[tuple[int, int], Array]
"""Known entries (i, j), i ≤ j."""


def completed(sample: Sequence[Array], held: Held, size: int) -> list[Array]:
    """Return a packed matrix with the known entries and else near that of the sample, if that can be."""
    near = _shrunk(sample, held, size)
    sound = definite(near, size)
    if sound.all():
        return near
    return [np.where(sound, a, b) for a, b in zip(near, _by_regressions(near, held, size), strict=True)]


def _shrunk(sample: Sequence[Array], held: Held, size: int) -> list[Array]:
    """Return the known entries, and correlations of the sample a little shrunk in place of the others."""
    variance = [sample[position(i, i, size)] for i in range(size)]
    sd = [np.sqrt(np.where(v > 0.0, v, 1.0)) for v in variance]
    scale = [np.sqrt(held[i, i]) if (i, i) in held else sd[i] for i in range(size)]

    def entry(i: int, j: int) -> Array:
        if i == j:
            return np.asarray(scale[i] * scale[i])
        return np.asarray(_SHRUNK * sample[position(i, j, size)] / (sd[i] * sd[j]) * scale[i] * scale[j])

    return [np.asarray(held.get((i, j), entry(i, j))) for i, j in pairs(size)]


def _by_regressions(chosen: Sequence[Array], held: Held, size: int) -> list[Array]:
    """Return the known entries completed coordinate by coordinate, free ones being regressions on known ones.

    The covariances of a coordinate with those before it are those of its regression on the ones to which its covariance
    is known; a free variance has room above the variance of that regression.
    """
    found = list(chosen)
    for j in range(size):
        near = [i for i in range(j) if (i, j) in held]
        matrix = [found[position(a, b, size)] for k, a in enumerate(near) for b in near[k:]]
        weights = solve(matrix, [held[i, j] for i in near])[0] if near else []
        for i in set(range(j)) - set(near):
            terms = (found[position(i, a, size)] * w for a, w in zip(near, weights, strict=True))
            found[position(i, j, size)] = np.asarray(sum(terms, np.zeros(())))
        if (j, j) not in held:
            explained = sum((held[a, j] * w for a, w in zip(near, weights, strict=True)), np.zeros(()))
            index = position(j, j, size)
            found[index] = np.maximum(found[index], _ROOM * explained)
    return found
