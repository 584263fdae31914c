"""Shards of a study joined into one results folder, with its summary, figures and report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from simstudy.api import report
from simstudy.errors import ConfigError
from simstudy.files import without_leftovers
from simstudy.results import Results
from simstudy.running import joining, manifest, sources
from simstudy.running.complete import existing_manifest
from simstudy.running.lock import locked
from simstudy.running.progress import display


@dataclass(frozen=True)
class Collected:
    """What collecting did: the results, the tasks in all, files that were new to the folder, and those passed over."""

    results: Results
    tasks: int
    new: int
    passed: tuple[str, ...]


def collect(
    folders: str | Path | Iterable[str | Path],
    into: str | Path | None = None,
    jobs: int | None = None,
    *,
    quiet: bool = True,
) -> Results:
    """Join what shards of a study have stored, then write summary, figures and report, as one whole run would.

    All files are read and compared first; nothing is written where any is missing, damaged or another study's.
    Collecting again changes nothing.

    Parameters
    ----------
    folders
        Results folders of one study, such as ``results/quickstart``, or folders that hold one. Where they ask for
        different numbers of replicates, the largest is wanted.
    into
        The folder that gets a folder named after the study, unless it is that folder itself; by default all goes into
        the first of the folders given.
    jobs
        Processes that draw, by default as many as there are processors.
    quiet
        Whether to show no progress on standard error.

    Returns
    -------
    Results
        The results, opened.

    Raises
    ------
    ConfigError
        If no folder is given, or one needs a plug-in that is not loaded.
    ForeignResultsError
        If they are not of one study, or somebody is at work in the folder that gets all.
    UnusableResultsError
        If anything is missing or damaged; the lines name it, and the command that makes it.
    """
    given = [folders] if isinstance(folders, str | Path) else folders
    return collected([Path(folder) for folder in given], Path(into) if into else None, jobs, quiet=quiet).results


def collected(folders: list[Path], into: Path | None, jobs: int | None = None, *, quiet: bool = True) -> Collected:
    """Collect as `collect` does, and tell what that did."""
    if not folders:
        message = "collect: no folder to collect from; give those that the shards wrote"
        raise ConfigError(message)
    given = sources.each_once(folders)
    target = _target(into, given[0])
    largest = sources.whole_study(_with_target(given, target))
    existing_manifest(target, largest.study)  # refuses before even a lock is left in another's folder
    with locked(target), without_leftovers(target), display(quiet) as shown:
        given = _with_target(sources.each_once(each.folder for each in given), target)
        largest = sources.whole_study(given)
        plan = joining.planned(target, given, largest)
        joining.join(plan, target, given, largest)
        shown.note("drawing figures and writing the report")
        report(target, jobs=jobs)
        return Collected(Results(target), plan.wanted, len(plan.copies), tuple(dict.fromkeys(plan.passed)))


def _target(into: Path | None, first: sources.Source) -> Path:
    """Return the results folder that gets all."""
    if into is None:
        return first.folder
    own = into.name == first.study.name or (into / manifest.NAME).exists()
    return into if own else into / first.study.name


def _with_target(given: list[sources.Source], target: Path) -> list[sources.Source]:
    """Put the folder that gets all first, where it holds anything."""
    if not (target / manifest.NAME).exists():
        return given
    return sources.each_once([target, *(each.folder for each in given)])
