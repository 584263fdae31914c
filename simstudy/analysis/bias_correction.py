"""The estimator corrected by its first-order bias, θ̂ − b(θ̂)/n (Cox & Snell 1968), in every replicate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simstudy.analysis.interpolation import FEW, Function, everywhere
from simstudy.analysis.packed import by_entry, diagonal
from simstudy.analysis.streaming import Rows, Steps
from simstudy.parameters import Array
from simstudy.study import higher_order as theory
from simstudy.study import models
from simstudy.study.scenario import Scenario

if TYPE_CHECKING:
    from simstudy.analysis.cell import Cell

MOST_PARAMETERS = 5
"""Parameters of models in which functions of very many estimates are looked up."""
# Share of the Monte Carlo error that interpolation may add.
_SHARE = 0.01


def correction(scenario: Scenario | None, n: int, size: int, count: int) -> Steps[Rows | None]:
    """Return the function that gives b(θ̂)/n (p, rows) at the estimates of a part.

    None where theory gives no bias at θ*, and where b depends on more than two of the p = ``size`` parameters in a way
    of its own and the ``count`` estimates are too many to compute it at each. A corrected estimate may leave its domain
    and is kept as it is.
    """
    if scenario is None or not np.isfinite(theory.higher_order(scenario).bias).all():
        return None
    if count > FEW and size > MOST_PARAMETERS:
        return None
    # In units of I^-½ the bias of many families depends on few of their parameters, or on none.
    tolerance = _SHARE * np.sqrt(n / count)
    standard: Function | None = yield everywhere(standardised_bias(scenario), unconstrained, count, tolerance)
    if standard is None:
        return None
    return lambda part: standard(part.derived(unconstrained)) / np.sqrt(diagonal(part.expected)) / n


def unconstrained(part: Cell) -> Array:
    """Return the unconstrained coordinates (p, rows) of the estimates of a part."""
    assert part.scenario is not None
    return coordinates(part.scenario, part.theta)


def standardised_bias(scenario: Scenario) -> Function:
    """Return the function of unconstrained coordinates (r, p) that gives bᵢ√Iᵢᵢ (r, p)."""

    def function(points: Array) -> Array:
        with np.errstate(all="ignore"):
            moments = theory.moments_at(scenario, from_coordinates(scenario, points))
            return np.asarray(moments.bias * np.sqrt(np.einsum("rii->ri", moments.information)))

    return function


def coordinates(scenario: Scenario, theta: Array) -> Array:
    """Return the unconstrained coordinates (p, m) of estimates (p, m)."""
    model = models.fitted(scenario)
    domains = [model.parametrisation.domains[i] for i in models.kept(scenario, model)]
    return np.stack([domain.to_real(row) for domain, row in zip(domains, theta, strict=True)])


def from_coordinates(scenario: Scenario, points: Array) -> Array:
    """Return the estimates (r, p) at unconstrained coordinates (r, p)."""
    model = models.fitted(scenario)
    domains = [model.parametrisation.domains[i] for i in models.kept(scenario, model)]
    return by_entry(np.stack([domain.from_real(row) for domain, row in zip(domains, points.T, strict=True)]))
