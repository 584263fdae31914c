"""What theory says of a scenario as n → ∞."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simstudy.families import FAMILIES
from simstudy.inference.likelihood import expected_information as packed_information
from simstudy.numerics.symmetric import fill, unpack
from simstudy.parameters import Array
from simstudy.study.scenario import Scenario


@dataclass(frozen=True)
class Limits:
    """Limits of a scenario with p free parameters, per observation.

    Attributes
    ----------
    theta : (p,)
        θ*, the truth (or the pseudo-true value when the fitted family is wrong).
    hessian : (p, p)
        A = −E[∂² log p(X; θ*)], limit of the mean observed information.
    score_covariance : (p, p)
        B = E[s sᵀ], covariance of the score of one observation; equal to A when the model is right.
    covariance : (p, p)
        A⁻¹BA⁻¹, limit of n·Cov(θ̂); I(θ)⁻¹ when the model is right.
    """

    theta: Array
    hessian: Array
    score_covariance: Array
    covariance: Array


def limits(scenario: Scenario) -> Limits:
    """Return the limits of a scenario whose model is right: A = B = I(θ)."""
    theta = np.array(scenario.truth)
    information = expected_information(scenario, theta[np.newaxis])[0]
    return Limits(theta, information, information, invert(information))


def expected_information(scenario: Scenario, theta: Array) -> Array:
    """Return I (R, p, p) per observation at estimates (R, p) of the free parameters, the known ones at their values."""
    family = FAMILIES[scenario.fit]
    parametrisation = family.find_parametrisation(scenario.names)
    values: Mapping[str, float] = dict(zip(scenario.names, scenario.values, strict=True))
    estimates = dict(zip(scenario.free, theta.T, strict=True))
    phi = [
        np.broadcast_to(np.asarray(estimates.get(name, values[name]), dtype=float), (len(theta),))
        for name in scenario.names
    ]
    kept = [i for i, name in enumerate(scenario.names) if name in estimates]
    return unpack(fill(packed_information(family, parametrisation, phi, kept), len(theta)))


def invert(information: Array) -> Array:
    """Return the inverse of a positive definite matrix, scaled to unit diagonal first so that units do not matter."""
    scale = 1.0 / np.sqrt(np.diag(information))
    correlation = information * np.outer(scale, scale)
    return np.asarray(np.linalg.inv(correlation) * np.outer(scale, scale))
