"""Drawing the figures of a study, in several processes where that is quicker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from simstudy.figures import FIGURES, REPLICATE_COLUMNS, ReplicatesOf, estimates, render
from simstudy.report import theory
from simstudy.report.folder import Folder, stem
from simstudy.running.pool import in_order
from simstudy.running.record import row_bytes
from simstudy.study.scenario import Scenario, Study

SHOWN = 9
"""Most parameters of a scenario on the page, where every pair has a panel and a line; the summary has all."""

SHARE = 15
"""Figures for each process from which on several are quicker: a worker takes as long to start as to draw eight."""

HEAD = 100_000
"""Most replicates of a cell that figures read: first ones, which captions then say; what the summary has is of all."""

CUT = f" Where there are more, what is drawn and counted of single replicates is of the first {HEAD:,} at each n."

_READ_BYTES = 2**26


class Results(Protocol):
    """What a report needs of `simstudy.Results`."""

    folder: Path
    study: Study
    manifest: dict[str, Any]

    def summary(self) -> pd.DataFrame:
        """Return the tidy summary."""

    def replicates(self, scenario: str, n: int, rows: range | None = None) -> pd.DataFrame:
        """Return the stored replicates of one cell, or some of their rows."""

    def paths(self, scenario: str) -> pd.DataFrame:
        """Return the nested samples of a scenario that has them."""


@dataclass(frozen=True)
class Drawing:
    """A figure with its words and files; ``replicates`` tells whether it shows more than the summary."""

    figure: str
    alt: str
    caption: str
    files: dict[str, bytes] = field(repr=False)
    replicates: bool


@dataclass(frozen=True)
class Job:
    """Figures of one scenario, or of the whole study, and the formats of each."""

    results: Results
    summary: pd.DataFrame
    scenario: str
    formats: dict[str, tuple[str, ...]]
    remark: str = ""


def shown(summary: pd.DataFrame, scenario: str) -> tuple[pd.DataFrame, str]:
    """Return the part of the summary of a scenario that is shown, and what captions say where that is not all."""
    own = summary[summary["scenario"] == scenario]
    parameters = [name for name in own.loc[own["measure"] == "bias", "row"].unique() if isinstance(name, str)]
    if len(parameters) <= SHOWN:
        return own, ""
    hidden = parameters[SHOWN:]
    kept = own[~own["row"].isin(hidden) & ~own["column"].isin(hidden)]
    return kept, f" Of {len(parameters)} parameters the first {SHOWN} are shown; summary.csv has all."


def plan(results: Results, summary: pd.DataFrame, formats: tuple[str, ...], only: Sequence[str]) -> list[Job]:
    """Return what there is to draw: figures of the whole study first, then scenario by scenario."""
    chosen = [spec for spec in FIGURES.values() if not only or spec.name in only]
    folder, jobs = Folder(results.folder), []
    for scenario in ("", *results.study.names):
        own, remark = shown(summary, scenario) if scenario else (summary, "")
        followed = any(cell.paths for cell in results.study.scenarios if cell.name == scenario)
        own_figures = [s for s in chosen if s.whole == (not scenario) and (followed or not s.follows_paths)]
        fitting = [spec.name for spec in own_figures if spec.applies(own, scenario)]
        wanted = {name: folder.formats(stem(scenario, name), formats) for name in fitting}
        jobs.append(Job(results, own, scenario, wanted, remark))
    return jobs


def draw(jobs: Sequence[Job], processes: int) -> Iterator[tuple[Job, list[Drawing]]]:
    """Yield each job with its drawings, in their order."""
    processes = min(processes, sum(len(job.formats) for job in jobs) // SHARE)
    # Of a few scenarios each is cut, so that all processes have something to do; its replicates are then read twice.
    cuts = 1 if processes < 2 else max(1, -(-2 * processes // len(jobs)))
    parts = [(place, part) for place, job in enumerate(jobs) for part in _cut(job, cuts)]
    done = zip(parts, in_order(_drawings, [part for _, part in parts], processes), strict=True)
    order = list(FIGURES)
    for place, group in groupby(done, key=lambda pair: pair[0][0]):
        drawings = [drawing for _, drawn in group for drawing in drawn]
        yield jobs[place], sorted(drawings, key=lambda drawing: order.index(drawing.figure))


def _cut(job: Job, cuts: int) -> list[Job]:
    names = list(job.formats)
    chosen = [names[first::cuts] for first in range(cuts)]
    parts = [{name: job.formats[name] for name in part} for part in chosen if part] or [{}]
    return [Job(job.results, job.summary, job.scenario, part, job.remark) for part in parts]


def _drawings(job: Job) -> list[Drawing]:
    replicates = _kept(job.results)
    return [_drawing(job, name, replicates) for name in job.formats]


def _drawing(job: Job, name: str, kept: ReplicatesOf) -> Drawing:
    spec, read = FIGURES[name], list[bool]()

    def replicates(scenario: str, n: int) -> pd.DataFrame:
        table = kept(scenario, n)
        read.append(estimates.TRUTH in table.attrs)
        return table

    given = (job.summary, job.scenario, replicates)
    figure, alt, caption = spec.draw(*given), spec.alt(*given), spec.caption(*given)
    title = ": ".join(filter(None, [job.results.study.name, job.scenario, spec.title]))
    cut = CUT if any(read) else ""
    files = {file_format: render(figure, file_format, title, alt + cut) for file_format in job.formats[name]}
    return Drawing(name, alt + cut, caption + job.remark + cut, files, bool(read))


def _kept(results: Results) -> ReplicatesOf:
    """Return the accessor that reads each cell once, and of a million replicates keeps what figures need."""

    @cache
    def replicates(scenario: str, n: int) -> pd.DataFrame:
        if n == 0:
            return results.paths(scenario)
        cell = results.study.cell(scenario, n)
        table = theory.unwrapped(_head(results, cell), cell)
        if cell.replicates > HEAD:
            table.attrs[estimates.TRUTH] = theory.truth(cell)
        return table

    return replicates


def _head(results: Results, cell: Scenario) -> pd.DataFrame:
    """Return the columns that figures read of the first replicates of a cell, which are read some at a time."""
    hidden = tuple(f"{end}{name}]" for name in cell.free[SHOWN:] for end in "[,")
    step = max(1, _READ_BYTES // row_bytes(len(cell.free)))
    if cell.replicates <= min(step, HEAD):
        return _columns(results.replicates(cell.name, cell.n), hidden)
    stop = min(cell.replicates, HEAD)
    spans = (range(first, min(first + step, stop)) for first in range(0, stop, step))
    return pd.concat([_columns(results.replicates(cell.name, cell.n, rows), hidden) for rows in spans])


def _columns(table: pd.DataFrame, hidden: tuple[str, ...]) -> pd.DataFrame:
    """Return the columns that figures read, but for those whose names end as of a parameter that is not shown."""
    names = [name for name in table.columns if name.startswith(REPLICATE_COLUMNS) and not name.endswith(hidden)]
    return table[names]
