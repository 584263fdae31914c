"""Type-I right censoring: lifetimes of a positive family, of which only the first c units of time are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution, against_rows
from simstudy.families.sample_space import SampleSpace, VectorSpace
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.families.tail import information_until, nodes_until, survival_derivatives
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import Array, Columns, Parametrisation


class Censored(Family):
    """log p = d log f(t) + (1 − d) log S(c) for pairs (t, d): d = 1 if t was seen, 0 if cut at c.

    With σ = ∂ log S(c): I(θ) = E[s sᵀ; X ≤ c] + S(c) σσᵀ. The draws are those of the family without censoring.

    Parameters
    ----------
    base
        Family of the lifetimes; it has a survival function.
    time
        c.
    """

    def __init__(self, base: Family, time: float) -> None:
        self.base, self.time = base, time
        self.name = f"censored {base.name}"
        self.formula = f"{base.formula}; cut at {time:g}" if base.formula else ""
        self.parameters, self.constants = base.parameters, base.constants
        self.alternatives = tuple(map(_without_information, base.alternatives))
        self.sample_space = _pairs_space(base.sample_space, time)

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return log f(t) of what was seen and log S(c) of what was cut."""
        times, seen = taken_apart(x)
        beyond = np.asarray(self.base.log_survival(np.asarray(self.time), theta))
        return np.where(seen, self.base.log_density(times, theta), beyond)

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return the score of log f(t) or of log S(c)."""
        times, seen = taken_apart(x)
        beyond, _ = self.survival_derivatives(theta)
        found = self.base.score(times, theta)
        return [np.where(seen, entry, other) for entry, other in zip(found, beyond, strict=True)]

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return the Hessian of log f(t) or of log S(c)."""
        times, seen = taken_apart(x)
        _, beyond = self.survival_derivatives(theta)
        found = self.base.hessian(times, theta)
        return [np.where(seen, entry, other) for entry, other in zip(found, beyond, strict=True)]

    def survival_derivatives(self, theta: Columns) -> tuple[Sequence[Entry], Sequence[Entry]]:
        """Return ∂ log S(c) and, packed, ∂² log S(c); by default by quadrature."""
        return survival_derivatives(self.base, self.time, theta)

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return E[s sᵀ; X ≤ c] + S(c) σσᵀ, by default by quadrature."""
        return information_until(self.base, self.time, theta)

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw lifetimes and cut them."""
        return cut(self.base.sample(rng, theta, size), self.time)

    def start(self, x: Array) -> Columns:
        """Return the start of the family at data completed by guesses."""
        times, seen = taken_apart(x)
        return self.base.start(_completed(times, seen, self.time))

    def likelihood(self, x: Array) -> FamilyLikelihood:
        """Keep the times and which were seen."""
        times, seen = taken_apart(x)
        return CensoredLikelihood(self, np.ascontiguousarray(times), seen, self.sample_space.holds_all(x))

    def starts(self, likelihood: CensoredLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the starts of the family at data completed by guesses."""
        completed = _completed(likelihood.times, likelihood.seen, self.time)
        return self.base.starts(self.base.likelihood(completed), known)

    def solve(self, likelihood: CensoredLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Decide what needs no search: data sets with nothing seen, and those with nothing cut.

        With nothing seen the likelihood tends to its upper bound 1 as all lifetimes move beyond c.
        """
        theta = np.full((len(self.parameters), likelihood.rows), np.nan)
        status = np.where(likelihood.seen.any(axis=-1), Status.MAX_ITERATIONS, Status.NO_MAXIMUM)
        iterations = np.zeros(likelihood.rows, dtype=np.int16)
        whole = np.flatnonzero(likelihood.seen.all(axis=-1) & likelihood.usable)
        if len(whole):
            found = self.base.solve(self.base.likelihood(likelihood.times[whole]), known)
            if found is not None:
                theta[:, whole], status[whole], iterations[whole] = found.theta, found.status, found.iterations
        return solution(list(theta), likelihood, status, iterations)

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return what the family needs without censoring."""
        return self.base.minimum_size(free)

    def member(self, values: Mapping[str, float | None]) -> Family:
        """Return the family whose lifetimes are those of a member."""
        member = self.base.member(values)
        return self if member is self.base else type(self)(member, self.time)

    def constraint(self, theta: Sequence[float]) -> str:
        """Return what θ lacks without censoring."""
        return self.base.constraint(theta)

    def nodes(self, theta: Columns) -> tuple[Array, Array]:
        """Return pairs (1, m, 2) and weights (1, m) for expectations under one member; the atom at c is one of them."""
        times, weights = nodes_until(self.base, self.time, theta)
        return cut(np.append(times, [[self.time]], axis=1), self.time), np.append(weights, [[1.0]], axis=1)

    def irregularity(self, theta: Sequence[float]) -> str:
        """Return why theory fails at θ without censoring."""
        return self.base.irregularity(theta)


class CensoredLikelihood(FamilyLikelihood):
    """The likelihood of times (R, n) and which of them were seen; what was cut has one value for each data set."""

    def __init__(self, family: Censored, times: Array, seen: NDArray[np.bool_], usable: NDArray[np.bool_]) -> None:
        self._family, self.times, self.seen, self.usable = family, times, seen, usable
        self.rows, self.size = times.shape
        self.share_cut = 1.0 - seen.mean(axis=-1)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data and one look beyond c."""
        theta = [np.broadcast_to(np.asarray(column, dtype=float), (self.rows,)) for column in theta]
        log_density, score, hessian = self._family.base.pointwise(self.times, against_rows(theta))
        beyond = np.asarray(self._family.base.log_survival(np.asarray(self._family.time), theta))
        slopes, bends = self._family.survival_derivatives(theta)
        outer = []
        if products:
            outer = [self._mean(score[i] * score[j], slopes[i] * slopes[j]) for i, j in pairs(len(slopes))]
        return Evaluation(
            self._mean(log_density, beyond),
            [self._mean(entry, slope) for entry, slope in zip(score, slopes, strict=True)],
            [-self._mean(entry, bend) for entry, bend in zip(hessian, bends, strict=True)],
            outer,
        )

    def _mean(self, seen: Array, cut_off: Entry) -> Array:
        """Return the mean of a quantity from its values (R, n) where seen and its one value (R,) where cut."""
        total = np.where(self.seen, seen, 0.0).mean(axis=-1)
        return np.asarray(total + np.where(self.share_cut > 0.0, self.share_cut * cut_off, 0.0))

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self._family, self.times[rows], self.seen[rows], self.usable[rows])


