"""Which families can be censored, and by which class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simstudy.errors import ConfigError
from simstudy.families.base import Family
from simstudy.families.censored import Censored, cut
from simstudy.families.censored_exponential import CensoredExponential
from simstudy.families.censored_weibull import CensoredWeibull
from simstudy.families.exponential import Exponential
from simstudy.families.sample_space import SampleSpace
from simstudy.families.weibull import Weibull
from simstudy.parameters import Array

_OWN: dict[type[Family], type[Censored]] = {Exponential: CensoredExponential, Weibull: CensoredWeibull}
"""Families whose censored likelihood has a closed form or a faster algorithm."""


def uncensorable(family: Family) -> str:
    """Return why a family cannot be censored, or nothing."""
    space = family.sample_space
    if not isinstance(space, SampleSpace) or space.lower < 0.0 or space.discrete or np.isfinite(space.upper):
        return f"{family.name} has observations other than positive numbers, which cannot be censored"
    if type(family).log_survival is Family.log_survival:
        return f"{family.name} has no survival function, so it cannot be censored"
    return ""


def censored(family: Family, time: float) -> Censored:
    """Return the family whose observations are cut at a time.

    Raises
    ------
    ConfigError
        If the family cannot be censored, or the time is no time.
    """
    faults = [f"censoring: {reason}"] if (reason := uncensorable(family)) else []
    if not 0.0 < time < np.inf:
        faults.append(f"censoring: time must be positive and finite, got {time!r}")
    if faults:
        raise ConfigError(faults)
    return _OWN.get(type(family), Censored)(family, time)


def censoring_time(censoring: Mapping[str, float]) -> float:
    """Return the time of a mapping {'time': c} (ConfigError where it is another)."""
    try:
        if set(censoring) == {"time"} and not isinstance(censoring["time"], (str, bool)):
            return float(censoring["time"])
    except (TypeError, ValueError):
        pass
    message = f"censoring: give the time at which observations are cut, such as {{'time': 2.0}}, got {censoring!r}"
    raise ConfigError(message)


def as_pairs(x: Array, time: float) -> Array:
    """Return data as pairs (t, d): pairs as they are, times cut.

    Parameters
    ----------
    x : (n,), (R, n), (n, 2) or (R, n, 2)
        An array of three axes of which the last has length 2 holds pairs; one of two axes of which the last has length
        2 holds pairs if its second column consists of zeros and ones. All else are times, and those at or beyond the
        censoring time count as cut.
    """
    x = np.ascontiguousarray(x, dtype=float)
    paired = x.ndim == 3 or (x.ndim == 2 and x.shape[1] == 2 and bool(np.isin(x[:, 1], (0.0, 1.0)).all()))
    if paired:
        return x
    data = cut(x, time)
    data[~np.isfinite(x)] = np.nan
    return data
