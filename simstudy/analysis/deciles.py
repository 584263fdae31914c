"""Means within ten groups of replicates, cut by the variance that each data set claims for its estimate.

Replicates are sorted by v and cut into groups of equal size. The mean of h in the group between the quantiles a and b
of v, of share α, has the influence

    αψ = h within the group, m(a) below it, m(b) above it, centred,   m(v) = E[h | v]:

the ends of the group move with the sample, which matters wherever h depends on v (for v itself it is most of the
error: ψ is then the Winsorised v). m at an end is the mean of h over the nearer halves of the two groups that meet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np

from simstudy.analysis.influence import Estimate, wilson
from simstudy.analysis.ladder import Ranks
from simstudy.analysis.order_statistics import Statistics, order_statistics
from simstudy.analysis.reductions import Extent, Moment, Range, joined, moment
from simstudy.analysis.streaming import Steps
from simstudy.parameters import Array

Columns = tuple[Array, Array, Array]
"""θ̂ − θ*, and the variances of θ̂ by J and by I(θ̂), (p, rows) each."""

GROUPS = 10
LEAST = 50
"""Replicates that a group must hold."""
NAMES = tuple(f"decile-{group + 1:02d}" for group in range(GROUPS))
_NEAR = 6
"""The share of a group on either side of an end over which m is the mean of h is one in so many."""
_CONSTANT = 1e-10
"""Relative range of v below which it varies by rounding alone."""


def grouped(of: Callable[[Any], Columns], size: int, quantile: float) -> Steps[dict[str, Estimate]]:
    """Return the means within deciles of v, the variance by J, one row per parameter and one column per decile.

    Parameters
    ----------
    of
        Errors and variances of a part.
    size
        Number of parameters.
    quantile
        Standard normal quantile of the Wald intervals.

    Returns
    -------
    dict of Estimate
        ``mse`` (of the squared error), ``variance`` (of v), and ``wald-observed`` and ``wald-expected`` (coverage),
        (p, 10) each. NaN for a parameter whose v does not vary.
    """
    rows = yield tuple(_of_parameter(_Values(of, j, quantile)) for j in range(size))
    return {
        name: Estimate(np.stack([row[name].value for row in rows]), np.stack([row[name].mcse for row in rows]))
        for name in rows[0]
    }


@dataclass(frozen=True)
class _Values:
    """What the means of one parameter are of."""

    of: Callable[[Any], Columns]
    parameter: int
    quantile: float

    def observed(self, part: Any) -> Array:
        """Return v, (1, rows)."""
        return np.asarray(self.of(part)[1][self.parameter])[None]

    def __call__(self, part: Any) -> Array:
        """Return squared errors, v, and what intervals hold by J and by I(θ̂) (NaN where one is unknown), (4, rows)."""
        error, observed, expected = (column[self.parameter] for column in self.of(part))
        widths = (self.quantile * np.sqrt(variance) for variance in (observed, expected))
        held = [np.where(np.isnan(width + error), np.nan, np.abs(error) <= width) for width in widths]
        return np.stack([np.square(error), observed, *held])


def _of_parameter(values: _Values) -> Steps[dict[str, Estimate]]:
    names = ("mse", "variance", "wald-observed", "wald-expected")
    nothing = dict.fromkeys(names, Estimate(np.full(GROUPS, np.nan), np.full(GROUPS, np.nan)))
    extent: Extent
    cuts: Statistics
    extent, (count, cuts) = yield Range(values.observed), _cuts(values)
    if count < LEAST * GROUPS or not varies(extent)[0]:
        return nothing
    runs: list[Moment] = (yield _Runs(values, _bounds(count), cuts.values[0], cuts.below[0])).moments
    value, mcse = means(runs)
    sizes = np.diff(_ends(count)).tolist()
    least = np.stack([wilson(p * (1.0 - p), rows) for p, rows in zip(value[2:].T, sizes, strict=True)], axis=1)
    mcse[2:] = np.maximum(mcse[2:], least)
    return {name: Estimate(value[k], mcse[k]) for k, name in enumerate(names)}


def _cuts(values: _Values) -> Steps[tuple[int, Statistics]]:
    """Return the number of rows, and v at the first rank of every run but the first."""
    count = 0

    def ranks(total: int) -> Ranks:
        nonlocal count
        count = total
        return _bounds(total)[1:-1] if total >= LEAST * GROUPS else np.empty(0, np.int64)

    found: Statistics = yield order_statistics(values.observed, ranks)
    return count, found


def varies(variance: Extent) -> np.ndarray:
    """Tell which variances (k,) differ by more than rounding; those that are not all numbers do not."""
    return np.asarray(variance.high - variance.low > _CONSTANT * variance.high)


def _ends(total: int) -> np.ndarray:
    """Return the ranks (11,) at which ten groups of equal size, to one, begin and end."""
    return np.arange(GROUPS + 1) * total // GROUPS


def _bounds(total: int) -> np.ndarray:
    """Return the ranks (29,) at which runs begin and end: of each group the middle, and what is near either end."""
    ends, reach = _ends(total), max(total // (_NEAR * GROUPS), 1)
    inner = ends[1:-1]
    return np.concatenate([[0], np.stack([inner - reach, inner, inner + reach], axis=1).ravel(), [total]])


@dataclass(frozen=True)
class _Sorted:
    """Moments of each run, and how many rows that tie with the v of each cut have been seen."""

    moments: list[Moment]
    ties: np.ndarray


@dataclass(frozen=True, eq=False)
class _Runs:
    """Moments of values within the runs of rows that are sorted by v, of equal ones in the order of the replicates.

    Attributes
    ----------
    values
        The values of a part.
    bounds : (29,)
        Ranks at which runs begin and end.
    cuts, below : (27,)
        v at the inner bounds, and how many rows have less.
    """

    values: _Values
    bounds: np.ndarray
    cuts: Array
    below: np.ndarray

    def fold(self, state: _Sorted | None, part: Any) -> _Sorted:
        """Join the moments of a part."""
        values = self.values(part)
        order = np.argsort(values[1], kind="stable")
        values = values[:, order]
        less, upto = (np.searchsorted(values[1], self.cuts, side=side) for side in ("left", "right"))
        seen = np.zeros(len(self.cuts), np.int64) if state is None else state.ties
        wanted = self.bounds[1:-1] - self.below - seen
        places = np.concatenate([[0], less + np.clip(wanted, 0, upto - less), [values.shape[1]]])
        found = [moment(values[:, low:high]) for low, high in pairwise(places)]
        runs = found if state is None else [joined(a, b) for a, b in zip(state.moments, found, strict=True)]
        return _Sorted(runs, seen + upto - less)


def means(runs: list[Moment]) -> tuple[Array, Array]:
    """Return the means (k, 10) of k values within the groups, and their MCSE, from the moments of their runs."""
    total = sum(run.rows for run in runs)
    ends, reach = _ends(total), max(total // (_NEAR * GROUPS), 1)
    groups = [_together(runs[max(0, 3 * group - 1) : 3 * group + 2]) for group in range(GROUPS)]
    near = [_together(runs[3 * group - 2 : 3 * group]) for group in range(1, GROUPS)]
    (average, spread), (at_ends, around) = _moments(groups), _moments(near)
    zero = np.zeros((len(average), 1))
    low, high = np.append(zero, at_ends, axis=1), np.append(at_ends, zero, axis=1)
    below, within, above = ends[:-1] / total, np.diff(ends) / total, 1.0 - ends[1:] / total
    centre = below * low + within * average + above * high
    square = below * (low - centre) ** 2 + within * (spread + (average - centre) ** 2) + above * (high - centre) ** 2
    noise = around / (2 * reach)
    square -= below * (1.0 - below) * np.append(zero, noise, axis=1)
    square -= above * (1.0 - above) * np.append(noise, zero, axis=1)
    return average, np.sqrt(np.maximum(square, within * spread) / (total - 1)) / within


def _together(runs: list[Moment]) -> Moment:
    return reduce(joined, runs)


def _moments(runs: list[Moment]) -> tuple[Array, Array]:
    """Return mean and variance of each of k values in each run, (k, runs)."""
    return np.stack([run.centre for run in runs], axis=1), np.stack([run.square / run.rows for run in runs], axis=1)
