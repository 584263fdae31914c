"""Laws of the expected information: what links score, Hessian and I(θ)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from simstudy.contract.finding import Deviation, must
from simstudy.contract.integrate import Integral, Quadrature
from simstudy.contract.points import Point
from simstudy.contract.precision import EPS, hessian_slack, information_slack, score_slack
from simstudy.contract.stencil import gradient
from simstudy.families.base import Family
from simstudy.inference import likelihood
from simstudy.numerics.symmetric import fill, pairs, unpack
from simstudy.parameters import Array

# A closed form of an entry rounds in a few terms, each of the size of the diagonal.
_TERMS = 64.0


def score_mean(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """E[s] = 0."""
    quadrature, scale = _expectations(family, point)
    score = _score(family, point)
    for i, name in enumerate(family.parametrisations[0].names):
        value, error = quadrature.expect(partial(score, i))
        slack = (score_slack(family) + _TERMS * EPS) * scale[i]
        yield Deviation(f"expected score in {name} against 0", abs(value) / scale[i], (error + slack) / scale[i])


def information_equality(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """E[s sᵀ] = −E[Hessian]."""
    quadrature, scale = _expectations(family, point)
    slack = 2.0 * score_slack(family) + hessian_slack(family) + _TERMS * EPS
    score, bends = _score(family, point), _Once(lambda x: family.hessian(x, point.theta))
    for k, (i, j) in enumerate(pairs(len(scale))):
        products = _product(score, quadrature, i, j)
        bend = quadrature.expect(partial(bends, k))
        yield _relative(
            f"{_entry(family, i, j)} of E[s sᵀ] + E[Hessian], relative to √(Iᵢᵢ Iⱼⱼ)",
            products.value + bend.value,
            products.error + bend.error,
            scale[i] * scale[j],
            slack,
        )


def irregular_limits(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """Where the family says that theory fails, E[s], Cov(s) and −E[Hessian] are what it says instead."""
    base = [float(value) for value in point.base]
    limits = family.irregular_limits(base)
    yield must("other limits come with a reason", holds=limits is None or bool(family.irregularity(base)))
    if limits is None:
        return
    quadrature, scale = _expectations(family, point)
    slack = 2.0 * score_slack(family) + hessian_slack(family) + _TERMS * EPS
    score, bends = _score(family, point), _Once(lambda x: family.hessian(x, point.theta))
    mean = [quadrature.expect(partial(score, i)) for i in range(len(scale))]
    for i, (value, error) in enumerate(mean):
        detail = f"E[s] in {family.parameters[i].name}, relative to √Iᵢᵢ"
        yield _relative(detail, value - limits.score_mean[i], error, scale[i], slack)
    for k, (i, j) in enumerate(pairs(len(scale))):
        products = _product(score, quadrature, i, j)
        bend = quadrature.expect(partial(bends, k))
        covariance = products.value - mean[i].value * mean[j].value
        error = products.error + abs(mean[i].value) * mean[j].error + abs(mean[j].value) * mean[i].error
        unit, entry = scale[i] * scale[j], _entry(family, i, j)
        yield _relative(f"{entry} of Cov(s)", covariance - limits.score_covariance[i, j], error, unit, slack)
        yield _relative(f"{entry} of −E[Hessian]", -bend.value - limits.hessian[i, j], bend.error, unit, slack)


def expected_information(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """The family's I(θ) is E[s sᵀ] by quadrature, and positive definite unless the family says that theory fails."""
    quadrature, scale = _expectations(family, point)
    found = fill([np.ravel(entry)[0] for entry in family.expected_information(point.theta)], 1)[0]
    slack = 2.0 * score_slack(family) + information_slack(family) + _TERMS * EPS
    score = _score(family, point)
    for k, (i, j) in enumerate(pairs(len(scale))):
        value, error = _product(score, quadrature, i, j)
        detail = f"{_entry(family, i, j)} of I(θ) against quadrature, relative to √(Iᵢᵢ Iⱼⱼ)"
        yield _relative(detail, float(found[k]) - value, error, scale[i] * scale[j], slack)
    if family.irregularity([float(value) for value in point.base]):
        return
    correlation = unpack(found[np.newaxis])[0] / np.outer(scale, scale)
    least = float(np.linalg.eigvalsh(correlation)[0]) if np.isfinite(correlation).all() else -np.inf
    yield must(f"I(θ) is positive definite (least eigenvalue of its correlations {least:.3g})", holds=least > 0.0)


