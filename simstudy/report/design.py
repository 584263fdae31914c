"""What was run, under the headings of ADEMP (Morris, White & Crowther 2019, section 3), from the study alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from simstudy.families import REGISTRY
from simstudy.figures.wording import listed, number
from simstudy.report import stopping
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


def grouped(count: int) -> str:
    """Return a count with its thousands grouped.

    >>> grouped(20000), grouped(640)
    ('20,000', '640')
    """
    return f"{count:,}"


def lead(study: Study) -> str:
    """Return the size of the study in one sentence."""
    sizes = [cell.n for cell in study.scenarios]
    fits = sum(cell.replicates for cell in study.scenarios)
    draws = sum(cell.n * cell.replicates for cell in study.scenarios)
    scenarios = _counted(len(study.names), "scenario")
    span = f"n from {grouped(min(sizes))} to {grouped(max(sizes))}"
    span = f"n = {grouped(sizes[0])}" if len(set(sizes)) == 1 else span
    return f"{scenarios}, {span}: {grouped(fits)} data sets, {number(float(draws), 3)} observations, seed {study.seed}."


def _counted(count: int, noun: str) -> str:
    return f"{grouped(count)} {noun}" + ("" if count == 1 else "s")


def methods(study: Study) -> list[str]:
    """Return the paragraphs under Methods."""
    levels = listed(_distinct(f"{100 * cell.level:g} %" for cell in study.scenarios))
    held = "; parameters that are known stay at their values" if any(c.known for c in study.scenarios) else ""
    return [
        f"Maximum likelihood on each data set{held}.",
        "A maximisation that fails is recorded with its reason; no data set is dropped or drawn again.",
        f"Wald intervals at {levels}, with {KINDS}.",
        *stopping.paragraphs(study),
    ]


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


KINDS = (
    "the observed information J at θ̂, with the expected information I(θ̂), and with the sandwich J⁻¹KJ⁻¹, K the mean of "
    "the products of single scores at θ̂"
)
AIMS = """
To see how fast, as the sample size n grows, the observed information per observation J = −(1/n) ∂²ℓ(θ̂) reaches the
Fisher information I(θ), and n · Cov(θ̂) its inverse I(θ)⁻¹; and what that means for intervals.
"""
ESTIMANDS = """
The free parameters θ of each mechanism, or, where the fitted family is another than the one that draws the data, the
pseudo-true value θ*. Per observation and on these parameters, the limits are I(θ) and I(θ)⁻¹ where the model is right
and regular; else A = −E[Hessian] and A⁻¹BA⁻¹, B the covariance of the score at θ*, where they exist.
"""
MEASURES = """
Mean, spread and quantiles of the observed information; n · Cov(θ̂); bias; empirical and model standard error; mean
squared error; coverage; efficiency; the relative Frobenius errors of both matrices, cleared of Monte Carlo noise; mean
and covariance of the score at the truth; failure rate.

Every number carries its Monte Carlo standard error (MCSE), from influence functions; ± and bars are 2 MCSE. All
measures but the failure rate and those of the score are conditional on convergence.

Bias, n · Cov(θ̂) and mean observed information are estimated twice: raw, and with the score at the truth, whose moments
are known, as control variate.
"""


def headings(study: Study) -> dict[str, list[str]]:
    """Return the paragraphs under each heading of ADEMP but the mechanisms."""
    return {
        "Aims": _paragraphs(AIMS),
        "Estimands": _paragraphs(ESTIMANDS),
        "Methods": methods(study),
        "Performance measures": _paragraphs(MEASURES),
    }


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.strip().split("\n\n")]
