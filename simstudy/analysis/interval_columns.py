"""Standard errors and intervals of single replicates, as columns of a table."""

from __future__ import annotations

from functools import partial

import numpy as np

from simstudy.analysis.cell import Cell
from simstudy.analysis.row_by_row import row_by_row
from simstudy.parameters import Array
from simstudy.study.limits import Limits
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario


def intervals_by_column(scenario: Scenario, replicates: Replicates, limits: Limits) -> dict[str, Array]:
    """Return ``se[a]``, then ``lower[method,a]`` and ``upper[method,a]``, (R,) each, of all replicates of a record.

    NaN where a fit has not converged.
    """
    return row_by_row(scenario, replicates, limits, partial(_columns, scenario))


def _columns(scenario: Scenario, cell: Cell) -> dict[str, Array]:
    columns = _labelled("se[{}]", scenario.free, np.sqrt(cell.model_variances["observed"]))
    for method in scenario.intervals:
        for side, ends in zip(("lower", "upper"), cell.interval(method), strict=True):
            columns |= _labelled(f"{side}[{method},{{}}]", scenario.free, ends)
    return columns


def _labelled(label: str, names: tuple[str, ...], values: Array) -> dict[str, Array]:
    return {label.format(name): row for name, row in zip(names, values, strict=True)}
