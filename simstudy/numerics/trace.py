"""What solvers do, iteration by iteration, for whoever asks to see it.

A solver calls `begin` once and, where anyone listens, notes each of its iterations. Where nobody does, `begin` returns
None and nothing else is done; in either case no number that a solver computes depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Line = dict[str, Any]
"""What is known of one iteration of one row, by column."""

_LISTENER: ContextVar[list[Run] | None] = ContextVar("listener", default=None)
SAFEGUARD = "safeguard"


class Run:
    """The iterations of one call of a solver.

    Attributes
    ----------
    solver
        What the solver is called.
    """

    def __init__(self, solver: str) -> None:
        self.solver = solver
        self._lines: dict[int, list[Line]] = {}

    def note(self, rows: NDArray[Any], at: Mapping[str, ArrayLike], going: ArrayLike = True, **columns: Any) -> None:
        """Note the next iteration of some rows.

        Parameters
        ----------
        rows : (m,) integers
            Places of the rows among those that the solver was called with.
        at
            Coordinates, arrays (m,) by name; one that is called like a parameter is that parameter.
        going : (m,) bool
            Which of the rows iterate still; the others are left out.
        **columns
            More arrays (m,); ``safeguard`` is a mapping from what was done to where, (m,) bool.
        """
        safeguards = columns.pop(SAFEGUARD, {})
        chosen = np.flatnonzero(np.broadcast_to(going, rows.shape))
        spread = {name: np.broadcast_to(value, rows.shape) for name, value in {**at, **columns}.items()}
        told = {text: np.broadcast_to(where, rows.shape) for text, where in safeguards.items()}
        for k in chosen.tolist():
            line: Line = {name: values[k].item() for name, values in spread.items()}
            line[SAFEGUARD] = ", ".join(text for text, where in told.items() if where[k])
            self._lines.setdefault(int(rows[k]), []).append(line)

    def follow(self, rows: NDArray[Any], **columns: Any) -> None:
        """Add to the last iteration noted of rows what became known after it."""
        safeguards = columns.pop(SAFEGUARD, {})
        for k, row in enumerate(rows.tolist()):
            line = self._lines[row][-1]
            line.update({name: np.broadcast_to(value, rows.shape)[k].item() for name, value in columns.items()})
            line[SAFEGUARD] = ", ".join(t for t, where in safeguards.items() if np.broadcast_to(where, rows.shape)[k])

    @property
    def courses(self) -> list[list[Line]]:
        """The iterations of each row, rows that went the same way once."""
        distinct = {repr(lines): lines for _, lines in sorted(self._lines.items())}
        return list(distinct.values())


@contextmanager
def recording() -> Iterator[list[Run]]:
    """Listen to the solvers that run in this context; the list fills with their runs in the order of their beginning.

    It is meant for a few rows: every iteration of every row is kept.
    """
    runs: list[Run] = []
    token = _LISTENER.set(runs)
    try:
        yield runs
    finally:
        _LISTENER.reset(token)


def begin(solver: str) -> Run | None:
    """Return where to note the iterations of a solver, None where nobody listens."""
    runs = _LISTENER.get()
    if runs is None:
        return None
    run = Run(solver)
    runs.append(run)
    return run


def damped(before: Sequence[NDArray[Any]], after: Sequence[NDArray[Any]], damping: NDArray[Any]) -> dict[str, Any]:
    """Return the safeguards of a damped step, of which one that was refused has led nowhere."""
    refused = np.all([old == new for old, new in zip(before, after, strict=True)], axis=0) & (damping > 0.0)
    return {"step refused": refused, "damped": ~refused & (damping > 0.0)}
