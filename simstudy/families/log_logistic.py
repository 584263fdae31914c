"""The log-logistic family."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from simstudy.families.location_scale import LocationScale
from simstudy.families.log_location_scale import LogLocationScale
from simstudy.families.logistic import Logistic
from simstudy.parameters import Array, Columns


@final
class LogLogistic(LogLocationScale):
    """log p = log k − log x + kz − 2 log(1 + eᵏᶻ), z = log(x/λ); I(k, λ) = diag((π² + 3)/(9k²), k²/(3λ²)).

    The logarithm of x is logistic with location log λ and scale 1/k.
    """

    name = "log_logistic"
    formula = "log p(x) = log shape − log x + v − 2 log(1 + exp v),  v = shape·log(x/scale)"
    logarithm: ClassVar[LocationScale] = Logistic()

    def log_survival(self, x: Array, theta: Columns) -> Array:
        """Return −log(1 + (x/λ)ᵏ)."""
        return np.asarray(-np.logaddexp(0.0, theta[0] * np.log(x / theta[1])))
