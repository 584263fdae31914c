"""The sets in which observations lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simstudy.parameters import Array


@dataclass(frozen=True)
class SampleSpace:
    """An interval of the real line, or the integers in it.

    Parameters
    ----------
    name
        How messages and tables call it.
    lower, upper
        Its ends.
    lower_included
        Whether the lower end belongs to it; an infinite or upper end never does.
    discrete
        Whether only integers belong to it.
    """

    name: str
    lower: float
    upper: float
    lower_included: bool = False
    discrete: bool = False

    def holds_all(self, x: Array) -> NDArray[np.bool_]:
        """Tell per data set (last axis) whether every observation lies in the space; NaN does not."""
        least, largest = x.min(axis=-1), x.max(axis=-1)
        above = least >= self.lower if self.lower_included else least > self.lower
        inside = above & (largest < self.upper) & (least > -np.inf)
        if self.discrete and not np.issubdtype(x.dtype, np.integer):
            inside &= (x == np.floor(x)).all(axis=-1)
        return np.asarray(inside)


REAL_LINE = SampleSpace("real line", -np.inf, np.inf)
POSITIVE_NUMBERS = SampleSpace("positive numbers", 0.0, np.inf)
NON_NEGATIVE_NUMBERS = SampleSpace("non-negative numbers", 0.0, np.inf, lower_included=True)
OPEN_UNIT_INTERVAL = SampleSpace("open unit interval", 0.0, 1.0)
COUNTS = SampleSpace("non-negative integers", 0.0, np.inf, lower_included=True, discrete=True)
