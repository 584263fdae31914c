"""The Kumaraswamy family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self, final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.sample_space import OPEN_UNIT_INTERVAL
from simstudy.families.solution import closed_form, solution
from simstudy.families.status import Status
from simstudy.numerics import trace
from simstudy.numerics.special import digamma_quotient, trigamma_quotient
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, Array, Columns, Parameter

_TOLERANCE = 1e-14
_ITERATIONS = 100
# The most that min t, and with it log β̂, may be; beyond it 1/β̂² leaves the range of floating-point numbers.
_LARGEST = 350.0
_EULER = float(np.euler_gamma)


class KumaraswamyLikelihood(FamilyLikelihood):
    """The likelihood of data kept as u = −log x > 0."""

    def __init__(self, u: Array) -> None:
        self.u = u
        self.rows, self.size = u.shape
        least, largest = u.min(axis=-1), u.max(axis=-1)
        self.usable = (least > 0.0) & (largest < np.inf)
        self.exists = largest > least
        self.mean = u.mean(axis=-1)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data."""
        alpha, beta = (np.broadcast_to(np.asarray(column, dtype=float), (self.rows,)) for column in theta)
        t = self.u * alpha[:, np.newaxis]
        h, q = _parts(t)
        mean_h, mean_q, mean_t = h.mean(axis=-1), q.mean(axis=-1), alpha * self.mean
        value = np.log(alpha) + np.log(beta) - mean_t + self.mean - (beta - 1.0) * mean_q
        score = [(1.0 - mean_t + (beta - 1.0) * mean_h) / alpha, 1.0 / beta - mean_q]
        information = [
            (1.0 + (beta - 1.0) * (mean_product(h, h) + mean_product(h, t))) / np.square(alpha),
            -mean_h / alpha,
            1.0 / np.square(beta),
        ]
        outer: list[Array] = []
        if products:
            h *= (beta - 1.0)[:, np.newaxis]
            h += 1.0
            h -= t
            np.subtract((1.0 / beta)[:, np.newaxis], q, out=q)
            outer = [mean_product(h, h) / np.square(alpha), mean_product(h, q) / alpha, mean_product(q, q)]
        return Evaluation(value, score, information, outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.u[rows])


def _parts(t: Array) -> tuple[Array, Array]:
    """Return h = t/(eᵗ − 1) and q = −log(1 − e⁻ᵗ) = log(1 + 1/(eᵗ − 1)), exact for small and for large t."""
    q = np.asarray(np.expm1(t))
    h = t / q
    np.reciprocal(q, out=q)
    return h, np.log1p(q, out=q)


