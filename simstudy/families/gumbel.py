"""The Gumbel family of maxima."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np

from simstudy.families.extreme_value import (
    EULER,
    STANDARD_VARIANCE,
    exponential_means,
    log_mean_power,
    moment_power,
    solve_profile,
)
from simstudy.families.likelihood import Solution
from simstudy.families.location_scale import Centred, LocationScale, LocationScaleLikelihood, Sums
from simstudy.families.sample_space import REAL_LINE
from simstudy.families.solution import closed_form, solution
from simstudy.families.status import Status
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array, Columns


@final
class Gumbel(LocationScale):
    """g(z) = −z − e⁻ᶻ, g′ = e⁻ᶻ − 1, g″ = −e⁻ᶻ; I(0, 1) = [[1, −(1−γ)], [·, π²/6 + (1−γ)²]].

    e⁻ˣ is Weibull with shape 1/s and scale e⁻ᵐ.
    """

    name = "gumbel"
    formula = "log p(x) = −z − exp(−z) − log scale,  z = (x − loc)/scale"
    sample_space = REAL_LINE
    information = (1.0, EULER - 1.0, STANDARD_VARIANCE + (1.0 - EULER) ** 2)

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw m − s log E of a standard exponential E; twice as fast as the generator's own."""
        draws = rng.standard_exponential(size)
        np.log(draws, out=draws)
        draws *= np.negative(theta[1])
        draws += theta[0]
        return draws

    def standard(self, z: Array) -> tuple[Array, Array, Array]:
        """Return g, g′ and g″."""
        w = np.exp(-z)
        return -z - w, np.expm1(-z), -w

    def sums(self, z: Array) -> Sums:
        """Return all means in terms of v = −z and w = eᵛ."""
        v = np.negative(z, out=z)
        means = exponential_means(v, squares=True)
        mean_v, mean_vv = v.mean(axis=-1), mean_product(v, v)
        return Sums(
            mean_v - means.w,
            means.w - 1.0,
            mean_v - means.vw,
            -means.w,
            means.vw,
            -means.vvw,
            means.ww - 2.0 * means.w + 1.0,
            2.0 * means.vw - means.vww - mean_v,
            means.vvww - 2.0 * means.vvw + mean_vv,
        )

    def centre(self, x: Array) -> Centred:
        """Return data relative to the smallest; the rough scale is √6/π standard deviations."""
        least = x.min(axis=-1)
        deviation = x - least[:, np.newaxis]
        mean = deviation.mean(axis=-1)
        unit = 1.0 / moment_power(mean, mean_product(deviation, deviation))
        return Centred(deviation, least, np.where(np.isfinite(mean), unit, np.nan), mean > 0.0)

    def start(self, x: Array) -> Columns:
        """Return location and scale from the first two moments."""
        return self.starts(self.likelihood(np.asarray(x, dtype=float)), {})[0]

    def starts(self, likelihood: LocationScaleLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the moments' location and scale; a known location bounds −z by one."""
        deviation, least, scale, _ = likelihood.centred
        if 0 in known:
            scale = np.maximum(scale, known[0] - least)
        return ((least + deviation.mean(axis=-1) - EULER * scale, scale),)

    def solve(self, likelihood: LocationScaleLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return 1/ŝ as the power that solves the profile equation of −x, and m̂ = −ŝ log mean e^{−x/ŝ}."""
        deviation, least, unit, exists = likelihood.centred
        y = -deviation
        if 0 in known:
            return None
        if 1 in known:
            scale = np.broadcast_to(known[1], (likelihood.rows,))
            return closed_form((least - scale * log_mean_power(y, 1.0 / scale), scale), likelihood)
        found = solve_profile(y, y.mean(axis=-1), 1.0 / unit, likelihood.usable & exists, "1/scale")
        status = np.where(exists, np.where(found.done, Status.CONVERGED, Status.MAX_ITERATIONS), Status.NO_MAXIMUM)
        scale = 1.0 / found.power
        return solution((least - scale * found.log_mean, scale), likelihood, status, found.iterations)
