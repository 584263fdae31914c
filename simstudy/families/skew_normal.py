"""The skew-normal family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from scipy import special

from simstudy.families.base import Family
from simstudy.families.likelihood import Solution
from simstudy.families.sample_space import REAL_LINE
from simstudy.families.skew_likelihood import SkewLikelihood, mills, tilted
from simstudy.families.skew_moments import moment_estimates
from simstudy.families.skew_search import search
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

_B = math.sqrt(2.0 / math.pi)
_LOG_B = math.log(_B)
# The least eigenvalue of the correlations of I(θ) is below 1e-10 up to it.
_SINGULAR = 0.0065
# The trapezoidal rule of step h for a Gaussian times ζ, whose poles are 2.8 away from the real line, errs by
# e^(−17.6/h).
_STEP = 0.4
_NODES = _STEP * np.arange(-27, 28)
_WEIGHTS = _STEP * np.exp(-0.5 * np.square(_NODES)) / math.sqrt(2.0 * math.pi)


@final
class SkewNormal(Family):
    """log p = log 2 − log ω + log φ(z) + log Φ(λz), z = (x − ξ)/ω.

    With aₖ = E[zᵏζ(λz)²], ζ = φ/Φ, and b = √(2/π) (Azzalini 1985): I(ξ, ω, λ) has (1 + λ²a₀)/ω²,
    (bλ(1 + 2λ²)/(1 + λ²)^(3/2) + λ²a₁)/ω², (b/(1 + λ²)^(3/2) − λa₁)/ω; (2 + λ²a₂)/ω², −λa₂/ω; a₂. At λ = 0 it is
    singular. The typical range of λ is not symmetric, so that its middle is not there.

    The likelihood may be largest as λ → ±∞, where it tends to that of the half normal with location at the least or
    largest observation: the estimate is then on the boundary.
    """

    name = "skew_normal"
    formula = "log p(x) = log 2 − log scale + log φ(z) + log Φ(shape·z),  z = (x − loc)/scale"
    parameters = (
        Parameter("loc", REAL, (-5.0, 5.0)),
        Parameter("scale", POSITIVE, (0.2, 5.0)),
        Parameter("shape", REAL, (-2.0, 6.0)),
    )
    sample_space = REAL_LINE

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return the log-density."""
        z = (x - theta[0]) / theta[1]
        return np.asarray(_LOG_B - np.log(theta[1]) - 0.5 * z * z + special.log_ndtr(tilted(z, theta[2])))

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return ((z − λζ)/ω, (z(z − λζ) − 1)/ω, zζ)."""
        z = (x - theta[0]) / theta[1]
        ratio, _ = mills(tilted(z, theta[2]))
        lean = z - theta[2] * ratio
        return lean / theta[1], (z * lean - 1.0) / theta[1], z * ratio

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return the second derivatives in terms of t = λz, ζ and κ = −ζ′ = ζ(t + ζ)."""
        z = (x - theta[0]) / theta[1]
        shape, t = theta[2], tilted(z, theta[2])
        ratio, excess = mills(t)
        bend = ratio * excess
        square, mixed = np.square(np.asarray(theta[1])), ratio - t * bend
        return (
            -(1.0 + shape * shape * bend) / square,
            (shape * mixed - 2.0 * z) / square,
            -mixed / theta[1],
            (1.0 - 3.0 * z * z + t * (ratio + mixed)) / square,
            -z * mixed / theta[1],
            -z * z * bend,
        )

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return Azzalini's form, its integrals by a rule that is exact to rounding for every λ."""
        scale, shape = (np.asarray(column, dtype=float) for column in theta[1:])
        one = 1.0 + shape * shape
        a0, a1, a2 = _integrals(shape)
        square, root = scale * scale, _B / one**1.5
        return [
            (1.0 + shape * shape * a0) / square,
            (root * shape * (1.0 + 2.0 * shape * shape) + shape * shape * a1) / square,
            (root - shape * a1) / scale,
            (2.0 + shape * shape * a2) / square,
            -shape * a2 / scale,
            a2,
        ]

    def irregularity(self, theta: Sequence[float]) -> str:
        """Return why there is no usual limit where λ is 0, or so near that I(θ) is singular to rounding."""
        if abs(theta[2]) > _SINGULAR:
            return ""
        return (
            "I(θ) is singular where shape is 0: the scores in loc and shape are proportional there, and the estimates "
            "of all parameters together do not converge at the usual rate"
        )

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw δ|U| + √(1 − δ²)V of two standard normals, δ = λ/√(1 + λ²) (Azzalini 1986)."""
        shape = np.asarray(theta[2], dtype=float)
        root = np.hypot(1.0, shape)
        draws = rng.standard_normal(size)
        np.abs(draws, out=draws)
        draws *= shape / root * theta[1]
        other = rng.standard_normal(size)
        other *= np.asarray(theta[1]) / root
        draws += other
        draws += theta[0]
        return draws

    def start(self, x: Array) -> Columns:
        """Return the estimates by mean, standard deviation and skewness."""
        return self.starts(self.likelihood(x), {})[0]

    def starts(self, likelihood: SkewLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the estimates by mean, standard deviation and skewness."""
        return ([known.get(i, column) for i, column in enumerate(moment_estimates(likelihood))],)

    def likelihood(self, x: Array) -> SkewLikelihood:
        """Take the data relative to their mean."""
        return SkewLikelihood.of(np.asarray(x, dtype=float))

    def solve(self, likelihood: SkewLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the highest maximum, or the half normal where that is higher."""
        return search(likelihood, known)


def _integrals(shape: Array) -> list[Array]:
    """Return aₖ = b(1 + λ²)^(−(k+1)/2) E[uᵏζ(δu)], u standard normal, δ = λ/√(1 + λ²), for k = 0, 1, 2."""
    root = np.hypot(1.0, shape)
    weighted = _WEIGHTS * mills((shape / root)[..., np.newaxis] * _NODES)[0]
    return [_B / root ** (k + 1) * (weighted * _NODES**k).sum(axis=-1) for k in range(3)]
