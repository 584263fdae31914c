"""What is computed of single replicates, whatever part of a cell they are read with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from simstudy.analysis.arrangement import converged_rows, of_scenario, spread
from simstudy.analysis.cell import Cell
from simstudy.parameters import Array
from simstudy.study.limits import Limits
from simstudy.study.replicates import Replicates, concatenate
from simstudy.study.scenario import Scenario


def row_by_row(
    scenario: Scenario, replicates: Replicates, limits: Limits, compute: Callable[[Cell], Mapping[str, Array]]
) -> dict[str, Array]:
    """Return what is computed of each replicate of a record, (…, R), NaN where a fit has not converged.

    Parameters
    ----------
    compute
        Arrays (…, m) of the m converged replicates, each of its own replicate alone.
    """
    rows = len(replicates)
    if converged_rows(replicates).sum() == 1:  # a cell of one estimate has no spread, and is none
        replicates = concatenate([replicates, replicates])
    with np.errstate(all="ignore"):
        cell = of_scenario(scenario, replicates, limits)
        found = compute(cell)
        return {name: spread(values, cell.converged)[..., :rows] for name, values in found.items()}
