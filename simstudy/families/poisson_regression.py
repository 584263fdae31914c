"""The Poisson regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from scipy import special

from simstudy.families.design_moments import exponential_squares
from simstudy.families.generalized_linear import GeneralizedLinear, Response
from simstudy.families.sample_space import COUNTS
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import Array, Columns

_LARGEST_MEAN = 9e18
"""The generator has no counts beyond 64 bits."""


@final
class PoissonRegression(GeneralizedLinear):
    """log p(y | η) = yη − e^η − log y!; I(β) = E[e^η x xᵀ], x = (1, x₁, …, x_k), by moment generating functions."""

    name = "poisson_regression"
    formula = "log p(y) = y·η − exp η − log y!, η = intercept + Σ slopeⱼ·xⱼ"
    numbered = "intercept|slope[1-9]"
    response_space = COUNTS
    intercept, slope = (-0.5, 2.0), (-0.6, 0.6)

    def draw_response(self, rng: np.random.Generator, predictor: Array, others: Columns) -> Array:
        """Draw counts by the generator."""
        return np.asarray(rng.poisson(np.minimum(np.exp(predictor), _LARGEST_MEAN)), dtype=float)

    def response(self, y: Array, predictor: Array) -> Response:
        """Return yη − μ − log y!, y − μ and μ = e^η."""
        mean = np.exp(predictor)
        return Response(y * predictor - mean - special.gammaln(y + 1.0), y - mean, mean)

    def first_guess(self, y: Array) -> tuple[Array, Array]:
        """Return log(y + ½) with weight y + ½."""
        return np.log(y + 0.5), y + 0.5

    def receding(self, y: Array, direction: Array) -> Array:
        """Return how far η moves where there are counts, and upwards where there are none."""
        return np.where(y > 0.0, np.abs(direction), np.maximum(direction, 0.0))

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return E[e^η x xᵀ]."""
        return exponential_squares(self.design, theta)
