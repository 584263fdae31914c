"""Means within ten groups of replicates, cut by the variance that each data set claims for its estimate.

Replicates are sorted by v and cut into groups of equal size. The mean of h in the group between the quantiles a and b
of v, of share α, has the influence

    αψ = h within the group, m(a) below it, m(b) above it, centred,   m(v) = E[h | v]:

the ends of the group move with the sample, which matters wherever h depends on v (for v itself it is most of the
error: ψ is then the Winsorised v). m at an end is the mean of h over the nearer halves of the two groups that meet.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from simstudy.analysis.influence import Estimate, proportion
from simstudy.parameters import Array

GROUPS = 10
LEAST = 50
"""Replicates that a group must hold."""
NAMES = tuple(f"decile-{group + 1:02d}" for group in range(GROUPS))
_NEAR = 6
"""The share of a group on either side of an end over which m is the mean of h is one in so many."""
_CONSTANT = 1e-10
"""Relative range of v below which it varies by rounding alone."""


def grouped(error: Array, observed: Array, expected: Array, quantile: float) -> dict[str, Estimate]:
    """Return the means within deciles of v = ``observed`` (p, m), one row per parameter and one column per decile.

    Parameters
    ----------
    error, observed, expected : (p, m)
        θ̂ − θ*, and the variances of θ̂ by J and by I(θ̂).
    quantile
        Standard normal quantile of the Wald intervals.

    Returns
    -------
    dict of Estimate
        ``mse`` (of the squared error), ``variance`` (of v), and ``wald-observed`` and ``wald-expected`` (coverage),
        (p, 10) each. NaN for a parameter whose v does not vary.
    """
    rows = [_of_parameter(*parts, quantile) for parts in zip(error, observed, expected, strict=True)]
    return {
        name: Estimate(np.stack([row[name].value for row in rows]), np.stack([row[name].mcse for row in rows]))
        for name in rows[0]
    }


def _of_parameter(error: Array, observed: Array, expected: Array, quantile: float) -> dict[str, Estimate]:
    if len(error) < LEAST * GROUPS or not varies(observed):
        nothing = Estimate(np.full(GROUPS, np.nan), np.full(GROUPS, np.nan))
        return dict.fromkeys(("mse", "variance", "wald-observed", "wald-expected"), nothing)
    # stable, so that ties fall in the order of the replicates on every platform
    order = np.argsort(observed, kind="stable")
    error, observed, expected = error[order], observed[order], expected[order]
    return {
        "mse": means(np.square(error)),
        "variance": means(observed),
        "wald-observed": _coverage(error, observed, quantile),
        "wald-expected": _coverage(error, expected, quantile),
    }


def varies(variance: Array) -> bool:
    """Tell whether variances (m,) differ by more than rounding; those that are not all numbers do not."""
    return bool(np.ptp(variance) > _CONSTANT * variance.max())


def _coverage(error: Array, variance: Array, quantile: float) -> Estimate:
    width = quantile * np.sqrt(variance)
    hits = np.where(np.isnan(width + error), np.nan, np.abs(error) <= width)
    found = means(hits)
    least = [proportion(hits[None, low:high]).mcse[0] for low, high in pairwise(_ends(len(hits)))]
    return Estimate(found.value, np.maximum(found.mcse, least))


def means(values: Array) -> Estimate:
    """Return the means (10,) within the groups of values (m,) that are sorted by v."""
    total = len(values)
    ends = _ends(total)
    average, spread = _moments(values, ends[:-1], ends[1:])
    reach = max(total // (_NEAR * GROUPS), 1)
    at_ends, around = _moments(values, ends[1:-1] - reach, ends[1:-1] + reach)
    low, high = np.append(0.0, at_ends), np.append(at_ends, 0.0)
    below, within, above = ends[:-1] / total, np.diff(ends) / total, 1.0 - ends[1:] / total
    centre = below * low + within * average + above * high
    square = below * (low - centre) ** 2 + within * (spread + (average - centre) ** 2) + above * (high - centre) ** 2
    noise = around / (2 * reach)
    square -= below * (1.0 - below) * np.append(0.0, noise) + above * (1.0 - above) * np.append(noise, 0.0)
    return Estimate(average, np.sqrt(np.maximum(square, within * spread) / (total - 1)) / within)


def _ends(total: int) -> np.ndarray:
    """Return the ranks (11,) at which ten groups of equal size, to one, begin and end."""
    return np.arange(GROUPS + 1) * total // GROUPS


def _moments(values: Array, first: np.ndarray, last: np.ndarray) -> tuple[Array, Array]:
    """Return mean and variance of each run of values from a first to before a last."""
    runs = [values[low:high] for low, high in zip(first, last, strict=True)]
    return np.array([run.mean() for run in runs]), np.array([run.var() for run in runs])
