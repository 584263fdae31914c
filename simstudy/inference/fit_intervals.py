"""Confidence intervals of data of one's own, by every method."""

from __future__ import annotations

import numbers
from typing import Any, NamedTuple, Protocol

import numpy as np

from simstudy.errors import ConfigError, nearest
from simstudy.families.status import Status
from simstudy.inference.intervals import DATA_METHODS, METHODS, from_data, quantile, wald, wald_on_real_line
from simstudy.inference.likelihood import Likelihood
from simstudy.inference.mle import Estimates
from simstudy.parameters import Array


class Fitted(NamedTuple):
    """What a fit was made from, and whether its data were a single data set."""

    likelihood: Likelihood
    estimates: Estimates
    single: bool


class Covariances(Protocol):
    """What has estimates of Cov(θ̂) by kind."""

    def covariance(self, kind: str = "observed") -> Array:
        """Return an estimate (…, p, p)."""
        ...


def interval(found: Covariances, fitted: Fitted | None, method: str, level: Any) -> tuple[Array, Array]:
    """Return lower and upper ends in the shape of the estimates; see `simstudy.inference.Fit.interval`."""
    if method not in METHODS:
        known = ", ".join(METHODS)
        message = f"interval: there is no method '{method}'{nearest(str(method), METHODS)}; choose one of {known}"
        raise ConfigError(message)
    if not isinstance(level, numbers.Real) or not 0.0 < float(level) < 1.0:
        message = f"interval: level must be a number between 0 and 1 such as 0.95, got {level!r}"
        raise ConfigError(message)
    if fitted is None:
        message = "interval: a fit that was pickled or copied has not kept its data; fit again"
        raise ConfigError(message)
    with np.errstate(all="ignore"):
        if method in DATA_METHODS:
            ends = from_data(fitted.likelihood, fitted.estimates, method, float(level))
        else:
            ends = _by_wald(found, fitted, method, float(level))
    lower, upper = (end[0] if fitted.single else end for end in ends)
    return lower, upper


def _by_wald(found: Covariances, fitted: Fitted, method: str, level: float) -> tuple[Array, Array]:
    kind = "observed" if method == "wald-log" else method.removeprefix("wald-")
    variance = np.atleast_2d(np.diagonal(found.covariance(kind), axis1=-2, axis2=-1)).T
    theta, z = np.ascontiguousarray(fitted.estimates.theta.T), quantile(level)
    error = np.where(fitted.estimates.status == Status.CONVERGED, np.sqrt(variance), np.nan)
    if method == "wald-log":
        lower, upper = wald_on_real_line(theta, error, z, fitted.likelihood.domains)
    else:
        lower, upper = wald(theta, error, z)
    return lower.T, upper.T
