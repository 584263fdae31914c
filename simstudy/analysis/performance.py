"""Performance measures of an estimator (Morris, White & Crowther 2019), MCSE by influence functions.

Those of the estimates are conditional on convergence, but for the estimator ``with-boundary``, which keeps
the estimates that ended on the boundary of the parameter space as well. It is there only where some did.
Each measure takes a `Sample` and returns, for every estimator, one value and one Monte Carlo standard error
per parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from simstudy.analysis import influence
from simstudy.analysis.cell import Cell
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate, Variance
from simstudy.analysis.reductions import Extent, Moment, Moments, Range, Sums, Total
from simstudy.analysis.sample import Sample, SamplePart, accuracy, errors, other_errors
from simstudy.analysis.streaming import Rows, Shared, Steps, together
from simstudy.families.status import Status
from simstudy.parameters import Array

_ZERO = 1e-9
"""Size of θ* in errors of θ̂ below which it is taken for 0: the value of a wrong model is found by numerical means."""


@Shared
def bias(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Mean of θ̂ − θ*; limit 0. With estimates on the boundary that are infinite it is infinite, its MCSE NaN."""
    own, others = yield _bias, _of_others(influence.mean)
    return {**own, **others}


@Shared
def scaled_bias(cell: Facts) -> Steps[dict[str, Estimate]]:
    """n·bias; limit b(θ*), the coefficient of Cox & Snell."""
    found: dict[str, Estimate] = yield _bias
    return {name: Estimate(cell.n * one.value, cell.n * one.mcse) for name, one in found.items()}


@Shared
def _bias(sample: Sample) -> Steps[dict[str, Estimate]]:
    raw, sharp, rounding = yield influence.mean(errors), sample.sharpened(errors), accuracy
    return {"raw": raw, "control-variate": _rounded(sharp, rounding) or raw}


def _of_others(measure: Callable[[Rows], Steps[Estimate]]) -> Steps[dict[str, Estimate]]:
    """Return a measure of the errors of each of the other estimators."""
    others: Mapping[str, Rows] = yield other_errors
    return (yield from together({name: measure(of) for name, of in others.items()}))


def _rounded(found: Estimate | None, rounding: Array) -> Estimate | None:
    """Return controlled means that are exact to ``rounding`` (k,)."""
    return None if found is None else Estimate(found.value, np.hypot(found.mcse, rounding))


@Shared
def relative_bias(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Bias as a proportion of θ*; NaN where θ* = 0, and for an angle, whose 0 is a convention."""
    found, size = yield _bias, natural_size
    return {name: Estimate(one.value / size, one.mcse / np.abs(size)) for name, one in found.items()}


@Shared
def natural_size(sample: Sample) -> Steps[Array]:
    """Return θ* (p,), NaN where it is no measure of size: for an angle, and where it is 0 but for rounding."""
    extent: Extent = yield Range(errors)
    nothing = np.abs(sample.truth) <= _ZERO * extent.size
    return np.where(np.isfinite(sample.periods) | nothing, np.nan, sample.truth)


@Shared
def median_bias(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Median of θ̂ − θ*, MCSE from order statistics; limit 0."""
    (median,) = yield influence.quantiles(errors, (0.5,))
    return {"raw": median}


@Shared
def empirical_se(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Empirical standard error, the standard deviation of θ̂, divisor R−1; ψ = ((θ̂−θ̄)² − S²)/(2S)."""
    raw, others = yield influence.standard_error(errors), _of_others(influence.standard_error)
    return {"raw": raw, **others}


@Shared
def model_se(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Root of the mean variance V that the model claims; ψ = (V − V̄)/(2√V̄)."""
    found: dict[str, Moment] = yield {name: Moments(_variances(name)) for name in sample.variances}
    return {
        name: Estimate(
            np.sqrt(one.centre), influence.inverse(2.0 * np.sqrt(one.centre)) * influence.error_of(one.square, one.rows)
        )
        for name, one in found.items()
    }


@Shared
def relative_error_model_se(sample: Sample) -> Steps[dict[str, Estimate]]:
    """100(ModSE/EmpSE − 1) in percent; ψ = 100(ψ_mod/EmpSE − ModSE·ψ_emp/EmpSE²), limit 0.

    The joint influence keeps the covariance of the two standard errors, which Table 6 leaves out.
    """
    empirical, model = yield influence.variance(errors), {name: Moments(_variances(name)) for name in sample.variances}
    return (yield from together({name: _relative_error(name, found, empirical) for name, found in model.items()}))


def _relative_error(name: str, model: Moment, empirical: Variance) -> Steps[Estimate]:
    claimed, size = np.sqrt(model.centre), empirical.root
    ratio = claimed / size
    slope = influence.inverse(2.0 * claimed)

    def psi(part: SamplePart) -> Array:
        own = slope[:, None] * (part.model_variances[name] - model.centre[:, None])
        return np.asarray(100.0 * (own - ratio[:, None] * empirical.root_psi(part)) / size[:, None])

    return Estimate(100.0 * (ratio - 1.0), (yield influence.mcse(psi)))


@cache
def _variances(name: str) -> Rows:
    """Return the function that gives the model variances (p, m) of a kind."""
    return lambda part: part.model_variances[name]


@Shared
def mse(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Mean of (θ̂ − θ*)²; limit Σⱼⱼ/n."""
    own, others = yield _mse, _of_others(lambda of: influence.mean(lambda part: np.square(of(part))))
    return {**own, **others}


@Shared
def _mse(sample: Sample) -> Steps[dict[str, Estimate]]:
    raw, sharp, rounding = yield influence.mean(squared_errors), sample.sharpened(squared_errors), accuracy
    return {"raw": raw, "control-variate": _rounded(sharp, 2.0 * np.sqrt(raw.value) * rounding) or raw}


def squared_errors(part: SamplePart) -> Array:
    """(θ̂ − θ*)², (p, m)."""
    return np.square(part.error)


@Shared
def rmse(sample: Sample) -> Steps[dict[str, Estimate]]:
    """Root of the mean squared error; ψ = ψ_mse/(2·RMSE), limit √(Σⱼⱼ/n)."""
    result = {}
    found: dict[str, Estimate] = yield _mse
    for name, one in found.items():
        value = np.sqrt(one.value)
        result[name] = Estimate(value, one.mcse * influence.inverse(2.0 * value))
    return result


@Shared
def failure_rate(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Share of all replicates that did not converge, in all (Wilson) and by how they ended."""
    found: Total = yield Sums(_endings)
    shares = np.append(found.rows - found.sum[0], found.sum[1:]) / found.rows
    names = ("wilson", *(status.name.lower() for status in list(Status)[1:]))
    spread = influence.wilson(shares * (1.0 - shares), found.rows)
    return {name: Estimate(shares[[k]], spread[[k]]) for k, name in enumerate(names)}


def _endings(part: Cell) -> Array:
    """Tell which replicates ended in each way, (ways, R)."""
    return np.stack([part.status == status for status in Status])
