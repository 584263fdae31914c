"""One replicate of a study again: its data, the fit with all iterations, and the row that is stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simstudy.errors import ConfigError, SimstudyError
from simstudy.families.plugin import told
from simstudy.inference import Fit
from simstudy.parameters import Array
from simstudy.redrawn import Redrawn, redrawn, write_csv
from simstudy.running import redraw
from simstudy.running.store import Store
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario
from simstudy.watching import beside_itself, watched

if TYPE_CHECKING:
    import pandas as pd


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
        ``iteration``, the coordinates in which the solver works, ``log_likelihood`` (along a profile its maximum;
        NaN where the solver knows none), ``objective`` (what it climbs, the mean log-likelihood up to a constant),
        ``decrement``, ``damping``, ``step`` and ``safeguard``. The last row is the estimate; a closed form has that
        row alone.
    record : Replicates
        The row that a run stores, fitted within its block.
    stored : Replicates or None
        The row that is stored, if there is one.
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
        """Whether the record is the stored row bit for bit; None where there is none, or it cannot be read."""
        return None if self.stored is None else not self.differing

    @property
    def differing(self) -> tuple[str, ...]:
        """The fields in which they differ."""
        return () if self.stored is None else redraw.differing(self.record, self.stored)

    def write_csv(self, path: str | Path) -> None:
        """Write the data with a header, each number as the shortest text of the same bits; replaces a file."""
        write_csv(Path(path), self.data, self.columns)


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
    FamilyError
        If a family raises an exception on the data set.
    UnusableResultsError
        If the folder has no manifest, or a damaged one; a damaged file of replicates is noted.
    """
    return refitted(redrawn(folder, scenario, n, replicate))


def refitted(drawn: Redrawn) -> Replay:
    """Fit a replicate again and compare it with the row that is stored."""
    try:
        record, notes = _in_block(drawn)
        pair = beside_itself(drawn.scenario, drawn.data)
        fit, iterations = watched(drawn.scenario, pair)
        record = redraw.fitted_row(drawn.scenario, pair, 0) if record is None else record
    except (SimstudyError, MemoryError):
        raise
    except Exception as error:
        raise drawn.raised(error) from error
    if record.theta.tobytes() != fit.theta.tobytes():
        notes.append("the trace is of a fit without the other rows of its block, which differs in the last digits")
    stored = _stored(drawn, notes)
    found = drawn.scenario, drawn.replicate, pair[0], drawn.columns
    return Replay(*found, fit, iterations, record, stored, tuple(notes))


def _in_block(drawn: Redrawn) -> tuple[Replicates | None, list[str]]:
    """Return the record of a row fitted within its block, or why there is none."""
    try:
        return redraw.fitted_row(drawn.scenario, drawn.block, drawn.row), []
    except (ConfigError, MemoryError):
        raise
    except Exception as error:
        if len(drawn.block) == 1:
            raise
        return None, [f"its block cannot be fitted as a whole, so that no row of it can be stored: {told(error)}"]


def _stored(drawn: Redrawn, notes: list[str]) -> Replicates | None:
    """Return the stored row, or None and note why there is none."""
    cell, replicate, results = drawn.scenario, drawn.replicate, drawn.results
    beyond = replicate >= cell.replicates
    try:
        found = redraw.stored_row(Store(results.folder, results.study.seed), cell, replicate)
    except SimstudyError as error:
        notes.append(f"the stored row cannot be read: {error}")
        return None
    if found is None:
        why = f"the study has {cell.replicates:,} replicates" if beyond else "the study is unfinished"
        notes.append(f"no stored row: {why}")
    elif beyond:
        notes.append(f"stored with its block, but beyond the {cell.replicates:,} replicates of the study")
    return found
