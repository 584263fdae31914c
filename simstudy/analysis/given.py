"""Estimates of a user's own, checked and arranged as a sample of one parameter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from simstudy.analysis.sample import Interval
from simstudy.analysis.streaming import Part, Rows, Steps
from simstudy.errors import ConfigError, one_line
from simstudy.inference.intervals import quantile, wald
from simstudy.parameters import Array

METHOD = "interval"
"""Name of the one method of intervals."""
_NAMES = ("estimates", "standard_errors", "lower", "upper")


@dataclass(frozen=True)
class Given(Part):
    """Estimates of one parameter from m replicates, as a `Sample` in one part.

    Errors are those from 0 where no truth is given.

    Attributes
    ----------
    theta : (1, m)
        Estimates.
    truth, null : (1,)
        What is estimated (NaN where it is not given), and what is tested.
    standard_errors : (1, m) or None
        Standard errors.
    ends : (1, m) each, or None
        Lower and upper ends of the confidence intervals.
    """

    theta: Array
    truth: Array
    null: Array
    standard_errors: Array | None
    ends: Interval | None

    def parts(self) -> Iterator[Given]:
        """Return one part, all of it."""
        yield self

    @property
    def count(self) -> int:
        """The number m of estimates."""
        return int(self.theta.shape[-1])

    @cached_property
    def error(self) -> Array:
        """θ̂ − θ, (1, m)."""
        return np.asarray(self.theta - np.nan_to_num(self.truth)[:, None])

    def others(self) -> Steps[dict[str, Rows]]:
        """Return nothing: of the estimator no more is known than its estimates."""
        yield ()
        return {}

    def sharpened(self, of: Rows) -> Steps[None]:
        """Return None: there are no scores."""
        yield ()

    @property
    def periods(self) -> Array:
        """Infinite: the parameter is no angle."""
        return np.array([np.inf])

    @property
    def variances(self) -> tuple[str, ...]:
        """The one kind of model variances, if there is any."""
        return tuple(self.model_variances)

    @cached_property
    def model_variances(self) -> Mapping[str, Array]:
        """Squares of the standard errors, if there are any."""
        return {} if self.standard_errors is None else {"given": np.square(self.standard_errors)}

    @property
    def intervals(self) -> tuple[str, ...]:
        """The one method, if there are intervals."""
        return () if self.ends is None else (METHOD,)

    def interval(self, method: str) -> Interval:
        """Return the ends of the intervals (KeyError where there are none)."""
        if self.ends is None:
            raise KeyError(method)
        return self.ends


def arrange(arrays: Mapping[str, Array], true: float | None, level: float, null: float) -> Given:
    """Return the sample of checked arrays (R,) without their rows that hold a NaN, by the names of `checked`."""
    kept = ~np.logical_or.reduce([np.isnan(values) for values in arrays.values()])
    rows = {name: values[None, kept] for name, values in arrays.items()}
    if kept.sum() < 2:
        rows = dict.fromkeys(arrays, np.full((1, 2), np.nan))
    theta, errors = rows["estimates"], rows.get("standard_errors")
    ends = None if errors is None else wald(theta, errors, quantile(level))
    if "lower" in rows:
        ends = rows["lower"], rows["upper"]
    truth = np.array([np.nan if true is None else float(true)])
    return Given(theta, truth, np.array([float(null)]), errors, ends)


def checked(*given: ArrayLike | None) -> dict[str, Array]:
    """Return estimates, standard errors, lower and upper ends by name, those that are given.

    Raises
    ------
    ConfigError
        If one has more than one dimension or is no number, if they differ in length, if a standard error is negative,
        or if only one end of the intervals is given, or the ends are exchanged.
    """
    arrays = {name: _numbers(name, values) for name, values in zip(_NAMES, given, strict=True) if values is not None}
    faults = [*_of_lengths(arrays), *_of_ends(arrays)]
    if "standard_errors" in arrays and (arrays["standard_errors"] < 0.0).any():
        faults.append(f"standard_errors: none may be negative, got {np.nanmin(arrays['standard_errors']):g}")
    if faults:
        raise ConfigError(faults)
    return arrays


def _of_lengths(arrays: Mapping[str, Array]) -> list[str]:
    size = len(arrays["estimates"])
    return [
        f"{name}: one number is wanted for each of the {size} estimates, got {len(array)}"
        for name, array in arrays.items()
        if len(array) != size
    ]


def _of_ends(arrays: Mapping[str, Array]) -> list[str]:
    if ("lower" in arrays) != ("upper" in arrays):
        return ["lower, upper: only one of the two is given; give both or neither"]
    if "lower" in arrays and len(arrays["lower"]) == len(arrays["upper"]):
        exchanged = np.flatnonzero(arrays["lower"] > arrays["upper"])
        if len(exchanged):
            return [f"lower, upper: lower is above upper at position {exchanged[0]}; exchange them"]
    return []


def _numbers(name: str, values: ArrayLike) -> Array:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        message = f"{name}: numbers are wanted, got {_shown(values)}"
        raise ConfigError(message) from None
    if array.ndim != 1:
        message = f"{name}: an array of one dimension is wanted, got shape {array.shape}"
        raise ConfigError(message)
    return array


def _shown(value: Any) -> str:
    text = one_line(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def check_settings(true: float | None, level: float, null: float) -> None:
    """Raise a ConfigError where a number is out of its range."""
    faults = [
        f"{name}: a finite number is wanted, got {_shown(value)}"
        for name, value in {"true": true, "null": null}.items()
        if value is not None and not _finite(value)
    ]
    if not _finite(level) or not 0.0 < level < 1.0:
        faults.append(f"level: a number between 0 and 1 is wanted, got {_shown(level)}")
    if faults:
        raise ConfigError(faults)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except TypeError:
        return False
