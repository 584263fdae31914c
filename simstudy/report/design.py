"""What was run, under the headings of ADEMP (Morris, White & Crowther 2019, section 3), from the study alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from simstudy.families import REGISTRY
from simstudy.figures.wording import listed, number
from simstudy.report import stopping
from simstudy.report.words import counted, grouped
from simstudy.study.scenario import Scenario, Study


@dataclass(frozen=True)
class Mechanism:
    """One scenario over all its sample sizes, in words."""

    name: str
    law: str
    formula: str
    fit: str
    free: str
    known: str
    sizes: str
    replicates: str
    level: str


def mechanisms(study: Study) -> list[Mechanism]:
    """Return the scenarios in the order of the config."""
    return [_mechanism(list(cells)) for _, cells in groupby(study.scenarios, key=lambda cell: cell.name)]


def _mechanism(cells: list[Scenario]) -> Mechanism:
    cell = cells[0]
    values = ", ".join(f"{name} = {number(v)}" for name, v in zip(cell.names, cell.values, strict=True))
    family = REGISTRY.get(cell.family)
    observed = "" if cell.censoring is None else f", cut at {number(cell.censoring)}"
    drawn = [f"{c.family}({', '.join(map(number, c.values))})" for c in cell.covariates]
    observed += f", covariates {listed(list(dict.fromkeys(drawn)))}" if drawn else ""
    return Mechanism(
        name=cell.name,
        law=f"{cell.family}({values}){observed}",
        formula=family.formula if family else "",
        fit="" if cell.right else cell.fit,
        free=", ".join(cell.free),
        known=_known(cell),
        sizes=", ".join(grouped(cell.n) for cell in cells),
        replicates=stopping.replicates(cells),
        level=", ".join(dict.fromkeys(f"{100 * cell.level:g} %" for cell in cells)),
    )


def _known(cell: Scenario) -> str:
    """Return what is known, with its value where that is not the one that draws."""
    held = [f"{name} = {number(value)}" for name, value in cell.known_values.items()] if cell.held else cell.known
    return ", ".join(held)


def lead(study: Study) -> str:
    """Return the size of the study in one sentence."""
    sizes = [cell.n for cell in study.scenarios]
    fits = sum(cell.replicates for cell in study.scenarios)
    draws = sum(cell.n * cell.replicates for cell in study.scenarios)
    scenarios = counted(len(study.names), "scenario")
    span = f"n from {grouped(min(sizes))} to {grouped(max(sizes))}"
    span = f"n = {grouped(sizes[0])}" if len(set(sizes)) == 1 else span
    return f"{scenarios}, {span}: {grouped(fits)} data sets, {number(float(draws), 3)} observations, seed {study.seed}."
