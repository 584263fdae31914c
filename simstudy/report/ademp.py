"""Aims, estimands, methods and performance measures of a study, in sentences with the numbers of its config."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from simstudy.figures.wording import listed
from simstudy.inference.intervals import METHODS
from simstudy.report import stopping, theory
from simstudy.report.titles import GROUPS, HEADLINE, TITLES
from simstudy.report.words import distinct, grouped
from simstudy.study import precision
from simstudy.study.scenario import Scenario, Study

AIMS = (
    "To see how fast, as the sample size n grows from {low} to {high}, the observed information per observation "
    "J = −(1/n) ∂²ℓ(θ̂) reaches the Fisher information I(θ), and n · Cov(θ̂) its inverse I(θ)⁻¹; and what that means "
    "for intervals."
)
ESTIMANDS = (
    "The free parameters θ of each mechanism. Per observation and on these parameters, the limits are I(θ) and I(θ)⁻¹ "
    "where the model is right and regular; else A = −E[Hessian] and A⁻¹BA⁻¹, B the covariance of the score at θ*, "
    "where they exist."
)
WRONG = (
    "Where the fitted family is another than the one that draws the data, the estimand is θ*, the parameters at which "
    "the fitted family has the largest expected log-likelihood (the nearest in Kullback–Leibler divergence): {values}."
)
MECHANISM = (
    "Data sets are independent, {replicates} at each n, from random streams derived of the seed {seed} and of the "
    "mechanism itself. Scenarios with the same mechanism see the same data."
)
ESTIMATOR = (
    "Maximum likelihood on each data set{held}. A maximisation that fails is recorded with its reason; no data set is "
    "dropped or drawn again."
)
CONTROLS = (
    "Bias, n · Cov(θ̂), mean squared error and mean observed information are estimated raw and, where it can be done, "
    "with the score at θ* as control variate, whose moments are known: the expectation is the same, the Monte Carlo "
    "error smaller."
)
ERRORS = {
    "influence": "from influence functions",
    "table6": "by the textbook formulas (Morris, White & Crowther 2019, Table 6) where there is one",
}
MCSE = "Every number carries its Monte Carlo standard error (MCSE), {kinds}; ± and bars are 2 MCSE."
CONDITIONAL = "All measures but the failure rate and those of the score at θ* are conditional on convergence."
PATHS = "Of a few long draws in {names} nested samples are followed: the first n observations of each, as n grows."


def headings(study: Study, measures: Sequence[str]) -> dict[str, list[str]]:
    """Return the paragraphs under each heading of ADEMP; ``measures`` are those of the summary."""
    sizes = [cell.n for cell in study.scenarios]
    aims = AIMS if min(sizes) < max(sizes) else AIMS.replace("grows from {low} to {high}", "grows (here n = {low})")
    return {
        "Aims": [aims.format(low=grouped(min(sizes)), high=grouped(max(sizes)))],
        "Data-generating mechanisms": [_mechanism(study)],
        "Estimands": [ESTIMANDS, *_wrong(study)],
        "Methods": methods(study),
        "Performance measures": [_measures(measures), _errors(study), CONDITIONAL],
    }


def _mechanism(study: Study) -> str:
    counts = [cell.replicates for cell in study.scenarios]
    span = distinct([grouped(min(counts)), grouped(max(counts))])
    return MECHANISM.format(replicates=" to ".join(span), seed=study.seed)


def _wrong(study: Study) -> list[str]:
    """Say what θ* is in every scenario with a wrong model."""
    wrong = _scenarios(study, lambda cell: not cell.right)
    values = [f"{cell.name}: {theory.limiting_value(cell)}" for cell in wrong]
    return [WRONG.format(values="; ".join(values))] if wrong else []


def _scenarios(study: Study, chosen: Callable[[Scenario], bool]) -> list[Scenario]:
    """Return one cell of each scenario that is chosen."""
    return list({cell.name: cell for cell in reversed(study.scenarios) if chosen(cell)}.values())[::-1]


def methods(study: Study) -> list[str]:
    """Return the paragraphs under Methods."""
    held = "; parameters that are known stay at their values" if any(c.known for c in study.scenarios) else ""
    return [ESTIMATOR.format(held=held), *_intervals(study), CONTROLS, *_paths(study), *stopping.paragraphs(study)]


def _intervals(study: Study) -> list[str]:
    """Say which intervals there are, scenario by scenario where they differ."""

    def told(cell: Scenario) -> str:
        return f"{listed([METHODS[name] for name in cell.intervals])}; level {100 * cell.level:g} %"

    return _by_scenario(study, told, "Intervals: {}.")


def _by_scenario(study: Study, told: Callable[[Scenario], str], frame: str) -> list[str]:
    """Return one sentence for each thing that scenarios say, naming them where not all say it."""
    said: dict[str, list[str]] = {}
    for cell in study.scenarios:
        if text := told(cell):
            said.setdefault(text, []).append(cell.name)
    everywhere = len(said) == 1 and len(set(next(iter(said.values())))) == len(study.names)
    return [frame.format(text if everywhere else f"in {_named(names)}, {text}") for text, names in said.items()]


def _named(names: Iterable[str], most: int = 6) -> str:
    """Return names, or how many there are where they are many."""
    once = distinct(names)
    return listed(once) if len(once) <= most else f"{listed(once[:most])} and {len(once) - most} more scenarios"


def _errors(study: Study) -> str:
    kinds = distinct(cell.mcse for cell in study.scenarios)
    if len(kinds) == 1:
        return MCSE.format(kinds=ERRORS[kinds[0]])
    said = [f"in {_named(c.name for c in study.scenarios if c.mcse == kind)} {ERRORS[kind]}" for kind in kinds]
    return MCSE.format(kinds=", ".join(said))


def _paths(study: Study) -> list[str]:
    followed = _scenarios(study, lambda cell: cell.paths)
    return [PATHS.format(names=_named(cell.name for cell in followed))] if followed else []


def targets(cell: Scenario) -> str:
    """Return the targets of precision of a scenario in words."""
    return ", ".join(f"{target.measure} {precision.text(target)}" for target in cell.precision)


def _measures(present: Sequence[str]) -> str:
    """Return the measures in the order of the tables."""
    placed = [*HEADLINE, *(measure for group in GROUPS.values() for measure in group)]
    names = [name for name in placed if name in set(present)] + [name for name in present if name not in TITLES]
    text = "; ".join(_title(name) for name in names)
    return f"Per scenario and n: {text}."


def _title(measure: str) -> str:
    title = TITLES.get(measure, measure).removesuffix(", %")
    return title[:1].lower() + title[1:]
