"""How far the distribution of the estimates is from normal."""

from __future__ import annotations

import numpy as np
from scipy import special

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.influence import Estimate, mcse
from simstudy.analysis.sample import Sample
from simstudy.parameters import Array


def skewness(sample: Sample) -> dict[str, Estimate]:
    """γ = E z³ of the standardised z = (θ̂ − θ̄)/S; ψ = z³ − γ − 3z − (3/2)γ(z² − 1), limit 0."""
    z = _standardised(sample)
    square = z * z
    cube = square * z
    value = cube.mean(axis=-1)
    psi = cube - value[:, None] - 3.0 * z - 1.5 * value[:, None] * (square - 1.0)
    return {"raw": Estimate(value, mcse(psi))}


def kurtosis(sample: Sample) -> dict[str, Estimate]:
    """κ = E z⁴ of the standardised z = (θ̂ − θ̄)/S; ψ = z⁴ − κ − 4γz − 2κ(z² − 1), limit 3.

    The MCSE rests on the eighth moment and understates where tails are heavy and replicates few: gamma-like
    estimates of kurtosis 9 need more than 10⁴ of them, normal ones some hundreds.
    """
    z = _standardised(sample)
    square = z * z
    fourth = square * square
    value, skew = fourth.mean(axis=-1), (square * z).mean(axis=-1)
    psi = fourth - value[:, None] - 4.0 * skew[:, None] * z - 2.0 * value[:, None] * (square - 1.0)
    return {"raw": Estimate(value, mcse(psi))}


def _standardised(sample: Sample) -> Array:
    """Return z of mean square 1 (divisor R), (p, R); NaN where θ̂ does not vary."""
    centred = influence.centre(sample.error)[1]
    return np.asarray(centred / np.sqrt(np.square(centred).mean(axis=-1, keepdims=True)))


def normal_distance(cell: Cell) -> dict[str, Estimate]:
    """Kolmogorov distance of √n(θ̂ⱼ − θ*ⱼ)/√Σⱼⱼ to N(0, 1); limit 0.

    The distance of R draws is biased upwards by noise, to about 0.87/√R where it is truly 0. So the replicates
    are halved by parity: the point x and the sign s of the greatest distance in one half read the other,
    s(F̂(x) − Φ(x)), and the value is the mean of the two readings. Each is unbiased for the distance at its x: on
    average a little below the greatest one, and below 0 now and then where that is small.

    The MCSE is that of a single reading, √(2F(1−F)/R) with F = F̂(x) (but never zero: `influence.wilson`). It is a
    bound, for how far the two readings depend on each other is not known; the true error is some 0.75 to 0.95 of it.
    """
    variance = np.where(cell.asymptotically_normal, np.diagonal(cell.limits.covariance), np.nan)
    z = cell.scaled_error / np.sqrt(variance)[:, None]
    found = np.array([_cross_fitted(np.sort(row[::2]), np.sort(row[1::2])) for row in z])
    return {"raw": Estimate(found[:, 0], found[:, 1])}


def _cross_fitted(first: Array, second: Array) -> tuple[float, float]:
    """Return the mean of the two readings and the root of the mean of their squared errors."""
    readings = np.array([_read(first, second), _read(second, first)])
    return float(readings[:, 0].mean()), float(np.sqrt(np.square(readings[:, 1]).mean()))


def _read(located: Array, read: Array) -> tuple[float, float]:
    """Return the signed distance of sorted draws where other sorted draws have their greatest, and its error.

    The empirical distribution function jumps: it is farthest above Φ at a draw, farthest below just before one.
    """
    if np.isnan(located[-1]) or np.isnan(read[-1]):
        return np.nan, np.nan
    steps, normal = np.arange(len(located) + 1) / len(located), special.ndtr(located)
    above, below = steps[1:] - normal, normal - steps[:-1]
    over, under = int(np.argmax(above)), int(np.argmax(below))
    highest = above[over] >= below[under]
    point = over if highest else under
    share = np.searchsorted(read, located[point], side="right" if highest else "left") / len(read)
    distance = share - normal[point]
    return float(distance if highest else -distance), float(influence.wilson(share * (1.0 - share), len(read)))
