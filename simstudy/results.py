"""What a run wrote, opened for reading: the study, its summary, and every replicate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simstudy.families.status import Status
from simstudy.running import manifest, paths, plugins, preflight, reached
from simstudy.running.footprint import stored_bytes, table_bytes
from simstudy.running.parts import StoredParts
from simstudy.running.store import Store
from simstudy.study.limits import Limits, limits
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario, Study

if TYPE_CHECKING:
    import pandas as pd

SUMMARY = "summary.csv"
REPORT = "report.html"
_PATH_COLUMNS = ("theta[", "information[", "status")


class Results:
    """A results folder, read only; nothing is kept in memory but the manifest.

    Parameters
    ----------
    folder
        What a run wrote, such as ``results/quickstart``.

    Attributes
    ----------
    folder : Path
        The folder.
    manifest : dict
        The config as run, seed, versions, platform and timings.
    study : Study
        The study, from the manifest. Where a scenario has targets of precision, its ``replicates`` are those that were
        reached, and its ``stop`` has the cap and tells whether the targets were met.

    Raises
    ------
    UnusableResultsError
        If the folder has no manifest, or a damaged one.
    ConfigError
        If it was made with a plug-in that is not loaded.
    ForeignResultsError
        If that plug-in has changed.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.manifest: dict[str, Any] = manifest.read(self.folder)
        asked = manifest.study_of(self.folder, self.manifest)
        self.study: Study = reached.study_as_run(self.folder, self.manifest, asked)
        used = (name for scenario in self.study.scenarios for name in scenario.families)
        plugins.check_unchanged(self.folder, self.manifest, used)

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r})"

    @property
    def report(self) -> Path:
        """Path of the report."""
        return self.folder / REPORT

    def records(self, scenario: Scenario) -> Replicates:
        """Return the first R stored replicates of a cell, as arrays.

        Raises
        ------
        UnusableResultsError
            If any are missing or damaged, or they do not fit in memory.
        """
        preflight.check_held(scenario, scenario.replicates, stored_bytes(scenario, scenario.replicates))
        return self.parts(scenario).whole()

    def parts(self, scenario: Scenario) -> StoredParts:
        """Return the first R stored replicates of a cell, which are read part by part, as often as wanted."""
        return Store(self.folder, self.study.seed).parts(scenario)

    def cells(self) -> Iterator[tuple[Scenario, StoredParts, Limits]]:
        """Yield each cell of the study with its replicates, of which none is read yet, and its limits."""
        for scenario in self.study.scenarios:
            yield scenario, self.parts(scenario), limits(scenario)

    def summary(self) -> pd.DataFrame:
        """Return the tidy table of measures: ``summary.csv``, or computed where that is missing."""
        from simstudy.analysis import summary

        path = self.folder / SUMMARY
        return summary.read(path) if path.exists() else summary.summarise(self.study.name, self.cells())

    def replicates(self, scenario: str, n: int, rows: range | None = None) -> pd.DataFrame:
        """Return the replicates of one cell in order, one row each.

        Columns are ``theta[a]``, ``information[a,b]``, ``information_limit[a,b]``, ``score_limit[a]``,
        ``products[a,b]``, ``products_limit[a,b]``, ``value``, ``value_limit``, ``status`` (a name, such as
        ``CONVERGED``) and ``iterations``, with the names of free parameters for a and b; of symmetric
        matrices the upper triangle. From these follow ``se[a]``, the standard errors by the observed information, and
        ``lower[method,a]`` and ``upper[method,a]``, the ends of the intervals of the scenario; NaN where a fit has not
        converged.

        Parameters
        ----------
        scenario, n
            Name of the scenario, and the sample size.
        rows
            Those that are wanted, such as ``range(100_000)``, where all are too many to be held; the index of the
            table tells which they are.

        Raises
        ------
        KeyError
            If the study has no such scenario at that n.
        IndexError
            If it has not all of these rows.
        UnusableResultsError
            If any are missing or damaged, or the table does not fit in memory.
        """
        import pandas as pd

        from simstudy.analysis.interval_columns import intervals_by_column

        cell = self.study.cell(scenario, n)
        wanted = range(cell.replicates) if rows is None else rows
        if not wanted or wanted.step != 1 or wanted.start < 0 or wanted.stop > cell.replicates:
            message = f"scenario '{scenario}', n = {n}: rows must be a range within {cell.replicates}, got {rows}"
            raise IndexError(message)
        preflight.check_held(cell, len(wanted), table_bytes(cell, len(wanted)))
        tables = [
            pd.DataFrame(dict(_columns(part, cell.free)) | intervals_by_column(cell, part, limits(cell)))
            for part in self.parts(cell).between(wanted.start, wanted.stop)
        ]
        table = tables[0] if len(tables) == 1 else pd.concat(tables)
        return table.set_axis(pd.RangeIndex(wanted.start, wanted.stop))

    def paths(self, scenario: str) -> pd.DataFrame:
        """Return the nested samples of a scenario with ``paths: true``: one row per replicate and sample size.

        Path r follows replicate r of the largest sample size: each row is the fit to the first n of its observations.
        Columns are ``replicate``, ``n``, ``theta[a]``, ``information[a,b]`` and ``status``, as in `replicates`.

        Raises
        ------
        KeyError
            If the study has no such scenario, or it has no paths.
        UnusableResultsError
            If they are missing or damaged.
        """
        import pandas as pd

        nested = paths.nested(self.study, scenario)
        columns = dict(_columns(paths.read(self.folder, nested), nested.scenario.free))
        chosen = {name: column for name, column in columns.items() if name.startswith(_PATH_COLUMNS)}
        replicate = np.repeat(np.arange(paths.PATHS), len(nested.sizes))
        return pd.DataFrame({"replicate": replicate, "n": np.tile(nested.sizes, paths.PATHS), **chosen})


def _columns(records: Replicates, free: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    pairs = [f"{a},{b}" for i, a in enumerate(free) for b in free[i:]]
    labels = {"theta": free, "score_limit": free}
    for field in ("theta", "information", "information_limit", "score_limit", "products", "products_limit"):
        for column, label in enumerate(labels.get(field, pairs)):
            yield f"{field}[{label}]", getattr(records, field)[:, column]
    yield "value", records.value
    yield "value_limit", records.value_limit
    yield "status", np.array([status.name for status in Status], dtype=object)[records.status]
    yield "iterations", records.iterations
