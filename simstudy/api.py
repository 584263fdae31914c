"""The verbs of the Python interface; the command line calls the same ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simstudy.families import REGISTRY, family
from simstudy.files import without_leftovers
from simstudy.inference import fit
from simstudy.results import SUMMARY, Results
from simstudy.running.backends import default_jobs, engine
from simstudy.running.complete import complete, existing_manifest
from simstudy.running.complete_shard import complete_shard
from simstudy.running.lock import locked, shard_locked
from simstudy.running.progress import display
from simstudy.running.shards import Shard, shares
from simstudy.running.store import check_name
from simstudy.study import precision as targets
from simstudy.study.config import load
from simstudy.study.scenario import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["families", "family", "fit", "load", "load_plugin", "plan", "report", "run"]

FORMATS = ("svg",)


def families() -> list[str]:
    """Return the names of all families, those of plug-ins last."""
    return REGISTRY.names()


def load_plugin(path: str | Path) -> list[str]:
    """Load the families of a Python file, so that they can be used by name as the built-in ones are.

    A family is every instance and every class of `simstudy.families.base.Family` that the file defines at its top
    level, or those that it lists as ``FAMILIES``. Loading a file again after an edit replaces its families.

    Parameters
    ----------
    path
        The file. It is run, as ``import`` would.

    Returns
    -------
    list of str
        Names of its families.

    Raises
    ------
    ConfigError
        If the file cannot be read or raises an exception, if it defines no family or an incomplete one, or if a name
        is that of another family.
    """
    return REGISTRY.load(path)


def run(
    study: Study,
    jobs: int | None = None,
    results: str | Path = "results",
    *,
    backend: str | None = None,
    scheduler: str | None = None,
    task_timeout: float | None = None,
    quiet: bool = True,
    command: str | None = None,
    shard: tuple[int, int] | None = None,
) -> Results:
    """Simulate what is missing of a study, then write its summary, figures and report.

    What is stored is never computed again; a study that was stopped, or has grown, ends with the bytes of one
    long run. A scenario with targets of precision runs until they are met, at most to its number of replicates, and
    ends where a run that had nothing stored would.

    Parameters
    ----------
    study
        From `load`.
    jobs
        Tasks at a time, by default as many as there are processors, here or in the cluster. The numbers depend neither
        on it nor on the back end.
    results
        Folder in which the study has, or gets, a folder of its name.
    backend
        ``loky``, worker processes of this machine; ``sequential``, this process; ``dask``, a cluster. By default
        ``sequential`` for one job and ``loky`` for more.
    scheduler
        Address of the scheduler of a running dask cluster, whose workers must see the results folder under the same
        path; by default one of this machine's own is started.
    task_timeout
        Seconds after which a task, some second of work as a rule, is ended and recorded as not done.
    quiet
        Whether to show no progress on standard error.
    command
        What the report gives as the command that reproduces it.
    shard
        ``(k, N)`` for the k-th of N shares of the tasks, which depend on the study, k and N alone; there is no summary
        and no report until `collect` has joined them. Shards may be run at the same time in one folder.

    Returns
    -------
    Results
        The results, opened.

    Raises
    ------
    ConfigError
        If there is no such shard, or a study with targets of precision is to be done in shards.
    ForeignResultsError
        If the folder is in use, or holds another study.
    UnusableResultsError
        If it cannot be read or written, a stored file is damaged, or the study would not fit on the disk or in memory.
    UnfinishedTasksError
        If some replicates could not be simulated; all others are stored.
    """
    from simstudy.analysis.precision import precise

    chosen = engine(jobs, backend, scheduler, task_timeout)
    folder = Path(results) / check_name(study.name, "study")
    part = Shard(*shard) if shard else None
    if part:
        shares(study, part)  # refuses a study that cannot be done in shards
    existing_manifest(folder, study)  # refuses before even a lock is left in another's folder
    command = command or f"simstudy.run(simstudy.load('{study.name}.yaml'))"
    if part:
        with shard_locked(folder, str(part)), display(quiet) as shown:
            complete_shard(folder, study, chosen, command, shown, part)
            return Results(folder)
    with locked(folder), without_leftovers(folder), display(quiet) as shown:
        complete(folder, study, chosen, command, shown, precise)
        shown.note("drawing figures and writing the report")
        report(folder, jobs=jobs)
        return Results(folder)


def plan(study: Study, precision: Mapping[str, float | str] | None = None, pilot: int | None = None) -> pd.DataFrame:
    """Tell from a pilot how many replicates a wanted precision takes; nothing is stored.

    Parameters
    ----------
    study
        From `load`.
    precision
        Measures and the Monte Carlo standard errors (MCSE) to reach, such as ``{"coverage": 0.002,
        "scaled_covariance": "1%"}``; by default those of the config, else 1% for the two matrices and 0.005 for
        coverage.
    pilot
        Replicates of the pilot of every cell, rounded up to whole blocks; by default about 1,000, fewer for huge n.

    Returns
    -------
    DataFrame
        One row per cell and measure: ``scenario``, ``n``, ``measure``, ``target``, ``pilot`` (replicates), ``share``
        (the pilot's largest MCSE over what it may be), ``replicates`` (that reach the target, to two digits; missing
        where the pilot cannot tell), ``rough`` (whether the halves of the pilot disagree on that by more than a factor
        2), ``seconds`` (of one processor), ``bytes`` (on disk), and ``decides`` (whether no
        other measure of the cell takes more).

    Raises
    ------
    ConfigError
        If there is no such measure, or a target is no positive number and no share.
    UnusableResultsError
        If a pilot does not fit in memory.
    """
    from simstudy.planning import frame, needs

    return frame(needs(study, () if precision is None else targets.checked(precision), pilot))


def report(
    folder: str | Path, formats: Sequence[str] = FORMATS, only: Sequence[str] = (), jobs: int | None = None
) -> list[Path]:
    """Write summary, figures and pages of a results folder again from the stored blocks, byte for byte.

    Parameters
    ----------
    folder
        What a run wrote.
    formats
        Formats of the figure files, of ``svg``, ``pdf`` and ``png``; ``svg`` is always among them.
    only
        Names of the only figures to draw, of all scenarios; the pages then stay as they are.
    jobs
        Processes that draw, by default as many as there are processors.

    Returns
    -------
    list of Path
        The figures and pages written, ``report.html`` first where that is one of them.

    Raises
    ------
    ConfigError
        If a format or a figure is not known.
    UnusableResultsError
        If blocks are missing or damaged, or the folder cannot be written.
    """
    from simstudy import report as pages
    from simstudy.analysis import summary

    results = Results(folder)
    pages.check(formats, only)
    summary.write(summary.summarise(results.study.name, results.cells()), results.folder / SUMMARY)
    return pages.build(results, formats, only, jobs or default_jobs())
