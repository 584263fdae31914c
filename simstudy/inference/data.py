"""Data of one's own, as they come, turned into R data sets of n observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from simstudy.errors import ConfigError
from simstudy.families.base import Family
from simstudy.families.censored import Censored
from simstudy.families.censoring import as_pairs
from simstudy.families.sample_space import SampleSpace, VectorSpace
from simstudy.parameters import Array

_SHAPES = {2: {1: "(n,)", 2: "(R, n)"}, 3: {2: "(n, d)", 3: "(R, n, d)"}}
"""Shapes of data by the axes of R data sets: of numbers, of vectors."""
_LIFETIMES = {1: "(n,)", 2: "(R, n) or (n, 2)", 3: "(R, n, 2)"}


def read(x: ArrayLike, family: Family) -> tuple[Array, bool]:
    """Return R data sets, (R, n) or (R, n, d) in C order, and whether they were given as a single one.

    Raises
    ------
    ConfigError
        If they are no real numbers, or their shape is none that the family has.
    """
    data = as_pairs(_numbers(x, _LIFETIMES), family.time) if isinstance(family, Censored) else _data(x, family)
    single = data.ndim == _axes(family.sample_space) - 1
    return (data[np.newaxis] if single else data), single


def _axes(space: SampleSpace | VectorSpace) -> int:
    """Return the number of axes of R data sets."""
    return 2 if space.width is None else 3


def _data(x: ArrayLike, family: Family) -> Array:
    """Return the data in C order: counts as 64-bit integers where they are integers, all else as floats."""
    space = family.sample_space
    data = _numbers(x, _SHAPES[_axes(space)])
    counts = space.discrete and data.dtype.kind in "biu"
    return np.ascontiguousarray(data, dtype=np.int64 if counts else np.float64)


def _numbers(x: ArrayLike, allowed: Mapping[int, str]) -> Any:
    """Return an array of real numbers with as many axes as are allowed."""
    shapes = " or ".join(allowed.values())
    try:
        data = np.asarray(x)
        data = data if data.dtype.kind in "biuf" else _real(data)
    except (TypeError, ValueError):
        message = f"x: the data must be an array of real numbers of shape {shapes}"
        raise ConfigError(message) from None
    if data.ndim not in allowed or data.size == 0:
        message = f"x: the data must have shape {shapes} with R, n ≥ 1, got {data.shape}"
        raise ConfigError(message)
    return data


def check_width(family: Family, data: Array) -> None:
    """Refuse vectors of another length than the family's."""
    width = family.sample_space.width
    if width is not None and data.shape[-1] != width:
        message = f"x: observations of this {family.name} are vectors of length {width}, got length {data.shape[-1]}"
        raise ConfigError(message)


def _real(data: Any) -> Array:
    """Return objects that are numbers as floats (TypeError or ValueError where they are not, or are complex)."""
    if data.dtype.kind == "c":
        raise TypeError
    return np.asarray(data.astype(float))
