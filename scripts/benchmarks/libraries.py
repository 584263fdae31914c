"""The same data sets fitted one at a time by other libraries."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.cases import SEED, Case
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

# scipy's name of a family, and what has to be held so that it fits the same model.
SCIPY: dict[str, tuple[str, dict[str, float]]] = {
    "normal": ("norm", {}),
    "exponential": ("expon", {"floc": 0.0}),
    "gamma": ("gamma", {"floc": 0.0}),
    "weibull": ("weibull_min", {"floc": 0.0}),
    "lognormal": ("lognorm", {"floc": 0.0}),
    "beta": ("beta", {"floc": 0.0, "fscale": 1.0}),
    "logistic": ("logistic", {}),
    "cauchy": ("cauchy", {}),
}

TITLE = f"Against fitting one data set at a time, n = {SIZE}"
_STATSMODELS = (
    "statsmodels: draw, then `GenericLikelihoodModel` with simstudy's log-density and start, in unconstrained "
    "coordinates, by BFGS, and its numerical Hessian."
)
_MISSING = "statsmodels is left out: it is not installed (extra `[benchmark]`)."

Fit = Callable[[Array], object]


def note() -> str:
    """Say what is compared."""
    return (
        "Time per data set, one process. simstudy: draw, fit, information and score at θ̂ and at the truth, "
        "record, in blocks. scipy: draw, then `scipy.stats.<family>.fit`, with location 0 and, for the beta, "
        "scale 1 held where the family has none; no Hessian. "
        f"{_STATSMODELS if find_spec('statsmodels') else _MISSING} Medians of {ROUNDS} loops of about "
        f"{LOOP_SECONDS:g} s, by turns with simstudy."
    )


def section(cases: Sequence[Case], quick: bool) -> str:
    """Time every case against each library."""
    libraries = {"scipy": scipy_fit}
    if find_spec("statsmodels"):
        libraries["statsmodels"] = statsmodels_fit
    header = ["family", "simstudy"]
    for library in libraries:
        header += [library, f"{library} ÷ simstudy"]
    return table(header, [_row(case, libraries, quick) for case in cases])


def _row(case: Case, libraries: dict[str, Callable[[Case], Fit | None]], quick: bool) -> list[str]:
    ours, cells = "–", []
    for library, fit_of in libraries.items():
        fit = fit_of(case)
        if fit is None:
            cells += [NO_FIT, "–"]
            continue
        own, other, ratio = compare(case, fit, quick)
        bound = TIMES_SCIPY.get(case.name) if library == "scipy" else None
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
        for _ in range(sets):
            fit(case.draw(rng, (SIZE,)))

    pair = alternate(lambda: simulate(scenario, SEED, 0, blocks - 1), loop, 1 if quick else ROUNDS)
    rows = blocks * block_size(SIZE)
    return pair.first / rows, pair.second / sets, pair.ratio * rows / sets


def _affordable(case: Case, fit: Fit) -> int:
    """Return how many data sets a loop fits in about half a second."""
    data = case.draw(generator(case.scenario(SIZE), SEED, 0), (SIZE,))
    fit(data)
    start = time.perf_counter()
    fit(data)
    return int(np.clip(LOOP_SECONDS / (time.perf_counter() - start), 5, 2000))


def scipy_fit(case: Case) -> Fit | None:
    """Return scipy's fit of the family, None where there is none (discrete families)."""
    from scipy import stats

    if case.name not in SCIPY:
        return None
    name, held = SCIPY[case.name]
    distribution = getattr(stats, name)
    return _quiet(lambda x: distribution.fit(x, **held))


def statsmodels_fit(case: Case) -> Fit:
    """Return a fit by statsmodels' generic likelihood model."""
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

    return _quiet(fit)


def _quiet(fit: Fit) -> Fit:
    def quietly(x: Array) -> object:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return fit(x)

    return quietly
