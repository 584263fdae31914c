"""From a results folder to its figures, the data behind them, a page for every scenario and the report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from simstudy.errors import ConfigError, nearest
from simstudy.figures import FIGURES, FORMATS
from simstudy.report import ademp, design, outcome, pictures, precision, tables, theory
from simstudy.report.embed import embed
from simstudy.report.folder import PAGE, Folder, link, stem
from simstudy.report.pictures import Drawing, Job, Results
from simstudy.report.titles import HEADLINE
from simstudy.study.config import to_yaml

FOLDED_FROM = 5
"""From so many scenarios on, all sections but the first are folded."""


@dataclass(frozen=True)
class Picture:
    """A figure on a page; ``data`` and ``file`` are links, ``blocks`` the folder of the replicates that it shows."""

    number: int
    title: str
    svg: Markup
    caption: str
    data: str
    file: str
    blocks: str


@dataclass(frozen=True)
class Section:
    """What the pages say of one scenario; on the report stand the pictures that are headlines."""

    anchor: str
    page: str
    mechanism: design.Mechanism
    notes: tuple[str, ...]
    glance: outcome.Glance
    pictures: tuple[Picture, ...]
    figures: int
    headline: tables.Table


def build(results: Results, formats: Sequence[str] = ("svg",), only: Sequence[str] = (), jobs: int = 1) -> list[Path]:
    """Write the figures and pages of a results folder, the same bytes every time, and return the paths of these files.

    Parameters
    ----------
    results
        An opened results folder.
    formats
        Formats of the figure files: ``svg`` (which the pages need and which is always written), ``pdf``, ``png``. A
        file that is there in another format is written again as well, so that none is left from older numbers.
    only
        Names of the only figures to draw; pages are then not written. None: all figures and pages.
    jobs
        Processes that draw; the bytes do not depend on it.

    Returns
    -------
    list of Path
        ``report.html`` first, unless only figures were asked for.

    Raises
    ------
    ConfigError
        If a format or a figure is not known.
    UnusableResultsError
        If the results cannot be read or the files not written.
    """
    check(formats, only)
    summary, folder = results.summary(), Folder(results.folder)
    folder.make()
    planned = pictures.plan(results, summary, (*formats, "svg"), only)
    writer = _Writer(results, summary, folder)
    for job, drawings in pictures.draw(planned, jobs):
        writer.figures(job, drawings)
        if not only:
            writer.section(job, drawings)
    if only:
        return writer.paths
    stems = {stem(job.scenario, name) for job in planned for name in job.formats}
    folder.remove_stale(stems, set(results.study.names))
    return [writer.front(), *writer.paths]


def check(formats: Sequence[str], only: Sequence[str]) -> None:
    """Refuse formats and figures that there are not (ConfigError)."""
    faults = [
        f"{where}: no such {what}, got '{name}'{nearest(name, known)}; choose from {', '.join(known)}"
        for where, what, names, known in (
            ("formats", "format", formats, FORMATS),
            ("only", "figure", only, tuple(FIGURES)),
        )
        for name in names
        if name not in known
    ]
    if faults:
        raise ConfigError(faults)


class _Writer:
    """Writes what belongs to one scenario after the other, and keeps what the report shows of each."""

    def __init__(self, results: Results, summary: pd.DataFrame, folder: Folder) -> None:
        self.results, self.summary, self.folder = results, summary, folder
        self.mechanisms = {each.name: each for each in design.mechanisms(results.study)}
        self.sections: list[Section] = []
        self.whole: tuple[Picture, ...] = ()
        self.paths: list[Path] = []
        self._numbers = count(1)

    def figures(self, job: Job, drawings: Sequence[Drawing]) -> None:
        """Write figures and the data behind them."""
        for drawing in drawings:
            name = stem(job.scenario, drawing.figure)
            self.paths += self.folder.write_figure(name, drawing.files)
            behind = job.summary["measure"].isin(FIGURES[drawing.figure].measures)
            self.folder.write_data(name, job.summary[behind])

    def section(self, job: Job, drawings: Sequence[Drawing]) -> None:
        """Write the page of a scenario, and keep its headlines for the report."""
        shown = [each for each in drawings if FIGURES[each.figure].headline or not job.scenario]
        kept = tuple(_picture(job.scenario, each, next(self._numbers)) for each in shown)
        if not job.scenario:
            self.whole = kept
            return
        name, study = job.scenario, self.results.study
        section = Section(
            f"scenario-{len(self.sections) + 1}",
            f"pages/{name}.html",
            self.mechanisms[name],
            theory.notes(next(cell for cell in study.scenarios if cell.name == name)),
            outcome.glance(job.summary, name),
            kept,
            len(drawings),
            tables.table(job.summary, name, "Main results", HEADLINE),
        )
        self.sections.append(section)
        text = _render(
            "scenario.html.j2",
            study=study,
            section=section,
            pictures=[_picture(name, each, place, "../") for place, each in enumerate(drawings, start=1)],
            tables=[section.headline, *tables.below(job.summary, name)],
            **self._beside(name),
        )
        self.paths.append(self.folder.write_page(section.page, text))

    def _beside(self, name: str) -> dict[str, str]:
        """Return the names of the scenarios before and after this one, empty at the ends."""
        names = ["", *self.results.study.names, ""]
        place = names.index(name, 1)
        return {"previous": names[place - 1], "following": names[place + 1]}

    def front(self) -> Path:
        """Write the report."""
        study, summary, manifest = self.results.study, self.summary, self.results.manifest
        text = _render(
            "page.html.j2",
            study=study,
            lead=design.lead(study),
            design=ademp.headings(study, list(summary["measure"].unique())),
            failures=outcome.failures(summary),
            treatments=outcome.treatments(summary),
            precision=precision.reached(study, summary),
            justification=precision.sentence(study, summary),
            whole=self.whole,
            sections=self.sections,
            folded=len(self.sections) >= FOLDED_FROM,
            config=to_yaml(study),
            manifest=manifest,
        )
        return self.folder.write_page(PAGE, text)


def _picture(scenario: str, drawing: Drawing, number: int, up: str = "") -> Picture:
    """Return a figure as a page shows it that lies below the results folder, or ``../`` deeper."""
    name = stem(scenario, drawing.figure)
    svg = embed(drawing.files["svg"], f"f{number}", drawing.alt)
    spec = FIGURES[drawing.figure]
    blocks = f"paths/{scenario}.npz" if spec.follows_paths else "blocks/" + (f"{scenario}/" if scenario else "")
    return Picture(
        number,
        spec.title,
        svg,
        _unbroken(drawing.caption),
        up + link(f"data/{name}.csv"),
        up + link(f"figures/{name}.svg"),
        blocks if drawing.replicates else "",
    )


def _unbroken(text: str) -> str:
    """Keep numbers with their signs and units on one line."""
    return re.sub(r"(?<=[±=]) | (?=[±=])|(?<=\d) (?=%|MCSE)", "\N{NO-BREAK SPACE}", text)


def _render(template: str, **values: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["link"] = link
    return environment.get_template(template).render(**values)
