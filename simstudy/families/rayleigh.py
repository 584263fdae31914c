"""The Rayleigh family."""

from __future__ import annotations

import math
from typing import final

import numpy as np

from simstudy.families.sample_space import POSITIVE_NUMBERS
from simstudy.families.scaled_chi import ScaledChi
from simstudy.parameters import Array, Columns


@final
class Rayleigh(ScaledChi):
    """log p = log x − 2 log σ − x²/(2σ²); I(σ) = 4/σ²."""

    name = "rayleigh"
    formula = "log p(x) = log x − 2 log scale − x²/(2 scale²)"
    sample_space = POSITIVE_NUMBERS
    degrees = 2

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw σ√(2E) of a standard exponential E."""
        draws = rng.standard_exponential(size)
        np.sqrt(draws, out=draws)
        draws *= math.sqrt(2.0) * np.asarray(theta[0])
        return draws
