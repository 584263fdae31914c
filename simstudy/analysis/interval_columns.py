"""Standard errors and intervals of single replicates, as columns of a table."""

from __future__ import annotations

import numpy as np

from simstudy.analysis.arrangement import of_scenario
from simstudy.analysis.cell import Cell
from simstudy.parameters import Array
from simstudy.study.limits import Limits
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario


def intervals_by_column(scenario: Scenario, replicates: Replicates, limits: Limits) -> dict[str, Array]:
    """Return ``se[a]``, then ``lower[method,a]`` and ``upper[method,a]``, (R,) each, of all replicates of a record.

    NaN where a fit has not converged.
    """
    with np.errstate(all="ignore"):
        cell = of_scenario(scenario, replicates, limits)
        columns = _labelled("se[{}]", scenario.free, np.sqrt(cell.model_variances["observed"]))
        for method in scenario.intervals:
            for side, ends in zip(("lower", "upper"), cell.interval(method), strict=True):
                columns |= _labelled(f"{side}[{method},{{}}]", scenario.free, ends)
        return {name: _spread(cell, values) for name, values in columns.items()}


def _labelled(label: str, names: tuple[str, ...], values: Array) -> dict[str, Array]:
    return {label.format(name): row for name, row in zip(names, values, strict=True)}


def _spread(cell: Cell, values: Array) -> Array:
    """Return values (m,) of the converged replicates as those (R,) of all."""
    if cell.converged.all() and len(values) == len(cell.converged):
        return values
    spread = np.full(cell.converged.shape, np.nan)
    if cell.converged.sum() == len(values):  # else they are the two of NaN that stand for fewer
        spread[cell.converged] = values
    return spread
