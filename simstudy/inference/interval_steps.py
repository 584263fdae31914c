"""How far to go along a profile for the end of an interval, inside a bracket, and when there is no end to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.inference.criteria import Criterion, Reading
from simstudy.parameters import REAL, Array, Domain

LONGEST_STEP = 5.0
_GROWTH = 3.0
_LEAST_FACTOR, _GREATEST_FACTOR = 0.5, 2.0
# Along a logarithm, which has no unit, where nothing more is to come; elsewhere in standard errors.
_FARTHEST, _FARTHEST_ERRORS = 50.0, 1e8


@dataclass(frozen=True)
class Task:
    """Which end is sought: of the coordinate ``places[-1]``, above (1) or below (−1) the estimate.

    Attributes
    ----------
    places
        Places of the nuisance coordinates, then of the followed one.
    domain
        Of the parameter followed.
    side
        1 or −1.
    z
        Standard normal quantile.
    criterion
        What is z at the end.
    reach
        Distance from the estimate beyond which there is nothing new: half a period of an angle, else infinite.
    """

    places: tuple[int, ...]
    domain: Domain
    side: float
    z: float
    criterion: Criterion
    reach: float = np.inf

    @property
    def place(self) -> int:
        """Place of the coordinate followed."""
        return self.places[-1]

    @property
    def logarithmic(self) -> bool:
        """Whether lengths along the coordinate have no unit."""
        return self.domain is not REAL


class Bracket(NamedTuple):
    """Distances from the estimate, (R,): the farthest known to be inside, the nearest known to be outside.

    ``error`` is the standard error of the coordinate, the unit of length.
    """

    inside: Array
    outside: Array
    error: Array

    def take(self, rows: NDArray[np.intp]) -> Bracket:
        """Return some of the rows."""
        return Bracket(*(column[rows] for column in self))

    def tightened(self, travelled: Array, gap: Array, reliable: NDArray[np.bool_]) -> Bracket:
        """Return the bracket after z − t has been read, where it can be relied on."""
        inside = np.where(reliable & (gap > 0.0), np.maximum(self.inside, travelled), self.inside)
        outside = np.where(reliable & (gap < 0.0), np.minimum(self.outside, travelled), self.outside)
        return self._replace(inside=inside, outside=outside)

    @property
    def width(self) -> Array:
        """Distance between its ends."""
        return self.outside - self.inside


def outward(reading: Reading, bracket: Bracket, travelled: Array, task: Task) -> Array:
    """Return the step outward to t = z: Chebyshev's, inside the bracket, its middle where that leaves it."""
    newton = (task.z - reading.root) / reading.slope
    bent = 1.0 - 0.5 * newton * reading.bend / reading.slope
    step = newton * np.clip(bent, _LEAST_FACTOR, _GREATEST_FACTOR)
    further = np.maximum(travelled, bracket.error)
    step = np.where((reading.slope > 0.0) & np.isfinite(step), step, further)
    limit = _GROWTH * further
    step = np.minimum(step, np.minimum(limit, LONGEST_STEP) if task.logarithmic else limit)
    target = travelled + step
    middle = bracket.inside + 0.5 * np.where(np.isinf(bracket.outside), further, bracket.width)
    target = np.where((target > bracket.inside) & (target < bracket.outside), target, middle)
    return np.minimum(target, task.reach) - travelled


def levelled_off(reading: Reading, bracket: Bracket, travelled: Array, task: Task) -> NDArray[np.bool_]:
    """Tell where t stays below z to the end of the domain: it is that flat, or that far away.

    Flat is what would not come to z at its slope within 50 e-folds of a logarithm, or at 50 times the distance
    travelled. The score statistic may rise and fall again; what falls is flat only far from the estimate.
    """
    if np.isfinite(task.reach):
        return np.asarray(travelled >= task.reach)
    farthest = _FARTHEST if task.logarithmic else _FARTHEST_ERRORS * bracket.error
    ahead = _FARTHEST if task.logarithmic else _FARTHEST * travelled
    gap = task.z - reading.root
    away = travelled > (LONGEST_STEP if task.logarithmic else LONGEST_STEP * bracket.error)
    flat = (np.abs(reading.slope) * ahead < gap) & (reading.root > 0.0) & ((reading.slope > 0.0) | away)
    return np.asarray(np.isinf(bracket.outside) & (travelled > 0.0) & (flat | (travelled > farthest)))
