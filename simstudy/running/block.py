"""Simulate blocks: draw, fit, and record what the analysis needs, without a loop over replicates."""

from __future__ import annotations

import numpy as np

from simstudy.families import FAMILIES
from simstudy.inference import mle
from simstudy.inference.likelihood import Likelihood
from simstudy.numerics.symmetric import fill
from simstudy.parameters import Array
from simstudy.study.replicates import Replicates, concatenate
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size, generator


def simulate(scenario: Scenario, seed: int, first_block: int, last_block: int) -> Replicates:
    """Return the record of whole blocks first_block … last_block (inclusive), in replicate order."""
    blocks = range(first_block, last_block + 1)
    return concatenate([estimate(scenario, draw(scenario, seed, block)) for block in blocks])


def draw(scenario: Scenario, seed: int, block: int) -> Array:
    """Draw the data sets (B, n) of one block."""
    family = FAMILIES[scenario.family]
    theta = family.find_parametrisation(scenario.names).to_base([np.float64(v) for v in scenario.values])
    size = (block_size(scenario.n), scenario.n)
    return family.sample(generator(scenario, seed, block), theta, size)


def estimate(scenario: Scenario, x: Array) -> Replicates:
    """Fit the scenario's family to data sets (R, n) and record the fits."""
    family = FAMILIES[scenario.fit]
    values = dict(zip(scenario.names, scenario.values, strict=True))
    with np.errstate(all="ignore"):
        likelihood = Likelihood(
            family,
            x,
            family.find_parametrisation(scenario.names),
            {name: values[name] for name in scenario.known},
        )
        estimates = mle.fit(likelihood)
        truth = likelihood.evaluate([np.float64(v) for v in scenario.truth], products=True)
        return _record(estimates, truth, scenario.n)


def _record(estimates: mle.Estimates, truth: mle.Evaluation, n: int) -> Replicates:
    rows, at = len(estimates.status), estimates.evaluation
    return Replicates(
        theta=estimates.theta,
        information=fill(at.information, rows),
        information_limit=fill(truth.information, rows),
        score_limit=fill(truth.score, rows),
        products=fill(at.products, rows),
        products_limit=fill(truth.products, rows),
        value=n * np.asarray(at.value),
        value_limit=n * np.asarray(truth.value),
        status=estimates.status,
        iterations=estimates.iterations,
    )
