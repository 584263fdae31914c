"""The Laplace family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, final

import numpy as np

from simstudy.families.base import IrregularLimits
from simstudy.families.likelihood import Solution
from simstudy.families.location_scale import Centred, LocationScale, LocationScaleLikelihood, Sums
from simstudy.families.sample_space import REAL_LINE
from simstudy.families.solution import closed_form
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array, Columns


@final
class Laplace(LocationScale):
    """g(z) = −|z| − log 2, g′ = −sign z, g″ = 0; I(0, 1) = E[s sᵀ] = diag(1, 1), but −E[Hessian] = diag(0, 1).

    At an observation equal to the location, which the median of an odd number is, the score in the location is taken
    to be 0, halfway between its values on either side.
    """

    name = "laplace"
    formula = "log p(x) = −|x − loc|/scale − log(2·scale)"
    sample_space = REAL_LINE
    information = (1.0, 0.0, 1.0)
    irregular: ClassVar[Mapping[str, str]] = {
        "information_equality": "the Hessian in loc is 0 wherever there is one, since the log-density is piecewise "
        "linear; the kink at x, where there is none, carries the information 1/scale²"
    }
    corners: ClassVar[Mapping[str, str]] = {"loc": "the log-likelihood is piecewise linear, its maximum is at a kink"}

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw m ± sE of a standard exponential E and a random sign."""
        draws = rng.standard_exponential(size)
        np.negative(draws, out=draws, where=rng.integers(2, size=size, dtype=np.bool_))
        draws *= theta[1]
        draws += theta[0]
        return draws

    def standard(self, z: Array) -> tuple[Array, Array, Array]:
        """Return g, g′ and g″."""
        return -np.abs(z) - math.log(2.0), -np.sign(z), np.zeros_like(z)

    def sums(self, z: Array) -> Sums:
        """Return all means in terms of z, |z| and sign z."""
        sign = np.sign(z)
        mean_abs, nothing = mean_product(z, sign), np.zeros(len(z))
        return Sums(
            -mean_abs - math.log(2.0),
            -sign.mean(axis=-1),
            -mean_abs,
            nothing,
            nothing,
            nothing,
            mean_product(sign, sign),
            z.mean(axis=-1),
            mean_product(z, z),
        )

    def breaks(self, theta: Columns) -> Sequence[Array]:
        """Return the location, where the density has a kink."""
        return (theta[0],)

    def centre(self, x: Array) -> Centred:
        """Return data relative to the median; the rough scale is the mean absolute deviation."""
        middle = _median(x)
        deviation = x - middle[:, np.newaxis]
        spread = np.abs(deviation).mean(axis=-1)
        exists = spread > 0.0
        return Centred(deviation, middle, np.where(spread == 0.0, 1.0, spread), exists)

    def solve(self, likelihood: LocationScaleLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the median, halfway between the two middle ones of an even number, and the mean |x − m̂|."""
        deviation, middle, unit, exists = likelihood.centred
        if 1 in known:
            return closed_form((middle, known[1]), likelihood)
        if 0 in known:
            scale = np.abs(deviation - (known[0] - middle)[:, np.newaxis]).mean(axis=-1)
            return closed_form((known[0], scale), likelihood, scale > 0.0)
        return closed_form((middle, unit), likelihood, exists)

    def irregularity(self, theta: Sequence[float]) -> str:
        """Say that the two definitions of I(θ) disagree."""
        return (
            "the log-density has a kink at loc, so −E[Hessian] in loc is 0 while the score has variance 1/scale²: "
            "observed information says nothing of loc"
        )

    def irregular_limits(self, theta: Sequence[float]) -> IrregularLimits:
        """Return the limits: those of a regular family with I(θ) = Cov(s), but for the Hessian."""
        scale = float(theta[1])
        information, inverse = np.eye(2) / scale**2, np.eye(2) * scale**2
        hessian = np.diag([0.0, 1.0]) / scale**2
        return IrregularLimits(np.zeros(2), information, hessian, inverse, np.full(2, 0.5), inverse)


def _median(x: Array) -> Array:
    """Return the median of each row, halfway between the two middle values of an even number."""
    size = x.shape[1]
    upper = size // 2
    ordered = np.partition(x, upper, axis=-1)
    if size % 2:
        return np.ascontiguousarray(ordered[:, upper])
    lower = ordered[:, :upper].max(axis=-1)
    return np.asarray(lower + 0.5 * (ordered[:, upper] - lower))
