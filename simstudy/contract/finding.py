"""What a law is, and what comes of checking one: a finding at each point of a family."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simstudy.contract.points import Point
from simstudy.families.base import Family
from simstudy.families.plugin import told


@dataclass(frozen=True)
class Finding:
    """Outcome of one law at one point.

    Attributes
    ----------
    law
        Name of the law.
    where
        The parameters, or whatever else it was checked at.
    error, tolerance
        How far the law was missed, and how far it may be; NaN where the law could not be measured.
    passed
        Whether error ≤ tolerance.
    detail
        What was compared, or why it could not be.
    """

    law: str
    where: str
    error: float
    tolerance: float
    passed: bool
    detail: str

    def __str__(self) -> str:
        verdict = "holds" if self.passed else "FAILS"
        sizes = "" if np.isnan(self.error) else f": error {self.error:.3g}, tolerance {self.tolerance:.3g}"
        return f"{self.law} {verdict} at {self.where}{sizes}: {self.detail}"


class Deviation(NamedTuple):
    """One measurement of a law: what was compared, by how much it missed, and by how much it may."""

    detail: str
    error: float
    tolerance: float


Measure = Callable[[Family, Point, np.random.Generator], Iterator[Deviation]]


@dataclass(frozen=True)
class Law:
    """A law of probability or likelihood that every family keeps.

    Parameters
    ----------
    name
        Its key in the table of laws.
    measure
        Yields deviations of a family at a point, from a generator of random numbers; its docstring states the law.
    points
        The points of a family at which it is checked.
    """

    name: str
    measure: Measure
    points: Callable[[Family], Sequence[Point]]

    @property
    def statement(self) -> str:
        """The law in one sentence."""
        return (self.measure.__doc__ or "").strip().partition("\n")[0]

    def check(self, family: Family, seed: int = 0) -> list[Finding]:
        """Check the law at its points; an exception is a failure, and a declared exception to the law a pass."""
        reason = getattr(family, "irregular", {}).get(self.name)
        if reason is not None:
            return [Finding(self.name, family.name, np.nan, np.nan, True, f"excepted: {reason}")]
        try:
            with np.errstate(all="ignore"):
                points = self.points(family)
        except Exception as error:  # the family is another's code: whatever it raises is a finding
            return [_raised(self.name, family.name, error)]
        return [finding for point in points for finding in self._at(family, point, seed)]

    def _at(self, family: Family, point: Point, seed: int) -> Iterator[Finding]:
        # The numbers drawn depend on the law and the point, not on what else is checked.
        rng = np.random.default_rng([seed, zlib.crc32(f"{self.name} {point}".encode())])
        where = str(point)
        try:
            with np.errstate(all="ignore"):
                for detail, error, tolerance in self.measure(family, point, rng):
                    yield Finding(self.name, where, error, tolerance, bool(error <= tolerance), detail)
        except Exception as error:  # likewise
            yield _raised(self.name, where, error)


def _raised(law: str, where: str, error: Exception) -> Finding:
    return Finding(law, where, np.nan, np.nan, False, f"raised {told(error)}")


def worst(detail: str, error: ArrayLike, tolerance: ArrayLike) -> Deviation:
    """Return the deviation that is largest in units of its tolerance; one that is not a number is infinite."""
    errors, tolerances = np.broadcast_arrays(np.asarray(error, float), np.asarray(tolerance, float))
    errors = np.where(np.isnan(errors), np.inf, errors)
    if not errors.size:
        return Deviation(detail, 0.0, 0.0)
    ratio = np.where(errors > 0.0, errors / np.maximum(tolerances, 1e-300), 0.0)
    index = np.unravel_index(int(np.argmax(ratio)), errors.shape)
    return Deviation(detail, float(errors[index]), float(tolerances[index]))


def must(detail: str, *, holds: bool) -> Deviation:
    """Return a deviation of something that holds or does not."""
    return Deviation(detail, 0.0 if holds else 1.0, 0.0)
