"""What theory says of a scenario beyond first order: bias of order 1/n, third derivatives, White's covariance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np

from simstudy.families import REGISTRY
from simstudy.families.base import Family
from simstudy.families.plugin import Origin
from simstudy.families.third_order import ThirdOrder, inverted, third_order
from simstudy.families.white import White, no_white, white_covariance
from simstudy.numerics.slopes import slopes
from simstudy.numerics.symmetric import pack, unpack
from simstudy.parameters import Array, Columns, Parametrisation
from simstudy.study import models
from simstudy.study.limits import Limits, expected_information, limits
from simstudy.study.scenario import Scenario

# The slope of I(θ) is known to this in units of I, where I itself is by quadrature.
_UNEQUAL = 1e-4
_ROUNDING = 1e-11


class HigherOrder(NamedTuple):
    """Limits of higher order of a scenario with p free parameters; NaN where theory gives none.

    Attributes
    ----------
    bias : (p,)
        Limit of n·E(θ̂ − θ) (Cox & Snell 1968).
    third : (p, p, p)
        E[∂³ log p].
    """

    bias: Array
    third: Array


def higher_order(scenario: Scenario) -> HigherOrder:
    """Return the limits of higher order, where the model is right and regular."""
    origins = tuple(REGISTRY.origins(scenario.families).values())
    bare = replace(scenario, name="", n=1, replicates=1, level=0.5, intervals=(), mcse="", paths=False, precision=())
    return _higher_order(bare, origins)


def moments_at(scenario: Scenario, theta: Array) -> ThirdOrder:
    """Return moments of third order at estimates (R, p) of the free parameters; NaN where a plug-in fails."""
    size = theta.shape[-1]
    nothing = np.full((len(theta), size, size, size), np.nan)
    return _at(third_order, scenario, theta, ThirdOrder(nothing[..., 0], nothing, nothing))


def white_at(scenario: Scenario, theta: Array) -> White:
    """Return the covariance behind White's test at estimates (R, p) of the free parameters; NaN where there is none.

    NaN as well where the observed information is not what theory takes it for, right model or wrong.
    """
    size, found = theta.shape[-1], limits(scenario)
    nothing = no_white(len(theta), size * (size + 1) // 2)
    if not np.isfinite(found.information).all() or (found.right and not _regular(found)):
        return nothing
    return _at(white_covariance, scenario, theta, nothing)


_Found = TypeVar("_Found")


def _at(
    function: Callable[[Family, Parametrisation, Columns, Sequence[int]], _Found],
    scenario: Scenario,
    theta: Array,
    nothing: _Found,
) -> _Found:
    """Return a function of the fitted model at estimates; nothing where it comes from a plug-in that fails."""
    model = models.fitted(scenario)
    try:
        with np.errstate(all="ignore"):
            phi = models.completed(scenario, model, theta)
            return function(model.family, model.parametrisation, phi, models.kept(scenario, model))
    except Exception as error:
        if not REGISTRY.origin(scenario.fit) or isinstance(error, MemoryError):
            raise
        return nothing


@lru_cache(maxsize=4096)
def _higher_order(scenario: Scenario, plugins: tuple[Origin, ...]) -> HigherOrder:
    found = limits(scenario)
    with np.errstate(all="ignore"):
        if not _regular(found):
            return _nothing(len(found.theta))
        moments = moments_at(scenario, found.theta[np.newaxis])
        third = moments.third[0]
        if not _agrees(third + moments.mixed[0], _slopes(scenario, found), found.information):
            return _nothing(len(found.theta))
        return HigherOrder(_without_rounding(moments), third)


def _regular(found: Limits) -> bool:
    """Tell whether the usual theory holds of the right model."""
    known = np.isfinite(found.covariance).all() and not found.information_error.any()
    return bool(found.right and not found.irregularity and known and (found.rates == 0.5).all())


def _slopes(scenario: Scenario, found: Limits) -> Array:
    """Return ∂ₖIᵢⱼ (p, p, p) of the free parameters by a stencil."""
    model = models.fitted(scenario)
    domains = [model.parametrisation.domains[i] for i in models.kept(scenario, model)]

    def information(theta: Columns) -> Array:
        return pack(expected_information(scenario, np.stack(theta, axis=-1))).T

    at = [np.array([value]) for value in found.theta]
    packed = slopes(information, at, domains, np.diag(found.information)[:, np.newaxis])
    return np.asarray(np.moveaxis(unpack(packed[..., 0].T), 0, -1))


def _agrees(moments: Array, slope: Array, information: Array) -> bool:
    """Tell whether ∂ₖIᵢⱼ = −κᵢⱼₖ − κᵢⱼ,ₖ, as it is not where derivatives are less smooth than they should be."""
    scale = np.sqrt(np.diag(information))
    unit = scale[:, None, None] * scale[:, None] * scale
    size = 1.0 + np.abs(moments / unit).max()
    return bool((np.abs((moments + slope) / unit) <= _UNEQUAL * size).all())


def _without_rounding(moments: ThirdOrder) -> Array:
    """Return the bias, 0 where it is rounding beside the terms that it is the sum of."""
    inverse, mixed = np.abs(inverted(moments.information)), np.abs(moments.mixed)
    terms = np.abs(moments.triple) + mixed + np.swapaxes(mixed, 2, 3) + np.moveaxis(mixed, 3, 1)
    size = np.einsum("rsi,rjk,rijk->rs", inverse, inverse, terms)
    return np.asarray(np.where(np.abs(moments.bias) <= _ROUNDING * size, 0.0, moments.bias)[0])


def _nothing(size: int) -> HigherOrder:
    return HigherOrder(np.full(size, np.nan), np.full((size, size, size), np.nan))
