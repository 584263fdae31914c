"""Named parameters, the domains they live in, and the parametrisations of a family."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Columns = Sequence[Array]
"""One array per parameter, of shapes that broadcast with each other (and with the data)."""


@dataclass(frozen=True)
class Domain:
    """An open interval and a smooth increasing map of it onto the real line.

    Parameters
    ----------
    name
        How messages and tables call it, such as ``positive``.
    lower, upper
        Ends of the open interval.
    to_real, from_real
        The map to the real line and its inverse, elementwise.
    derivatives
        First and second derivative of ``from_real`` as functions of the *natural* value.
    whole
        Whether only whole numbers belong to it, as for a number of trials, which is never estimated.
    """

    name: str
    lower: float
    upper: float
    to_real: Callable[[Array], Array]
    from_real: Callable[[Array], Array]
    derivatives: Callable[[Array], tuple[Array, Array]]
    whole: bool = False

    def contains(self, value: Array | float) -> NDArray[np.bool_]:
        """Tell elementwise whether a value lies in the open interval (NaN does not)."""
        value = np.asarray(value, dtype=float)
        inside = (value > self.lower) & (value < self.upper)
        return inside & (value == np.floor(value)) if self.whole else inside

    def __str__(self) -> str:
        return f"{self.name} ({self.lower:g}, {self.upper:g})"


def _identity(value: Array) -> Array:
    return np.asarray(value, dtype=float)


def _logit(value: Array) -> Array:
    return np.asarray(np.log(value) - np.log1p(-np.asarray(value)))


def _expit(value: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(value))))


def _unit_derivatives(value: Array) -> tuple[Array, Array]:
    first = value * (1.0 - value)
    return first, first * (1.0 - 2.0 * value)


def _correlation_derivatives(value: Array) -> tuple[Array, Array]:
    first = (1.0 - value) * (1.0 + value)
    return first, -2.0 * value * first


REAL = Domain("real", -np.inf, np.inf, _identity, _identity, lambda v: (np.ones_like(v), np.zeros_like(v)))
POSITIVE = Domain("positive", 0.0, np.inf, np.log, np.exp, lambda v: (v, v))
UNIT_INTERVAL = Domain("unit interval", 0.0, 1.0, _logit, _expit, _unit_derivatives)
CORRELATION = Domain("correlation", -1.0, 1.0, np.arctanh, np.tanh, _correlation_derivatives)
POSITIVE_INTEGER = Domain("positive integer", 0.0, np.inf, np.log, np.exp, lambda v: (v, v), whole=True)


def above(bound: float) -> Domain:
    """Return the domain (bound, ∞), mapped to the real line by log(value − bound)."""
    return Domain(
        f"above {bound:g}",
        bound,
        np.inf,
        lambda v: np.asarray(np.log(v - bound)),
        lambda v: np.asarray(bound + np.exp(v)),
        lambda v: (v - bound, v - bound),
    )


@dataclass(frozen=True)
class Parameter:
    """A named parameter, its domain, and the range of values met in practice (for tests and docs)."""

    name: str
    domain: Domain
    typical: tuple[float, float]


def _no_curvature(theta: Columns) -> dict[tuple[int, int, int], Array | float]:
    return {}


@dataclass(frozen=True)
class Parametrisation:
    """A way to name the members of a family: parameters φ and their map to the base parameters θ.

    Parameters
    ----------
    parameters
        The parameters φ in canonical order.
    to_base, from_base
        θ(φ) and φ(θ), from a sequence of arrays to a tuple of arrays.
    jacobian
        φ ↦ ∂θᵢ/∂φⱼ as rows i of columns j; a float 0.0 or 1.0 where constant.
    curvature
        φ ↦ {(i, j, k): ∂²θᵢ/∂φⱼ∂φₖ} for j ≤ k, only the non-zero ones.
    expected_information
        φ ↦ packed I(φ), where a closed form keeps digits that JᵀI(θ)J would lose; else None.
    """

    parameters: tuple[Parameter, ...]
    to_base: Callable[[Columns], tuple[Array, ...]]
    from_base: Callable[[Columns], tuple[Array, ...]]
    jacobian: Callable[[Columns], tuple[tuple[Array | float, ...], ...]]
    curvature: Callable[[Columns], dict[tuple[int, int, int], Array | float]] = _no_curvature
    expected_information: Callable[[Columns], Sequence[Array | float]] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters in canonical order."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Domains of the parameters in canonical order."""
        return tuple(parameter.domain for parameter in self.parameters)


def base_parametrisation(parameters: Sequence[Parameter]) -> Parametrisation:
    """Return the parametrisation in which φ = θ."""
    size = len(parameters)
    rows = tuple(tuple(1.0 if i == j else 0.0 for j in range(size)) for i in range(size))
    return Parametrisation(tuple(parameters), tuple, tuple, lambda _: rows)
