"""Performance measures of an estimator (Morris, White & Crowther 2019), MCSE by influence functions.

Those of the estimates are conditional on convergence, but for the estimator ``with-boundary``, which keeps
the estimates that ended on the boundary of the parameter space as well. It is there only where some did.
Each measure takes a `Sample` and returns, for every estimator, one value and one Monte Carlo standard error
per parameter.
"""

from __future__ import annotations

import numpy as np

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.influence import Estimate, mcse
from simstudy.analysis.sample import Sample
from simstudy.families.status import Status
from simstudy.parameters import Array

_ZERO = 1e-9
"""Size of θ* in errors of θ̂ below which it is taken for 0: the value of a wrong model is found by numerical means."""


def bias(sample: Sample) -> dict[str, Estimate]:
    """Mean of θ̂ − θ*; limit 0. With estimates on the boundary that are infinite it is infinite, its MCSE NaN."""
    others = {name: influence.mean(error) for name, error in sample.other_errors.items()}
    return {**_bias(sample), **others}


def scaled_bias(cell: Cell) -> dict[str, Estimate]:
    """n·bias; limit b(θ*), the coefficient of Cox & Snell."""
    return {name: Estimate(cell.n * found.value, cell.n * found.mcse) for name, found in _bias(cell).items()}


def _bias(sample: Sample) -> dict[str, Estimate]:
    raw = influence.mean(sample.error)
    return {"raw": raw, "control-variate": sample.sharpened(sample.error, sample.accuracy) or raw}


def relative_bias(sample: Sample) -> dict[str, Estimate]:
    """Bias as a proportion of θ*; NaN where θ* = 0, and for an angle, whose 0 is a convention."""
    size = natural_size(sample)
    return {name: Estimate(found.value / size, found.mcse / np.abs(size)) for name, found in _bias(sample).items()}


def natural_size(sample: Sample) -> Array:
    """Return θ* (p,), NaN where it is no measure of size: for an angle, and where it is 0 but for rounding."""
    nothing = np.abs(sample.truth) <= _ZERO * np.abs(sample.error).max(axis=-1)
    return np.where(np.isfinite(sample.periods) | nothing, np.nan, sample.truth)


def median_bias(sample: Sample) -> dict[str, Estimate]:
    """Median of θ̂ − θ*, MCSE from order statistics; limit 0."""
    return {"raw": influence.quantile(sample.error, 0.5)}


def empirical_se(sample: Sample) -> dict[str, Estimate]:
    """Empirical standard error, the standard deviation of θ̂, divisor R−1; ψ = ((θ̂−θ̄)² − S²)/(2S)."""
    errors = {"raw": sample.error, **sample.other_errors}
    return {name: influence.standard_error(error) for name, error in errors.items()}


def model_se(sample: Sample) -> dict[str, Estimate]:
    """Root of the mean variance V that the model claims; ψ = (V − V̄)/(2√V̄)."""
    return {name: Estimate(value, mcse(psi)) for name, (value, psi) in _model_se(sample).items()}


def relative_error_model_se(sample: Sample) -> dict[str, Estimate]:
    """100(ModSE/EmpSE − 1) in percent; ψ = 100(ψ_mod/EmpSE − ModSE·ψ_emp/EmpSE²), limit 0.

    The joint influence keeps the covariance of the two standard errors, which Table 6 leaves out.
    """
    empirical, empirical_psi = (part[..., None] for part in influence.standard_deviation(sample.error))
    empirical_psi = empirical_psi[..., 0]
    result = {}
    for name, (value, psi) in _model_se(sample).items():
        ratio = value[:, None] / empirical
        together = 100.0 * (psi - ratio * empirical_psi) / empirical
        result[name] = Estimate(100.0 * (ratio[:, 0] - 1.0), mcse(together))
    return result


def _model_se(sample: Sample) -> dict[str, tuple[Array, Array]]:
    result = {}
    for name, variances in sample.model_variances.items():
        mean, psi = influence.centre(variances)
        result[name] = np.sqrt(mean), influence.root(mean, psi)
    return result


def mse(sample: Sample) -> dict[str, Estimate]:
    """Mean of (θ̂ − θ*)²; limit Σⱼⱼ/n."""
    others = {name: influence.mean(np.square(error)) for name, error in sample.other_errors.items()}
    return {**_mse(sample), **others}


def _mse(sample: Sample) -> dict[str, Estimate]:
    squares = np.square(sample.error)
    raw = influence.mean(squares)
    controlled = sample.sharpened(squares, 2.0 * np.sqrt(raw.value) * sample.accuracy)
    return {"raw": raw, "control-variate": controlled or raw}


def rmse(sample: Sample) -> dict[str, Estimate]:
    """Root of the mean squared error; ψ = ψ_mse/(2·RMSE), limit √(Σⱼⱼ/n)."""
    result = {}
    for name, found in _mse(sample).items():
        value = np.sqrt(found.value)
        result[name] = Estimate(value, found.mcse * influence.inverse(2.0 * value))
    return result


def failure_rate(cell: Cell) -> dict[str, Estimate]:
    """Share of all replicates that did not converge, in all (Wilson) and by how they ended."""
    shares = {"wilson": ~cell.converged}
    shares |= {status.name.lower(): cell.status == status for status in list(Status)[1:]}
    return {name: influence.proportion(hits[None].astype(float)) for name, hits in shares.items()}
