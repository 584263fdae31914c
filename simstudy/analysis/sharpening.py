"""Means of converged replicates sharpened by controls: the regression on them, without the replicate that it adjusts.

Unbiased: replicate i is adjusted with the coefficients β̂₋ᵢ fitted to the others, which leaves E β̂₋ᵢᵀ(gᵢ −
E g) = 0 exact, where one common β̂ would bring a bias of order 1/R (a quarter of the MCSE at R = 100). All
β̂₋ᵢ follow from one regression, β̂₋ᵢ = β̂ − C⁻¹g̃ᵢrᵢ/(R fᵢ) with residual rᵢ, centred control g̃ᵢ, C = Σ
g̃g̃ᵀ/R and fᵢ = 1 − leverage (Belsley, Kuh & Welsch 1980, eq. 2.1). The deleted residuals rᵢ/fᵢ are the
influences, since fitted residuals understate the error.

Failed replicates: known means hold over all replicates, while the estimates are conditional on convergence.
A conditional mean has influence ψᵢ = cᵢ(hᵢ − h̄)/ĉ over all replicates, c the indicator of convergence.
This ψ is regressed on the controls of all replicates, so that E g stays exact and the target unchanged.
That needs finite controls in every replicate; where one is not finite there are no controls, and the raw
estimate stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from simstudy.analysis.control_variates import Controls, score_controls
from simstudy.analysis.influence import Estimate, error_of
from simstudy.analysis.reductions import JointMoment, JointMoments, Products
from simstudy.analysis.streaming import Rows, Steps
from simstudy.parameters import Array


@dataclass(frozen=True, eq=False)
class Regression:
    """The regression of values (k, m) of the converged replicates on controls.

    Attributes
    ----------
    of, using
        The values of a part, and the controls.
    average : (k,)
        Means of the values.
    coefficients : (k, controls)
        β̂.
    share
        Share of the replicates that converged, m/R.
    """

    of: Rows
    using: Controls
    average: Array
    coefficients: Array
    share: float

    def raw_psi(self, part: Any) -> Array:
        """Return ψᵢ = cᵢ(hᵢ − h̄)/ĉ, (k, rows), of all replicates of a part."""
        deviation = self.of(part) - self.average[:, None]
        if self.share == 1.0:
            return np.asarray(deviation)
        influence = np.zeros((len(deviation), len(part.converged)))
        influence[:, part.converged] = deviation / self.share
        return influence

    def psi(self, part: Any) -> Array:
        """Return ψᵢ = (1 − 1/R)rᵢ/fᵢ, (k, rows), so that √(Σψ²/(R(R−1))) is the MCSE by the jackknife."""
        deleted = np.einsum("kc,cr->kr", self.coefficients, part.derived(self.using.columns))
        np.subtract(self.raw_psi(part), deleted, out=deleted)
        deleted /= part.derived(self.using.freedom)
        deleted *= 1.0 - 1.0 / self.using.replicates
        return np.asarray(deleted)

    def controlled(self, pulled: Array) -> Array:
        """Return the means (k,) of hᵢ − β̂₋ᵢᵀ(gᵢ − E g), given Σψᵢ times pull, (k,)."""
        own = pulled / (self.using.replicates - 1)
        return np.asarray(self.average - self.coefficients @ self.using.offset + own)


class Controlled(NamedTuple):
    """Controlled means, the sums of products of their influences, and the regression.

    Attributes
    ----------
    value : (k,)
        Controlled means.
    products : (k, k)
        Σψᵢψᵢᵀ.
    regression
        Gives ψ of a part.
    """

    value: Array
    products: Array
    regression: Regression

    @property
    def covariance(self) -> Array:
        """Monte Carlo covariance ΣψᵢψᵢᵀR⁻¹(R−1)⁻¹, (k, k)."""
        replicates = self.regression.using.replicates
        return self.products / (replicates * (replicates - 1))

    @property
    def mcse(self) -> Array:
        """Monte Carlo standard errors, (k,)."""
        return error_of(np.diagonal(self.products), self.regression.using.replicates)


def regressed(of: Rows, using: Controls) -> Steps[Regression]:
    """Return the regression of values (k, m) of the converged replicates on controls."""

    def columns(part: Any) -> Array:
        every = part.derived(using.columns)
        return every if part.converged.all() else np.asarray(every[:, part.converged])

    found: JointMoment = yield JointMoments(of, columns)
    share = found.rows / using.replicates
    return Regression(of, using, found.mean, found.cross / share / using.replicates, share)


def adjust(of: Rows, using: Controls) -> Steps[Controlled]:
    """Return the controlled means of values (k, m) of the converged replicates."""
    regression: Regression = yield regressed(of, using)
    return (yield from controlled(regression))


def controlled(regression: Regression) -> Steps[Controlled]:
    """Return the controlled means of a regression."""

    def with_pull(part: Any) -> Array:
        return np.concatenate([part.derived(regression.psi), part.derived(regression.using.pull)[None]])

    found: Array = yield Products(lambda part: part.derived(regression.psi), with_pull)
    return Controlled(regression.controlled(found[:, -1]), found[:, :-1], regression)


def sharpened(of: Rows) -> Steps[Estimate | None]:
    """Return the controlled means of values (k, m), None without controls."""
    using: Controls | None = yield score_controls
    if using is None:
        return None
    found: Controlled = yield adjust(of, using)
    return Estimate(found.value, found.mcse)
