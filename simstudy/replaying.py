"""One replicate of a study again: its data, the fit with all iterations, and the row that is stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simstudy.errors import ConfigError, SimstudyError, nearest, one_line
from simstudy.families.base import Family
from simstudy.families.censored import Censored
from simstudy.families.plugin import told
from simstudy.families.regression import Regression
from simstudy.files import replaced
from simstudy.inference import Fit
from simstudy.parameters import Array
from simstudy.results import Results
from simstudy.running import redraw
from simstudy.running.store import Store
from simstudy.study import models
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario, Study
from simstudy.watching import beside_itself, watched

if TYPE_CHECKING:
    import pandas as pd

_LISTED = 20
_CSV_ROWS = 2**18


@dataclass(frozen=True, eq=False)
class Replay:
    """One replicate, redrawn and fitted again.

    Attributes
    ----------
    scenario, replicate
        The cell and the number of the replicate.
    data : (n,) or (n, d)
        The data set.
    columns
        Names of the columns of the data.
    fit : Fit
        Estimate, information, standard errors and intervals, as `simstudy.fit` returns them.
    trace : DataFrame
        The iterations of all solvers that ran, in their order: ``solver``, ``start`` (starting points are counted),
        ``iteration``, the coordinates in which the solver works, ``log_likelihood`` (or ``objective``, the mean
        log-likelihood up to a constant), ``decrement``, ``damping``, ``step`` and ``safeguard``; the last row is the
        estimate. A closed form has that row alone.
    record : Replicates
        The row that a run stores, fitted within its block.
    stored : Replicates or None
        The row that is stored, if there is one.
    equal : bool or None
        Whether both are the same bit for bit; None where no row is stored or it cannot be read.
    differing
        Names of the fields that are not the same.
    notes
        What there is to say beside, such as why there is no stored row.
    """

    scenario: Scenario
    replicate: int
    data: Array
    columns: tuple[str, ...]
    fit: Fit
    trace: pd.DataFrame
    record: Replicates
    stored: Replicates | None
    notes: tuple[str, ...]

    @property
    def equal(self) -> bool | None:
        """Whether the record is the stored row bit for bit."""
        return None if self.stored is None else not self.differing

    @property
    def differing(self) -> tuple[str, ...]:
        """The fields in which they differ."""
        return () if self.stored is None else redraw.differing(self.record, self.stored)

    def write_csv(self, path: str | Path) -> None:
        """Write the data with a header, each number as the shortest text of the same bits; replaces a file."""
        import pandas as pd

        rows = self.data if self.data.ndim == 2 else self.data[:, np.newaxis]
        with replaced(Path(path)) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            for first in range(0, len(rows), _CSV_ROWS):
                part = pd.DataFrame(rows[first : first + _CSV_ROWS], columns=list(self.columns))
                part.to_csv(file, index=False, header=first == 0, lineterminator="\n")


def replay(folder: str | Path, scenario: str | None = None, n: int | None = None, replicate: int = 0) -> Replay:
    """Redraw one replicate of a study, fit it again and compare it with the row that is stored.

    The block of the replicate is drawn by its identity and fitted as in the run, so that a row is the same bit for bit
    whatever the jobs, the back end and the replicates of the run were.

    Parameters
    ----------
    folder
        What a run wrote.
    scenario, n
        The cell; either may be left out where there is only one.
    replicate
        Its number, from 0; it may lie beyond those of the study.

    Raises
    ------
    ConfigError
        If the study has no such cell, or the number is negative.
    UnusableResultsError
        If the folder has no manifest, or a damaged one; a damaged file of replicates is noted.
    """
    results = Results(folder)
    cell = chosen(results.study, scenario, n)
    if replicate < 0:
        message = f"replicate: replicates are counted from 0, got {replicate}: give a number that is not negative"
        raise ConfigError(message)
    x, row = redraw.block_of(cell, results.study.seed, replicate), redraw.place(cell, replicate)[1]
    data = x[row] if len(x) == 1 else x[row].copy()
    record, notes = _in_block(cell, x, row)
    del x
    pair = beside_itself(cell, data)
    fit, iterations = watched(cell, pair)
    if record is None:
        record = redraw.fitted_row(cell, pair, 0)
    elif record.theta.tobytes() != fit.theta.tobytes() or record.value[0] != fit.log_likelihood:
        notes.append("the trace is of a fit without the other rows of its block, which differs in the last digits")
    stored = _stored(Store(results.folder, results.study.seed), cell, replicate, notes)
    columns = column_names(models.drawn(cell).family, data)
    return Replay(cell, replicate, data, columns, fit, iterations, record, stored, tuple(notes))


def chosen(study: Study, name: str | None, n: int | None) -> Scenario:
    """Return the cell that is meant (ConfigError where there is none, or more than one)."""
    check_cell(study, name, n)
    if name is None and len(study.names) > 1:
        message = f"scenario: the study has {len(study.names)}: give one of {_listed(study.names)}"
        raise ConfigError(message)
    cells = {cell.n: cell for cell in study.scenarios if name in {None, cell.name}}
    if n is None and len(cells) > 1:
        message = f"n: the scenario has {len(cells)} sample sizes: give one of {_listed(cells)}"
        raise ConfigError(message)
    return next(iter(cells.values())) if n is None else cells[n]


def check_cell(study: Study, name: str | None, n: int | None) -> None:
    """Refuse a scenario or a sample size that a study has not (ConfigError)."""
    if name is not None and name not in study.names:
        known = _listed(study.names)
        message = f"scenario: the study has no '{one_line(name)}'{nearest(name, study.names)}; it has {known}"
        raise ConfigError(message)
    sizes = dict.fromkeys(cell.n for cell in study.scenarios if name in {None, cell.name})
    if n is not None and n not in sizes:
        of = "the study" if name is None else f"scenario '{name}'"
        message = f"n: {of} has no sample size {n}; it has {_listed(sizes)}"
        raise ConfigError(message)


def _listed(names: Any) -> str:
    every = [str(name) for name in names]
    more = [f"… ({len(every)} in all)"] if len(every) > _LISTED else []
    return ", ".join([*every[:_LISTED], *more])


def _in_block(scenario: Scenario, x: Array, row: int) -> tuple[Replicates | None, list[str]]:
    """Return the record of a row fitted within its block, or why there is none."""
    try:
        return redraw.fitted_row(scenario, x, row), []
    except (ConfigError, MemoryError):
        raise
    except Exception as error:
        if len(x) == 1:
            raise
        return None, [f"its block cannot be fitted as a whole, so that no row of it can be stored: {told(error)}"]


def _stored(store: Store, scenario: Scenario, replicate: int, notes: list[str]) -> Replicates | None:
    """Return the stored row, or None and note why there is none."""
    beyond = replicate >= scenario.replicates
    try:
        found = redraw.stored_row(store, scenario, replicate)
    except SimstudyError as error:
        notes.append(f"the stored row cannot be read: {error}")
        return None
    if found is None:
        why = f"the study has {scenario.replicates:,} replicates" if beyond else "the study is unfinished"
        notes.append(f"no stored row: {why}")
    elif beyond:
        notes.append(f"stored with its block, but beyond the {scenario.replicates:,} replicates of the study")
    return found


def column_names(family: Family, data: Array) -> tuple[str, ...]:
    """Return what the columns of a data set are called: x, x1 … xd, time and seen, or y and its covariates."""
    if isinstance(family, Censored):
        return ("time", "seen")
    if data.ndim == 1:
        return ("x",)
    width = data.shape[1]
    if isinstance(family, Regression):
        return ("y", *(f"x{j}" for j in range(1, width)))
    return tuple(f"x{j}" for j in range(1, width + 1))
