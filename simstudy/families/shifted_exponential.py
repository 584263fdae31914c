"""The exponential family of waiting times after a shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family, IrregularLimits
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.sample_space import REAL_LINE
from simstudy.families.solution import closed_form
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

# Up to this many means above 0, the least observation costs raw moments a few units in the last digit.
_NEAR = 2.0


class ShiftedLikelihood(FamilyLikelihood):
    """The likelihood of data reduced to the least and to mean and mean square of what the others are above it."""

    compact = True

    def __init__(self, least: Array, mean: Array, mean_square: Array, size: int) -> None:
        self.least, self.mean, self.mean_square, self.size = least, mean, mean_square, size
        self.rows = len(least)
        self.usable = np.isfinite(least) & np.isfinite(mean)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate from the three; with d = x − m: score (λ, 1/λ − d)."""
        shift, rate = (np.asarray(column, dtype=float) for column in theta)
        gap = self.least - shift
        mean, scale = self.mean + gap, 1.0 / rate
        value = np.where(gap >= 0.0, np.log(rate) - rate * mean, -np.inf)
        miss = scale - mean
        variance = np.maximum(self.mean_square - np.square(self.mean), 0.0)
        outer = [np.square(rate), rate * miss, np.square(miss) + variance] if products else []
        return Evaluation(value, [rate, miss], [0.0, -1.0, np.square(scale)], outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.least[rows], self.mean[rows], self.mean_square[rows], self.size)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the likelihood of the rows of all parts, in order."""
        columns = [np.concatenate([getattr(p, name) for p in parts]) for name in ("least", "mean", "mean_square")]
        return cls(columns[0], columns[1], columns[2], parts[0].size)


def _above_least(x: Array) -> tuple[Array, Array, Array]:
    """Return min x and the mean and mean square of d = x − min x; by raw moments where these lose few digits."""
    least = x.min(axis=-1)
    mean = x.mean(axis=-1) - least
    mean_square = mean_product(x, x) - least * (2.0 * mean + least)
    far = ~(np.abs(least) <= _NEAR * mean)
    if far.any():
        beyond = x[far] - least[far, np.newaxis]
        mean[far], mean_square[far] = beyond.mean(axis=-1), mean_product(beyond, beyond)
    return least, mean, mean_square


@final
class ShiftedExponential(Family):
    """log p = log λ − λ(x − m), x ≥ m; E[s] = (λ, 0), I(m, λ) = E[s sᵀ] = diag(λ², 1/λ²).

    −E[Hessian] = [[0, −1], [·, 1/λ²]] is another matrix: the sample space depends on the shift.
    """

    name = "shifted_exponential"
    formula = "log p(x) = log rate − rate·(x − shift) for x ≥ shift"
    parameters = (Parameter("shift", REAL, (-5.0, 5.0)), Parameter("rate", POSITIVE, (0.1, 10.0)))
    sample_space = REAL_LINE
    irregular: ClassVar[Mapping[str, str]] = {
        "score_mean": "the sample space depends on the shift, in which the score is constant and not 0",
        "sampler_score": "the sample space depends on the shift, in which the score is constant and not 0",
        "information_equality": "the sample space depends on the shift, in which the score is constant: −E[Hessian] "
        "is [[0, −1], [−1, 1/rate²]], E[s sᵀ] is diag(rate², 1/rate²)",
    }
    corners: ClassVar[Mapping[str, str]] = {
        "shift": "the density jumps to 0 there, so the likelihood is largest at the least observation"
    }

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return log λ − λ(x − m), −∞ below the shift."""
        beyond = x - theta[0]
        return np.where(beyond >= 0.0, np.log(theta[1]) - theta[1] * beyond, -np.inf)

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (λ, 1/λ − (x − m))."""
        beyond = x - theta[0]
        miss = 1.0 / theta[1] - beyond
        return np.broadcast_to(theta[1], np.shape(miss)), miss

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (0, 1, −1/λ²)."""
        shape = np.broadcast_shapes(np.shape(x), *map(np.shape, theta))
        return np.zeros(shape), np.ones(shape), np.broadcast_to(-1.0 / np.square(theta[1]), shape)

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return E[s sᵀ]."""
        square = np.square(np.asarray(theta[1], dtype=float))
        return square, 0.0, 1.0 / square

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by the generator's ziggurat."""
        draws = rng.standard_exponential(size)
        draws /= theta[1]
        draws += theta[0]
        return draws

    def start(self, x: Array) -> Columns:
        """Return the least observation and the inverse of the mean above it, one where that is 0."""
        return self.starts(self.likelihood(x), {})[0]

    def starts(self, likelihood: ShiftedLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the least observation and the inverse of the mean above it, one where that is 0."""
        return ((likelihood.least, 1.0 / np.where(likelihood.mean > 0.0, likelihood.mean, 1.0)),)

    def likelihood(self, x: Array) -> ShiftedLikelihood:
        """Reduce data (R, n) to the least, and to moments above it."""
        x = np.asarray(x, dtype=float)
        return ShiftedLikelihood(*_above_least(x), x.shape[1])

    def solve(self, likelihood: ShiftedLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return m̂ = min x and λ̂ = 1/(x̄ − m̂); there is no maximum where all observations are equal to m̂.

        Where observations lie below a known shift the likelihood is 0 at every rate, and the row ends NOT_FINITE.
        """
        shift = known.get(0, likelihood.least)
        beyond = likelihood.mean + (likelihood.least - shift)
        rate = known.get(1, 1.0 / beyond)
        exists = (beyond > 0.0) | (likelihood.least < shift)
        return closed_form((shift, rate), likelihood, True if 1 in known else exists)

    def breaks(self, theta: Columns) -> Sequence[Array]:
        """Return the shift."""
        return (theta[0],)

    def irregularity(self, theta: Sequence[float]) -> str:
        """Say that the two definitions of I(θ) disagree and that the shift converges at rate n."""
        return (
            "the density jumps at the shift: the score in it does not have mean 0, E[s sᵀ] and −E[Hessian] are "
            "different matrices, and the least observation converges at rate n, not √n"
        )

    def irregular_limits(self, theta: Sequence[float]) -> IrregularLimits:
        """Return the limits: n(m̂ − m) is exponential of rate λ, and independent of λ̂."""
        rate = float(theta[1])
        return IrregularLimits(
            score_mean=np.array([rate, 0.0]),
            score_covariance=np.diag([0.0, rate**-2]),
            hessian=np.array([[0.0, -1.0], [-1.0, rate**-2]]),
            covariance=np.diag([0.0, rate**2]),
            rates=np.array([1.0, 0.5]),
            rate_covariance=np.diag([rate**-2, rate**2]),
        )
