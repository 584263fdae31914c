"""What the measures of an estimator need to know of R replicates, whether of a study or of a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from simstudy.analysis.influence import Estimate
from simstudy.parameters import Array

Interval = tuple[Array, Array]
"""Lower and upper ends of confidence intervals, (p, m) each."""


class Sample(Protocol):
    """Estimates of p parameters from m replicates; `Cell` is one, and so is what `of_estimates` makes of arrays."""

    @property
    def theta(self) -> Array:
        """Estimates θ̂, (p, m)."""

    @property
    def error(self) -> Array:
        """θ̂ − θ*, (p, m); the difference of two angles is taken the short way round."""

    @property
    def other_errors(self) -> Mapping[str, Array]:
        """The same of other estimators, (p, m) or more, by name."""

    @property
    def truth(self) -> Array:
        """θ*, (p,)."""

    @property
    def periods(self) -> Array:
        """Periods of angles, (p,); infinite for other parameters."""

    @property
    def null(self) -> Array:
        """Values that tests reject, (p,); NaN where there is nothing to test."""

    @property
    def accuracy(self) -> Array:
        """Rounding of θ̂, (p,)."""

    @property
    def model_variances(self) -> Mapping[str, Array]:
        """Variances of θ̂ claimed by single data sets, (p, m), by kind."""

    @property
    def intervals(self) -> tuple[str, ...]:
        """Methods of confidence intervals."""

    def interval(self, method: str) -> Interval:
        """Return the ends of the intervals of a method."""

    def sharpened(self, values: Array, rounding: Array) -> Estimate | None:
        """Return controlled means of values (k, m), None where there are no control variates."""
