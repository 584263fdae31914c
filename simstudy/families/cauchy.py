"""The Cauchy family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.location_scale import LocationScale, LocationScaleLikelihood
from simstudy.families.sample_space import REAL_LINE
from simstudy.parameters import Array, Columns

_STARTS = 24


@final
class Cauchy(LocationScale):
    """g(z) = −log π − log(1 + z²), g′ = −2z/(1 + z²), g″ = −2(1 − z²)/(1 + z²)²; I(0, 1) = I₂/2.

    Location and scale have one maximum together unless half of the observations are equal (Copas 1975); with known scale the
    likelihood of the location has many.
    """

    name = "cauchy"
    formula = "log p(x) = −log π − log scale − log(1 + z²),  z = (x − loc)/scale"
    sample_space = REAL_LINE
    information = (0.5, 0.0, 0.5)

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw the ratio of two normals."""
        draws = rng.standard_cauchy(size)
        draws *= theta[1]
        draws += theta[0]
        return draws

    def standard(self, z: Array) -> tuple[Array, Array, Array]:
        """Return g, g′ and g″ in terms of q = 1/(1 + z²)."""
        square = z * z
        q = 1.0 / (1.0 + square)
        return -np.log1p(square) - np.log(np.pi), -2.0 * z * q, 2.0 * q - 4.0 * q * q

    def rough(self, x: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return the median and half the interquartile range."""
        ordered = np.sort(x, axis=-1)
        size = x.shape[1]
        half = (size + 1) // 2
        tied = (ordered[:, half - 1 :] == ordered[:, : size - half + 1]).any(axis=-1)
        middle = 0.5 * (ordered[:, (size - 1) // 2] + ordered[:, size // 2])
        lower, upper = ordered[:, size // 4], ordered[:, size - 1 - size // 4]
        spread = np.where(upper > lower, upper - lower, ordered[:, -1] - ordered[:, 0])
        return middle, 0.5 * spread, ~tied

    def starts(self, likelihood: LocationScaleLikelihood) -> Sequence[Columns]:
        """Return observations spread over the order statistics: every local maximum in the location lies near one."""
        ordered = np.sort(likelihood.z, axis=-1)
        picks = np.unique(np.linspace(0, likelihood.size - 1, _STARTS).round().astype(int))
        return [
            (likelihood.origin + likelihood.unit * ordered[:, pick], likelihood.unit) for pick in (*picks,)
        ]
