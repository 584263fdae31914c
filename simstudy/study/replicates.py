"""The record of simulated and fitted data sets, one row per replicate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simstudy.parameters import Array


@dataclass(frozen=True)
class Replicates:
    """What is kept of R replicates with p free parameters; q = p(p+1)/2 packed symmetric entries.

    Packed order is the upper triangle row by row: (0,0), (0,1), …, (0,p−1), (1,1), … . All information,
    scores and score products are averages per observation, on the free parameters of the scenario.

    Attributes
    ----------
    theta : (R, p)
        Maximum likelihood estimates θ̂.
    information, information_limit : (R, q)
        Observed information −(1/n)∂²ℓ at θ̂ and at the limit θ*.
    score_limit : (R, p)
        Mean score (1/n)∂ℓ at θ*.
    products, products_limit : (R, q)
        Mean product (1/n)Σ sᵢsᵢᵀ of the scores of single observations at θ̂ and at θ*.
    value, value_limit : (R,)
        Log-likelihood ℓ (a sum, not an average) at θ̂ and at θ*.
    status : (R,) int8
        `Status` of the fit; no row is ever dropped or redrawn.
    iterations : (R,) int16
        Iterations of the optimiser.
    intervals : (R, 2pk)
        For each of the k methods of intervals of the scenario that need the data, in canonical order, the p lower
        and then the p upper ends; NaN where there are none.
    """

    theta: Array
    information: Array
    information_limit: Array
    score_limit: Array
    products: Array
    products_limit: Array
    value: Array
    value_limit: Array
    status: NDArray[np.int8]
    iterations: NDArray[np.int16]
    intervals: Array = field(default_factory=lambda: np.empty((0, 0)))

    def __post_init__(self) -> None:
        if not self.intervals.size:
            object.__setattr__(self, "intervals", np.empty((len(self), 0)))

    def __len__(self) -> int:
        return len(self.status)

    def __iter__(self) -> Iterator[Replicates]:
        """Return one part, all of it."""
        yield self

    def head(self, rows: int) -> Replicates:
        """Return the first ``rows`` replicates (views, not copies)."""
        return Replicates(**{f.name: getattr(self, f.name)[:rows] for f in fields(self)})

    def tail(self, rows: int) -> Replicates:
        """Return the last ``rows`` replicates (views, not copies)."""
        return Replicates(**{f.name: getattr(self, f.name)[len(self) - rows :] for f in fields(self)})


class Parts(Protocol):
    """A record too long to be held: read as often as is wanted, each time part by part in replicate order.

    `Replicates` are their own only part.
    """

    def __len__(self) -> int:
        """Return the number of replicates, all parts together."""

    def __iter__(self) -> Iterator[Replicates]:
        """Return a new reading of the parts, from the first."""


def concatenate(parts: Sequence[Replicates]) -> Replicates:
    """Join records in the order given."""
    return Replicates(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Replicates)})
