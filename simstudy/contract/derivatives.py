"""Laws of the score and the Hessian of one observation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simstudy.contract.finding import Deviation, worst
from simstudy.contract.points import Point
from simstudy.contract.precision import EPS, hessian_slack, score_slack
from simstudy.contract.stencil import Derivative, curvature, gradient
from simstudy.families.base import Family
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array, Domain

_DRAWS = 101
# A closed form rounds in its terms, which may be this many times the typical score.
_TERMS = 100.0
# A stencil makes sense where the log-density is smooth. Its first step changes no log-density by more than one, which
# a break this many interquartile ranges away is out of reach of after a few shorter ones.
_AWAY = 0.05


def score(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """The score is the gradient of the log-density."""
    x = _draws(family, point, rng)
    found = family.score(x, point.theta)
    for name, entry, (value, error) in zip(_names(family), found, _slopes(family, point, x), strict=True):
        typical = np.median(np.abs(value)) + np.abs(value)
        slack = (score_slack(family) + _TERMS * EPS) * typical
        yield worst(f"score in {name} against a stencil", np.abs(entry - value), error + slack)


def hessian(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """The Hessian is the second derivative of the log-density."""
    x, names = _draws(family, point, rng), _names(family)
    typical = [np.median(np.abs(value)) + np.abs(value) for value, _ in _slopes(family, point, x)]
    expected = curvature(lambda theta: family.log_density(x, theta), point.base, _domains(family))
    found = family.hessian(x, point.theta)
    for (i, j), entry, (value, error) in zip(pairs(len(names)), found, expected, strict=True):
        slack = (hessian_slack(family) + _TERMS * EPS) * (typical[i] * typical[j] + np.abs(value))
        yield worst(f"Hessian in {names[i]}, {names[j]} against a stencil", np.abs(entry - value), error + slack)


def elementwise(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """Log-density, score and Hessian of an observation depend on it and θ alone, in whatever shape they come."""
    x = family.sample(rng, point.base, (3, 7))
    rows = [np.full((3, 1), value) for value in point.base]
    full = [np.full((3, 7), value) for value in point.base]
    single = family.log_density(x[1:2, 4:5], point.theta)
    for shape, theta in (("numbers", point.base), ("a column", rows), ("an array", full)):
        value = np.broadcast_to(family.log_density(x, theta), x.shape[:2])
        yield worst(f"log-density, θ as {shape}", np.abs(value[1, 4] - single), _TERMS * EPS * (1.0 + np.abs(single)))
        for entries, what in ((family.score(x, theta), "score"), (family.hessian(x, theta), "Hessian")):
            shapes = {np.broadcast_shapes(np.shape(entry), x.shape[:2]) for entry in entries}
            yield Deviation(f"{what}, θ as {shape}: shape of the data", float(shapes != {x.shape[:2]}), 0.0)


def _draws(family: Family, point: Point, rng: np.random.Generator) -> Array:
    """Return a data set without the observations near a break, where the log-density has no derivatives."""
    x = family.sample(rng, point.base, (1, _DRAWS))
    smooth = np.ones(x.shape[1], dtype=bool)
    for at in family.breaks(point.base):
        smooth &= np.abs(x[0] - at) > _AWAY * np.subtract(*np.quantile(x, (0.75, 0.25)))
    return np.ascontiguousarray(x[:, smooth])


def _slopes(family: Family, point: Point, x: Array) -> list[Derivative]:
    return gradient(lambda theta: family.log_density(x, theta), point.base, _domains(family))


def _names(family: Family) -> list[str]:
    return [parameter.name for parameter in family.parameters]


def _domains(family: Family) -> list[Domain]:
    return [parameter.domain for parameter in family.parameters]
