"""Plain arrays as a sample, in as many parts as is wanted: what steps say of numbers that a test makes up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from simstudy.analysis.streaming import Part, Steps, run


class Table(Part):
    """Arrays (…, R) by name, which each part has those rows of that are its own."""

    def __init__(self, pieces: int = 1, first: int = 0, **columns: np.ndarray) -> None:
        self.pieces, self.first, self.columns = pieces, first, columns

    def __getattr__(self, name: str) -> np.ndarray:
        if name not in self.columns:
            raise AttributeError(name)
        return self.columns[name]

    def parts(self) -> Iterator[Table]:
        """Yield the parts, of equal size to one."""
        split = {name: np.array_split(column, self.pieces, axis=-1) for name, column in self.columns.items()}
        first = self.first
        for place in range(self.pieces):
            own = {name: column[place] for name, column in split.items()}
            yield Table(1, first, **own)
            first += next((column.shape[-1] for column in own.values()), 0)


def values(part: Table) -> np.ndarray:
    """Return the values of a part."""
    return part.values


def found(steps: Callable[..., Steps[Any]], given: np.ndarray, *others: Any, pieces: int = 1) -> Any:
    """Return what steps make of values (k, R)."""
    return run(Table(pieces, values=given), steps(values, *others))
