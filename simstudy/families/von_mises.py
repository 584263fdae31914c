"""The von Mises family of angles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import constant_rows
from simstudy.families.exponential_family import (
    ExponentialFamily,
    ExponentialLikelihood,
    Statistics,
    Terms,
    centred_products,
)
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import ANGLES
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics import trace
from simstudy.numerics.circular import log_normaliser, resultant
from simstudy.numerics.symmetric import congruence
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

_TOLERANCE = 1e-16
_ITERATIONS = 30
# Resultant length above which angles are taken relative to their mean direction before anything else.
_NARROW = 0.98
# A resultant this short is zero but for the rounding of its sines and cosines.
_NO_DIRECTION = 4.0 * 2.0**-52


@final
class VonMises(ExponentialFamily):
    """log p = κ cos(x−μ) − log(2π I₀(κ)); I(μ, κ) = diag(κA, 1 − A/κ − A²), A = I₁(κ)/I₀(κ).

    Observations are angles in radians: any finite number is taken modulo 2π. Estimates of μ lie in (−π, π].
    """

    name = "von_mises"
    formula = "log p(x) = concentration·cos(x − loc) − log(2π·I₀(concentration))"
    parameters = (Parameter("loc", REAL, (-2.0, 2.0)), Parameter("concentration", POSITIVE, (0.5, 50.0)))
    sample_space = ANGLES
    periods: ClassVar[Mapping[str, float]] = {"loc": 2.0 * math.pi}

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by Best and Fisher's method (the generator's own)."""
        return rng.vonmises(theta[0], theta[1], size)

    def statistics(self, x: Array) -> Statistics:
        """Return T = (cos(x−o) − 1, sin(x−o)) with the mean direction o as origin.

        The moments of wide data are turned by o as a whole; narrow data are turned one by one, so that the digits of
        cos(x−o) − 1 are kept. Constant data are their own mean direction to the last bit.
        """
        x = _reduced(np.asarray(x, dtype=float))
        length, origin, covariance = _wide(x)
        means = [length - 1.0, np.zeros_like(length)]
        constant = constant_rows(x)
        origin = np.where(constant, x[:, 0], origin)
        narrow = (length > _NARROW) | constant
        if narrow.any():
            exact = _moments(x[narrow] - origin[narrow][:, np.newaxis])
            for column, better in zip((*means, *covariance), exact, strict=True):
                column[narrow] = better
        return Statistics((means[0], means[1]), tuple(covariance), 0.0, origin)

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return the terms of T = (cos(x−o) − 1, sin(x−o)), with δ = μ − o.

        η = κ(cos δ, sin δ), A(θ) = log(2π I₀(κ)) − κ cos δ; E[T] and Cov(T) are those of δ = 0, turned by δ.
        """
        kappa = np.asarray(theta[1], dtype=float)
        delta = np.asarray(theta[0], dtype=float) - origin
        cosine, sine, versine = np.cos(delta), np.sin(delta), 2.0 * np.square(np.sin(0.5 * delta))
        moments = resultant(kappa)
        turned = congruence([moments.variance, 0.0, moments.across], ((cosine, sine), (-sine, cosine)))
        x, y = kappa * cosine, kappa * sine
        return Terms(
            natural=(x, y),
            jacobian=((-y, cosine), (x, sine)),
            curvature={(0, 0, 0): -x, (1, 0, 0): -y, (0, 0, 1): -sine, (1, 0, 1): cosine},
            log_partition=log_normaliser(kappa) + kappa * versine,
            mean=(-(moments.gap * cosine + versine), moments.length * sine),
            covariance=turned,
        )

    def centre(self, theta: Columns) -> Array | float:
        """Return μ."""
        return np.asarray(theta[0], dtype=float)

    def start_from(self, statistics: Statistics) -> Columns:
        """Return mean direction and an approximate concentration, at least 10⁻³ and at most 10⁶."""
        length, gap = _resultant_of(statistics)
        rough = _rough_concentration(np.maximum(length, 5e-4), np.maximum(gap, 5e-7))
        return _wrapped(np.asarray(statistics.origin)), rough

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the mean direction as μ̂, and κ̂ from A(κ) = mean cos(x − μ̂).

        Where that mean is not positive the likelihood is largest at κ = 0; where it is 1 it grows with κ for ever. With
        κ known and no mean direction the likelihood of μ is flat.
        """
        data = likelihood.statistics
        length, gap = _resultant_of(data)
        loc = _wrapped(data.origin + np.arctan2(data.mean[1], 1.0 + data.mean[0]))
        if 1 in known:
            flat = length <= _NO_DIRECTION
            return solution((loc, known[1]), likelihood, np.where(flat, Status.NOT_CONCAVE, Status.CONVERGED), 0)
        if 0 in known:
            loc = known[0]
            length, gap = _turned(data, loc - data.origin)
        exists = likelihood.usable & (length > _NO_DIRECTION) & (gap > 0.0)
        kappa, done, iterations = _concentration(length, gap, exists)
        status = np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS)
        status = np.where(gap > 0.0, status, Status.NO_MAXIMUM)
        status = np.where(length > _NO_DIRECTION, status, Status.BOUNDARY)
        return solution((loc, kappa), likelihood, status, iterations)


