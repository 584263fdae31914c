"""The same data sets fitted one at a time by other libraries."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from benchmarks.cases import FIRST, SEED, Case
from benchmarks.goals import TIMES_SCIPY, Goal, beside
from benchmarks.markdown import seconds, table
from benchmarks.timing import alternate
from simstudy.parameters import Array
from simstudy.running.block import simulate
from simstudy.running.plan import task_blocks
from simstudy.study.streams import block_size, generator

SIZE = 200
ROUNDS = 5
LOOP_SECONDS = 0.5
NO_FIT = "no `fit`"
SAME_WORK = "scipy, fit and value"


class Scipy(NamedTuple):
    """scipy's name of a family, what is held so that it fits the same model, and its parameters at the case's point."""

    name: str
    held: dict[str, float]
    truth: tuple[float, ...]


SCIPY = {
    "normal": Scipy("norm", {}, (0.0, 1.0)),
    "exponential": Scipy("expon", {"floc": 0.0}, (0.0, 1.0)),
    "gamma": Scipy("gamma", {"floc": 0.0}, (2.0, 0.0, 1.0)),
    "weibull": Scipy("weibull_min", {"floc": 0.0}, (2.5, 0.0, 1.0)),
    "lognormal": Scipy("lognorm", {"floc": 0.0}, (1.0, 0.0, 1.0)),
    "beta": Scipy("beta", {"floc": 0.0, "fscale": 1.0}, (2.0, 3.0, 0.0, 1.0)),
    "logistic": Scipy("logistic", {}, (0.0, 1.0)),
    "cauchy": Scipy("cauchy", {}, (0.0, 1.0)),
    "student_t": Scipy("t", {}, (5.0, 0.0, 1.0)),
    "generalized_extreme_value": Scipy("genextreme", {}, (-0.2, 0.0, 1.0)),
    "generalized_pareto": Scipy("genpareto", {"floc": 0.0}, (0.2, 0.0, 1.0)),
}

TITLE = f"Against fitting one data set at a time, n = {SIZE}"
_STATSMODELS = (
    "statsmodels: draw, then `GenericLikelihoodModel` with simstudy's log-density and start, in unconstrained "
    "coordinates, by BFGS, and its numerical Hessian."
)
_MISSING = "statsmodels is left out: it is not installed (extra `[benchmark]`)."

Fit = Callable[[Array], Any]


def note() -> str:
    """Say what is compared."""
    return (
        "Time per data set, one process. simstudy: draw, fit, value, score and information at θ̂ and at the truth, "
        "record, in blocks. scipy, fit: draw, then `scipy.stats.<family>.fit`, with location 0 and, for the beta, "
        "scale 1 held where the family has none. scipy, fit and value: also the log-likelihood at θ̂ and at the "
        "truth, which is as much of that record as scipy offers. "
        f"{_STATSMODELS if find_spec('statsmodels') else _MISSING} Medians of {ROUNDS} loops of about "
        f"{LOOP_SECONDS:g} s, by turns with simstudy."
    )


def section(cases: Sequence[Case], quick: bool) -> str:
    """Time every case against each library."""
    libraries = {"scipy, fit": scipy_fit, SAME_WORK: scipy_fit_and_value}
    if find_spec("statsmodels"):
        libraries["statsmodels"] = statsmodels_fit
    header = ["family", "simstudy"]
    for library in libraries:
        header += [library, "÷ simstudy"]
    compared = [case for case in cases if case.name in {*FIRST, *SCIPY}]
    return table(header, [_row(case, libraries, quick) for case in compared])


def _row(case: Case, libraries: dict[str, Callable[[Case], Fit | None]], quick: bool) -> list[str]:
    ours, cells = "–", []
    for library, fit_of in libraries.items():
        fit = fit_of(case)
        if fit is None:
            cells += [NO_FIT, "–"]
            continue
        own, other, ratio = compare(case, fit, quick)
        bound = TIMES_SCIPY.get(case.name) if library == SAME_WORK else None
        ours = seconds(own)
        goal = Goal(bound, least=True) if bound else None
        cells += [seconds(other), beside(f"{ratio:,.1f}" if ratio < 100 else f"{ratio:,.0f}", goal, ratio)]
    return [str(case), ours, *cells]


def compare(case: Case, fit: Fit, quick: bool) -> tuple[float, float, float]:
    """Return seconds per data set here and there, and their ratio."""
    scenario = case.scenario(SIZE)
    blocks = 1 if quick else task_blocks(SIZE)
    sets = 3 if quick else _affordable(case, fit)

    def loop() -> None:
        rng = generator(scenario, SEED, 0)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for _ in range(sets):
                fit(case.draw(rng, (SIZE,)))

    pair = alternate(lambda: simulate(scenario, SEED, 0, blocks - 1), loop, 1 if quick else ROUNDS)
    rows = blocks * block_size(SIZE)
    return pair.first / rows, pair.second / sets, pair.ratio * rows / sets


def _affordable(case: Case, fit: Fit) -> int:
    """Return how many data sets a loop fits in about half a second."""
    data = case.draw(generator(case.scenario(SIZE), SEED, 0), (SIZE,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit(data)
        start = time.perf_counter()
        fit(data)
    return int(np.clip(LOOP_SECONDS / (time.perf_counter() - start), 5, 20_000))


def scipy_fit(case: Case) -> Fit | None:
    """Return scipy's fit of the family, None where there is none (discrete families)."""
    from scipy import stats

    if case.name not in SCIPY:
        return None
    name, held, _ = SCIPY[case.name]
    distribution = getattr(stats, name)
    return lambda x: distribution.fit(x, **held)


def scipy_fit_and_value(case: Case) -> Fit | None:
    """Return scipy's fit followed by the log-likelihood there and at the truth, None where there is no fit."""
    from scipy import stats

    fit = scipy_fit(case)
    if fit is None:
        return None
    name, _, truth = SCIPY[case.name]
    distribution = getattr(stats, name)

    def fit_and_value(x: Array) -> tuple[float, float]:
        return distribution.logpdf(x, *fit(x)).sum(), distribution.logpdf(x, *truth).sum()

    return fit_and_value


def statsmodels_fit(case: Case) -> Fit | None:
    """Return a fit by statsmodels' generic likelihood model, None for a family beyond the first."""
    if case.name not in FIRST:
        return None
    from statsmodels.base.model import GenericLikelihoodModel

    family, domains = case.family, case.family.parametrisations[0].domains

    class Model(GenericLikelihoodModel):  # type: ignore[misc]
        def loglikeobs(self, params: Array) -> Array:
            theta = [domain.from_real(value) for domain, value in zip(domains, params, strict=True)]
            return family.log_density(self.endog, theta)

    def fit(x: Array) -> Any:
        theta = family.start(x[np.newaxis])
        start = [float(domain.to_real(column)[0]) for domain, column in zip(domains, theta, strict=True)]
        return Model(x).fit(start_params=start, method="bfgs", disp=0)

    return fit
