"""Confidence intervals: the methods that turn a fit into them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from simstudy.families.status import Status
from simstudy.inference.criteria import CRITERIA
from simstudy.inference.interval_search import find_end
from simstudy.inference.interval_steps import Task
from simstudy.inference.likelihood import Likelihood
from simstudy.inference.mle import Estimates
from simstudy.inference.unconstrained import evaluate
from simstudy.parameters import REAL, Array, Domain

METHODS: dict[str, str] = {
    "wald-observed": "Wald, observed information",
    "wald-expected": "Wald, expected information",
    "wald-sandwich": "Wald, sandwich",
    "wald-opg": "Wald, outer product of scores",
    "wald-log": "Wald on the unconstrained scale",
    "score": "score",
    "likelihood-ratio": "likelihood ratio",
}
"""Every method by its name in configs and in the summary, and what people call it."""

DEFAULT_METHODS = ("wald-observed", "wald-expected", "wald-sandwich")

DATA_METHODS = tuple(name for name in METHODS if name in CRITERIA)
"""Methods that need the data, not only what is recorded of a fit."""


def quantile(level: float) -> float:
    """Return the standard normal quantile z of a two-sided interval of that level."""
    return NormalDist().inv_cdf(0.5 + 0.5 * level)


def wald(theta: Array, error: Array, z: float) -> tuple[Array, Array]:
    """Return θ̂ ∓ z·se."""
    return theta - z * error, theta + z * error


def wald_on_real_line(theta: Array, error: Array, z: float, domains: Sequence[Domain]) -> tuple[Array, Array]:
    """Return the ends û ∓ z·se(û), mapped back, for estimates and standard errors (p, …) and a domain for each.

    On the unconstrained scale u of the parameter se(û) = se·|du/dθ| by the delta method. A real parameter is its own
    unconstrained scale.
    """
    lower, upper = wald(theta, error, z)
    for j, domain in enumerate(domains):
        if domain is not REAL:
            slope, _ = domain.derivatives(theta[j])
            ends = wald(domain.to_real(theta[j]), error[j] / slope, z)
            lower[j], upper[j] = (domain.from_real(end) for end in ends)
    return lower, upper


def from_data(likelihood: Likelihood, estimates: Estimates, method: str, level: float) -> tuple[Array, Array]:
    """Return lower and upper ends (R, p) by a method that needs the data.

    With z the standard normal quantile, and θ̃ the maximum of the likelihood where θⱼ is held:

    - ``likelihood-ratio``: where 2n(ℓ(θ̂) − ℓ(θ̃)) = z², the profile likelihood;
    - ``score``: where n·s̄ⱼ(θ̃)²·(I(θ̃)⁻¹)ⱼⱼ = z², with the mean score s̄ and the expected information I (Rao 1948).

    An end that the statistic does not come to is the end of the parameter's domain, or half a period from an angle.
    Parameters at a corner of the likelihood have none (NaN), and are held at their estimate for the others; NaN as well
    where a fit has not converged, and where no end was found.
    """
    rows, size = likelihood.rows, len(likelihood.free)
    ends = np.full((2, rows, size), np.nan)
    good = np.flatnonzero(estimates.status == Status.CONVERGED)
    if not len(good):
        return ends[0], ends[1]
    part = likelihood if len(good) == rows else likelihood.select(good)
    theta = estimates.theta[good]
    point = evaluate(part, [domain.to_real(theta[:, i]) for i, domain in enumerate(likelihood.domains)])
    for j in likelihood.regular:
        for end, task in enumerate(_tasks(likelihood, j, method, level)):
            ends[end, good, j] = find_end(part, point, task)
    return ends[0], ends[1]


def _tasks(likelihood: Likelihood, j: int, method: str, level: float) -> list[Task]:
    """Return the searches for both ends of a parameter, the lower first."""
    places = (*(i for i in likelihood.regular if i != j), j)
    period = likelihood.family.periods.get(likelihood.free[j], np.inf)
    return [
        Task(places, likelihood.domains[j], side, quantile(level), CRITERIA[method], 0.5 * period)
        for side in (-1.0, 1.0)
    ]