@final
class Kumaraswamy(Family):
    """log p = log α + log β + (α−1) log x + (β−1) log(1 − xᵅ).

    With t = −α log x, h = t/(eᵗ−1) and q = −log(1 − xᵅ): score ((1 − t + (β−1)h)/α, 1/β − q). With d = β − 2,
    a = (ψ(β+1) − ψ(3))/d and b = (ψ′(β+1) − ψ′(3))/d:
    I_αα = (3/2 − βb + da(1 + βa))/α², I_αβ = −(ψ(β+1) − ψ(2))/((β−1)α), I_ββ = 1/β².
    """

    name = "kumaraswamy"
    formula = "log p(x) = log alpha + log beta + (alpha − 1) log x + (beta − 1) log(1 − x^alpha)"
    parameters = (Parameter("alpha", POSITIVE, (0.3, 10.0)), Parameter("beta", POSITIVE, (0.5, 10.0)))
    sample_space = OPEN_UNIT_INTERVAL

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return log α + log β + (α−1) log x − (β−1) q."""
        logs = np.log(x)
        _, q = _parts(-theta[0] * logs)
        return np.asarray(np.log(theta[0]) + np.log(theta[1]) + (theta[0] - 1.0) * logs - (theta[1] - 1.0) * q)

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return ((1 − t + (β−1)h)/α, 1/β − q)."""
        t = -theta[0] * np.log(x)
        h, q = _parts(t)
        return (1.0 - t + (theta[1] - 1.0) * h) / theta[0], 1.0 / theta[1] - q

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (−(1 + (β−1)h(h+t))/α², h/α, −1/β²)."""
        t = -theta[0] * np.log(x)
        h, _ = _parts(t)
        first = -(1.0 + (theta[1] - 1.0) * h * (h + t)) / np.square(theta[0])
        return first, h / theta[0], -1.0 / np.square(theta[1])

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return the closed form; xᵅ is beta distributed with shapes 1 and β."""
        alpha, beta = (np.asarray(column, dtype=float) for column in theta)
        d = beta - 2.0
        a, b = digamma_quotient(3.0, d), trigamma_quotient(3.0, d)
        first = (1.5 - beta * b + d * a * (1.0 + beta * a)) / np.square(alpha)
        return first, -digamma_quotient(2.0, beta - 1.0) / alpha, 1.0 / np.square(beta)

    def log_survival(self, x: Array, theta: Columns) -> Array:
        """Return β log(1 − xᵅ)."""
        return np.asarray(-theta[1] * _parts(-theta[0] * np.log(x))[1])

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw (1 − e^(−E/β))^(1/α) of a standard exponential E; small shapes can round to exactly 1."""
        draws = rng.standard_exponential(size)
        draws /= np.negative(theta[1])
        np.negative(np.expm1(draws, out=draws), out=draws)
        return np.asarray(np.power(draws, 1.0 / np.asarray(theta[0]), out=draws))

    def start(self, x: Array) -> Columns:
        """Return α by the first two moments of −log x, and the β that goes with it."""
        return self.starts(self.likelihood(np.asarray(x, dtype=float)), {})[0]

    def starts(self, likelihood: KumaraswamyLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return α by moments, and the β that goes with it."""
        alpha = _moment_alpha(likelihood)
        return ((alpha, _beta(likelihood.u, alpha)),)

    def likelihood(self, x: Array) -> KumaraswamyLikelihood:
        """Take logarithms."""
        u = np.log(x)
        return KumaraswamyLikelihood(np.negative(u, out=u))

    def solve(self, likelihood: KumaraswamyLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return α̂ from the profile equation and β̂ = −1/mean log(1 − xᵅ̂).

        There is no maximum for constant data, and none within floating-point numbers where log x varies by less than
        about 1/350 of itself: there 1/β̂², the information in β, is smaller than all of them.
        """
        if 0 in known:
            alpha = np.broadcast_to(known[0], (likelihood.rows,))
            beta = _beta(likelihood.u, alpha)
            return closed_form((alpha, beta), likelihood, beta < np.inf)
        exists = np.ones(likelihood.rows, dtype=bool) if 1 in known else likelihood.exists
        alpha, done, iterations = _solve_alpha(likelihood, exists, known.get(1))
        beta = known.get(1, _beta(likelihood.u, alpha))
        status = np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS)
        status = np.where(exists & (alpha < np.inf), status, Status.NO_MAXIMUM)
        return solution((alpha, beta), likelihood, status, iterations)


def _beta(u: Array, alpha: Array) -> Array:
    """Return the β of highest likelihood beside α."""
    return np.asarray(1.0 / _parts(u * alpha[:, np.newaxis])[1].mean(axis=-1))


def _moment_alpha(likelihood: KumaraswamyLikelihood) -> Array:
    """Return α by the mean of u and a rough β by its coefficient of variation, which is 1 where β = 1.

    αu has mean ψ(β+1) + γ and variance π²/6 − ψ′(β+1).
    """
    deviation = likelihood.u - likelihood.mean[:, np.newaxis]
    variation = np.sqrt(mean_product(deviation, deviation)) / likelihood.mean
    wide = np.exp(np.minimum(1.28 * (1.0 / variation - 1.0), _LARGEST))
    beta = np.where(variation < 1.0, wide, 1.0 / np.square(variation))
    return np.asarray((special.digamma(beta + 1.0) + _EULER) / likelihood.mean)


class _Slope(NamedTuple):
    """Derivative f of the log-likelihood in log α along the profile, or at known β, and the derivative of f."""

    value: Array
    slope: Array


def _slope(t: Array, beta: Array | None) -> _Slope:
    mean_t = t.mean(axis=-1)
    h, q = _parts(t)
    mean_h = h.mean(axis=-1)
    excess, bend = np.asarray(0.0 if beta is None else beta - 1.0), np.asarray(0.0)
    if beta is None:
        inverse = 1.0 / q.mean(axis=-1)
        excess, bend = inverse - 1.0, np.square(mean_h * inverse)
    second = mean_h - mean_product(h, t) - mean_product(h, h)
    return _Slope(1.0 - mean_t + excess * mean_h, bend - mean_t + excess * second)


def _solve_alpha(
    likelihood: KumaraswamyLikelihood, exists: NDArray[np.bool_], beta: Array | None
) -> tuple[Array, NDArray[np.bool_], NDArray[np.int16]]:
    """Find where f falls through 0 by Newton's method in log α within a live bracket; infinite where it is too far.

    f is positive for small α and negative for large; of the profile it has been found to fall through 0 once only.
    """
    alpha, rows = _moment_alpha(likelihood), likelihood.rows
    done, iterations = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=np.int16)
    left = np.flatnonzero(likelihood.usable & exists)
    u = likelihood.u if len(left) == rows else likelihood.u[left]
    low, high, most = np.zeros(len(left)), np.full(len(left), np.inf), _LARGEST / u.min(axis=-1, initial=np.inf)
    watched = trace.begin("Newton on the profile")
    for _ in range(_ITERATIONS):
        if not len(left):
            break
        now = alpha[left]
        f, slope = _slope(u * now[:, np.newaxis], beta)
        low, high = np.where(f > 0.0, now, low), np.where(f > 0.0, high, now)
        step = np.clip(np.where(slope < 0.0, -f / slope, np.sign(f)), -1.0, 1.0)
        moved = np.minimum(now * np.exp(step), most)
        inside = (moved >= low) & (moved <= high)
        moved = np.where(inside, moved, np.sqrt(low * high))
        beyond = (f > 0.0) & (now >= most)
        fresh = ~done[left]  # a finished row stays as it is, however long its neighbours take
        if watched:
            told = {"left the bracket": ~inside, "not concave": slope >= 0.0, "too far": beyond}
            watched.note(left, {"alpha": now}, fresh, decrement=-f * f / slope, safeguard=told)
        alpha[left] = np.where(fresh, np.where(beyond, np.inf, moved), now)
        iterations[left] += fresh
        done[left] |= (f * f <= -_TOLERANCE * slope) | beyond
        going = ~done[left]
        if not going.any():
            break
        if going.sum() < 0.5 * len(going):
            left, u, low, high, most = left[going], u[going], low[going], high[going], most[going]
    return alpha, done, iterations
