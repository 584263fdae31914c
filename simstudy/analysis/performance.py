"""Performance measures of an estimator (Morris, White & Crowther 2019), MCSE by influence functions.

Those of the estimates are conditional on convergence. Each takes a `Cell` and returns, for every
estimator of the measure, one value and one Monte Carlo standard error per parameter.
"""

from __future__ import annotations

import numpy as np

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.control_variates import adjust
from simstudy.analysis.influence import Estimate, mcse
from simstudy.analysis.interval_bounds import holds
from simstudy.families.status import Status
from simstudy.parameters import Array


def bias(cell: Cell) -> dict[str, Estimate]:
    """Mean of θ̂ − θ*; limit 0."""
    raw = influence.mean(cell.error)
    if cell.controls is None:
        return {"raw": raw, "control-variate": raw}
    value, psi = adjust(cell.error, cell.converged, cell.controls)
    return {"raw": raw, "control-variate": Estimate(value, np.hypot(mcse(psi), cell.accuracy))}


def empirical_se(cell: Cell) -> dict[str, Estimate]:
    """Empirical standard error, the standard deviation of θ̂, divisor R−1; ψ = ((θ̂−θ̄)² − S²)/(2S)."""
    value, psi = influence.standard_deviation(cell.error)
    return {"raw": Estimate(value, mcse(psi))}


def model_se(cell: Cell) -> dict[str, Estimate]:
    """Root of the mean variance V that the model claims; ψ = (V − V̄)/(2√V̄)."""
    return {name: Estimate(value, mcse(psi)) for name, (value, psi) in _model_se(cell).items()}


def relative_error_model_se(cell: Cell) -> dict[str, Estimate]:
    """100(ModSE/EmpSE − 1) in percent; ψ = 100(ψ_mod/EmpSE − ModSE·ψ_emp/EmpSE²), limit 0.

    The joint influence keeps the covariance of the two standard errors, which Table 6 leaves out.
    """
    empirical, empirical_psi = (part[..., None] for part in influence.standard_deviation(cell.error))
    empirical_psi = empirical_psi[..., 0]
    result = {}
    for name, (value, psi) in _model_se(cell).items():
        ratio = value[:, None] / empirical
        together = 100.0 * (psi - ratio * empirical_psi) / empirical
        result[name] = Estimate(100.0 * (ratio[:, 0] - 1.0), mcse(together))
    return result


def _model_se(cell: Cell) -> dict[str, tuple[Array, Array]]:
    result = {}
    for name, variances in cell.model_variances.items():
        mean, psi = influence.centre(variances)
        result[name] = np.sqrt(mean), influence.root(mean, psi)
    return result


def mse(cell: Cell) -> dict[str, Estimate]:
    """Mean of (θ̂ − θ*)²; limit Σⱼⱼ/n."""
    return {"raw": influence.mean(np.square(cell.error))}


def coverage(cell: Cell) -> dict[str, Estimate]:
    """Share of intervals that hold θ*, by method; limit the nominal level where the method is right.

    NaN if one end is not a number: an interval that cannot be computed neither covers nor misses; and where there is no
    θ*.
    """
    return {method: influence.proportion(holds(cell, method)) for method in cell.intervals}


def efficiency(cell: Cell) -> dict[str, Estimate]:
    """Σⱼⱼ/(n·Var(θ̂ⱼ)); ψ = −efficiency·ψ_Var/Var, limit 1."""
    square, psi = influence.variance(cell.error)
    value = cell.limiting_variance / square
    return {"raw": Estimate(value, value / square * mcse(psi))}


def failure_rate(cell: Cell) -> dict[str, Estimate]:
    """Share of all replicates that did not converge, in all (Wilson) and by how they ended."""
    shares = {"wilson": ~cell.converged}
    shares |= {status.name.lower(): cell.status == status for status in list(Status)[1:]}
    return {name: influence.proportion(hits[None].astype(float)) for name, hits in shares.items()}
