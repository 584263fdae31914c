"""κᵢⱼ,ₖ = E[ℓᵢⱼ sₖ] of regressions, where the Hessian given the design is what it is."""

from __future__ import annotations

import numpy as np

from simstudy.families.linear_regression import LinearRegression
from simstudy.families.regression import Regression
from simstudy.numerics.symmetric import fill, unpack
from simstudy.parameters import Array, Columns


def regression_mixed(family: Regression, theta: Columns) -> Array:
    """Return κᵢⱼ,ₖ (R, p, p, p); NaN where I(θ) is found by Monte Carlo.

    With the canonical link the Hessian does not depend on the response, so that κᵢⱼ,ₖ = 0. With normal errors z,
    ℓ_βσ = −2zx/σ² and ℓ_σσ = (1 − 3z²)/σ², so that κ_βσ,β = −2I_ββ/σ and κ_σσ,σ = −6/σ³.
    """
    rows, size = len(theta[0]), len(theta)
    mixed = np.zeros((rows, size, size, size))
    if family.information_error([column[:1] for column in theta]) is not None:
        return mixed + np.nan
    if isinstance(family, LinearRegression):
        sd, last = theta[-1], size - 1
        slopes = unpack(fill(family.expected_information(theta), rows))[:, :last, :last]
        mixed[:, :last, last, :last] = mixed[:, last, :last, :last] = -2.0 * slopes / sd[:, None, None]
        mixed[:, last, last, last] = -6.0 / sd**3
    return mixed