def reparametrised_information(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """I(φ) = JᵀI(θ)J with J = ∂θ/∂φ, I(θ) by quadrature and J by a stencil."""
    quadrature, _ = _expectations(family, point)
    size = len(point.phi)
    base, error = np.empty((2, size, size))
    score = _score(family, point)
    for i, j in pairs(size):
        base[i, j], error[i, j] = base[j, i], error[j, i] = _product(score, quadrature, i, j)
    slopes, doubt = jacobian_by_stencil(point)
    expected = slopes.T @ base @ slopes
    near = np.abs(slopes).T @ np.abs(base) @ doubt
    bound = np.abs(slopes).T @ error @ np.abs(slopes) + near + near.T
    columns = [column[np.newaxis] for column in point.columns]
    packed = likelihood.expected_information(family, point.parametrisation, columns, range(size))
    found = unpack(fill(packed, 1))[0]
    slack = 2.0 * score_slack(family) + information_slack(family) + _TERMS * EPS
    scale = np.sqrt(np.diag(expected))
    for i, j in pairs(size):
        detail = f"entry ({', '.join(point.parametrisation.names[k] for k in (i, j))}) of I(φ) against JᵀI(θ)J"
        yield _relative(detail, found[i, j] - expected[i, j], bound[i, j], scale[i] * scale[j], slack)


def jacobian_by_stencil(point: Point) -> tuple[Array, Array]:
    """Return ∂θᵢ/∂φⱼ and a bound on its error, rows i of columns j."""
    domains = point.parametrisation.domains
    rows = [gradient(base_parameter(point, i), point.columns, domains) for i in range(len(domains))]
    value, error = (np.array([[float(entry[part]) for entry in row] for row in rows]) for part in (0, 1))
    return value, error


def _expectations(family: Family, point: Point) -> tuple[Quadrature, Sequence[float]]:
    """Return the rule, and the square roots of the diagonal of E[s sᵀ]."""
    quadrature = Quadrature(family, point.theta)
    score, size = _score(family, point), len(family.parameters)
    return quadrature, [float(np.sqrt(_product(score, quadrature, i, i).value)) for i in range(size)]


def base_parameter(point: Point, i: int) -> Callable[[list[Array]], Array]:
    """Return φ ↦ θᵢ."""
    return lambda phi: np.asarray(point.parametrisation.to_base(phi)[i])


class _Once:
    """Entries of a function of observations, computed once for each array of these, which must be kept elsewhere."""

    def __init__(self, function: Callable[[Array], Sequence[Array]]) -> None:
        self._function = function
        self._found: dict[int, Sequence[Array]] = {}

    def __call__(self, index: int, x: Array) -> Array:
        if id(x) not in self._found:
            self._found[id(x)] = self._function(x)
        return np.asarray(np.broadcast_to(self._found[id(x)][index], x.shape[:2]))


def _score(family: Family, point: Point) -> _Once:
    return _Once(lambda x: family.score(x, point.theta))


def _product(score: _Once, quadrature: Quadrature, i: int, j: int) -> Integral:
    return quadrature.expect(lambda x: score(i, x) * score(j, x))


def _entry(family: Family, i: int, j: int) -> str:
    names = family.parametrisations[0].names
    return f"entry ({names[i]}, {names[j]})"


def _relative(detail: str, miss: float, error: float, scale: float, slack: float) -> Deviation:
    return Deviation(detail, abs(miss) / scale, error / scale + slack)
