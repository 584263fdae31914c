"""Conditional inference: what holds given the observed information (Efron & Hinkley 1978, Biometrika 65, 457–487).

A data set tells by its own observed information J how precise its estimate is: within replicates of like
v = [(nJ)⁻¹]ⱼⱼ, the squared error follows v where J is an (approximately) ancillary statistic, as in location
families, while [(nI)⁻¹]ⱼⱼ is right on average only. Converged replicates are cut into the ten deciles of v, parameter
by parameter. Beside variance and squared error stands what holds unconditionally. The squared error tends to it where v
and θ̂ⱼ are independent in the limit; their covariance is that of θ̂ⱼ with [I(θ̂)⁻¹]ⱼⱼ, to first order, so that they are
where I(θ) does not depend on θ. In an exponential family with one parameter v is a function of θ̂, and its deciles sort
by the error itself.
"""

from __future__ import annotations

import numpy as np

from simstudy.analysis import deciles
from simstudy.analysis.cell import Cell
from simstudy.analysis.deciles import Columns
from simstudy.analysis.facts import Facts
from simstudy.analysis.influence import Estimate
from simstudy.analysis.reductions import Extent, Range
from simstudy.analysis.streaming import Shared, Steps
from simstudy.parameters import Array


@Shared
def given_information(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Means within deciles of the variance that J claims, (p, 10) each."""
    return deciles.grouped(_columns, cell.size, cell.normal_quantile)


def _columns(part: Cell) -> Columns:
    claimed = part.model_variances
    return part.error, claimed["observed"], claimed["expected"]


@Shared
def applies(cell: Facts) -> Steps[bool]:
    """Tell whether the model is right and regular, there are 50 replicates to a group, and v varies."""
    enough = cell.usable >= deciles.LEAST * deciles.GROUPS
    usual = cell.limits.right and not cell.limits.irregularity
    if not (enough and usual):
        return False
    found = yield given_information
    return bool(np.isfinite(found["mse"].value).any())


@Shared
def mse(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Mean of (θ̂ⱼ − θ*ⱼ)² within each decile of v; beside it 1/(nI), [(nI)⁻¹]ⱼⱼ."""
    return _by_decile((yield given_information)["mse"])


@Shared
def variance(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Mean of v within each decile of v: the squared error that 1/(nJ) predicts; beside it 1/(nI)."""
    return _by_decile((yield given_information)["variance"])


@Shared
def coverage(cell: Facts) -> Steps[dict[str, Estimate]]:
    """Coverage of Wald intervals with J and with I(θ̂) within each decile of v."""
    found, result = (yield given_information), dict[str, Estimate]()
    for name in ("wald-observed", "wald-expected"):
        result |= _by_decile(found[name], f"{name}-")
    return result


def _by_decile(found: Estimate, prefix: str = "") -> dict[str, Estimate]:
    return {
        prefix + name: Estimate(found.value[:, group], found.mcse[:, group]) for group, name in enumerate(deciles.NAMES)
    }


def unconditional_variance(cell: Facts) -> Array:
    """Return Σⱼⱼ/n, what 1/(nI) predicts."""
    return cell.limiting_variance


@Shared
def nominal(cell: Facts) -> Steps[Array]:
    """Return the nominal level where I(θ̂) is the same for all θ̂; else NaN, for coverage need not tend to it."""
    extent: Extent = yield Range(lambda part: part.model_variances["expected"])
    finite = np.isfinite(extent.low) & np.isfinite(extent.high)
    return np.where(finite & ~deciles.varies(extent), cell.level, np.nan)
