"""The linear regression with normal errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.orthogonal import orthonormal
from simstudy.families.regression import Regression, separated
from simstudy.families.sample_space import REAL_LINE
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import POSITIVE, Array, Columns, Parameter

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_ROUNDING = 16.0 * 2.0**-52


class LinearLikelihood(FamilyLikelihood):
    """The likelihood of responses y (R, n) and columns 1, x₁, …, x_k, with r = y − η.

    score_β = rx/σ², score_σ = r²/σ³ − 1/σ.
    """

    def __init__(self, y: Array, covariates: Sequence[Array], base: Array, usable: NDArray[np.bool_]) -> None:
        self.y, self.covariates, self.base, self.usable = y, list(covariates), base, usable
        self.rows, self.size = y.shape

    def residual(self, theta: Columns) -> Array:
        """Return r."""
        columns = [np.broadcast_to(np.asarray(c, dtype=float), (self.rows,))[:, np.newaxis] for c in theta]
        rest = np.asarray(self.y - columns[0])
        for slope, x in zip(columns[1:], self.covariates, strict=False):
            rest -= slope * x
        return rest

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data."""
        sd = np.asarray(theta[-1], dtype=float)
        r, inverse = self.residual(theta), 1.0 / sd
        precision, square = inverse * inverse, r * r
        first, second = self._means(r), square.mean(axis=-1)
        value = self.base - _HALF_LOG_TWO_PI - np.log(sd) - 0.5 * second * precision
        score = [*(entry * precision for entry in first), inverse * (second * precision - 1.0)]
        information = _bordered(
            [entry * precision for entry in self._squares(None)],
            [2.0 * entry * precision * inverse for entry in first],
            precision * (3.0 * second * precision - 1.0),
        )
        outer: list[Entry] = []
        if products:
            excess = square * precision[..., np.newaxis] - 1.0
            outer = _bordered(
                [entry * precision * precision for entry in self._squares(square)],
                [entry * precision * inverse for entry in self._means(r * excess)],
                mean_product(excess, excess) * precision,
            )
        return Evaluation(value, score, information, outer)

    def _means(self, values: Array) -> list[Array]:
        return [values.mean(axis=-1), *(mean_product(values, x) for x in self.covariates)]

    def _squares(self, weights: Array | None) -> list[Array]:
        """Return the means of products of the columns, packed."""
        weighted = self.covariates if weights is None else [weights * x for x in self.covariates]
        corner = np.ones(self.rows) if weights is None else weights.mean(axis=-1)
        inner = [mean_product(weighted[i], self.covariates[j]) for i, j in pairs(len(weighted))]
        return [corner, *(column.mean(axis=-1) for column in weighted), *inner]

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self.y[rows], [x[rows] for x in self.covariates], self.base[rows], self.usable[rows])


@final
class LinearRegression(Regression):
    """log p(y | η) = −½ log 2π − log σ − (y − η)²/(2σ²); I(β, σ) = diag(E[x xᵀ], 2)/σ² with x = (1, x₁, …, x_k)."""

    name = "linear_regression"
    formula = "log p(y) = −½ log(2π) − log sd − (y − intercept − Σ slopeⱼ·xⱼ)²/(2 sd²)"
    numbered = "intercept|slope[1-9]|sd"
    response_space = REAL_LINE
    intercept, slope = (-2.0, 2.0), (-1.0, 1.0)
    others = (Parameter("sd", POSITIVE, (0.5, 2.0)),)

    def draw_response(self, rng: np.random.Generator, predictor: Array, others: Columns) -> Array:
        """Draw normal errors around η."""
        return np.asarray(predictor + others[0] * rng.standard_normal(predictor.shape))

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return the normal log-density of the residual, and that of the design."""
        y, covariates = separated(x)
        z = (y - self.predictor(covariates, theta)) / theta[-1]
        return np.asarray(self.design.log_density(covariates) - _HALF_LOG_TWO_PI - np.log(theta[-1]) - 0.5 * z * z)

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (zx/σ, (z² − 1)/σ), z = (y − η)/σ."""
        y, covariates = separated(x)
        z = (y - self.predictor(covariates, theta)) / theta[-1]
        first = z / theta[-1]
        return first, *(first * column for column in covariates), (z * z - 1.0) / theta[-1]

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (−xxᵀ, −2zx, 1 − 3z²)/σ²."""
        y, covariates = separated(x)
        z = (y - self.predictor(covariates, theta)) / theta[-1]
        precision = 1.0 / np.square(theta[-1])
        columns = [np.ones_like(y), *covariates]
        squares = [-precision * columns[i] * columns[j] for i, j in pairs(len(columns))]
        packed = _bordered(squares, [-2.0 * precision * z * c for c in columns], precision * (1.0 - 3.0 * z * z))
        return [np.asarray(entry) for entry in packed]

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return the closed form."""
        precision = 1.0 / np.square(np.asarray(theta[-1], dtype=float))
        means = [1.0, *(mean for mean, _ in self.design.location)]
        variances = [0.0, *(variance for _, variance in self.design.location)]
        squares = [precision * (means[i] * means[j] + (variances[i] if i == j else 0.0)) for i, j in pairs(len(means))]
        return _bordered(squares, [0.0] * len(means), 2.0 * precision)

    def start(self, x: Array) -> Columns:
        """Return the mean response without slopes."""
        y = x[..., 0]
        sd = y.std(axis=-1)
        return y.mean(axis=-1), *(np.zeros_like(sd) for _ in range(self.slopes)), np.where(sd > 0.0, sd, 1.0)

    def likelihood(self, x: Array) -> LinearLikelihood:
        """Give every column an array of its own."""
        y, covariates = separated(x)
        base = self.design.mean_log_density(covariates)
        return LinearLikelihood(y, covariates, base, self.sample_space.holds_all(x))

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return the number of free parameters, sd among them."""
        return max(1, len(free))

    def solve(self, likelihood: LinearLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return least squares and the root mean square of the residuals; without a maximum where these are nothing."""
        rows, last = likelihood.rows, 1 + self.slopes
        columns = [np.ones_like(likelihood.y), *likelihood.covariates]
        theta: list[Array] = [np.broadcast_to(known.get(j, np.asarray(0.0)), (rows,)) for j in range(last)]
        free = [j for j in range(last) if j not in known]
        rest, exists = likelihood.residual(theta), np.ones(rows, dtype=bool)
        size = np.abs(likelihood.y).max(axis=-1)
        if free:
            basis = orthonormal([columns[j] for j in free])
            exists = basis.full
            own = basis.project(rest)
            for j, value in zip(free, basis.coefficients(own), strict=True):
                theta[j] = value
            rest = rest - basis.combine(own)
        for value, column in zip(theta, columns, strict=True):
            size = np.maximum(size, np.abs(value) * np.abs(column).max(axis=-1))
        sd = np.sqrt(mean_product(rest, rest))
        if last in known:
            sd = np.broadcast_to(known[last], (rows,))
        else:
            exists = exists & (sd > _ROUNDING * size) & (likelihood.size > len(free))
        return solution((*theta, sd), likelihood, np.where(exists, Status.CONVERGED, Status.NO_MAXIMUM), 0)


def _bordered(matrix: Sequence[Entry], border: Sequence[Entry], corner: Entry) -> list[Entry]:
    """Return a packed symmetric matrix with one more row and column."""
    entries, result = iter(matrix), []
    for i, last in enumerate(border):
        result += [next(entries) for _ in range(i, len(border))]
        result.append(last)
    return [*result, corner]
