"""From a record and the limits of a scenario to the cell that measures are computed from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis.cell import Cell
from simstudy.analysis.packed import by_entry, upper
from simstudy.families.status import Status
from simstudy.inference.intervals import DEFAULT_METHODS
from simstudy.parameters import Array, Domain
from simstudy.study import limits as theory
from simstudy.study import models
from simstudy.study.limits import Limits
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario


def of_scenario(scenario: Scenario, replicates: Replicates, limits: Limits) -> Cell:
    """Return the cell of all replicates of a record."""
    expected = theory.expected_information(scenario, replicates.theta[converged_rows(replicates)])
    return build(
        replicates,
        limits,
        scenario.n,
        scenario.level,
        expected,
        scenario,
        null=models.null_values(scenario),
        intervals=scenario.intervals,
        domains=models.free_domains(scenario) if "wald-log" in scenario.intervals else (),
    )


def converged_rows(replicates: Replicates) -> NDArray[np.bool_]:
    """Tell which replicates converged, (R,)."""
    return np.asarray(replicates.status == Status.CONVERGED)


def build(
    replicates: Replicates,
    limits: Limits,
    n: int,
    level: float,
    expected: Array,
    scenario: Scenario | None = None,
    *,
    null: Array | None = None,
    intervals: tuple[str, ...] = DEFAULT_METHODS,
    domains: tuple[Domain, ...] = (),
) -> Cell:
    """Arrange a record by entry.

    Parameters
    ----------
    replicates, limits, n, level
        The record, what theory says, the sample size and the nominal coverage.
    expected : (m, p, p)
        I(θ̂) of the m converged replicates.
    scenario
        What was simulated and fitted; without it there is no theory of higher order.
    null : (p,)
        What is tested of each parameter, NaN for nothing; by default nothing of any.
    intervals, domains
        Methods of confidence intervals, and the domains of the free parameters where ``wald-log`` is one.
    """
    converged, status = converged_rows(replicates), replicates.status
    estimates = {
        "theta": by_entry(_chosen(replicates.theta, converged)),
        "information": by_entry(_chosen(replicates.information, converged)),
        "expected": upper(expected),
        "products": by_entry(_chosen(replicates.products, converged)),
        "likelihood_ratio": 2.0 * _chosen(replicates.value - replicates.value_limit, converged)[None],
        "ends": by_entry(_chosen(replicates.intervals, converged)),
    }
    if converged.sum() < 2:
        estimates = {name: np.full((len(values), 2), np.nan) for name, values in estimates.items()}
    return Cell(
        n,
        level,
        limits,
        status,
        all_scores=by_entry(replicates.score_limit),
        all_information=by_entry(replicates.information_limit),
        all_products=replicates.products_limit.T,
        null=np.full(len(limits.theta), np.nan) if null is None else null,
        theta_or_boundary=_or_boundary(replicates),
        intervals=intervals,
        domains=domains,
        scenario=scenario,
        **estimates,
    )


def spread(values: Array, converged: NDArray[np.bool_]) -> Array:
    """Return values (…, m) of the m converged replicates as those (…, R) of all, NaN for the others.

    Where fewer than two converged, a cell holds two replicates of NaN in their place.
    """
    if converged.all() and values.shape[-1] == len(converged):
        return values
    whole = np.full((*values.shape[:-1], len(converged)), np.nan)
    if converged.sum() == values.shape[-1]:
        whole[..., converged] = values
    return whole


def _or_boundary(replicates: Replicates) -> Array | None:
    """Return the estimates (p, ≥ m) of the converged and those on the boundary, if there are any of these."""
    boundary = replicates.status == Status.BOUNDARY
    if not boundary.any():
        return None
    rows = replicates.theta[boundary | converged_rows(replicates)]
    return by_entry(rows) if len(rows) > 1 else np.full((replicates.theta.shape[1], 2), np.nan)


def _chosen(rows: Array, converged: NDArray[np.bool_]) -> Array:
    """Return the converged rows, without a copy where that is all of them."""
    return rows if converged.all() else rows[converged]