def cut(lifetimes: Array, time: float) -> Array:
    """Return pairs (t, d) of lifetimes cut at a time."""
    pairs_ = np.empty((*lifetimes.shape, 2))
    np.minimum(lifetimes, time, out=pairs_[..., 0])
    np.less(lifetimes, time, out=pairs_[..., 1])
    return pairs_


def taken_apart(x: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return times, and which were seen, of pairs (…, 2)."""
    return x[..., 0], x[..., 1] > 0.0


def _pairs_space(lifetimes: SampleSpace | VectorSpace, time: float) -> VectorSpace:
    assert isinstance(lifetimes, SampleSpace)
    times = SampleSpace(f"times until {time:g}", lifetimes.lower, time, lifetimes.lower_included, atom=True)

    def assemble(coordinates: Sequence[Array]) -> tuple[Array, Array]:
        return cut(coordinates[0], time), np.ones(coordinates[0].shape)

    def contains(x: Array) -> NDArray[np.bool_]:
        at, event = x[..., 0], x[..., 1]
        above = at >= times.lower if times.lower_included else at > times.lower
        return np.asarray(np.where(event == 1.0, above & (at <= time), (event == 0.0) & (at == time)))

    return VectorSpace("times with whether they were seen", 2, (times,), assemble, lambda x: [x[..., 0]], contains)


def _completed(times: Array, seen: NDArray[np.bool_], time: float) -> Array:
    """Put what was cut at the quantiles of an exponential beyond c, as far as the data's mean waiting time goes."""
    count = (~seen).sum(axis=-1, keepdims=True)
    rank = np.cumsum(~seen, axis=-1) - 0.5
    wait = times.sum(axis=-1, keepdims=True) / np.maximum(seen.sum(axis=-1, keepdims=True), 0.5)
    with np.errstate(all="ignore"):
        beyond = time - wait * np.log1p(-rank / np.maximum(count, 1))
    return np.where(seen, times, beyond)


def _without_information(form: Parametrisation) -> Parametrisation:
    """Leave out the closed form of the information, which is that of uncut lifetimes."""
    return Parametrisation(form.parameters, form.to_base, form.from_base, form.jacobian, form.curvature)
