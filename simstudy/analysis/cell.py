"""What the measures of one cell are computed from: converged replicates, limits, and their joint products."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis import bias_correction, deciles, matrices
from simstudy.analysis.control_variates import ROUNDING, Controls, adjust, controls
from simstudy.analysis.influence import Estimate, mcse
from simstudy.analysis.interval_bounds import bounds
from simstudy.analysis.matrices import MatrixEstimate
from simstudy.analysis.packed import by_entry, diagonal, inverse_diagonal, sandwich_diagonal, upper
from simstudy.analysis.sample import Interval
from simstudy.families.status import Status
from simstudy.inference.intervals import DEFAULT_METHODS, quantile
from simstudy.parameters import Array, Domain
from simstudy.study.limits import Limits, errors, invert
from simstudy.study.scenario import Scenario


@dataclass(frozen=True)
class Cell:
    """One scenario at one n: R replicates of which m converged; p free parameters, q = p(p+1)/2.

    Numbers of converged replicates are finite by the contract of `Replicates`; one that is not makes what
    is computed from it NaN, never a failure in disguise. If fewer than two converged, no spread can be
    estimated: the cell then holds two replicates of NaN, and every conditional measure is NaN.

    Attributes
    ----------
    n
        Sample size.
    level
        Nominal coverage of the intervals.
    limits
        What theory says as n → ∞.
    status : (R,) int8
        How each fit ended.
    theta : (p, m)
        Estimates θ̂ of the converged replicates.
    information, expected, products : (q, m)
        Observed information J and mean score products K at θ̂, and expected information I(θ̂), of the converged.
    likelihood_ratio : (1, m)
        2(ℓ(θ̂) − ℓ(θ*)) of the converged, ℓ the log-likelihood.
    all_scores, all_information, all_products : (p, R), (q, R), (q, R)
        Mean score, observed information and mean score products at θ* of all replicates, whatever became of the fit;
        the products are the record itself, not contiguous.
    ends : (2pk, m)
        Recorded ends of intervals of the converged, by methods that need the data: ``intervals`` of `Replicates`.
    null : (p,)
        Value that a test rejects where an interval excludes it; NaN for a parameter that cannot take it.
    theta_or_boundary : (p, ≥ m) or None
        Estimates of the replicates that converged or ended on the boundary; None where none ended there.
    intervals
        Methods of confidence intervals, in canonical order.
    domains
        Domains of the p parameters; they matter to ``wald-log`` alone.
    scenario
        What was simulated and fitted; without it there is no theory of higher order.
    """

    n: int
    level: float
    limits: Limits
    status: NDArray[np.int8]
    theta: Array
    information: Array
    expected: Array
    products: Array
    likelihood_ratio: Array
    all_scores: Array
    all_information: Array
    all_products: Array
    ends: Array
    null: Array
    theta_or_boundary: Array | None = None
    intervals: tuple[str, ...] = DEFAULT_METHODS
    domains: tuple[Domain, ...] = ()
    scenario: Scenario | None = None

    @cached_property
    def converged(self) -> NDArray[np.bool_]:
        """Which replicates converged, (R,)."""
        return np.asarray(self.status == Status.CONVERGED)

    @cached_property
    def error(self) -> Array:
        """θ̂ − θ*, (p, m); the difference of two angles is taken the short way round."""
        return by_entry(errors(self.theta.T, self.limits))

    @cached_property
    def other_errors(self) -> dict[str, Array]:
        """θ̃ − θ* of other estimators, (p, m) or more, by name.

        ``cox-snell`` is θ̂ − b(θ̂)/n with the first-order bias b, where that can be had at every estimate;
        ``with-boundary`` has the replicates that ended on the boundary as well, where any did.
        """
        found = {}
        correction = bias_correction.correction(self.scenario, self.n, self.theta, self.expected)
        if correction is not None:
            found["cox-snell"] = np.asarray(self.error - correction)
        if self.theta_or_boundary is not None:
            found["with-boundary"] = by_entry(errors(self.theta_or_boundary.T, self.limits))
        return found

    @property
    def truth(self) -> Array:
        """θ*, (p,)."""
        return self.limits.theta

    @property
    def periods(self) -> Array:
        """Periods of parameters that are angles, (p,); infinite for others."""
        return self.limits.periods

    @cached_property
    def scaled_error(self) -> Array:
        """√n(θ̂ − θ*), (p, m)."""
        return np.asarray(np.sqrt(self.n) * self.error)

    @cached_property
    def score(self) -> Array:
        """Mean score at θ* where it is finite, (p, ≤ R): data outside the sample space have none."""
        finite = np.isfinite(self.all_scores).all(axis=0)
        if finite.sum() < 2:
            return np.full((len(self.all_scores), 2), np.nan)
        return self.all_scores if finite.all() else np.asarray(self.all_scores[:, finite])

    @cached_property
    def controls(self) -> Controls | None:
        """Score control variates, or None where the replicates cannot bear them."""
        if self.converged.sum() < 2:
            return None
        return controls(self.all_scores, self.all_information, self.limits, self.n)

    def sharpened(self, values: Array, rounding: Array) -> Estimate | None:
        """Return the controlled means of values (k, m) that are exact to ``rounding`` (k,), None without controls."""
        if self.controls is None:
            return None
        value, psi = adjust(values, self.converged, self.controls)
        return Estimate(value, np.hypot(mcse(psi), rounding))

    def interval(self, method: str) -> Interval:
        """Return the lower and the upper ends of the intervals of a method, (p, m) each."""
        return bounds(self, method)

    @property
    def accuracy(self) -> Array:
        """Rounding of θ̂, (p,): no Monte Carlo error of a controlled estimate is claimed below it."""
        return np.asarray(ROUNDING * np.abs(self.theta).max(axis=-1))

    @cached_property
    def mean_information(self) -> dict[str, MatrixEstimate]:
        """Mean of J, raw and controlled."""
        raw = matrices.mean(self.information)
        if self.controls is None:
            return {"raw": raw, "control-variate": raw}
        controlled = matrices.controlled_mean(self.information, self.converged, self.controls)
        return {"raw": raw, "control-variate": controlled}

    @cached_property
    def covariance(self) -> dict[str, MatrixEstimate]:
        """n·Cov(θ̂), raw and controlled."""
        z, accuracy = self.scaled_error, np.sqrt(self.n) * self.accuracy
        raw = matrices.covariance(z)
        if self.controls is None:
            return {"raw": raw, "control-variate": raw}
        controlled = matrices.controlled_covariance(z, self.converged, self.controls, accuracy)
        return {"raw": raw, "control-variate": controlled}

    @cached_property
    def model_variances(self) -> dict[str, Array]:
        """Variances of θ̂ claimed by a single data set, diagonals of (nJ)⁻¹, (n I(θ̂))⁻¹ and J⁻¹KJ⁻¹/n, (p, m) each."""
        return {
            "observed": inverse_diagonal(self.information) / self.n,
            "expected": inverse_diagonal(self.expected) / self.n,
            "sandwich": sandwich_diagonal(self.information, self.products) / self.n,
        }

    @cached_property
    def claimed_variances(self) -> dict[str, Array]:
        """What the model variances tend to: A⁻¹ⱼⱼ/n, I⁻¹ⱼⱼ/n and (A⁻¹BA⁻¹)ⱼⱼ/n, (p,) each."""
        bread = invert(self.limits.hessian)
        matrices = {
            "observed": bread,
            "expected": invert(self.limits.information),
            "sandwich": np.where(np.isfinite(bread), self.limits.covariance, np.nan),
        }
        return {name: np.diagonal(matrix) / self.n for name, matrix in matrices.items()}

    @cached_property
    def given_information(self) -> dict[str, Estimate]:
        """Means within deciles of the variance that J claims, (p, 10) each."""
        claimed = self.model_variances
        return deciles.grouped(self.error, claimed["observed"], claimed["expected"], self.normal_quantile)

    @property
    def limiting_variance(self) -> Array:
        """Variance of θ̂ in the limit, (p,): the diagonal of A⁻¹BA⁻¹/n, or of what an irregular family has for it."""
        return np.asarray(diagonal(upper(self.limits.rate_covariance)) / self.n ** (2.0 * self.limits.rates))

    @property
    def regular(self) -> NDArray[np.bool_]:
        """Which parameters have an error of order n^-½, (p,)."""
        return np.asarray(self.limits.rates == 0.5)

    @property
    def asymptotically_normal(self) -> NDArray[np.bool_]:
        """Which parameters have a normal limit of √n(θ̂ − θ*) with a variance that is known, (p,)."""
        variance = np.diagonal(self.limits.covariance)
        return np.asarray(self.regular & np.isfinite(variance) & (variance > 0.0))

    @property
    def normal_quantile(self) -> float:
        """Standard normal quantile z of a two-sided interval of the nominal level."""
        return quantile(self.level)
