"""The logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from simstudy.families.design_moments import expected_squares, normal_squares, squares_error
from simstudy.families.generalized_linear import GeneralizedLinear, Response
from simstudy.families.logistic_moments import weight_moments
from simstudy.families.sample_space import SampleSpace
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import Array, Columns

# Beyond this e^η leaves the range of floats.
_FAR = 700.0


@final
class LogisticRegression(GeneralizedLinear):
    """log p(y | η) = yη − log(1 + e^η); I(β) = E[μ(1 − μ) x xᵀ] with μ = 1/(1 + e^(−η)) and x = (1, x₁, …, x_k).

    Of normal covariates, η is normal: I is made of three integrals over one dimension whatever k. Of others, it is a
    sum over a product of quadrature rules for k ≤ 2, and a mean over draws with a fixed seed for more.
    """

    name = "logistic_regression"
    formula = "log p(y) = y·η − log(1 + exp η), η = intercept + Σ slopeⱼ·xⱼ"
    numbered = "intercept|slope[1-9]"
    response_space = SampleSpace("zero and one", 0.0, 1.0, lower_included=True, upper_included=True, discrete=True)
    intercept, slope = (-1.0, 1.0), (-1.0, 1.0)

    def draw_response(self, rng: np.random.Generator, predictor: Array, others: Columns) -> Array:
        """Draw 1 where a uniform number is below μ."""
        return np.asarray(rng.random(predictor.shape) < 1.0 / (1.0 + np.exp(-predictor)), dtype=float)

    def response(self, y: Array, predictor: Array) -> Response:
        """Return −log(1 + e^(−sη)) with s = ±1, y − μ = s/(1 + e^(sη)) and μ(1 − μ)."""
        sign = 2.0 * y - 1.0
        odds = np.exp(np.clip(sign * predictor, -_FAR, _FAR))
        miss = 1.0 / (1.0 + odds)
        return Response(-np.log1p(1.0 / odds), sign * miss, odds * miss * miss)

    def first_guess(self, y: Array) -> tuple[Array, Array]:
        """Return the first Newton step from 0: ±2 with weight ¼."""
        return np.where(y > 0.5, 2.0, -2.0), np.full_like(y, 0.25)

    def receding(self, y: Array, direction: Array) -> Array:
        """Return how far η moves away from its response."""
        return np.maximum(np.where(y > 0.5, -direction, direction), 0.0)

    def minimum_size(self, free: Sequence[str]) -> int:
        """Return one more than the number of free coefficients, for fewer can always be separated."""
        return len(free) + 1

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return E[w x xᵀ]."""
        if self.design.normal:
            return normal_squares(self.design, weight_moments, theta)
        return expected_squares(self.design, _weight, theta)

    def information_error(self, theta: Columns) -> Sequence[Array] | None:
        """Return the standard errors of E[w x xᵀ] where it is a mean over draws."""
        return None if self.design.normal or self.slopes <= 2 else squares_error(self.design, _weight, theta)


def _weight(predictor: Array) -> Array:
    small = np.exp(-np.abs(predictor))
    return np.asarray(small / np.square(1.0 + small))
