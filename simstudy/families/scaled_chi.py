"""What the half-normal, the Rayleigh and the Maxwell family share: x = scale·χₖ, with k = 1, 2 and 3."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from simstudy.families.exponential_family import (
    ExponentialFamily,
    ExponentialLikelihood,
    Statistics,
    Terms,
    centred_products,
)
from simstudy.families.likelihood import Solution
from simstudy.families.solution import closed_form
from simstudy.parameters import POSITIVE, Array, Columns, Parameter


class ScaledChi(ExponentialFamily):
    """log p = (k−1) log x − k log σ − x²/(2σ²) − (k/2−1) log 2 − log Γ(k/2); I(σ) = 2k/σ².

    Attributes
    ----------
    degrees
        k.
    """

    parameters: tuple[Parameter, ...] = (Parameter("scale", POSITIVE, (0.1, 10.0)),)
    degrees: ClassVar[int]

    def statistics(self, x: Array) -> Statistics:
        """Return T = x² and log h."""
        x = np.asarray(x, dtype=float)
        square = np.square(x)
        mean = square.mean(axis=-1)
        square -= mean[:, np.newaxis]
        covariance = centred_products(square)
        half = 0.5 * self.degrees
        base = (1.0 - half) * math.log(2.0) - math.lgamma(half)
        if self.degrees == 1:
            return Statistics((np.where(x.min(axis=-1) < 0.0, np.nan, mean),), covariance, base)
        return Statistics((mean,), covariance, base + (self.degrees - 1.0) * np.log(x, out=square).mean(axis=-1))

    def terms(self, theta: Columns, origin: Array | float) -> Terms:
        """Return η = −1/(2σ²), A = k log σ, E[x²] = kσ², Var(x²) = 2kσ⁴."""
        scale = np.asarray(theta[0], dtype=float)
        variance = np.square(scale)
        precision = 1.0 / variance
        return Terms(
            natural=(-0.5 * precision,),
            jacobian=((precision / scale,),),
            curvature={(0, 0, 0): -3.0 * precision * precision},
            log_partition=self.degrees * np.log(scale),
            mean=(self.degrees * variance,),
            covariance=(2.0 * self.degrees * variance * variance,),
        )

    def start_from(self, statistics: Statistics) -> Columns:
        """Return the estimate; for data that are all 0 a scale of one."""
        mean = statistics.mean[0]
        return (np.sqrt(np.where(mean > 0.0, mean, self.degrees) / self.degrees),)

    def solve(self, likelihood: ExponentialLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return σ̂² = mean x²/k; without a maximum where all observations are 0."""
        mean = likelihood.statistics.mean[0]
        return closed_form((np.sqrt(mean / self.degrees),), likelihood, mean > 0.0)
