"""The likelihood of counts by their frequencies: what depends on the value alone is computed once per value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, against_rows
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array, Columns

# Counts below the length have frequencies; small data sets are no longer than a short table.
_SHORT, _LONG, _MANY = 16, 64, 256

Functions = Callable[[Array, Columns], Sequence[Array]]


class HistogramLikelihood(FamilyLikelihood):
    """Data kept as frequencies of the counts 0 … L−1 and a list of the larger counts.

    Attributes
    ----------
    mean : (R,)
        x̄.
    excess : (R,)
        Sample variance with divisor n, minus x̄; its sign is exact while n² times it is below 2⁵³.
    """

    def __init__(self, family: Family, x: Array) -> None:
        self.rows, self.size = x.shape
        self.usable = family.sample_space.holds_all(x)
        self._family = family
        self.mean = np.where(self.usable, x.mean(axis=-1), np.nan)
        self.excess = _excess(x, self.mean)
        if not self.usable.all():
            x = np.where(self.usable[:, np.newaxis], x, 0)
        length = _LONG if self.size >= _MANY else _SHORT
        self._values = np.arange(float(length))
        small = np.minimum(x, length).astype(np.intp, copy=False)
        cells = (np.arange(self.rows) * (length + 1))[:, np.newaxis] + small
        counts = np.bincount(cells.ravel(), minlength=self.rows * (length + 1)).reshape(self.rows, length + 1)
        self._table = np.ascontiguousarray(counts[:, :length], dtype=float)
        self._row, column = np.nonzero(small == length)
        self._large = x[self._row, column].astype(float)

    def average(self, functions: Functions, theta: Columns) -> list[Array]:
        """Return means over each data set of functions of (x, θ), for θ as arrays (R,)."""
        theta = [np.broadcast_to(np.asarray(column, dtype=float), (self.rows,)) for column in theta]
        totals = [
            _row_sums(self._table, np.broadcast_to(values, self._table.shape))
            for values in functions(self._values, against_rows(theta))
        ]
        if len(self._row):
            # Sums one after the other: a row's bits do not depend on the rows around it.
            tails = functions(self._large, [column[self._row] for column in theta])
            totals = [t + np.bincount(self._row, v, self.rows) for t, v in zip(totals, tails, strict=True)]
        return [total / self.size for total in totals]

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by averages of the elementwise log-density, score and Hessian."""
        family, size = self._family, len(theta)

        def functions(x: Array, theta: Columns) -> list[Array]:
            score = family.score(x, theta)
            outer = [score[i] * score[j] for i, j in pairs(size)] if products else []
            return [family.log_density(x, theta), *score, *family.hessian(x, theta), *outer]

        value, *means = self.average(functions, theta)
        packed = len(pairs(size))
        score, hessian, outer = means[:size], means[size : size + packed], means[size + packed :]
        return Evaluation(value, score, [-entry for entry in hessian], outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        part = object.__new__(type(self))
        part._family, part.size, part._values, part.rows = self._family, self.size, self._values, len(rows)
        part.usable, part.mean, part.excess = self.usable[rows], self.mean[rows], self.excess[rows]
        part._table = self._table[rows]
        ends = np.searchsorted(self._row, np.arange(self.rows + 1))
        lengths = np.diff(ends)[rows]
        part._row = np.repeat(np.arange(len(rows)), lengths)
        first = np.repeat(ends[rows] - np.cumsum(lengths) + lengths, lengths)
        part._large = self._large[first + np.arange(len(first))]
        return part


def _row_sums(first: Array, second: Array) -> Array:
    return np.asarray(np.einsum("rn,rn->r", first, second))


def _excess(x: Array, mean: Array) -> Array:
    """Return the variance minus the mean, from deviations from a whole number, so that all sums are whole."""
    centre, n = np.rint(mean), x.shape[-1]
    deviation = x - centre[:, np.newaxis]
    total, squares = deviation.sum(axis=-1), _row_sums(deviation, deviation)
    return np.asarray((n * squares - total * total - n * (total + n * centre)) / (n * n))