def _reduced(x: Array) -> Array:
    """Return data with rows that reach beyond ±π turned back into [−π, π]; the tangent reduces to the last bit."""
    far = (x.max(axis=-1) > math.pi) | (x.min(axis=-1) < -math.pi)
    if not far.any():
        return x
    reduced = x.copy()
    reduced[far] = 2.0 * np.arctan(np.tan(0.5 * x[far]))
    return reduced


def _moments(angles: Array) -> tuple[Array, ...]:
    """Return means and covariances of (cos φ − 1, sin φ) of angles (R, n), from t = tan(φ/2), the fastest of all."""
    t = 0.5 * angles
    np.tan(t, out=t)
    sine = t * t
    sine += 1.0
    np.divide(t, sine, out=sine)
    sine *= 2.0
    t *= sine
    np.negative(t, out=t)
    means = t.mean(axis=-1), sine.mean(axis=-1)
    t -= means[0][:, np.newaxis]
    sine -= means[1][:, np.newaxis]
    return *means, *centred_products(t, sine)


def _wide(x: Array) -> tuple[Array, Array, list[Array]]:
    """Return the resultant length, the mean direction o, and the covariances of cos(x−o) and sin(x−o)."""
    excess, y, *covariance = _moments(x)
    length, origin = np.hypot(1.0 + excess, y), np.arctan2(y, 1.0 + excess)
    cosine, sine = np.cos(origin), np.sin(origin)
    turned = congruence(covariance, ((cosine, -sine), (sine, cosine)))
    return length, origin, [np.asarray(entry) for entry in turned]


def _resultant_of(data: Statistics) -> tuple[Array, Array]:
    """Return R̄ and 1 − R̄ = (1 − R̄²)/(1 + R̄)."""
    excess, y = data.mean
    length = np.hypot(1.0 + excess, y)
    return length, np.maximum(-excess * (2.0 + excess) - y * y, 0.0) / (1.0 + length)


def _turned(data: Statistics, delta: Array) -> tuple[Array, Array]:
    """Return the mean of cos(x − o − δ), and one minus it."""
    excess, y = data.mean
    cosine, sine = np.cos(delta), np.sin(delta)
    gap = 2.0 * np.square(np.sin(0.5 * delta)) - cosine * excess - sine * y
    return cosine * (1.0 + excess) + sine * y, np.asarray(gap)


def _wrapped(angle: Array) -> Array:
    """Return an angle in (−π, π]."""
    turns = np.ceil((angle - math.pi) / (2.0 * math.pi))
    wrapped = angle - 2.0 * math.pi * turns
    return np.asarray(np.where(wrapped <= -math.pi, math.pi, wrapped))


def _rough_concentration(length: Array, gap: Array) -> Array:
    """Return R̄(2 − R̄²)/(1 − R̄²), right to a few hundredths at either end (Banerjee et al. 2005, eq. 4.4)."""
    return np.asarray(length * (2.0 - length * length) / (gap * (2.0 - gap)))


def _concentration(
    length: Array, gap: Array, exists: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.bool_], NDArray[np.int16]]:
    """Solve A(κ) = R̄ by Newton's method; stops on the decrement of the log-likelihood before the last step.

    What is solved is A = R̄ where R̄ is the smaller of R̄ and 1 − R̄, else 1 − A = 1 − R̄. Returns 0 where there is none.
    """
    kappa = np.where(exists, _rough_concentration(length, np.where(exists, gap, 1.0)), 0.0)
    iterations, left = np.zeros(len(gap), dtype=np.int16), np.flatnonzero(exists)
    watched = trace.begin("Newton on the profile")
    for _ in range(_ITERATIONS):
        if not len(left):
            break
        now = kappa[left]
        at = resultant(now)
        slope = np.where(length[left] < 0.5, length[left] - at.length, at.gap - gap[left])
        if watched:
            named, cut = {"concentration": now}, {"step shortened": slope < -0.9 * now * at.variance}
            watched.note(left, named, decrement=slope * slope / at.variance, safeguard=cut)
        kappa[left] = now + np.maximum(slope / at.variance, -0.9 * now)
        iterations[left] += 1
        left = left[slope * slope > _TOLERANCE * at.variance]
    done = np.ones(len(gap), dtype=bool)
    done[left] = False
    return kappa, done, iterations
