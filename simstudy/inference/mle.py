"""Maximum likelihood estimates of a block of data sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simstudy.families.likelihood import Evaluation
from simstudy.families.status import Status
from simstudy.inference.likelihood import Likelihood
from simstudy.inference.newton import Maximum, maximise
from simstudy.numerics.symmetric import solve
from simstudy.parameters import Array

# A score this far from zero is no maximum, whatever the algorithm says; rounding leaves less than 1e-20.
_SANE_DECREMENT = 1e-9


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
    finite and positive definite.
    """
    found = _solve(likelihood)
    evaluation = likelihood.evaluate(found.theta, products=True)
    step, definite = solve([_spread(e, likelihood.rows) for e in evaluation.information], evaluation.score)  # type: ignore[arg-type]
    decrement = np.asarray(sum(g * d for g, d in zip(evaluation.score, step, strict=True)))
    status = _confirm(found.status, evaluation, definite, decrement)
    hopeless = (status == Status.NOT_FINITE) | (status == Status.NO_MAXIMUM)
    theta = np.stack([np.where(hopeless, np.nan, column) for column in found.theta], axis=-1)
    return Estimates(theta, status, found.iterations, decrement, evaluation)


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
        return _optimise(likelihood)
    open_rows = np.flatnonzero(found.status == Status.MAX_ITERATIONS)
    if len(open_rows):
        rest = _optimise(likelihood.select(open_rows))
        for whole, part in zip((*found.theta, *found[1:]), (*rest.theta, *rest[1:]), strict=True):
            whole[open_rows] = part
    return found


def _family_solution(likelihood: Likelihood) -> Maximum | None:
    """Return the family's own solution in the free parameters; it speaks of base parameters only."""
    if likelihood.known and not likelihood.is_base:
        return None
    known = {
        i: np.asarray(likelihood.known[n])
        for i, n in enumerate(likelihood.parametrisation.names)
        if n in likelihood.known
    }
    solution = likelihood.family.solve(likelihood.reduced, known)
    if solution is None:
        return None
    phi = solution.theta if likelihood.is_base else likelihood.parametrisation.from_base(solution.theta)
    theta = [np.array(phi[i]) for i in likelihood.kept]
    value = np.full(likelihood.rows, np.nan)
    return Maximum(theta, value, solution.status.copy(), solution.iterations.copy())


def _optimise(likelihood: Likelihood) -> Maximum:
    """Run the general optimiser from every start the family proposes and keep the best, CONVERGED before others."""
    best: Maximum | None = None
    for start in likelihood.family.starts(likelihood.reduced):
        phi = start if likelihood.is_base else likelihood.parametrisation.from_base(start)
        found = maximise(likelihood, [np.asarray(phi[i], dtype=float) for i in likelihood.kept])
        best = found if best is None else _better(found, best)
    if best is None:
        message = f"family {likelihood.family.name} proposes no starting point"
        raise ValueError(message)
    status = np.where(likelihood.reduced.usable, best.status, Status.NOT_FINITE).astype(np.int8)
    return best._replace(status=status)


def _better(new: Maximum, old: Maximum) -> Maximum:
    won = (new.status == Status.CONVERGED) & ((old.status != Status.CONVERGED) | (new.value > old.value))
    return Maximum(
        [np.where(won, a, b) for a, b in zip(new.theta, old.theta, strict=True)],
        *(np.where(won, a, b) for a, b in zip(new[1:], old[1:], strict=True)),
    )


def _spread(entry: object, rows: int) -> Array:
    return np.broadcast_to(np.asarray(entry, dtype=float), (rows,))
