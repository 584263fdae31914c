"""Laws of maximum likelihood estimates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simstudy.contract.estimates import (
    TERMS,
    converged,
    distance,
    excess,
    least_eigenvalue,
    mean_information,
    mean_information_size,
    mean_score,
    proper_subsets,
    quiet_fit,
    same,
    tolerance,
)
from simstudy.contract.finding import Deviation, must, worst
from simstudy.contract.points import Point
from simstudy.contract.precision import EPS, hessian_slack
from simstudy.families.base import Family
from simstudy.families.sample_space import SampleSpace, VectorSpace
from simstudy.families.status import Status
from simstudy.inference import Fit
from simstudy.inference.likelihood import Likelihood
from simstudy.inference.newton import maximise
from simstudy.parameters import Array

_ROWS, _SIZE = 24, 50
# Of the fewest observations possible, often only one data set in a hundred has a maximum.
_SMALLEST_ROWS = 400
_RECOVERED_ROWS, _RECOVERED_SIZE = 64, 1000
_CHANCE = 1e-9


def start(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """Starting values are one number per data set and parameter, inside the domains."""
    x = family.sample(rng, point.base, (_ROWS, _SIZE))
    for parameter, column in zip(family.parameters, family.start(x), strict=True):
        what = f"start of {parameter.name}"
        yield must(f"{what} has shape {np.shape(column)} against ({_ROWS},)", holds=np.shape(column) == (_ROWS,))
        yield must(f"{what} is inside {parameter.domain}", holds=bool(parameter.domain.contains(column).all()))


def fit_ends(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """Every fit ends with a maximum or a sound reason, without exceptions or warnings, however small the data set."""
    least = family.minimum_size(point.parametrisation.names)
    for size in sorted({1, 2, 3, least, _SIZE}):
        x = family.sample(rng, point.base, (_ROWS, size))
        found = quiet_fit(family, x, point.parametrisation)
        sound = {Status.CONVERGED, Status.BOUNDARY, Status.NO_MAXIMUM}
        if size < _SIZE and hessian_slack(family):
            # Observations nearly equal leave an information that differences cannot tell from a singular one.
            sound |= {Status.MAX_ITERATIONS, Status.NOT_CONCAVE}
        # Fewer observations than it takes leave the likelihood without a unique maximum, or with a curve of them.
        allowed = sound if size >= least else set(Status)
        others = sorted({status.name for status in found.status if status not in allowed})
        yield must(f"statuses at n = {size}: {', '.join(others) or 'sound'}", holds=not others)
        if size == least:
            some = _estimated(found)
            if not some:
                x = family.sample(rng, point.base, (_SMALLEST_ROWS, size))
                some = _estimated(quiet_fit(family, x, point.parametrisation))
            yield must(f"some fits have an estimate at the minimum size {least}", holds=some)


def _estimated(found: Fit) -> bool:
    """Tell whether any data set has an estimate, inside or on the boundary."""
    return any(status in {Status.CONVERGED, Status.BOUNDARY} for status in found.status)


def unusable_data(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """A data set outside the sample space is NOT_FINITE, and the others are none the worse for it."""
    good = family.sample(rng, point.base, (_ROWS, _SIZE)).astype(float)
    bad = [*(np.full_like(good[0, 3], value) for value in (np.nan, np.inf, -np.inf))]
    bad += _outside(family.sample_space, good[0, 3])
    x = np.concatenate([good, good[: len(bad)]])
    x[_ROWS:, 3] = bad
    found, alone = (quiet_fit(family, data, point.parametrisation) for data in (x, good))
    for value, status in zip(bad, found.status[_ROWS:], strict=True):
        shown = ", ".join(f"{number:g}" for number in np.ravel(value))
        yield must(f"a data set with {shown} is {status.name}", holds=status is Status.NOT_FINITE)
    as_before = found.status[:_ROWS] == alone.status
    yield must("the other data sets end as without it", holds=bool(as_before.all()))


def _outside(space: SampleSpace | VectorSpace, observation: Array) -> list[Array]:
    """Return what is finite and no observation; of vectors, a sound one with one of its coordinates outside."""
    if isinstance(space, SampleSpace):
        return [np.asarray(number) for number in _beyond(space)]
    coordinates = space.take_apart(observation)
    return [
        space.assemble([*coordinates[:axis], np.asarray(number), *coordinates[axis + 1 :]])[0]
        for axis, part in enumerate(space.parts)
        for number in _beyond(part)
    ]


def _beyond(space: SampleSpace) -> list[float]:
    """Return numbers outside an interval, or between the integers in it; every number is an angle."""
    if space.circular:
        return []
    # What lies beyond an atom is cut there.
    ends = [end for end in (space.lower - 1.0, np.inf if space.atom else space.upper + 1.0) if np.isfinite(end)]
    return [*ends, 0.5 + np.floor(max(space.lower, 0.0))] if space.discrete else ends


def score_zero(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """At a CONVERGED estimate the mean score is zero and the observed information positive definite.

    At a corner, where the score is not zero, the log-likelihood is instead nowhere higher on either side.
    """
    x = family.sample(rng, point.base, (_ROWS, _SIZE))
    found = quiet_fit(family, x)
    rows = converged(found)
    yield must(f"{rows.sum()} of {len(rows)} fits converged", holds=bool(rows.any()))
    theta, x = found.theta[rows], x[rows]
    likelihood = Likelihood(family, x)
    regular = list(likelihood.regular)
    yield from _at_corners(likelihood, theta, "beside corners")
    if not regular:
        return
    score = mean_score(family, x, theta)[:, regular]
    information = mean_information(family, x, theta)[:, regular][:, :, regular]
    least = np.array([least_eigenvalue(matrix) for matrix in information])
    yield must("observed information is positive definite", holds=bool((least > 0.0).all()))
    sound = least > 0.0
    error = distance(score[sound], information[sound])
    yield worst("√(sᵀJ⁻¹s) at the estimate", error, tolerance(family, theta[sound][:, regular], information[sound]))
    scale = np.sqrt(np.einsum("rii->ri", information))
    reported = found.observed_information[rows][:, regular][:, :, regular]
    unit = scale[:, :, np.newaxis] * scale[:, np.newaxis, :]
    size = mean_information_size(family, x, theta)[:, regular][:, :, regular]
    bound = TERMS * EPS * (1.0 + size / unit) + hessian_slack(family)
    yield worst("information reported with the estimate", np.abs(reported - information) / unit, bound)


def _at_corners(likelihood: Likelihood, theta: Array, where: str) -> Iterator[Deviation]:
    """Measure by how much the log-likelihood is higher beside corners."""
    if len(likelihood.regular) < len(likelihood.free):
        bound = TERMS * EPS * (1.0 + np.abs(likelihood.value(theta)))
        yield worst(f"log-likelihood {where}", np.maximum(excess(likelihood, theta), 0.0), bound)


def fit_recovers(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """Estimates from large data sets are right on average, their bias of order 1/n removed by halving the data."""
    n = _RECOVERED_SIZE
    x = family.sample(rng, point.base, (_RECOVERED_ROWS, n))
    whole, first, second = (quiet_fit(family, np.ascontiguousarray(data)) for data in (x, x[:, ::2], x[:, 1::2]))
    rows = converged(whole) & converged(first) & converged(second)
    yield must(f"{rows.sum()} of {len(rows)} fits converged at n = {n}", holds=bool(rows.mean() > 0.5))
    unbiased = (2.0 * whole.theta - 0.5 * (first.theta + second.theta))[rows]
    quantile = float(special.stdtrit(len(unbiased) - 1, 1.0 - _CHANCE / 2.0))
    for name, column, truth in zip(whole.names, unbiased.T, point.base, strict=True):
        sd = float(column.std(ddof=1))
        # What halving leaves is of order 1/n², in units of the standard deviation √n·sd of one observation's worth.
        left = 100.0 * np.sqrt(n) * sd / n**2
        bound = quantile * sd / np.sqrt(len(column)) + left
        yield worst(f"mean estimate of {name} at n = {n} against the truth", abs(column.mean() - truth), bound)


def invariance(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """The estimate is the same distribution whichever parameters it is named by."""
    x = family.sample(rng, point.base, (_ROWS, _SIZE))
    found, base = quiet_fit(family, x, point.parametrisation), quiet_fit(family, x)
    yield must("statuses agree", holds=bool((found.status == base.status).all()))
    rows = converged(found) & converged(base)
    mapped = np.stack(point.parametrisation.to_base(list(found.theta[rows].T)), axis=-1)
    yield same(family, "estimates mapped to the base parameters", mapped, base, rows)


def own_algorithm(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """The family's own algorithm ends where the general optimiser does, given the corners, or at a higher maximum."""
    if type(family).solve is Family.solve:
        yield must("the general optimiser is its algorithm", holds=True)
        return
    x = family.sample(rng, point.base, (_ROWS, _SIZE))
    own = quiet_fit(family, x)
    theta, finished = _generally(family, x, own)
    rows = converged(own) & finished
    yield must("fits converge by either way", holds=bool(rows.sum() >= converged(own).sum() / 2))
    value = own.log_likelihood / _SIZE
    rows &= value <= Likelihood(family, x).value(theta) + TERMS * EPS * (1.0 + np.abs(value))
    yield same(family, "estimates of the general optimiser", theta[rows], own, rows)


