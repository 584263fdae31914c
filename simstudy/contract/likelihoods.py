"""Laws of the likelihood of a block of data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from simstudy.contract.finding import Deviation, must, worst
from simstudy.contract.points import Point, middle_points
from simstudy.contract.precision import EPS
from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood
from simstudy.inference import mle
from simstudy.inference.likelihood import Likelihood
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import Array, Columns

_ROWS, _SIZE = 4, 40
# Sufficient statistics are sums of n terms, which the parameters then multiply: both round.
_TERMS = 64.0 + _SIZE


def likelihood_route(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """Value, score, information and score products of a data set are averages over its observations."""
    x = family.sample(rng, point.base, (_ROWS, _SIZE))
    likelihood = family.likelihood(x)
    yield must("all rows are usable", holds=bool(likelihood.usable.all()))
    yield must("R and n are those of the data", holds=(likelihood.rows, likelihood.size) == x.shape[:2])
    for at, base in (("θ", point.base), ("another θ", middle_points(family)[0].base)):
        theta = [np.full(_ROWS, value) for value in base]
        yield from _averages(family, x, theta, likelihood.evaluate(theta, products=True), at)


def _averages(family: Family, x: Array, theta: Columns, found: Evaluation, at: str) -> Iterator[Deviation]:
    columns = [column[:, np.newaxis] for column in theta]
    log_density = family.log_density(x, columns)
    scores = [np.broadcast_to(entry, x.shape[:2]) for entry in family.score(x, columns)]
    bends = [np.broadcast_to(entry, x.shape[:2]) for entry in family.hessian(x, columns)]
    sizes = [np.sqrt((entry * entry).mean(axis=-1)) for entry in scores]
    rounding = _TERMS * EPS
    size = 1.0 + np.abs(log_density).mean(axis=-1)
    value = log_density.mean(axis=-1)
    found_value = np.broadcast_to(found.value, value.shape)
    there = value > -np.inf  # θ may rule a data set out, which then has no score
    yield must(f"value at {at} is −∞ where θ rules data out", holds=bool((found_value[~there] == -np.inf).all()))
    yield worst(f"value at {at}", np.abs(found_value - value)[there], (rounding * size)[there])
    for i, entry in enumerate(scores):
        miss = np.abs(found.score[i] - entry.mean(axis=-1))
        yield worst(f"score {i} at {at}", miss[there], (rounding * sizes[i])[there])
    for k, (i, j) in enumerate(pairs(len(scores))):
        size = (np.abs(bends[k]).mean(axis=-1) + sizes[i] * sizes[j])[there]
        bend = np.abs(found.information[k] + bends[k].mean(axis=-1))[there]
        outer = np.abs(found.products[k] - (scores[i] * scores[j]).mean(axis=-1))[there]
        yield worst(f"information {i}, {j} at {at}", bend, rounding * size)
        yield worst(f"score products {i}, {j} at {at}", outer, rounding * size)


def likelihood_rows(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """Selecting rows of a reduced block, or joining blocks, gives the likelihood of those rows."""
    x = family.sample(rng, point.base, (_ROWS, _SIZE))
    whole, order = family.likelihood(x), np.array([2, 0])
    theta = [np.full(_ROWS, value) for value in point.base]
    some = [column[order] for column in theta]
    expected = _entries(whole.evaluate(theta, products=True), _ROWS)
    found = _entries(whole.select(order).evaluate(some, products=True), len(order))
    size = EPS * _TERMS * (1.0 + np.abs(expected))
    yield worst("selected rows", np.abs(found - expected[:, order]), size[:, order])
    if type(whole).compact:
        parts = [family.likelihood(x[:1]), family.likelihood(x[1:])]
        joined = _entries(type(whole).join(parts).evaluate(theta, products=True), _ROWS)
        yield worst("joined blocks", np.abs(joined - expected), size)


def _entries(evaluation: Evaluation, rows: int) -> Array:
    entries: Sequence[Entry] = [*chain([evaluation.value], *evaluation[1:])]
    return np.array([np.broadcast_to(entry, (rows,)) for entry in entries])


def data_untouched(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """Nothing writes into the data or the parameters it is given."""
    x = np.array(family.sample(rng, point.base, (_ROWS, _SIZE)))
    theta = [np.full((_ROWS, 1), value) for value in point.base]
    kept = [array.copy() for array in (x, *theta)]
    family.log_density(x, theta)
    family.score(x, theta)
    family.hessian(x, theta)
    family.start(x)
    likelihood: FamilyLikelihood = family.likelihood(x)
    likelihood.evaluate([column[:, 0] for column in theta], products=True)
    mle.fit(Likelihood(family, x))
    same = [np.array_equal(array, copy) for array, copy in zip((x, *theta), kept, strict=True)]
    yield must("data are as they were", holds=same[0])
    yield must("parameters are as they were", holds=all(same[1:]))
