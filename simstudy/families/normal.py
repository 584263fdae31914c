"""The normal family."""

from __future__ import annotations

from typing import final

import numpy as np

from simstudy.families.exponential_family import Statistics
from simstudy.families.gaussian import Gaussian, gaussian_statistics
from simstudy.families.sample_space import REAL_LINE
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter, Parametrisation

_MEAN = Parameter("mean", REAL, (-5.0, 5.0))


@final
class Normal(Gaussian):
    """log p = −½ log 2π − log σ − (x − μ)²/(2σ²); I(μ, σ) = diag(1, 2)/σ²."""

    name = "normal"
    formula = "log p(x) = −½ log(2π) − log sd − (x − mean)²/(2 sd²)"
    parameters = (_MEAN, Parameter("sd", POSITIVE, (0.2, 5.0)))
    sample_space = REAL_LINE
    alternatives = (
        Parametrisation(
            (_MEAN, Parameter("variance", POSITIVE, (0.04, 25.0))),
            to_base=lambda phi: (phi[0], np.sqrt(phi[1])),
            from_base=lambda theta: (theta[0], np.square(theta[1])),
            jacobian=lambda phi: ((1.0, 0.0), (0.0, 0.5 / np.sqrt(phi[1]))),
            curvature=lambda phi: {(1, 1, 1): -0.25 * phi[1] ** -1.5},
        ),
        Parametrisation(
            (_MEAN, Parameter("precision", POSITIVE, (0.04, 25.0))),
            to_base=lambda phi: (phi[0], 1.0 / np.sqrt(phi[1])),
            from_base=lambda theta: (theta[0], 1.0 / np.square(theta[1])),
            jacobian=lambda phi: ((1.0, 0.0), (0.0, -0.5 * phi[1] ** -1.5)),
            curvature=lambda phi: {(1, 1, 1): 0.75 * phi[1] ** -2.5},
        ),
    )

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by the generator's ziggurat."""
        draws = rng.standard_normal(size)
        draws *= theta[1]
        draws += theta[0]
        return draws

    def statistics(self, x: Array) -> Statistics:
        """Return (d, d²), d = x − x̄."""
        return gaussian_statistics(np.asarray(x, dtype=float))
