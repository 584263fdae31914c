"""Means of products along the last axis, without an array of the products."""

from __future__ import annotations

import numpy as np

from simstudy.parameters import Array


def mean_product(first: Array, second: Array) -> Array:
    """Return the mean of a product along the last axis of arrays (R, n)."""
    return np.asarray(np.einsum("rn,rn->r", first, second) / first.shape[-1])
