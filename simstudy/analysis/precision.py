"""Whether replicates are enough: Monte Carlo standard errors (MCSE) against the targets of a scenario.

A target speaks of all rows that the summary has of a measure, but for those of regions of all parameters together, by
the sharpest estimator: the control variate where there is one, else the raw estimate; where several estimators stand
side by side, as the methods of intervals do, all of them. A target of 1% is a share of the measure's natural size:

- of an entry (i, j) of a matrix, √(Lᵢᵢ·Lⱼⱼ) with its limit L, the estimate in place of a diagonal entry that has no
  limit: an entry that is zero has a size too;
- of a bias, whose limit is 0, the empirical standard error of θ̂ⱼ; of a relative bias, that over |θ*ⱼ|;
- of the relative error of the model standard error, which is in percent and has the limit 0, 100;
- of anything else, |value|.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from simstudy.analysis import influence
from simstudy.analysis.arrangement import of_scenario
from simstudy.analysis.cell import Cell
from simstudy.analysis.influence import Estimate
from simstudy.analysis.measures import MEASURES, Measure
from simstudy.analysis.packed import diagonal, upper
from simstudy.analysis.performance import natural_size
from simstudy.analysis.summary import measured
from simstudy.parameters import Array
from simstudy.study.limits import limits
from simstudy.study.replicates import Parts, concatenate
from simstudy.study.scenario import Scenario, Target

_SHARPEST = ("control-variate", "raw")


def precise(scenario: Scenario, replicates: Parts) -> bool:
    """Tell whether these replicates of a scenario meet all of its targets.

    A pure function of the numbers given; a MCSE that cannot be computed meets no target.
    """
    shares = shortfalls(scenario, replicates, scenario.precision)
    return all(share <= 1.0 for share in shares)


def shortfalls(scenario: Scenario, replicates: Parts, targets: tuple[Target, ...]) -> Iterator[float]:
    """Yield for each target the largest MCSE over what it may be, NaN where one cannot be computed.

    Only the measures asked for are computed, each when its turn comes.
    """
    with np.errstate(all="ignore"):
        cell = of_scenario(scenario, concatenate(list(replicates)), limits(scenario))
    for target in targets:
        with np.errstate(all="ignore"):
            share = float(np.concatenate([np.zeros(1), *_shares(scenario, cell, target)]).max())
        yield share


def _shares(scenario: Scenario, cell: Cell, target: Target) -> Iterator[Array]:
    """Yield the MCSE of every entry over its target, by estimator; an error of zero meets any.

    Entries that the measure does not speak of are left out: a scale cannot be 0, so that nothing can reject that.
    """
    name = target.measure
    measure, spoken_of = MEASURES[name], _SPOKEN_OF.get(name)
    if not measure.applies(cell):
        return
    for estimator, estimate in _judged(measured(scenario, cell, name, measure)).items():
        size = _size(cell, name, measure, estimator, estimate) if target.relative else 1.0
        share = np.where(estimate.mcse == 0.0, 0.0, estimate.mcse / (target.mcse * size))
        yield share if spoken_of is None else share[spoken_of(cell)]


def _judged(estimates: Mapping[str, Estimate]) -> Mapping[str, Estimate]:
    """Return the sharpest of the estimators, or all of those that cannot be ranked."""
    name = next((name for name in _SHARPEST if name in estimates), None)
    return estimates if name is None else {name: estimates[name]}


def _size(cell: Cell, name: str, measure: Measure, estimator: str, estimate: Estimate) -> Array:
    """Return the natural size of the entries."""
    if measure.shape == "matrix":
        return _matrix_size(cell, measure, estimator, estimate)
    own = _SIZES.get(name)
    return np.abs(estimate.value) if own is None else own(cell)


def _matrix_size(cell: Cell, measure: Measure, estimator: str, estimate: Estimate) -> Array:
    limit = measure.limit(cell)
    of_limit = limit[estimator] if isinstance(limit, Mapping) else limit
    known = diagonal(np.broadcast_to(np.asarray(of_limit, dtype=float), estimate.value.shape))
    size = np.sqrt(np.where(known > 0.0, known, np.abs(diagonal(estimate.value))))
    return upper(np.outer(size, size))


def _standard_error(cell: Cell) -> Array:
    return influence.standard_deviation(cell.error)[0]


def _relative_standard_error(cell: Cell) -> Array:
    return np.asarray(_standard_error(cell) / np.abs(cell.limits.theta))


def _percent(_: Cell) -> Array:
    return np.asarray(100.0)


_SIZES: dict[str, Callable[[Cell], Array]] = {
    "bias": _standard_error,
    "relative_bias": _relative_standard_error,
    "relative_error_model_se": _percent,
}
"""Sizes of the measures of one number per parameter that are zero where all is well."""

_SPOKEN_OF: dict[str, Callable[[Cell], Array]] = {
    "rejection_rate": lambda cell: np.isfinite(cell.null),
    "relative_bias": lambda cell: np.isfinite(natural_size(cell)),
}
"""Which parameters a measure speaks of, where that is not all of them."""
