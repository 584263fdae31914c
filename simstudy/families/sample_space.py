"""The sets in which observations lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

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
        Whether the lower end belongs to it; an infinite end never does.
    discrete
        Whether only integers belong to it.
    upper_included
        Whether the upper end belongs to it.
    atom
        Whether the upper end, which then belongs to it, has a probability of its own, as a censoring time has.
    circular
        Whether its ends are one point, as of angles; every finite number then stands for the one in it that differs by
        whole turns.
    """

    name: str
    lower: float
    upper: float
    lower_included: bool = False
    discrete: bool = False
    upper_included: bool = False
    atom: bool = False
    circular: bool = False

    width: ClassVar[int | None] = None
    """Length of the last axis of data: None, since an observation is a number."""

    def holds_all(self, x: Array) -> NDArray[np.bool_]:
        """Tell per data set (last axis) whether every observation lies in the space; NaN does not."""
        least, largest = x.min(axis=-1), x.max(axis=-1)
        if self.circular:
            return np.asarray((least > -np.inf) & (largest < np.inf))
        above = least >= self.lower if self.lower_included else least > self.lower
        below = largest <= self.upper if self.upper_included or self.atom else largest < self.upper
        inside = above & below & (least > -np.inf)
        if self.discrete and not np.issubdtype(x.dtype, np.integer):
            inside &= (x == np.floor(x)).all(axis=-1)
        return np.asarray(inside)


@dataclass(frozen=True)
class VectorSpace:
    """A set of vectors, as the image of a product of intervals or of integers in them.

    Parameters
    ----------
    name
        How messages and tables call it.
    width
        Length of an observation, which is the last axis of data (R, n, width).
    parts
        The spaces of the coordinates that the vectors are made from.
    assemble
        (one array per coordinate) ↦ vectors with a last axis of that width, and |∂x/∂coordinates|.
    take_apart
        Vectors ↦ one array per coordinate, the inverse of `assemble`.
    contains
        Vectors ↦ whether each lies in the space.
    """

    name: str
    width: int
    parts: tuple[SampleSpace, ...]
    assemble: Callable[[Sequence[Array]], tuple[Array, Array]]
    take_apart: Callable[[Array], Sequence[Array]]
    contains: Callable[[Array], NDArray[np.bool_]]

    discrete: ClassVar[bool] = False
    """Whether data may be kept as integers: a vector may mix counts and real numbers."""

    def holds_all(self, x: Array) -> NDArray[np.bool_]:
        """Tell per data set (last axis but one) whether every observation lies in the space; NaN does not."""
        return np.asarray(self.contains(x).all(axis=-1))


REAL_LINE = SampleSpace("real line", -np.inf, np.inf)
POSITIVE_NUMBERS = SampleSpace("positive numbers", 0.0, np.inf)
NON_NEGATIVE_NUMBERS = SampleSpace("non-negative numbers", 0.0, np.inf, lower_included=True)
OPEN_UNIT_INTERVAL = SampleSpace("open unit interval", 0.0, 1.0)
ANGLES = SampleSpace("angles (−π, π]", -math.pi, math.pi, upper_included=True, circular=True)
COUNTS = SampleSpace("non-negative integers", 0.0, np.inf, lower_included=True, discrete=True)
POSITIVE_COUNTS = SampleSpace("positive integers", 1.0, np.inf, lower_included=True, discrete=True)
