"""Logarithms of ratios without cancellation."""

from __future__ import annotations

import numpy as np

from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array

# Mean square of log(x/r) below which the rounding of x/r would cost more than two digits of it.
_NEAR = 1e-4


def log_ratio(x: Array, reference: Array) -> Array:
    """Return log(x/r) of data (R, n) for a reference r (R,) of each row, precise also where x is all near r."""
    logs = x / reference[:, np.newaxis]
    np.log(logs, out=logs)
    near = mean_product(logs, logs) < _NEAR
    if near.any():
        r = reference[near][:, np.newaxis]
        logs[near] = np.log1p((x[near] - r) / r)
    return logs
