"""Standard errors and intervals of single replicates, as columns of a table."""

from __future__ import annotations

import numpy as np

from simstudy.analysis.arrangement import of_scenario, spread
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
        return {name: spread(values, cell.converged) for name, values in columns.items()}


def _labelled(label: str, names: tuple[str, ...], values: Array) -> dict[str, Array]:
    return {label.format(name): row for name, row in zip(names, values, strict=True)}
