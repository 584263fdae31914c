"""What the command line prints: the plan of a study, failures, the families."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simstudy import api, theory
from simstudy.families.base import Family
from simstudy.parameters import Parameter, Parametrisation
from simstudy.running.backends import default_jobs
from simstudy.running.costs import measured_costs
from simstudy.running.footprint import worker_bytes
from simstudy.running.plan import Estimate, estimate, human_seconds
from simstudy.study import precision
from simstudy.study.scenario import Study

if TYPE_CHECKING:
    import pandas as pd


def reproducing_command(config: Path, replicates: int | None, plugins: Sequence[Path] = ()) -> str:
    """Return the command that makes the same numbers, without what does not matter to them.

    >>> reproducing_command(Path("configs/normal.yaml"), 500, [Path("my_families.py")])
    'simstudy run configs/normal.yaml --replicates 500 --plugin my_families.py'
    """
    options = [] if replicates is None else ["--replicates", str(replicates)]
    options += [word for path in plugins for word in ("--plugin", _shown(path))]
    return shlex.join(["simstudy", "run", _shown(config), *options])


def _shown(path: Path) -> str:
    return path.name if path.is_absolute() else path.as_posix()


LISTED = 20
"""Files that are named one by one."""


def written(folder: Path, paths: Sequence[Path]) -> str:
    """Say which files a report wrote: the report, or else the figures, or how many where these are many."""
    if paths and paths[0].suffix == ".html":
        return f"report: {paths[0]}"
    if not paths:
        return "no scenario has anything to show in these figures: nothing is written"
    if len(paths) > LISTED:
        return f"figures: {len(paths)} files in {folder / 'figures'}"
    return "\n".join(f"figure: {path}" for path in paths)


class Failures:
    """Replicates that did not converge, per cell, against the tolerated share; the command lists them."""

    def __init__(self, summary: pd.DataFrame, tolerated: float, command: str) -> None:
        cells = summary.drop_duplicates(["scenario", "n"])[["scenario", "n", "failed", "replicates"]]
        self.cells = [(f"{name}, n = {n}", int(failed), int(of)) for name, n, failed, of in cells.to_numpy()]
        self.tolerated = tolerated
        self.command = command

    @property
    def too_many(self) -> list[str]:
        """Cells in which more than the tolerated share failed."""
        return [cell for cell, failed, of in self.cells if failed / of > self.tolerated]

    @property
    def exit_code(self) -> int:
        """3 if any cell failed above the tolerated share, otherwise 0."""
        return 3 if self.too_many else 0

    @property
    def lines(self) -> Iterator[str]:
        """One line if there were failures at all, and one if there were too many."""
        failed, total = (sum(column) for column in list(zip(*self.cells, strict=True))[1:])
        if failed:
            worst, most, of = max(self.cells, key=lambda cell: cell[1] / cell[2])
            share = f"most in {worst}: {most / of:.1%}"
            said = f"failures: {failed:,} of {total:,} replicates did not converge; {share}"
            yield f"{said}; to list them: {self.command}"
        if empty := [cell for cell, lost, of in self.cells if lost == of]:
            more = f" and {len(empty) - 1:,} more cell{'s' if len(empty) > 2 else ''}" if len(empty) > 1 else ""
            yield f"no usable replicate in {empty[0]}{more}"
        if self.too_many:
            yield f"more than the tolerated {self.tolerated:.1%} in {len(self.too_many)} cells: exit code 3"


def capped(study: Study) -> list[str]:
    """Return the line about cells that reached their cap before their precision, if there are any."""
    said = precision.capped(study)
    return [said] if said else []


def plan(study: Study) -> str:
    """Return the table of cells and what the study takes in all, at most where cells stop at a precision.

    Memory is that of a worker which simulates a task of the cell.
    """
    cells = estimate(study, measured_costs(study.scenarios))
    header = ("scenario", "n", "replicates", "draws", "seconds", "disk", "memory")
    seconds, jobs = sum(cell.seconds for cell in cells), default_jobs()
    most = "at most " if any(cell.scenario.precision for cell in cells) else ""
    total = (
        f"{study.name}: {len(study.names)} scenarios, {len(cells)} cells, "
        f"{most}{sum(cell.scenario.replicates for cell in cells):,} replicates, "
        f"{sum(cell.draws for cell in cells):,} draws; "
        f"about {human_seconds(seconds)} on one processor, {human_seconds(seconds / jobs)} on {jobs}; "
        f"{human_bytes(sum(cell.size for cell in cells))} on disk, "
        f"at most {human_bytes(max(worker_bytes(cell.scenario) for cell in cells))} of memory in a worker"
    )
    return "\n".join([*table([header, *map(_cell, cells)], right=range(1, 7)), "", total])


def _cell(cell: Estimate) -> tuple[str, ...]:
    counts = (f"{number:,}" for number in (cell.scenario.n, cell.scenario.replicates, cell.draws))
    sizes = (human_bytes(size) for size in (cell.size, worker_bytes(cell.scenario)))
    return cell.scenario.name, *counts, f"{cell.seconds:.2f}", *sizes


def human_bytes(size: float) -> str:
    """Return a size as people say it."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def families() -> str:
    """Return the table of families with their parametrisations."""
    rows = [(name, _choices(api.family(name))) for name in api.families()]
    return "\n".join(table([("family", "parameters"), *rows]))


def _choices(family: Family) -> str:
    """Return parameters and constants, with an ellipsis where the number of parameters is not fixed."""
    choices = " | ".join(", ".join(parameter.name for parameter in form) for form in family.forms)
    return f"{choices}, …" if family.numbered else choices


def _parametrisations(family: Family) -> list[Parametrisation]:
    """Return the parametrisations of a family and of its variants."""
    return [form for each in (family, *family.variants) for form in each.listed]


def _names(parametrisation: Parametrisation) -> str:
    return ", ".join(parametrisation.names)


def family(name: str) -> str:
    """Return all there is to say of one family."""
    found = api.family(name)
    parts = [f"{found.name}: {found.formula}"]
    parts += ["\n".join(_parametrisation(found, each)) for each in _parametrisations(found)]
    return "\n\n".join(parts)


def _parametrisation(family: Family, parametrisation: Parametrisation) -> list[str]:
    form = (*parametrisation.parameters, *family.constants)
    rows = [(p.name, str(p.domain), f"{p.typical[0]:g} to {p.typical[1]:g}") for p in form]
    point = {p.name: _typical(p) for p in form}
    at = ", ".join(f"{key} = {value:g}" for key, value in point.items())
    information = theory.expected_information(family.name, point)
    cells = [[f"{value:.6g}" for value in row] for row in information.to_numpy().tolist()]
    names = parametrisation.names
    matrix = [("", *names), *((key, *row) for key, row in zip(names, cells, strict=True))]
    return [
        f"{{{', '.join(point)}}}",
        *_indented(table([("parameter", "domain", "typical values"), *rows])),
        f"  I(θ) per observation at {at}:",
        *_indented(table(matrix, right=range(1, len(names) + 1))),
    ]


def _typical(parameter: Parameter) -> float:
    """Return a round number in the typical range: its geometric middle where it is positive, otherwise its middle."""
    low, high = parameter.typical
    middle = float(f"{(low * high) ** 0.5 if low > 0 else (low + high) / 2:.2g}")
    return float(round(middle)) if parameter.domain.whole else middle


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Align columns, those named in ``right`` to the right.

    >>> table([("a", "n"), ("xyz", "10")], right=[1])
    ['a     n', 'xyz  10']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = (
        [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    )
    return ["  ".join(row).rstrip() for row in padded]
