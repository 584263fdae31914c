"""How far the distribution of the estimates is from normal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.distance import cross_fitted
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate, Variance
from simstudy.analysis.reductions import Moment, Moments
from simstudy.analysis.sample import Sample, SamplePart, errors
from simstudy.analysis.streaming import Shared, Steps
from simstudy.parameters import Array


@Shared
def _moments(sample: Sample) -> Steps[tuple[Callable[[SamplePart], Array], Array, Array]]:
    """Return z of a part, and the means of z³ and z⁴."""
    spread: Variance = yield influence.variance(errors)
    centre, scale = spread.mean[:, None], np.sqrt(spread.centre)[:, None]

    def z(part: SamplePart) -> Array:
        """(θ̂ − θ̄)/S of mean square 1 (divisor R), (p, m); NaN where θ̂ does not vary."""
        return np.asarray((part.error - centre) / scale)

    def powers(part: SamplePart) -> Array:
        square = np.square(part.derived(z))
        return np.concatenate([square * part.derived(z), square * square])

    found: Moment = yield Moments(powers)
    cube, fourth = np.split(found.centre, 2)
    return z, cube, fourth


@Shared
def skewness(sample: Sample) -> Steps[dict[str, Estimate]]:
    """γ = E z³ of the standardised z = (θ̂ − θ̄)/S; ψ = z³ − γ − 3z − (3/2)γ(z² − 1), limit 0."""
    z, value, _ = yield _moments
    skew = value[:, None]

    def psi(part: SamplePart) -> Array:
        square = np.square(part.derived(z))
        return np.asarray(square * part.derived(z) - skew - 3.0 * part.derived(z) - 1.5 * skew * (square - 1.0))

    return {"raw": Estimate(value, (yield influence.mcse(psi)))}


@Shared
def kurtosis(sample: Sample) -> Steps[dict[str, Estimate]]:
    """κ = E z⁴ of the standardised z = (θ̂ − θ̄)/S; ψ = z⁴ − κ − 4γz − 2κ(z² − 1), limit 3.

    The MCSE rests on the eighth moment and understates where tails are heavy and replicates few: gamma-like
    estimates of kurtosis 9 need more than 10⁴ of them, normal ones some hundreds.
    """
    z, cube, value = yield _moments
    skew, fourth = cube[:, None], value[:, None]

    def psi(part: SamplePart) -> Array:
        square = np.square(part.derived(z))
        return np.asarray(square * square - fourth - 4.0 * skew * part.derived(z) - 2.0 * fourth * (square - 1.0))

    return {"raw": Estimate(value, (yield influence.mcse(psi)))}


@Shared
def normal_distance(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Kolmogorov distance of √n(θ̂ⱼ − θ*ⱼ)/√Σⱼⱼ to N(0, 1); limit 0.

    The distance of R draws is biased upwards by noise, to about 0.87/√R where it is truly 0. So the replicates
    are halved by parity: the point x and the sign s of the greatest distance in one half read the other,
    s(F̂(x) − Φ(x)), and the value is the mean of the two readings. Each is unbiased for the distance at its x: on
    average a little below the greatest one, and below 0 now and then where that is small.

    The MCSE is that of a single reading, √(2F(1−F)/R) with F = F̂(x) (but never zero: `influence.wilson`). It is a
    bound, for how far the two readings depend on each other is not known; the true error is some 0.75 to 0.95 of it.
    """
    variance = np.where(cell.asymptotically_normal, np.diagonal(cell.limits.covariance), np.nan)
    scale = np.sqrt(variance)

    def half(j: int, odd: int) -> Callable[[Cell], Array]:
        return lambda part: part.scaled_error[j, (part.first + odd) % 2 :: 2] / scale[j]

    found = yield tuple(cross_fitted(half(j, 0), half(j, 1)) for j in range(cell.size))
    return {"raw": Estimate(*np.array(found).T)}
