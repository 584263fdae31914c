"""The logistic family."""

from __future__ import annotations

import math
from typing import final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import constant_rows
from simstudy.families.location_scale import LocationScale
from simstudy.families.sample_space import REAL_LINE
from simstudy.parameters import Array, Columns


@final
class Logistic(LocationScale):
    """g(z) = −z − 2 log(1 + e⁻ᶻ), g′ = −tanh(z/2), g″ = −(1 − g′²)/2; I(0, 1) = diag(1/3, (π² + 3)/9)."""

    name = "logistic"
    formula = "log p(x) = −z − 2 log(1 + exp(−z)) − log scale,  z = (x − loc)/scale"
    sample_space = REAL_LINE
    information = (1.0 / 3.0, 0.0, (math.pi**2 + 3.0) / 9.0)

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by inversion."""
        return rng.logistic(theta[0], theta[1], size)

    def standard(self, z: Array) -> tuple[Array, Array, Array]:
        """Return g, g′ and g″; |z| keeps the exponential from overflowing."""
        decay = np.exp(-np.abs(z))
        g = -np.abs(z) - 2.0 * np.log1p(decay)
        d1 = -np.tanh(0.5 * z)
        return g, d1, -2.0 * decay / np.square(1.0 + decay)

    def rough(self, x: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return the mean and √3/π standard deviations."""
        mean = x.mean(axis=-1)
        d = x - mean[:, np.newaxis]
        sd = np.sqrt(np.einsum("rn,rn->r", d, d) / x.shape[1])
        exists = sd > 0.0
        suspect = sd <= 1e-12 * np.abs(mean)
        if suspect.any():
            exists[suspect] &= ~constant_rows(x[suspect])
        return mean, sd * (math.sqrt(3.0) / math.pi), exists
