"""Laws of the density and of the sampler."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from simstudy.contract.finding import Deviation, must, worst
from simstudy.contract.integrate import Quadrature
from simstudy.contract.points import Point, middle_points
from simstudy.contract.precision import score_slack
from simstudy.families.base import Family
from simstudy.parameters import Array

_DRAWS = 250_000
_SCORES = 50_000
# The chance that a right family is found wrong at a point, and the normal quantile of that chance on two sides.
_CHANCE = 1e-9
_QUANTILE = 6.2
# A density that the rule cannot resolve is not judged right. Beside an end where it goes like distance^(b−1), b ≥ 0.5,
# the integral is known to a few tens of √ε.
_RESOLVED = 1e-6


def total_mass(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """∫ p(x; θ) dx = 1."""
    mass, error = Quadrature(family, point.theta).mass
    yield Deviation("integral of the density against 1", abs(mass - 1.0), error)
    yield Deviation("uncertainty of that integral", error, _RESOLVED)


def sampler_space(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """Draws have the size asked for, lie in the sample space, and follow from the generator alone."""
    seed = int(rng.integers(2**32))

    def draw() -> Array:
        return np.asarray(family.sample(np.random.default_rng(seed), point.base, (20, 50)))

    x = draw()
    width = family.sample_space.width
    wanted = (20, 50) if width is None else (20, 50, width)
    yield must(f"size {x.shape} against {wanted}", holds=x.shape == wanted)
    yield must("draws lie in the sample space", holds=bool(family.sample_space.holds_all(x).all()))
    yield must("log-density is finite at draws", holds=bool(np.isfinite(family.log_density(x, point.theta)).all()))
    yield must("equal generators draw equal numbers", holds=bool(np.array_equal(x, draw())))


def sampler_distribution(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """The distribution function of the draws is the integral of the density, also where θ differs between rows."""
    quadrature = Quadrature(family, point.theta)
    draws = family.sample(rng, point.base, (1, _DRAWS))[0]
    yield from _distances("distribution function of draws", draws, quadrature)
    rows = [np.stack(pair)[:, np.newaxis] for pair in zip(middle_points(family)[0].base, point.base, strict=True)]
    draws = family.sample(rng, rows, (2, _DRAWS // 10))[1]
    yield from _distances("distribution function of the second row of draws at two θ", draws, quadrature)


def _distances(detail: str, draws: Array, quadrature: Quadrature) -> Iterator[Deviation]:
    """Measure Kolmogorov's distance; it exceeds ε with a chance of at most 2 exp(−2Nε²) (Massart 1990)."""
    for axis, (take, points, expected) in enumerate(quadrature.distributions()):
        coordinate = np.sort(take(draws))
        found = np.searchsorted(coordinate, points, side="right") / len(draws)
        bound = math.sqrt(math.log(2.0 / _CHANCE) / (2.0 * len(draws)))
        name = f"{detail}, coordinate {axis + 1}" if axis else detail
        yield Deviation(name, float(np.abs(found - expected).max()), bound + quadrature.mass.error)


def sampler_score(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """The mean score of draws is zero: sampler and density have the same θ."""
    draws = family.sample(rng, point.base, (1, _SCORES))
    for name, entry in zip(family.parametrisations[0].names, family.score(draws, point.theta), strict=True):
        score = np.ravel(entry)
        sd = float(score.std())
        tolerance = _QUANTILE * sd / math.sqrt(len(score)) + sd * score_slack(family)
        yield worst(f"mean score in {name} of {len(score)} draws against 0", abs(score.mean()), tolerance)
