"""The half-normal family."""

from __future__ import annotations

from typing import final

import numpy as np

from simstudy.families.sample_space import NON_NEGATIVE_NUMBERS
from simstudy.families.scaled_chi import ScaledChi
from simstudy.parameters import Array, Columns


@final
class HalfNormal(ScaledChi):
    """log p = ½ log(2/π) − log σ − x²/(2σ²); I(σ) = 2/σ²."""

    name = "half_normal"
    formula = "log p(x) = ½ log(2/π) − log scale − x²/(2 scale²)"
    sample_space = NON_NEGATIVE_NUMBERS
    degrees = 1

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw σ|N| of a standard normal N."""
        draws = rng.standard_normal(size)
        np.abs(draws, out=draws)
        draws *= theta[0]
        return draws
