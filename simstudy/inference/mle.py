"""Maximum likelihood estimates of a block of data sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simstudy.families.likelihood import Evaluation
from simstudy.families.status import Status
from simstudy.inference.likelihood import Likelihood
from simstudy.inference.newton import Maximum
from simstudy.inference.search import known_base, optimise
from simstudy.numerics import trace
from simstudy.numerics.symmetric import select, solve
from simstudy.parameters import Array

# A score this far from zero is no maximum, whatever the algorithm says. Rounding leaves less than 1e-20, but for nearly
# singular information, such as that of a gamma of shape 10¹² (10⁻⁸).
_SANE_DECREMENT = 1e-6

ESTIMATE = "estimate"
"""What a trace calls the end of all, whatever led there."""


@dataclass(frozen=True)
class Estimates:
    """Maximum likelihood estimates of R data sets; no row is ever left out.

    Attributes
    ----------
    theta : (R, p)
        Estimates of the free parameters; NaN where there are none.
    status : (R,) int8
        `Status` of each row.
    iterations : (R,) int16
        Iterations of the optimiser; 0 for closed forms.
    decrement : (R,)
        Newton decrement ḡᵀ𝒥⁻¹ḡ at the estimate, per observation.
    evaluation
        Value, score, information and score products at the estimate.
    """

    theta: Array
    status: NDArray[np.int8]
    iterations: NDArray[np.int16]
    decrement: Array
    evaluation: Evaluation


def fit(likelihood: Likelihood) -> Estimates:
    """Maximise the likelihood of every data set, by the family's own algorithm where it has one.

    Whatever found the estimate, a row is CONVERGED only when the score there is zero and the observed information is
    finite and positive definite; parameters that the family names as corners are left out of that.
    """
    found = _solve(likelihood)
    evaluation = likelihood.evaluate(found.theta, products=True)
    definite, decrement = _newton_decrement(likelihood, evaluation)
    status = _confirm(found.status, evaluation, definite, decrement)
    hopeless = (status == Status.NOT_FINITE) | (status == Status.NO_MAXIMUM)
    theta = np.stack([np.where(hopeless, np.nan, column) for column in found.theta], axis=-1)
    if watched := trace.begin(ESTIMATE):
        total, at = likelihood.reduced.size * evaluation.value, dict(zip(likelihood.free, theta.T, strict=True))
        watched.note(np.arange(likelihood.rows), at, log_likelihood=total, decrement=decrement)
    return Estimates(theta, status, found.iterations, decrement, evaluation)


def _newton_decrement(likelihood: Likelihood, evaluation: Evaluation) -> tuple[NDArray[np.bool_], Array]:
    """Return where the information of the regular parameters is positive definite, and their Newton decrement."""
    regular, size, rows = likelihood.regular, len(likelihood.free), likelihood.rows
    if not regular:
        return np.ones(rows, dtype=bool), np.zeros(rows)
    matrix = [_spread(entry, rows) for entry in select(evaluation.information, regular, size)]
    score = [_spread(evaluation.score[i], rows) for i in regular]
    step, definite = solve(matrix, score)
    return definite, np.asarray(sum(g * d for g, d in zip(score, step, strict=True)))


def _confirm(
    status: NDArray[np.int8], evaluation: Evaluation, definite: NDArray[np.bool_], decrement: Array
) -> NDArray[np.int8]:
    finite = np.isfinite(evaluation.value)
    for entry in (*evaluation.score, *evaluation.information, *evaluation.products):
        finite = finite & np.isfinite(entry)
    checked = np.where(decrement <= _SANE_DECREMENT, Status.CONVERGED, Status.MAX_ITERATIONS)
    checked = np.where(definite, checked, Status.NOT_CONCAVE)
    checked = np.where(finite, checked, Status.NOT_FINITE)
    return np.where(status == Status.CONVERGED, checked, status).astype(np.int8)


def _solve(likelihood: Likelihood) -> Maximum:
    """Return the family's own solution, and the general optimiser's for the rows that it leaves open."""
    found = _family_solution(likelihood)
    if found is None:
        return optimise(likelihood)
    unfinished = np.flatnonzero(found.status == Status.MAX_ITERATIONS)
    if not len(unfinished):
        return found
    return found.with_rows(unfinished, optimise(likelihood.select(unfinished)))


def _family_solution(likelihood: Likelihood) -> Maximum | None:
    """Return the family's own solution in the free parameters; it speaks of base parameters only."""
    known = known_base(likelihood)
    if len(known) < len(likelihood.known):
        return None
    solution = likelihood.family.solve(likelihood.reduced, known)
    if solution is None:
        return None
    phi = solution.theta if likelihood.is_base else likelihood.parametrisation.from_base(solution.theta)
    theta = [np.array(phi[i]) for i in likelihood.kept]
    value = np.full(likelihood.rows, np.nan)
    return Maximum(theta, value, solution.status.astype(np.int8), solution.iterations.astype(np.int16))


def _spread(entry: object, rows: int) -> Array:
    return np.broadcast_to(np.asarray(entry, dtype=float), (rows,))
