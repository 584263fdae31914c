"""The bivariate normal family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import final

import numpy as np

from simstudy.families.likelihood import Solution
from simstudy.families.moments import Moments, along
from simstudy.families.solution import closed_form
from simstudy.families.vectors import GaussianVectors, VectorLikelihood, estimate, minimum_size, real_vectors
from simstudy.numerics.symmetric import Entry, congruence, pairs, pull_back
from simstudy.parameters import CORRELATION, POSITIVE, REAL, Array, Columns, Parameter

_LOG_TWO_PI = math.log(2.0 * math.pi)
_STARTS = (0.8, -0.8)


def _rest(r: Array) -> Array:
    """Return c = √(1 − ρ²)."""
    return np.asarray(np.sqrt((1.0 - r) * (1.0 + r)))


def _jacobian(theta: Columns) -> tuple[tuple[Entry, ...], ...]:
    """Return what carries p, q, p² − 1, pq, q² − 1 to the score."""
    _, _, s, t, r = theta
    c = _rest(r)
    return (
        (1.0 / s, 0.0, 0.0, 0.0, 0.0),
        (-r / (c * s), 1.0 / (c * t), 0.0, 0.0, 0.0),
        (0.0, 0.0, 1.0 / s, 0.0, 0.0),
        (0.0, 0.0, -r / (c * s), r / (c * t), 1.0 / c),
        (0.0, 0.0, 0.0, 1.0 / t, -r / (c * c)),
    )


def _deviations(theta: Columns, y: Array, scatter: Array | None) -> list[Array]:
    """Return the means of p, q, p² − 1, pq, q² − 1."""
    _, _, s, t, r = theta
    c = _rest(r)
    p, q = y[0] / s, (y[1] / t - r * y[0] / s) / c
    if scatter is None:
        return [p, q, p * p - 1.0, p * q, q * q - 1.0]
    a, ab, b = scatter[0] / (s * s), scatter[1] / (s * t), scatter[2] / (t * t)
    slope = ab - r * a
    return [p, q, a - 1.0 + p * p, slope / c + p * q, (b - r * ab - r * slope) / (c * c) - 1.0 + q * q]


@final
class BivariateNormal(GaussianVectors):
    """log p = −log 2π − log σ₁ − log σ₂ − ½ log(1 − ρ²) − (u² − 2ρuv + v²)/(2(1 − ρ²)), u = (x₁ − μ₁)/σ₁ and v alike.

    In terms of the independent standard normal p = u and q = (v − ρu)/c, c = √(1 − ρ²), the score is (p − ρq/c)/σ₁,
    q/(cσ₂), (p² − 1 − ρpq/c)/σ₁, (q² − 1 + ρpq/c)/σ₂ and pq/c − ρ(q² − 1)/c².

    With k = 1/(1 − ρ²): I(μ) = k[[1/σ₁², −ρ/(σ₁σ₂)], [·, 1/σ₂²]] and
    I(σ₁, σ₂, ρ) = k[[(2 − ρ²)/σ₁², −ρ²/(σ₁σ₂), −ρ/σ₁], [·, (2 − ρ²)/σ₂², −ρ/σ₂], [·, ·, k(1 + ρ²)]].
    """

    name = "bivariate_normal"
    formula = (
        "log p(x) = −log(2π) − log sd1 − log sd2 − ½ log(1 − correlation²) − (u² − 2 correlation·u·v + v²)/"
        "(2(1 − correlation²)), u = (x1 − mean1)/sd1, v = (x2 − mean2)/sd2"
    )
    parameters = (
        Parameter("mean1", REAL, (-5.0, 5.0)),
        Parameter("mean2", REAL, (-5.0, 5.0)),
        Parameter("sd1", POSITIVE, (0.2, 5.0)),
        Parameter("sd2", POSITIVE, (0.2, 5.0)),
        Parameter("correlation", CORRELATION, (-0.9, 0.9)),
    )
    sample_space = real_vectors(2)
    width = 2

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw x₁ = μ₁ + σ₁z₁ and x₂ = μ₂ + σ₂(ρz₁ + √(1 − ρ²)z₂) from standard normal z."""
        draws = rng.standard_normal((2, *size))
        draws[1] *= np.sqrt((1.0 - theta[4]) * (1.0 + theta[4]))
        draws[1] += theta[4] * draws[0]
        for one, mean, sd in zip(draws, theta[:2], theta[2:4], strict=True):
            one *= sd
            one += mean
        return np.moveaxis(draws, 0, -1)

    def mean_value(self, theta: Columns, y: Array, scatter: Array | None) -> Array:
        """Return the mean log-likelihood, with p² + q² in place of (u² − 2ρuv + v²)/(1 − ρ²)."""
        _, _, s, t, r = theta
        _, _, p_square, _, q_square = _deviations(theta, y, scatter)
        return np.asarray(-_LOG_TWO_PI - 1.0 - np.log(s) - np.log(t) - np.log(_rest(r)) - 0.5 * (p_square + q_square))

    def mean_score(self, theta: Columns, y: Array, scatter: Array | None) -> list[Entry]:
        """Return the mean score, linear in the deviations of p, q, p², pq and q² from their expectations."""
        return pull_back(_deviations(theta, y, scatter), _jacobian(theta))

    def mean_information(self, theta: Columns, y: Array, scatter: Array | None) -> list[Entry]:
        """Return I(θ) and what the deviations of p, q, p², pq and q² from their expectations add to it."""
        _, _, s, t, r = theta
        c = _rest(r)
        p, q, pp, pq, qq = _deviations(theta, y, scatter)
        a, h, k = r * pq / c, r / (c * c), 1.0 / (c * c)
        v, bend = r * p + c * q, (1.0 + r * r) / (c * c * c)
        added: tuple[Entry, ...] = (
            0.0, 0.0, (p + k * p - r * q / c) / (s * s), -h * v / (s * t), (bend * q - h * p) / s,
            0.0, -h * p / (s * t), (2.0 * q / c + h * p) / (t * t), (k * p - 2.0 * h * q / c) / t,
            ((2.0 + k) * pp - 2.0 * a) / (s * s), -(r * h * pp + a) / (s * t), (bend * pq - h * pp) / s,
            (3.0 * qq + 4.0 * a + r * h * pp) / (t * t), (h * (pp - 2.0 * qq) - (3.0 * r * r - 1.0) * k * pq / c) / t,
            k * (pp - 4.0 * a + (1.0 + 3.0 * r * r) * k * qq),
        )  # fmt: skip
        return [one + other for one, other in zip(self.expected_information(theta), added, strict=True)]

    def mean_products(self, theta: Columns, y: Array, moments: Moments) -> list[Entry]:
        """Return the mean score products from the covariances of p, q, p², pq and q²."""
        _, _, s, t, r = theta
        c = _rest(r)
        entries = np.broadcast_arrays(1.0 / s, np.zeros(1), -r / (c * s), 1.0 / (c * t))
        matrix = np.stack(entries).reshape(2, 2, -1)
        w = _deviations(theta, y, moments.scatter)
        single, mixed, double = moments.spread(along(matrix, moments.mixing), np.stack(np.broadcast_arrays(*w[:2])))
        covariance = [single[0], single[1], *mixed[0], single[2], *mixed[1], *(double[i, j] for i, j in pairs(3))]
        second = [entry + w[i] * w[j] for entry, (i, j) in zip(covariance, pairs(5), strict=True)]
        return congruence(second, _jacobian(theta))

    def expected_information(self, theta: Columns) -> list[Entry]:
        """Return the closed form."""
        _, _, s, t, r = (np.asarray(column, dtype=float) for column in theta)
        k = 1.0 / ((1.0 - r) * (1.0 + r))
        slope = 0.0 - r * k  # not −0 where ρ is 0
        return [
            k / (s * s), slope / (s * t), 0.0, 0.0, 0.0,
            k / (t * t), 0.0, 0.0, 0.0,
            k * (2.0 - r * r) / (s * s), 0.0 - k * r * r / (s * t), slope / s,
            k * (2.0 - r * r) / (t * t), slope / t,
            k * k * (1.0 + r * r),
        ]  # fmt: skip

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return 3 where all is free."""
        return minimum_size(free, ("mean1", "mean2"), ("sd1", "sd2"))

    def starts(self, likelihood: VectorLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return sample moments about the known means; where an sd is known, the correlation may have two maxima."""
        theta = list(_moments(likelihood, {i: value for i, value in known.items() if i < 2}))
        theta[2:4] = [np.where(sd > 0.0, sd, 1.0) for sd in theta[2:4]]
        theta[4] = np.clip(np.nan_to_num(theta[4]), -0.99, 0.99)
        first = [np.broadcast_to(known.get(i, column), (likelihood.rows,)) for i, column in enumerate(theta)]
        if 4 in known or not {2, 3} & known.keys():
            return (first,)
        return (first, *([*first[:4], np.full(likelihood.rows, start)] for start in _STARTS))

    def solve(self, likelihood: VectorLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return the sample moments with divisor n, about the means that are known."""
        if not known.keys() <= {0, 1}:
            return None
        exists = estimate(likelihood, known).exists & (likelihood.size >= 2 + (len(known) < 2))
        return closed_form(_moments(likelihood, known), likelihood, exists)


def _moments(likelihood: VectorLikelihood, known: Mapping[int, Array]) -> list[Array]:
    mean, (first, both, second), _ = estimate(likelihood, known)
    s, t = np.sqrt(first), np.sqrt(second)
    return [*mean, s, t, both / (s * t)]
