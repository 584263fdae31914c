"""What an interval bounds, as a signed root that is nearly linear in the parameter: 0 at the estimate, z at an end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from simstudy.inference.likelihood import Likelihood, expected_information
from simstudy.inference.profile import Profile, last_pivot
from simstudy.inference.unconstrained import Point
from simstudy.parameters import Array

# As a share of the standard error: the step of the difference quotient that says how the expected information changes.
_STEP = 1e-4
# A deviance below this share of a unit is down to rounding: the point is the estimate.
_LEAST_DEVIANCE = 1e-12


class Reading(NamedTuple):
    """The signed root t at a point of the profile, and its derivatives in the outward direction, (R,) each."""

    root: Array
    slope: Array
    bend: Array


class Criterion(Protocol):
    """How a signed root is read off the profile.

    Attributes
    ----------
    tolerance
        Distance from z at which one more step is exact to rounding.
    settled
        Greatest n·gain of the nuisance coordinates at which it is.
    """

    tolerance: float
    settled: float

    def read(
        self, likelihood: Likelihood, point: Point, at: Profile, highest: Array, places: Sequence[int], side: float
    ) -> Reading:
        """Return the signed root and its derivatives.

        Parameters
        ----------
        point, at
            Where, and the profile there.
        highest
            Mean log-likelihood at the estimate.
        places
            Places of the nuisance coordinates, then of the followed one.
        side
            1 above the estimate, −1 below it.
        """
        ...


class LikelihoodRatio:
    """t = √(2n(ℓ(θ̂) − ℓₚ)), where ℓₚ is the profile of the mean log-likelihood.

    With t² the deviance, t t′ = −n·score and t′² + t t″ = n·curvature of the profile.
    """

    tolerance = 1e-5
    settled = 1e-9

    def read(
        self, likelihood: Likelihood, point: Point, at: Profile, highest: Array, places: Sequence[int], side: float
    ) -> Reading:
        """Return the root of the deviance, the nuisance coordinates corrected to second order."""
        n = likelihood.reduced.size
        deviance = n * (2.0 * (highest - point.value) - at.gain)
        here = deviance <= _LEAST_DEVIANCE
        root = np.sqrt(np.where(here, 1.0, deviance))
        slope = np.where(here, np.sqrt(n * at.curvature), -side * n * at.score / root)
        bend = np.where(here, 0.0, (n * at.curvature - slope * slope) / root)
        return Reading(np.where(here, 0.0, root), slope, bend)


class Score:
    """t = ∓√n·sₚ·√(I⁻¹ⱼⱼ), with sₚ the score of the profile and I the expected information at its point.

    (I⁻¹)ⱼⱼ is the last entry of the inverse; how it changes along the profile is a difference quotient, so that its
    expected information needs no derivative.
    """

    tolerance = 1e-7
    settled = 1e-13

    def read(
        self, likelihood: Likelihood, point: Point, at: Profile, highest: Array, places: Sequence[int], side: float
    ) -> Reading:
        """Return the root of the score statistic at the corrected nuisance coordinates."""
        n, place = likelihood.reduced.size, places[-1]
        still = np.zeros_like(point.value)
        move = side * _STEP / np.sqrt(n * np.abs(at.curvature))
        here = _moved(point, places, at.step(still))
        there = _moved(Point(here, *point[1:]), places, at.tangent(move))
        log_here, log_there = (np.log(_information(likelihood, real, places, place)) for real in (here, there))
        scale = np.sqrt(n * np.exp(-log_here))
        root = -side * scale * at.score
        slope = scale * at.curvature - 0.5 * root * side * (log_there - log_here) / move
        return Reading(root, slope, np.zeros_like(root))


def _moved(point: Point, places: Sequence[int], steps: Sequence[Array]) -> list[Array]:
    real = list(point.real)
    for place, step in zip(places, steps, strict=True):
        real[place] = real[place] + step
    return real


def _information(likelihood: Likelihood, real: Sequence[Array], places: Sequence[int], place: int) -> Array:
    """Return 1/(I⁻¹)ⱼⱼ in the unconstrained coordinate j followed."""
    theta = [domain.from_real(u) for domain, u in zip(likelihood.domains, real, strict=True)]
    kept = [likelihood.kept[i] for i in places]
    packed = expected_information(likelihood.family, likelihood.parametrisation, likelihood.full(theta), kept)
    slope, _ = likelihood.domains[place].derivatives(theta[place])
    return last_pivot(packed) * slope * slope


CRITERIA: dict[str, Criterion] = {"score": Score(), "likelihood-ratio": LikelihoodRatio()}
"""The criterion of every method that needs the data, by the name of the method."""
