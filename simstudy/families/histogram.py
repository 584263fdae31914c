"""The likelihood of counts by their frequencies: what depends on the value alone is computed once per value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.likelihood import Evaluation, FamilyLikelihood, against_rows
from simstudy.families.sample_space import SampleSpace
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array, Columns

Functions = Callable[[Array, Columns], Sequence[Array]]


class HistogramLikelihood(FamilyLikelihood):
    """Data kept as the values that occur, ascending, and how often; rows with fewer values are filled up with none.

    Parameters
    ----------
    x : (R, n)
        Data.
    space
        Where they should lie.
    log_density, derivatives
        Elementwise functions of (x, θ); derivatives returns score and packed Hessian.

    Attributes
    ----------
    values, counts : (R, K)
        The values, and how often each occurs.
    mean : (R,)
        x̄.
    excess : (R,)
        Sample variance with divisor n, minus x̄; its sign is exact while n² times it is below 2⁵³.
    """

    def __init__(
        self,
        x: Array,
        space: SampleSpace,
        log_density: Callable[[Array, Columns], Array],
        derivatives: Callable[[Array, Columns], tuple[Sequence[Array], Sequence[Array]]],
    ) -> None:
        self.rows, self.size = x.shape
        self.usable = space.holds_all(x)
        self._functions = (log_density, derivatives)
        self.mean = np.where(self.usable, x.mean(axis=-1), np.nan)
        self.excess = _excess(x, self.mean)
        self.values, self.counts = _frequencies(x if self.usable.all() else np.where(self.usable[:, np.newaxis], x, 0))

    def average(self, functions: Functions, theta: Columns) -> list[Array]:
        """Return means over each data set of functions of (x, θ), for θ as arrays (R,)."""
        columns = against_rows([np.broadcast_to(column, (self.rows,)) for column in theta])
        cells = np.repeat(np.arange(self.rows), self.values.shape[1])
        # Sums one after the other, so that a row's bits do not depend on how far it is filled up.
        return [
            np.bincount(cells, (self.counts * entry).ravel(), self.rows) / self.size
            for entry in functions(self.values, columns)
        ]

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by averages of the elementwise log-density, score and Hessian."""
        (log_density, derivatives), size = self._functions, len(theta)

        def functions(x: Array, theta: Columns) -> list[Array]:
            score, hessian = derivatives(x, theta)
            outer = [score[i] * score[j] for i, j in pairs(size)] if products else []
            return [log_density(x, theta), *score, *hessian, *outer]

        value, *means = self.average(functions, theta)
        packed = len(pairs(size))
        score, hessian, outer = means[:size], means[size : size + packed], means[size + packed :]
        return Evaluation(value, score, [-entry for entry in hessian], outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        part = object.__new__(type(self))
        part._functions, part.size, part.rows = self._functions, self.size, len(rows)
        part.usable, part.mean, part.excess = self.usable[rows], self.mean[rows], self.excess[rows]
        part.values, part.counts = self.values[rows], self.counts[rows]
        return part


def _frequencies(x: Array) -> tuple[Array, Array]:
    """Return the values that occur in each row, and how often."""
    ordered = np.sort(x, axis=-1)
    first = np.ones(x.shape, dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=first[:, 1:])
    row, column = np.nonzero(first)
    starts = row * x.shape[1] + column
    lengths = np.diff(starts, append=x.size)
    occurring = first.sum(axis=-1)
    place = np.arange(len(row)) - np.repeat(np.cumsum(occurring) - occurring, occurring)
    values, counts = np.zeros((2, len(x), int(occurring.max())))
    values[row, place], counts[row, place] = ordered[row, column], lengths
    return values, counts


def _excess(x: Array, mean: Array) -> Array:
    """Return the variance minus the mean, from deviations from a whole number, so that all sums are whole."""
    centre, n = np.rint(mean), x.shape[-1]
    deviation = x - centre[:, np.newaxis]
    total, squares = deviation.sum(axis=-1), np.einsum("rn,rn->r", deviation, deviation)
    return np.asarray((n * squares - total * total - n * (total + n * centre)) / (n * n))
