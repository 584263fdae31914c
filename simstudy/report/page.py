"""From a results folder to its figures and its page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import jinja2
import pandas as pd
from markupsafe import Markup

from simstudy.errors import ConfigError, nearest
from simstudy.figures import FIGURES, FORMATS, REPLICATE_COLUMNS, FigureSpec, ReplicatesOf, render
from simstudy.files import write_atomically
from simstudy.report import design, outcome, tables, theory
from simstudy.report.embed import embed
from simstudy.study.config import to_yaml
from simstudy.study.scenario import Study

PAGE = "report.html"
FOLDED_FROM = 5
"""From so many scenarios on, all sections but the first are folded."""

SHOWN = 9
"""Most parameters of a scenario on the page, where every pair has a panel and a line; the summary has all."""


class Results(Protocol):
    """What a report needs of `simstudy.Results`."""

    folder: Path
    study: Study
    manifest: dict[str, Any]

    def summary(self) -> pd.DataFrame:
        """Return the tidy summary."""

    def replicates(self, scenario: str, n: int) -> pd.DataFrame:
        """Return the stored replicates of one cell."""

    def paths(self, scenario: str) -> pd.DataFrame:
        """Return the nested samples of a scenario that has them."""


@dataclass(frozen=True)
class Picture:
    """A figure on the page."""

    number: int
    title: str
    svg: Markup
    caption: str


@dataclass(frozen=True)
class Section:
    """What the page says of one scenario."""

    anchor: str
    mechanism: design.Mechanism
    notes: tuple[str, ...]
    glance: outcome.Glance
    pictures: tuple[Picture, ...]
    headline: tables.Table
    more: tuple[tables.Table, ...]


def build(results: Results, formats: Sequence[str] = ("svg",)) -> Path:
    """Write the figures and the report of a results folder, the same bytes every time.

    Parameters
    ----------
    results
        An opened results folder.
    formats
        Formats of the figure files: ``svg`` (which the page needs and which is always written), ``pdf``, ``png``.

    Returns
    -------
    Path
        ``report.html``.

    Raises
    ------
    ConfigError
        If a format is not known.
    UnusableResultsError
        If the results cannot be read or the files not written.
    """
    wanted = tuple(dict.fromkeys(("svg", *formats)))
    _check(wanted)
    summary = results.summary()
    (results.folder / "figures").mkdir(parents=True, exist_ok=True)
    sections = [
        _section(results, summary, mechanism, place, wanted)
        for place, mechanism in enumerate(design.mechanisms(results.study))
    ]
    path = results.folder / PAGE
    write_atomically(path, _page(results, summary, sections).encode())
    return path


def _check(formats: Sequence[str]) -> None:
    faults = [
        f"formats: no such format, got '{name}'{nearest(name, FORMATS)}; choose from {', '.join(FORMATS)}"
        for name in formats
        if name not in FORMATS
    ]
    if faults:
        raise ConfigError(faults)


def _section(
    results: Results, summary: pd.DataFrame, mechanism: design.Mechanism, place: int, formats: Sequence[str]
) -> Section:
    name = mechanism.name
    replicates = _kept(results)
    first = next(cell for cell in results.study.scenarios if cell.name == name)
    own = summary[summary["scenario"] == name]
    shown, remark = _shown(own, [n for n in own.loc[own["measure"] == "bias", "row"].unique() if isinstance(n, str)])
    pictures = tuple(
        _picture(results, shown, name, spec, replicates, place * len(FIGURES) + number, formats, remark)
        for number, spec in enumerate(FIGURES.values(), start=1)
        if spec.applies(own, name) and (first.paths or not spec.follows_paths)
    )
    notes = theory.notes(first)
    headline = tables.table(shown, name, "Main results", tables.HEADLINE)
    more = tuple(tables.table(shown, name, title, measures) for title, measures in tables.GROUPS.items())
    glance = outcome.glance(own, name)
    return Section(f"scenario-{place + 1}", mechanism, notes, glance, pictures, headline, more)


def _shown(summary: pd.DataFrame, parameters: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Return the part of a summary that the page shows, and what captions say where that is not all."""
    if len(parameters) <= SHOWN:
        return summary, ""
    hidden = parameters[SHOWN:]
    shown = summary[~summary["row"].isin(hidden) & ~summary["column"].isin(hidden)]
    return shown, f" Of {len(parameters)} parameters the first {SHOWN} are shown; summary.csv has all."


def _kept(results: Results) -> ReplicatesOf:
    """Return the accessor that reads each cell once, and of a million replicates keeps what figures need."""

    @cache
    def replicates(scenario: str, n: int) -> pd.DataFrame:
        if n == 0:
            return results.paths(scenario)
        table = results.replicates(scenario, n)
        table = table[[name for name in table.columns if name.startswith(REPLICATE_COLUMNS)]]
        return theory.unwrapped(table, results.study.cell(scenario, n))

    return replicates


def _picture(
    results: Results,
    summary: pd.DataFrame,
    scenario: str,
    spec: FigureSpec,
    replicates: ReplicatesOf,
    number: int,
    formats: Sequence[str],
    remark: str,
) -> Picture:
    figure = spec.draw(summary, scenario, replicates)
    alt = spec.alt(summary, scenario, replicates)
    title = f"{results.study.name}: {scenario}: {spec.title}"
    files = {name: render(figure, name, title, alt) for name in formats}
    for name, content in files.items():
        write_atomically(results.folder / "figures" / f"{scenario}-{spec.name}.{name}", content)
    svg = embed(files["svg"], f"f{number}", alt)
    return Picture(number, spec.title, svg, _unbroken(spec.caption(summary, scenario, replicates)) + remark)


def _unbroken(text: str) -> str:
    """Keep numbers with their signs and units on one line."""
    return re.sub(r"(?<=[±=]) | (?=[±=])|(?<=\d) (?=%|MCSE)", "\N{NO-BREAK SPACE}", text)


def _page(results: Results, summary: pd.DataFrame, sections: Sequence[Section]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        study=results.study,
        lead=design.lead(results.study),
        design=design.headings(results.study),
        failures=outcome.failures(results.study, summary, results.replicates),
        sections=sections,
        folded=len(sections) >= FOLDED_FROM,
        config=to_yaml(results.study),
        manifest=results.manifest,
    )
