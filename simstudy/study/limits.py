"""What theory says of a scenario as n → ∞."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from simstudy.families import REGISTRY
from simstudy.families.base import Family
from simstudy.families.plugin import Origin, told
from simstudy.families.regression import Regression
from simstudy.inference.likelihood import expected_information as packed_information
from simstudy.numerics.symmetric import fill, unpack
from simstudy.parameters import Array
from simstudy.study import models
from simstudy.study.pseudo_true import Expectations, pseudo_true
from simstudy.study.scenario import Scenario

_SINGULAR = 1e-10
"""Least eigenvalue of a matrix scaled to unit diagonal below which it is taken for singular."""


@dataclass(frozen=True)
class Limits:
    """Limits of a scenario with p free parameters, per observation; NaN where theory gives none.

    Attributes
    ----------
    theta : (p,)
        θ*, the truth, or the pseudo-true value when the fitted family is wrong.
    hessian : (p, p)
        A = −E[∂² log p(X; θ*)], limit of the mean observed information.
    score_covariance : (p, p)
        B = Cov(s), s the score of one observation at θ*; equal to A when the model is right and regular.
    covariance : (p, p)
        A⁻¹BA⁻¹, limit of n·Cov(θ̂); I(θ)⁻¹ when the model is right.
    information : (p, p)
        I(θ*) = E[s sᵀ] under the fitted family, limit of the expected information I(θ̂).
    score_mean : (p,)
        E[s] at θ*: 0 but for an irregular family.
    rates : (p,)
        r, where θ̂ − θ* is of order n⁻ʳ: ½ but for an irregular family.
    rate_covariance : (p, p)
        Limit of n^(rᵢ + rⱼ)·Cov(θ̂)ᵢⱼ; equal to ``covariance`` where all rates are ½.
    periods : (p,)
        Periods of parameters that are angles; infinite for others.
    information_error : (p, p)
        Monte Carlo standard error of I(θ): 0 but for a design that has no other way.
    right
        Whether the fitted family is the one that draws the data.
    irregularity
        Why the usual theory fails here, in one sentence, or nothing.
    """

    theta: Array
    hessian: Array
    score_covariance: Array
    covariance: Array
    information: Array
    score_mean: Array
    rates: Array
    rate_covariance: Array
    periods: Array
    information_error: Array
    right: bool = True
    irregularity: str = ""


def regular(theta: Array, information: Array) -> Limits:
    """Return the limits of a right and regular model with that information I(θ)."""
    inverse, size = invert(information), len(theta)
    return Limits(
        theta=theta,
        hessian=information,
        score_covariance=information,
        covariance=inverse,
        information=information,
        score_mean=np.zeros(size),
        rates=np.full(size, 0.5),
        rate_covariance=inverse,
        periods=np.full(size, np.inf),
        information_error=np.zeros((size, size)),
    )


def errors(theta: Array, found: Limits) -> Array:
    """Return θ̂ − θ* of estimates (R, p); the difference of two angles is taken the short way round."""
    error = np.asarray(theta - found.theta)
    for column, period in enumerate(found.periods):
        if np.isfinite(period):
            error[:, column] -= period * np.round(error[:, column] / period)
    return error


def limits(scenario: Scenario) -> Limits:
    """Return the limits of a scenario: A = B = I(θ) where the model is right and regular."""
    origins = tuple(REGISTRY.origins(scenario.families).values())
    return _limits(replace(scenario, name="", n=1, replicates=1, level=0.5, precision=(), stop=None), origins)


def limiting_value(scenario: Scenario) -> tuple[float, ...]:
    """Return θ*, at which the score of every replicate is recorded; NaN where there is none."""
    return scenario.truth if scenario.right else tuple(float(value) for value in limits(scenario).theta)


@lru_cache(maxsize=4096)
def _limits(scenario: Scenario, plugins: tuple[Origin, ...]) -> Limits:
    """Compute them once for a scenario and the plug-ins, which may be edited, that its families come from."""
    try:
        with np.errstate(all="ignore"):
            return _of_the_right_model(scenario) if scenario.right else _of_a_wrong_model(scenario)
    except Exception as error:
        if not plugins or isinstance(error, MemoryError):
            raise
        return _without_theory(scenario, f"the limits cannot be computed: {told(error)}")


def _without_theory(scenario: Scenario, reason: str) -> Limits:
    """Return no limits, where a plug-in raises an exception: simulation needs none."""
    size = len(scenario.free)
    theta = np.array(scenario.truth) if scenario.right else np.full(size, np.nan)
    return replace(regular(theta, np.full((size, size), np.nan)), right=scenario.right, irregularity=reason)


def _of_the_right_model(scenario: Scenario) -> Limits:
    theta = np.array(scenario.truth)
    model = models.fitted(scenario)
    base = [float(value) for value in models.drawn(scenario).base]
    family, is_base = model.family, model.parametrisation.names == model.family.parametrisations[0].names
    found = replace(
        regular(theta, _information(scenario, theta[np.newaxis])[0]),
        periods=_periods(scenario),
        information_error=_information_error(scenario),
        irregularity=family.irregularity(base) if _may_be_irregular(family, scenario) else "",
    )
    if not found.irregularity or not is_base:
        return found
    exact = family.irregular_limits(base)
    if exact is None:
        # What is singular with all parameters free need not be so with some of them known.
        sound = np.isfinite(found.covariance).all()
        return replace(found, irregularity="") if scenario.known and sound else found
    kept = models.kept(scenario, model)
    at = np.ix_(kept, kept)
    return replace(
        found,
        hessian=exact.hessian[at],
        score_covariance=exact.score_covariance[at],
        covariance=exact.covariance[at],
        score_mean=exact.score_mean[kept],
        rates=exact.rates[kept],
        rate_covariance=exact.rate_covariance[at],
    )


def _may_be_irregular(family: Family, scenario: Scenario) -> bool:
    """Tell whether there is anything irregular about the free parameters: a corner that is known spoils nothing."""
    return not family.corners or bool(set(family.corners) & set(scenario.free))


def _of_a_wrong_model(scenario: Scenario) -> Limits:
    found: Expectations = pseudo_true(models.drawn(scenario), models.fitted(scenario))
    bread, size = invert(found.hessian), len(found.theta)
    covariance = bread @ found.products @ bread
    information = np.full((size, size), np.nan)
    if np.isfinite(found.theta).all():
        information = _information(scenario, found.theta[np.newaxis])[0]
    return replace(
        regular(found.theta, information),
        hessian=found.hessian,
        score_covariance=found.products,
        covariance=covariance,
        rate_covariance=covariance,
        periods=_periods(scenario),
        right=False,
        irregularity=found.fault,
    )


def _periods(scenario: Scenario) -> Array:
    periods = models.fitted(scenario).family.periods
    return np.array([periods.get(name, np.inf) for name in scenario.free])


def _information_error(scenario: Scenario) -> Array:
    """Return the Monte Carlo standard error of I(θ) of the free parameters."""
    model, size = models.fitted(scenario), len(scenario.free)
    found = None
    if isinstance(model.family, Regression):
        found = model.family.information_error(models.drawn(scenario).base)
    if found is None:
        return np.zeros((size, size))
    kept = models.kept(scenario, model)
    return np.asarray(unpack(fill(found, 1))[0][np.ix_(kept, kept)])


def expected_information(scenario: Scenario, theta: Array) -> Array:
    """Return I (R, p, p) per observation at estimates (R, p) of the free parameters, the known ones at their values.

    NaN where the family comes from a plug-in and raises an exception.
    """
    try:
        return _information(scenario, theta)
    except Exception as error:
        if not REGISTRY.origin(scenario.fit) or isinstance(error, MemoryError):
            raise
        return np.full((*theta.shape, theta.shape[-1]), np.nan)


def _information(scenario: Scenario, theta: Array) -> Array:
    model = models.fitted(scenario)
    phi = models.completed(scenario, model, theta)
    packed = packed_information(model.family, model.parametrisation, phi, models.kept(scenario, model))
    return unpack(fill(packed, len(theta)))


def invert(information: Array) -> Array:
    """Return the inverse of a positive definite matrix, scaled to unit diagonal first so that units do not matter.

    A matrix that is singular to rounding, or not finite, has none: the result is NaN.
    """
    scale = 1.0 / np.sqrt(np.diag(information))
    correlation = information * np.outer(scale, scale)
    if not np.isfinite(correlation).all() or np.linalg.eigvalsh(correlation)[0] < _SINGULAR:
        return np.full_like(information, np.nan)
    return np.asarray(np.linalg.inv(correlation) * np.outer(scale, scale))