def _generally(family: Family, x: Array, own: Fit) -> tuple[Array, NDArray[np.bool_]]:
    """Return estimates by the general optimiser, and which are finished."""
    likelihood, start = Likelihood(family, x), np.stack(family.start(x), axis=-1).astype(float)
    corners = sorted(set(own.names) & set(family.corners))
    if not corners:
        found = maximise(likelihood, list(start.T))
        return np.stack(found.theta, axis=-1), found.status == Status.CONVERGED
    theta, finished = own.theta.copy(), np.ones(len(x), dtype=bool)
    for row in np.flatnonzero(converged(own)) if likelihood.regular else ():
        known = {name: float(theta[row, own.names.index(name)]) for name in corners}
        alone = Likelihood(family, x[row : row + 1], known=known)
        found = maximise(alone, [start[row : row + 1, i] for i in alone.kept])
        theta[row, list(alone.kept)] = np.ravel(found.theta)
        finished[row] = found.status[0] == Status.CONVERGED
    return theta, finished


def known_parameters(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """With parameters known, the score of the free ones is zero at the estimate."""
    form = point.parametrisation
    x = family.sample(rng, point.base, (_ROWS, _SIZE))
    for known in proper_subsets(form, point):
        found = quiet_fit(family, x, form, known)
        rows = converged(found)
        free = [name for name in form.names if name not in known]
        label = f"{', '.join(known)} known"
        yield must(f"{label}: free parameters are {', '.join(found.names)}", holds=list(found.names) == free)
        ends = {status.name for status in found.status} - {"CONVERGED", "BOUNDARY", "NO_MAXIMUM"}
        yield must(f"{label}: statuses {', '.join(sorted(ends)) or 'sound'}", holds=not ends)
        if not rows.any():
            continue
        likelihood = Likelihood(family, x[rows], form, known)
        regular = list(likelihood.regular)
        yield from _at_corners(likelihood, found.theta[rows], f"{label}: beside corners")
        if not regular:
            continue
        score = likelihood.score(found.theta[rows])[:, regular]
        information = -likelihood.hessian(found.theta[rows])[:, regular][:, :, regular]
        bound = tolerance(family, found.theta[rows][:, regular], information)
        yield worst(f"{label}: √(sᵀJ⁻¹s)", distance(score, information), bound)


def rows_alone(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """A data set has the same estimate alone as in a block."""
    x = family.sample(rng, point.base, (5, _SIZE))
    block = quiet_fit(family, x)
    alone = [quiet_fit(family, x[r : r + 1]) for r in range(len(x))]
    yield must("statuses agree", holds=[found.status[0] for found in alone] == list(block.status))
    rows = converged(block)
    theta = np.concatenate([found.theta for found in alone])[rows]
    yield same(family, "estimates of single data sets", theta, block, rows)
