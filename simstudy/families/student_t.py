"""Student's t family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import final

import numpy as np

from simstudy.families.base import Family
from simstudy.families.likelihood import Solution
from simstudy.families.location_scale import quartiles
from simstudy.families.sample_space import REAL_LINE
from simstudy.families.student_likelihood import HALF_LOG_2PI, StudentLikelihood, finite_df, log_gap
from simstudy.families.student_search import search
from simstudy.numerics.half_steps import digamma_step, log_gamma_step, trigamma_step, trigamma_step_rest
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

_START_DF = 4.0
_QUARTILE = 0.74  # of the t distribution with 4 degrees of freedom
_FARTHEST = 1e100
_SERIES_FROM = 32.0


@final
class StudentT(Family):
    """log p = log Γ((ν+1)/2) − log Γ(ν/2) − ½ log πν − log σ − ½(ν+1) log(1 + z²/ν), z = (x − μ)/σ.

    I(μ, σ, ν): (ν+1)/((ν+3)σ²) for μ, which is orthogonal to the others; 2ν/((ν+3)σ²), −2/((ν+1)(ν+3)σ) and
    ¼[ψ′(ν/2) − ψ′((ν+1)/2) − 2(ν+5)/(ν(ν+1)(ν+3))] for σ and ν.

    As ν → 0 and σ → 0 with μ at an observation, the likelihood grows without bound, whatever the data (Fernández &
    Steel 1999); the estimate is its highest local maximum. It is that of the normal, ν = ∞, on the boundary, where that
    is higher, as it mostly is where the sample kurtosis is below 3.
    """

    name = "student_t"
    formula = "log p(x) = log Γ((df+1)/2) − log Γ(df/2) − ½ log(π·df) − log scale − ½(df+1) log(1 + z²/df)"
    parameters = (
        Parameter("loc", REAL, (-5.0, 5.0)),
        Parameter("scale", POSITIVE, (0.2, 5.0)),
        Parameter("df", POSITIVE, (1.0, 20.0)),
    )
    sample_space = REAL_LINE

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return the log-density; in the far tails log(1 + a) = log a."""
        df = finite_df(theta[2])
        root = np.abs(x - theta[0]) / (theta[1] * np.sqrt(df))
        near = np.minimum(root, _FARTHEST)
        log = np.where(root <= _FARTHEST, np.log1p(near * near), 2.0 * np.log(np.maximum(root, 1.0)))
        return np.asarray(log_gamma_step(0.5 * df) - HALF_LOG_2PI - np.log(theta[1]) - 0.5 * (df + 1.0) * log)

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (wz/σ, (wz² − 1)/σ, ½[c(ν) − log(1 + a) + b + b/ν]), wz = (1 + 1/ν)zq, wz² = (ν + 1)b."""
        a, b, zq, df = _parts(x, theta)
        slope = 0.5 * (digamma_step(0.5 * df) - log_gap(np.log1p(a), b, df) + b / df)
        return (1.0 + 1.0 / df) * zq / theta[1], ((df + 1.0) * b - 1.0) / theta[1], slope

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return the second derivatives in terms of b, q = 1 − b and zq."""
        a, b, zq, df = _parts(x, theta)
        q, inverse, count = 1.0 / (1.0 + a), 1.0 / df, df + 1.0
        more, bq, square = 1.0 + inverse, b * q, np.square(np.asarray(theta[1]))
        return (
            -more * q * (1.0 - 2.0 * b) / square,
            -2.0 * more * zq * q / square,
            inverse * zq * (b - inverse * q) / theta[1],
            (1.0 - count * (b + 2.0 * bq)) / square,
            (b * b - inverse * bq) / theta[1],
            0.5 * (0.5 * trigamma_step(0.5 * df) + inverse * (b * b - inverse * (b + bq))),
        )

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return the closed form."""
        scale, df = np.asarray(theta[1], dtype=float), finite_df(theta[2])
        square = scale * scale
        return [
            (df + 1.0) / ((df + 3.0) * square),
            0.0,
            0.0,
            2.0 * df / ((df + 3.0) * square),
            -2.0 / ((df + 1.0) * (df + 3.0) * scale),
            _information_df(df),
        ]

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw √(ν expm1(2E/ν)) cos 2πU of an exponential E and a uniform U; twice as fast as normal over root gamma.

        Source: Bailey (1994), Mathematics of Computation 62, 779-781, whose polar method has log U for −E.
        """
        radius = rng.standard_exponential(size)
        radius *= 2.0 / theta[2]
        np.expm1(radius, out=radius)
        radius *= theta[2]
        np.sqrt(radius, out=radius)
        angle = rng.random(size)
        angle *= 2.0 * math.pi
        radius *= np.cos(angle, out=angle)
        radius *= theta[1]
        radius += theta[0]
        return radius

    def start(self, x: Array) -> Columns:
        """Return the median, a scale from the quartiles and 4 degrees of freedom."""
        return self.starts(self.likelihood(x), {})[0]

    def starts(self, likelihood: StudentLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the median, a scale from the quartiles and 4 degrees of freedom."""
        start = likelihood.origin, likelihood.unit, np.full(likelihood.rows, _START_DF)
        return ([known.get(i, column) for i, column in enumerate(start)],)

    def likelihood(self, x: Array) -> StudentLikelihood:
        """Order the data and take them relative to their median."""
        ordered = np.sort(np.asarray(x, dtype=float), axis=-1)
        origin, half_range = quartiles(ordered)
        unit = np.where(half_range > 0.0, half_range / _QUARTILE, np.where(np.isnan(half_range), np.nan, 1.0))
        return StudentLikelihood(ordered - origin[:, np.newaxis], origin, unit)

    def solve(self, likelihood: StudentLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the highest local maximum, or the normal limit where that is higher."""
        return search(likelihood, known)


def _parts(x: Array, theta: Columns) -> tuple[Array, Array, Array, Array]:
    """Return a = z²/ν, b = a/(1 + a), z/(1 + a) and ν; a is kept finite."""
    df = finite_df(theta[2])
    z = np.clip((x - theta[0]) / theta[1], -_FARTHEST, _FARTHEST)
    a = z * z / df
    inverse = 1.0 / (1.0 + a)
    return a, a * inverse, z * inverse, df


def _information_df(df: Array) -> Array:
    """Return I(ν, ν); for large ν its terms 2/ν³ are taken together before they cancel."""
    large = np.maximum(df, _SERIES_FROM)
    far = 2.0 * (7.0 * large + 3.0) / (large**3 * (large + 1.0) * (large + 3.0)) - trigamma_step_rest(0.5 * large)
    near = 2.0 * (3.0 - df) / (df * df * (df + 1.0) * (df + 3.0)) - trigamma_step(0.5 * df)
    return np.asarray(0.25 * np.where(df > _SERIES_FROM, far, near))
