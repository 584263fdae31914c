"""The rows that measures of one cell are computed from: converged replicates, and all of them at θ*."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis.facts import Facts
from simstudy.analysis.interval_bounds import bounds
from simstudy.analysis.packed import by_entry, inverse_diagonal, sandwich_diagonal
from simstudy.analysis.sample import Interval
from simstudy.analysis.streaming import Part
from simstudy.families.status import Status
from simstudy.inference.intervals import DEFAULT_METHODS
from simstudy.parameters import Array, Domain
from simstudy.study.limits import Limits, errors
from simstudy.study.scenario import Scenario


@dataclass(frozen=True)
class Cell(Part, Facts):
    """One scenario at one n, or a part of it: R rows of which m converged; p free parameters, q = p(p+1)/2.

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
    information, products : (q, m)
        Observed information J and mean score products K at θ̂ of the converged.
    informed : (q, m)
        Expected information I(θ̂) of the converged, or what computes it where it is wanted.
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
    first
        How many replicates converged before this part.
    """

    n: int
    level: float
    limits: Limits
    status: NDArray[np.int8]
    theta: Array
    information: Array
    informed: Array | Callable[[], Array]
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
    first: int = 0

    def parts(self) -> Iterator[Cell]:
        """Return one part, all of it."""
        yield self

    @property
    def total(self) -> int:
        """R, whatever became of the fits."""
        return len(self.status)

    @property
    def usable(self) -> int:
        """How many replicates converged."""
        return int(self.converged.sum())

    @property
    def count(self) -> int:
        """Rows of the converged, m; where fewer than two converged, two rows of NaN stand for them."""
        return int(self.theta.shape[-1])

    @property
    def bounded(self) -> bool:
        """Whether some replicates ended on the boundary."""
        return self.theta_or_boundary is not None

    @cached_property
    def converged(self) -> NDArray[np.bool_]:
        """Which replicates converged, (R,)."""
        return np.asarray(self.status == Status.CONVERGED)

    @cached_property
    def error(self) -> Array:
        """θ̂ − θ*, (p, m); the difference of two angles is taken the short way round."""
        return by_entry(errors(self.theta.T, self.limits))

    @property
    def boundary_error(self) -> Array:
        """θ̂ − θ* of the replicates that converged or ended on the boundary, (p, ≥ m)."""
        assert self.theta_or_boundary is not None
        return by_entry(errors(self.theta_or_boundary.T, self.limits))

    @cached_property
    def expected(self) -> Array:
        """I(θ̂) of the converged, (q, m)."""
        return self.informed() if callable(self.informed) else self.informed

    @cached_property
    def scaled_error(self) -> Array:
        """√n(θ̂ − θ*), (p, m)."""
        return np.asarray(np.sqrt(self.n) * self.error)

    @property
    def score(self) -> Array:
        """Mean score at θ* where it is finite, (p, ≤ R): data outside the sample space have none."""
        finite = np.isfinite(self.all_scores).all(axis=0)
        return self.all_scores if finite.all() else np.asarray(self.all_scores[:, finite])

    def interval(self, method: str) -> Interval:
        """Return the lower and the upper ends of the intervals of a method, (p, m) each."""
        return bounds(self, method)

    @cached_property
    def model_variances(self) -> dict[str, Array]:
        """Variances of θ̂ claimed by a single data set, diagonals of (nJ)⁻¹, (n I(θ̂))⁻¹ and J⁻¹KJ⁻¹/n, (p, m) each."""
        return {
            "observed": inverse_diagonal(self.information) / self.n,
            "expected": inverse_diagonal(self.expected) / self.n,
            "sandwich": sandwich_diagonal(self.information, self.products) / self.n,
        }
