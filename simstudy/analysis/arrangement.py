"""From a record and the limits of a scenario to the cell that measures are computed from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

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


class Census(NamedTuple):
    """How many replicates of a cell converged, and how many ended on the boundary."""

    converged: int
    boundary: int


def census(replicates: Replicates) -> Census:
    """Count the endings of a record."""
    return Census(int(converged_rows(replicates).sum()), int((replicates.status == Status.BOUNDARY).sum()))


def of_scenario(scenario: Scenario, replicates: Replicates, limits: Limits) -> Cell:
    """Return the cell of all replicates of a record."""
    return part_of_scenario(scenario, replicates, limits, census(replicates))


def part_of_scenario(scenario: Scenario, replicates: Replicates, limits: Limits, whole: Census, first: int = 0) -> Cell:
    """Return a part of a cell of which so many replicates converged before it."""
    return build(
        replicates,
        limits,
        scenario.n,
        scenario.level,
        lambda theta: theory.expected_information(scenario, theta),
        scenario,
        null=models.null_values(scenario),
        intervals=scenario.intervals,
        domains=models.free_domains(scenario) if "wald-log" in scenario.intervals else (),
        whole=whole,
        first=first,
    )


def converged_rows(replicates: Replicates) -> NDArray[np.bool_]:
    """Tell which replicates converged, (R,)."""
    return np.asarray(replicates.status == Status.CONVERGED)


def build(
    replicates: Replicates,
    limits: Limits,
    n: int,
    level: float,
    expected: Array | Callable[[Array], Array],
    scenario: Scenario | None = None,
    *,
    null: Array | None = None,
    intervals: tuple[str, ...] = DEFAULT_METHODS,
    domains: tuple[Domain, ...] = (),
    whole: Census | None = None,
    first: int = 0,
) -> Cell:
    """Arrange a record by entry.

    Parameters
    ----------
    replicates, limits, n, level
        The record, what theory says, the sample size and the nominal coverage.
    expected : (m, p, p)
        I(θ̂) of the m converged replicates, or the function of θ̂ (m, p) that computes it where it is wanted.
    scenario
        What was simulated and fitted; without it there is no theory of higher order.
    null : (p,)
        What is tested of each parameter, NaN for nothing; by default nothing of any.
    intervals, domains
        Methods of confidence intervals, and the domains of the free parameters where ``wald-log`` is one.
    whole, first
        The census of the cell that the record is a part of, and how many replicates converged before it; by default the
        record is all of the cell.
    """
    converged, whole = converged_rows(replicates), whole or census(replicates)
    chosen = _chosen(replicates.theta, converged)
    informed = upper(expected) if isinstance(expected, np.ndarray) else _informed(expected, chosen)
    estimates = {
        "theta": by_entry(chosen),
        "information": by_entry(_chosen(replicates.information, converged)),
        "products": by_entry(_chosen(replicates.products, converged)),
        "likelihood_ratio": 2.0 * _chosen(replicates.value - replicates.value_limit, converged)[None],
        "ends": by_entry(_chosen(replicates.intervals, converged)),
    }
    if whole.converged < 2:
        estimates = {name: _nothing(values, first) for name, values in estimates.items()}
        informed = _nothing(estimates["information"], first)
    return Cell(
        n,
        level,
        limits,
        replicates.status,
        informed=informed,
        all_scores=by_entry(replicates.score_limit),
        all_information=by_entry(replicates.information_limit),
        all_products=replicates.products_limit.T,
        null=np.full(len(limits.theta), np.nan) if null is None else null,
        theta_or_boundary=_or_boundary(replicates, whole, first),
        intervals=intervals,
        domains=domains,
        scenario=scenario,
        first=first,
        **estimates,
    )


def _informed(expected: Callable[[Array], Array], theta: Array) -> Callable[[], Array]:
    return lambda: upper(expected(theta))


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


def _nothing(values: Array, first: int) -> Array:
    """Return two replicates of NaN in the place of values (k, m) of a cell that has too few; once in all its parts."""
    return np.full((len(values), 0 if first else 2), np.nan)


def _or_boundary(replicates: Replicates, whole: Census, first: int) -> Array | None:
    """Return the estimates (p, ≥ m) of the converged and those on the boundary, if a cell has any of these."""
    if not whole.boundary:
        return None
    rows = replicates.theta[(replicates.status == Status.BOUNDARY) | converged_rows(replicates)]
    return by_entry(rows) if sum(whole) > 1 else _nothing(rows.T, first)


def _chosen(rows: Array, converged: NDArray[np.bool_]) -> Array:
    """Return the converged rows, without a copy where that is all of them."""
    return rows if converged.all() else rows[converged]
