"""The Bernoulli family."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from simstudy.families.binomial import Successes
from simstudy.parameters import Array, Columns


@final
class Bernoulli(Successes):
    """log p = x log p + (1−x) log(1−p), x = 0 or 1; I(p) = 1/(p(1−p))."""

    name = "bernoulli"
    formula = "log p(x) = x·log prob + (1 − x)·log(1 − prob)"
    number: ClassVar[float] = 1.0

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw uniform numbers and tell which are less than p."""
        return np.asarray(rng.random(size) < theta[0]).astype(np.int64)

    def mean_log_coefficient(self, x: Array) -> Array:
        """Return 0."""
        return np.zeros(len(x))
