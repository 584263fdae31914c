"""What theory says of a scenario as n → ∞."""

from __future__ import annotations

from dataclasses import dataclass

from simstudy.parameters import Array


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
