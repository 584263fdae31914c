"""Simulate blocks: draw, fit, and record what the analysis needs, without a loop over replicates."""

from __future__ import annotations

import numpy as np

from simstudy.errors import FamilyError
from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.inference import mle
from simstudy.inference.intervals import from_data
from simstudy.inference.likelihood import Likelihood
from simstudy.numerics.symmetric import fill
from simstudy.parameters import Array
from simstudy.study import models
from simstudy.study.limits import limiting_value
from simstudy.study.replicates import Replicates, concatenate
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size, generator

# Rows fitted together where the reduced data are small: enough to drown the cost of calling numpy. Matrices of many
# parameters are larger than the data, so that there are fewer rows of these.
_ROWS_TOGETHER = 16384
_ENTRIES_TOGETHER = 2**18


def simulate(scenario: Scenario, seed: int, first_block: int, last_block: int) -> Replicates:
    """Return the record of whole blocks first_block … last_block (inclusive), in replicate order.

    All arithmetic is elementwise over replicates, so a row's bits do not depend on the blocks it is fitted with.
    """
    family = models.fitted(scenario).family
    size = len(scenario.free)
    rows_together = min(_ROWS_TOGETHER, 2 * _ENTRIES_TOGETHER // (size * (size + 1)))
    records: list[Replicates] = []
    waiting: list[FamilyLikelihood] = []
    with np.errstate(all="ignore"):
        for block in range(first_block, last_block + 1):
            waiting.append(family.likelihood(draw(scenario, seed, block)))
            together = rows_together if waiting[0].compact else 1
            if block == last_block or sum(part.rows for part in waiting) >= together:
                joined = waiting[0] if len(waiting) == 1 else type(waiting[0]).join(waiting)
                records.append(estimate(scenario, joined))
                waiting = []
    return concatenate(records)


def draw(scenario: Scenario, seed: int, block: int) -> Array:
    """Draw the data sets (B, n) of one block."""
    model = models.drawn(scenario)
    size = (block_size(scenario.n), scenario.n)
    return _sealed(model.family, model.family.sample(generator(scenario, seed, block), model.base, size), size)


def _sealed(family: Family, drawn: Array, size: tuple[int, ...]) -> Array:
    """Return data that no family can write into, in C order, or refuse what are no data of that size."""
    width = family.sample_space.width
    shape = size if width is None else (*size, width)
    x = np.ascontiguousarray(drawn)
    if x.shape != shape or x.dtype.kind not in "biuf":
        message = f"{family.name}: sample returned {x.dtype} of shape {x.shape}, not real numbers of shape {shape}"
        raise FamilyError(message)
    sealed = x.view()
    sealed.flags.writeable = False
    return sealed


def estimate(scenario: Scenario, x: Array | FamilyLikelihood) -> Replicates:
    """Fit the scenario's family to data sets (R, n), or to data already reduced, and record the fits."""
    model = models.fitted(scenario)
    with np.errstate(all="ignore"):
        likelihood = Likelihood(model.family, x, model.parametrisation, model.given)
        estimates = mle.fit(likelihood)
        at = limiting_value(scenario)
        limit = likelihood.evaluate([np.asarray(v) for v in at], products=True)
        ends = [from_data(likelihood, estimates, method, scenario.level) for method in scenario.stored_intervals]
        intervals = np.concatenate([np.empty((likelihood.rows, 0)), *(each for pair in ends for each in pair)], axis=-1)
        return _record(estimates, limit, intervals, scenario.n)


def _record(estimates: mle.Estimates, limit: Evaluation, intervals: Array, n: int) -> Replicates:
    rows, at = len(estimates.status), estimates.evaluation
    return Replicates(
        theta=estimates.theta,
        information=fill(at.information, rows),
        information_limit=fill(limit.information, rows),
        score_limit=fill(limit.score, rows),
        products=fill(at.products, rows),
        products_limit=fill(limit.products, rows),
        value=n * np.asarray(at.value),
        value_limit=n * np.asarray(limit.value),
        status=estimates.status,
        iterations=estimates.iterations,
        intervals=intervals,
    )
