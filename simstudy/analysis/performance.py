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
from simstudy.families.status import Status
from simstudy.parameters import Array


def bias(cell: Cell) -> dict[str, Estimate]:
    """Mean of θ̂ − θ*, and of θ̂ − b(θ̂)/n − θ* for the first-order bias b; limit 0."""
    return {**_bias(cell), **_corrected(cell, 1)}


def scaled_bias(cell: Cell) -> dict[str, Estimate]:
    """n·bias; limit b(θ*), the coefficient of Cox & Snell."""
    return {name: Estimate(cell.n * found.value, cell.n * found.mcse) for name, found in _bias(cell).items()}


def _bias(cell: Cell) -> dict[str, Estimate]:
    raw = influence.mean(cell.error)
    if cell.controls is None:
        return {"raw": raw, "control-variate": raw}
    value, psi = adjust(cell.error, cell.converged, cell.controls)
    return {"raw": raw, "control-variate": Estimate(value, np.hypot(mcse(psi), cell.accuracy))}


def _corrected(cell: Cell, power: int) -> dict[str, Estimate]:
    """Return the mean of a power of the error that is left by the first-order correction, where there is one."""
    return {} if cell.corrected_error is None else {"cox-snell": influence.mean(cell.corrected_error**power)}


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
    """Mean of (θ̂ − θ*)², and of the same after the first-order correction of bias; limit Σⱼⱼ/n."""
    return {"raw": influence.mean(np.square(cell.error)), **_corrected(cell, 2)}


def coverage(cell: Cell) -> dict[str, Estimate]:
    """Share of Wald intervals θ̂ ± z·se that hold θ*; limit the nominal level where the standard error is right.

    NaN if one standard error is not a number: an interval that cannot be computed neither covers nor misses; and where
    there is no θ*.
    """
    result = {}
    for name, variances in cell.model_variances.items():
        width = cell.normal_quantile * np.sqrt(variances)
        hits = np.where(np.isnan(width + cell.error), np.nan, np.abs(cell.error) <= width)
        result[f"wald-{name}"] = influence.proportion(hits)
    return result


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
