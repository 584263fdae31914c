"""The Maxwell family."""

from __future__ import annotations

import math
from typing import final

import numpy as np

from simstudy.families.sample_space import POSITIVE_NUMBERS
from simstudy.families.scaled_chi import ScaledChi
from simstudy.parameters import Array, Columns


@final
class Maxwell(ScaledChi):
    """log p = ½ log(2/π) + 2 log x − 3 log σ − x²/(2σ²); I(σ) = 6/σ²."""

    name = "maxwell"
    formula = "log p(x) = ½ log(2/π) + 2 log x − 3 log scale − x²/(2 scale²)"
    sample_space = POSITIVE_NUMBERS
    degrees = 3

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw σ√(2G) of a standard gamma G of shape 3/2."""
        draws = rng.standard_gamma(1.5, size)
        np.sqrt(draws, out=draws)
        draws *= math.sqrt(2.0) * np.asarray(theta[0])
        return draws
