"""The estimator corrected by its first-order bias, θ̂ − b(θ̂)/n (Cox & Snell 1968), in every replicate."""

from __future__ import annotations

import numpy as np

from simstudy.analysis.packed import by_entry, diagonal
from simstudy.numerics.interpolation import FEW, Function, everywhere
from simstudy.parameters import Array
from simstudy.study import higher_order as theory
from simstudy.study import models
from simstudy.study.scenario import Scenario

MOST_PARAMETERS = 5
"""Parameters of models in which functions of very many estimates are looked up."""
# Share of the Monte Carlo error that interpolation may add.
_SHARE = 0.01


def correction(scenario: Scenario | None, n: int, theta: Array, expected: Array) -> Array | None:
    """Return b(θ̂)/n (p, m) at estimates (p, m) with packed expected information (q, m).

    None where theory gives no bias at θ*, and where b depends on more than two parameters in a way of its own and there
    are too many estimates to compute it at each. A corrected estimate may leave its domain and is kept as it is.
    """
    if scenario is None or not np.isfinite(theory.higher_order(scenario).bias).all():
        return None
    if theta.shape[1] > FEW and len(theta) > MOST_PARAMETERS:
        return None
    # In units of I^-½ the bias of many families depends on few of their parameters, or on none.
    tolerance = _SHARE * np.sqrt(n / theta.shape[1])
    standard = everywhere(standardised_bias(scenario), coordinates(scenario, theta), tolerance)
    return None if standard is None else np.asarray(standard / np.sqrt(diagonal(expected)) / n)


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
