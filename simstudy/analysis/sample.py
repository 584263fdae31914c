"""What the measures of an estimator need to know of R replicates, whether of a study or of a user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np

from simstudy.analysis.control_variates import ROUNDING
from simstudy.analysis.influence import Estimate
from simstudy.analysis.reductions import Extent, Range
from simstudy.analysis.streaming import Rows, Shared, Steps
from simstudy.parameters import Array

T = TypeVar("T")
Interval = tuple[Array, Array]
"""Lower and upper ends of confidence intervals, (p, m) each."""


class SamplePart(Protocol):
    """Rows of a sample; `Cell` is one, and so is what `of_estimates` makes of arrays."""

    @property
    def theta(self) -> Array:
        """Estimates θ̂, (p, m)."""

    @property
    def error(self) -> Array:
        """θ̂ − θ*, (p, m); the difference of two angles is taken the short way round."""

    @property
    def null(self) -> Array:
        """Values that tests reject, (p,); NaN where there is nothing to test."""

    @property
    def model_variances(self) -> Mapping[str, Array]:
        """Variances of θ̂ claimed by single data sets, (p, m), by kind."""

    def interval(self, method: str) -> Interval:
        """Return the ends of the intervals of a method."""

    def derived(self, of: Callable[[Any], T]) -> T:
        """Return a function of this part, kept until the pass is over."""


class Sample(Protocol):
    """Estimates of p parameters from m replicates, in parts."""

    @property
    def count(self) -> int:
        """The number m of estimates."""

    @property
    def truth(self) -> Array:
        """θ*, (p,)."""

    @property
    def periods(self) -> Array:
        """Periods of angles, (p,); infinite for other parameters."""

    @property
    def variances(self) -> tuple[str, ...]:
        """Kinds of model variances."""

    @property
    def intervals(self) -> tuple[str, ...]:
        """Methods of confidence intervals."""

    def parts(self) -> Iterator[Any]:
        """Return a new reading of the parts, each a `SamplePart`."""

    def others(self) -> Steps[dict[str, Rows]]:
        """Return the errors of other estimators, (p, m) or more of a part, by name."""

    def sharpened(self, of: Rows) -> Steps[Estimate | None]:
        """Return controlled means of values (k, m), None where there are no control variates."""


def estimates(part: SamplePart) -> Array:
    """θ̂, (p, m)."""
    return part.theta


def errors(part: SamplePart) -> Array:
    """θ̂ − θ*, (p, m)."""
    return part.error


@Shared
def other_errors(sample: Sample) -> Steps[dict[str, Rows]]:
    """Return the errors of other estimators, (p, m) or more of a part, by name."""
    return sample.others()


@Shared
def accuracy(_: Sample) -> Steps[Array]:
    """Return the rounding of θ̂, (p,): no Monte Carlo error of a controlled estimate is claimed below it."""
    extent: Extent = yield Range(estimates)
    return np.asarray(ROUNDING * extent.size)
