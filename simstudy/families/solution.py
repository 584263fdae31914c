"""Helpers that write down what a family's own algorithm found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simstudy.families.likelihood import FamilyLikelihood, Solution
from simstudy.families.status import Status
from simstudy.parameters import Array


def closed_form(
    theta: Sequence[Array | float], likelihood: FamilyLikelihood, exists: NDArray[np.bool_] | bool = True
) -> Solution:
    """Return estimates known in closed form, NO_MAXIMUM where they do not exist."""
    status = np.where(exists, Status.CONVERGED, Status.NO_MAXIMUM)
    return solution(theta, likelihood, status, 0)


def solution(
    theta: Sequence[Array | float],
    likelihood: FamilyLikelihood,
    status: NDArray[np.integer] | int,
    iterations: NDArray[np.integer] | int,
) -> Solution:
    """Spread every part over the rows; rows with unusable data are NOT_FINITE."""
    rows = likelihood.rows
    full = np.where(likelihood.usable, status, Status.NOT_FINITE).astype(np.int8)
    return Solution(
        [np.broadcast_to(np.asarray(column, dtype=float), (rows,)) for column in theta],
        full,
        np.broadcast_to(np.asarray(iterations, dtype=np.int16), (rows,)),
    )
