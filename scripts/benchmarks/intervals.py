"""What intervals that need the data cost beside the fit."""

from __future__ import annotations

import numpy as np

from benchmarks.cases import CASES, SEED
from benchmarks.goals import PROFILE_TIMES, Goal, beside
from benchmarks.markdown import table
from benchmarks.timing import alternate
from simstudy.inference import mle
from simstudy.inference.intervals import from_data
from simstudy.inference.likelihood import Likelihood
from simstudy.running.block import draw
from simstudy.study import models

FAMILIES = ("exponential", "normal", "gamma", "weibull", "logistic")
SIZE = 200
LEVEL = 0.95

TITLE = "Intervals that need the data"
NOTE = (
    f"Both ends for all parameters of all data sets of one block at n = {SIZE}, as multiples of the maximum "
    "likelihood fit of the same block, its reduction to statistics included; medians of 5."
)


def section(quick: bool) -> str:
    """Compare profile likelihood and score intervals with the fit."""
    rows = [[str(CASES[name]), *_ratios(name, 1 if quick else 5)] for name in FAMILIES]
    return table(["family", "likelihood ratio ÷ fit", "score ÷ fit"], rows)


def _ratios(name: str, rounds: int) -> list[str]:
    scenario = CASES[name].scenario(SIZE)
    x, model = draw(scenario, SEED, 0), models.fitted(scenario)

    def fit() -> tuple[Likelihood, mle.Estimates]:
        likelihood = Likelihood(model.family, x, model.parametrisation, model.given)
        return likelihood, mle.fit(likelihood)

    shown = []
    with np.errstate(all="ignore"):
        likelihood, estimates = fit()
        for method, goal in (("likelihood-ratio", Goal(PROFILE_TIMES)), ("score", None)):
            pair = alternate(fit, lambda method=method: from_data(likelihood, estimates, method, LEVEL), rounds)
            shown.append(beside(f"{pair.ratio:.1f}", goal, pair.ratio))
    return shown
