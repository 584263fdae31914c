"""The points of a family at which laws are checked: the ends and the middle of the typical ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simstudy.families.base import Family
from simstudy.parameters import Array, Parameter, Parametrisation


@dataclass(frozen=True)
class Point:
    """A member of a family, named in one of its parametrisations."""

    parametrisation: Parametrisation
    phi: tuple[float, ...]

    def __str__(self) -> str:
        return ", ".join(f"{n}={v:.4g}" for n, v in zip(self.parametrisation.names, self.phi, strict=True))

    @property
    def columns(self) -> list[Array]:
        """The parameters φ, as arrays without dimension."""
        return [np.asarray(value, dtype=float) for value in self.phi]

    @property
    def base(self) -> list[Array]:
        """The base parameters θ, as arrays without dimension."""
        return [np.asarray(value, dtype=float) for value in self.parametrisation.to_base(self.columns)]

    @property
    def theta(self) -> list[Array]:
        """The base parameters θ, as arrays (1, 1) that broadcast against data (1, n)."""
        return [np.reshape(value, (1, 1)) for value in self.base]


def bound(family: Family) -> Family:
    """Return the family with its constants, if it has any, in the middle of their typical ranges."""
    if not family.constants:
        return family
    middle = {constant.name: _between(constant, 0.5) for constant in family.constants}
    values = {c.name: float(np.round(middle[c.name])) if c.domain.whole else middle[c.name] for c in family.constants}
    return family.member(dict.fromkeys(p.name for p in family.parameters) | values)


def base_points(family: Family) -> list[Point]:
    """Return points in the base parameters."""
    return _points(family.parametrisations[0])


def all_points(family: Family) -> list[Point]:
    """Return points in every parametrisation, the base one first."""
    return [point for parametrisation in family.parametrisations for point in _points(parametrisation)]


def middle_points(family: Family) -> list[Point]:
    """Return one point in every parametrisation, in the middle of its typical ranges."""
    return [Point(p, tuple(_between(q, 0.5) for q in p.parameters)) for p in family.parametrisations]


def _points(parametrisation: Parametrisation) -> list[Point]:
    """Return the lower ends, the upper ends, the middle, and the two points that alternate between the ends."""
    size = len(parametrisation.parameters)
    patterns = ((0.5,), (0.0,), (1.0,), (0.0, 1.0), (1.0, 0.0))
    shares = dict.fromkeys(tuple(p[i % len(p)] for i in range(size)) for p in patterns)
    return [Point(parametrisation, _spread(parametrisation.parameters, share)) for share in shares]


def _spread(parameters: Sequence[Parameter], shares: Sequence[float]) -> tuple[float, ...]:
    return tuple(_between(parameter, share) for parameter, share in zip(parameters, shares, strict=True))


def _between(parameter: Parameter, share: float) -> float:
    """Return the value at a share of the typical range, measured on the domain's own scale."""
    lower, upper = parameter.typical
    if share in (0.0, 1.0):
        return float(upper if share else lower)
    real = parameter.domain.to_real(np.array([lower, upper]))
    return float(parameter.domain.from_real((1.0 - share) * real[0] + share * real[1]))
