"""Simulate blocks: draw, fit, and record what the analysis needs, without a loop over replicates."""

from __future__ import annotations

import numpy as np

from simstudy.families import FAMILIES
from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.inference import mle
from simstudy.inference.likelihood import Likelihood
from simstudy.numerics.symmetric import fill
from simstudy.parameters import Array
from simstudy.study.replicates import Replicates, concatenate
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size, generator

# Rows fitted together where the reduced data are small: enough to drown the cost of calling numpy.
_ROWS_TOGETHER = 16384


def simulate(scenario: Scenario, seed: int, first_block: int, last_block: int) -> Replicates:
    """Return the record of whole blocks first_block … last_block (inclusive), in replicate order.

    All arithmetic is elementwise over replicates, so a row's bits do not depend on the blocks it is fitted with.
    """
    family = FAMILIES[scenario.fit]
    records: list[Replicates] = []
    waiting: list[FamilyLikelihood] = []
    with np.errstate(all="ignore"):
        for block in range(first_block, last_block + 1):
            waiting.append(family.likelihood(draw(scenario, seed, block)))
            together = _ROWS_TOGETHER if waiting[0].compact else 1
            if block == last_block or sum(part.rows for part in waiting) >= together:
                joined = waiting[0] if len(waiting) == 1 else type(waiting[0]).join(waiting)
                records.append(estimate(scenario, joined))
                waiting = []
    return concatenate(records)


def draw(scenario: Scenario, seed: int, block: int) -> Array:
    """Draw the data sets (B, n) of one block."""
    family = FAMILIES[scenario.family]
    theta = family.find_parametrisation(scenario.names).to_base([np.asarray(v) for v in scenario.values])
    size = (block_size(scenario.n), scenario.n)
    return family.sample(generator(scenario, seed, block), theta, size)


def estimate(scenario: Scenario, x: Array | FamilyLikelihood) -> Replicates:
    """Fit the scenario's family to data sets (R, n), or to data already reduced, and record the fits."""
    family = FAMILIES[scenario.fit]
    values = dict(zip(scenario.names, scenario.values, strict=True))
    known = {name: values[name] for name in scenario.known}
    with np.errstate(all="ignore"):
        likelihood = Likelihood(family, x, family.find_parametrisation(scenario.names), known)
        estimates = mle.fit(likelihood)
        truth = likelihood.evaluate([np.asarray(v) for v in scenario.truth], products=True)
        return _record(estimates, truth, scenario.n)


def _record(estimates: mle.Estimates, truth: Evaluation, n: int) -> Replicates:
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
