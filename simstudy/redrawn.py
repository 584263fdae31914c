"""One data set of a study again, without the fit: which cell is meant, the block drawn by its identity, CSV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simstudy.errors import ConfigError, FamilyError, SimstudyError, nearest, one_line
from simstudy.families.base import Family
from simstudy.families.censored import Censored
from simstudy.families.plugin import told
from simstudy.families.regression import Regression
from simstudy.files import replaced
from simstudy.parameters import Array
from simstudy.results import Results
from simstudy.running import redraw
from simstudy.study import models
from simstudy.study.scenario import Scenario, Study

_LISTED = 20
_CSV_ROWS = 2**18


@dataclass(frozen=True, eq=False)
class Redrawn:
    """A replicate within its block.

    Attributes
    ----------
    results
        The results, opened.
    scenario, replicate
        The cell and the number of the replicate.
    block : (B, n) or (B, n, d)
        The data sets of its block.
    row
        Its row there.
    """

    results: Results
    scenario: Scenario
    replicate: int
    block: Array
    row: int

    @property
    def data(self) -> Array:
        """The data set (n,) or (n, d), a copy where there are others in the block."""
        data: Array = self.block[self.row]
        return data if len(self.block) == 1 else data.copy()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the data."""
        return column_names(models.drawn(self.scenario).family, self.block.ndim == 3)

    def raised(self, error: Exception) -> FamilyError:
        """Return what to raise where a family raises an exception on the data set."""
        return raised(self.scenario, self.replicate, error)


def redrawn(folder: str | Path, name: str | None, n: int | None, replicate: int) -> Redrawn:
    """Redraw a replicate; see `simstudy.replay` for arguments and errors."""
    results = Results(folder)
    cell = chosen(results.study, name, n)
    if replicate < 0:
        message = f"replicate: replicates are counted from 0, got {replicate}: give a number that is not negative"
        raise ConfigError(message)
    try:
        block = redraw.block_of(cell, results.study.seed, replicate)
    except (SimstudyError, MemoryError):
        raise
    except Exception as error:
        raise raised(cell, replicate, error) from error
    return Redrawn(results, cell, replicate, block, redraw.place(cell, replicate)[1])


def raised(scenario: Scenario, replicate: int, error: Exception) -> FamilyError:
    """Return what to raise where a family raises an exception on a data set."""
    return FamilyError(f"scenario '{scenario.name}', n = {scenario.n}, replicate {replicate}: {told(error)}")


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


def _listed(names: Iterable[object]) -> str:
    every = [str(name) for name in names]
    more = [f"… ({len(every)} in all)"] if len(every) > _LISTED else []
    return ", ".join([*every[:_LISTED], *more])


def column_names(family: Family, vectors: bool) -> tuple[str, ...]:
    """Return what the columns of a data set are called: x, x1 … xd, time and seen, or y and its covariates.

    >>> from simstudy.families import FAMILIES
    >>> column_names(FAMILIES["bivariate_normal"], True), column_names(FAMILIES["linear_regression"], True)
    (('x1', 'x2'), ('y', 'x1'))
    """
    if isinstance(family, Censored):
        return ("time", "seen")
    width = family.sample_space.width
    if not vectors or width is None:
        return ("x",)
    if isinstance(family, Regression):
        return ("y", *(f"x{j}" for j in range(1, width)))
    return tuple(f"x{j}" for j in range(1, width + 1))


def write_csv(path: Path, data: Array, columns: Iterable[str]) -> None:
    """Write a data set with a header, each number as the shortest text of the same bits; replaces a file.

    Raises
    ------
    UnusableResultsError
        If it cannot be written; a file that was there is then as it was.
    """
    import pandas as pd

    rows = data if data.ndim == 2 else data[:, np.newaxis]
    with replaced(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for first in range(0, len(rows), _CSV_ROWS):
            part = pd.DataFrame(rows[first : first + _CSV_ROWS], columns=list(columns))
            part.to_csv(file, index=False, header=first == 0, lineterminator="\n")
