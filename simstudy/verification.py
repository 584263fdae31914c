"""A results folder checked from the manifest to the last stored byte, without a change to it."""

from __future__ import annotations

from pathlib import Path

from simstudy.errors import UnusableResultsError
from simstudy.files import told
from simstudy.results import SUMMARY, Results
from simstudy.running.verify import Tally, examine
from simstudy.study.scenario import Study

_REPORT = "write it again with `simstudy report`"


def verify(folder: str | Path) -> list[str]:
    """Check everything that a run stored in a results folder; nothing is written, and a run may be at work in it.

    Every stored file is read, one at a time: all its bytes by checksum, its shapes, and whether scenario, seed and
    version are those of its place. No replicate that the study asks for may be missing, and nothing strange or left
    over may lie among the files. The manifest must be whole, and the summary one of this study.

    Parameters
    ----------
    folder
        What a run wrote.

    Returns
    -------
    list of str
        One line for each fault, ``path: what is wrong; what to do``; empty where there is none.

    Raises
    ------
    ConfigError
        If the folder was made with a plug-in that is not loaded.
    ForeignResultsError
        If that plug-in has changed.
    """
    return tally(folder).faults


def tally(folder: str | Path) -> Tally:
    """Check a results folder as `verify` does, and count what is in it."""
    found, study = Tally(), None
    try:
        results = Results(folder)
        study = results.study
        _summary(results, found)
    except UnusableResultsError as error:
        found.faults.append(str(error))
    with told(Path(folder), "read"):
        there = Path(folder).is_dir()
    if there:
        _examine(Path(folder), study, found)
    return found


def _examine(folder: Path, study: Study | None, found: Tally) -> None:
    try:
        examine(folder, study, found)
    except UnusableResultsError as error:
        found.faults.append(str(error))


def _summary(results: Results, found: Tally) -> None:
    """Check that the summary is one, and of these cells."""
    from simstudy.analysis import summary

    path = results.folder / SUMMARY
    if not path.exists() and not path.is_symlink():
        found.fault(path, f"missing: {_REPORT}")
        return
    try:
        table = summary.read(path)
    except UnusableResultsError as error:
        found.faults.append(str(error))
        return
    cells = {(cell.name, cell.n) for cell in results.study.scenarios}
    stored = {(str(name), int(n)) for name, n in zip(table["scenario"], table["n"], strict=True) if n}
    if set(table["study"]) != {results.study.name}:
        found.fault(path, f"of another study: {_REPORT}")
    elif stored != cells:
        found.fault(path, f"of other scenarios or sample sizes than those of the study: {_REPORT}")
