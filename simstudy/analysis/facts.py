"""What is known of a cell before its rows are looked at, whether they are held or read in parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simstudy.analysis import bias_correction, sharpening
from simstudy.analysis.influence import Estimate
from simstudy.analysis.packed import diagonal, upper
from simstudy.analysis.sample import errors
from simstudy.analysis.streaming import Rows, Steps
from simstudy.inference.intervals import quantile
from simstudy.parameters import Array
from simstudy.study.limits import Limits, invert
from simstudy.study.scenario import Scenario


class Facts:
    """One scenario at one n: R replicates of which m converged; p free parameters.

    Attributes
    ----------
    n
        Sample size.
    level
        Nominal coverage of the intervals.
    limits
        What theory says as n → ∞.
    null : (p,)
        Value that a test rejects where an interval excludes it; NaN for a parameter that cannot take it.
    intervals
        Methods of confidence intervals, in canonical order.
    scenario
        What was simulated and fitted; without it there is no theory of higher order.
    """

    n: int
    level: float
    limits: Limits
    null: Array
    intervals: tuple[str, ...]
    scenario: Scenario | None

    def parts(self) -> Iterator[Any]:
        """Return a new reading of the parts, each a `Cell`."""
        raise NotImplementedError

    @property
    def total(self) -> int:
        """R, whatever became of the fits."""
        raise NotImplementedError

    @property
    def usable(self) -> int:
        """How many replicates converged."""
        raise NotImplementedError

    @property
    def bounded(self) -> bool:
        """Whether some replicates ended on the boundary."""
        raise NotImplementedError

    @property
    def count(self) -> int:
        """Rows of the converged, m; where fewer than two converged, two rows of NaN stand for them."""
        return max(self.usable, 2)

    @property
    def size(self) -> int:
        """Number of free parameters, p."""
        return len(self.limits.theta)

    @property
    def variances(self) -> tuple[str, ...]:
        """Kinds of model variances."""
        return ("observed", "expected", "sandwich")

    @property
    def truth(self) -> Array:
        """θ*, (p,)."""
        return self.limits.theta

    @property
    def periods(self) -> Array:
        """Periods of parameters that are angles, (p,); infinite for others."""
        return self.limits.periods

    def others(self) -> Steps[dict[str, Rows]]:
        """Return θ̃ − θ* of other estimators in a part, (p, m) or more, by name.

        ``cox-snell`` is θ̂ − b(θ̂)/n with the first-order bias b, where that can be had at every estimate;
        ``with-boundary`` has the replicates that ended on the boundary as well, where any did.
        """
        found: dict[str, Rows] = {}
        correction = yield bias_correction.correction(self.scenario, self.n, self.size, self.count)
        if correction is not None:
            found["cox-snell"] = lambda part: errors(part) - part.derived(correction)
        if self.bounded:
            found["with-boundary"] = lambda part: part.boundary_error
        return found

    def sharpened(self, of: Rows) -> Steps[Estimate | None]:
        """Return the controlled means of values (k, m), None without controls."""
        return sharpening.sharpened(of)

    @property
    def claimed_variances(self) -> dict[str, Array]:
        """What the model variances tend to: A⁻¹ⱼⱼ/n, I⁻¹ⱼⱼ/n and (A⁻¹BA⁻¹)ⱼⱼ/n, (p,) each."""
        bread = invert(self.limits.hessian)
        matrices = {
            "observed": bread,
            "expected": invert(self.limits.information),
            "sandwich": np.where(np.isfinite(bread), self.limits.covariance, np.nan),
        }
        return {name: np.diagonal(matrix) / self.n for name, matrix in matrices.items()}

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
