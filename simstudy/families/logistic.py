"""The logistic family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import final

import numpy as np

from simstudy.families.base import constant_rows
from simstudy.families.location_scale import (
    Centred,
    LocationScale,
    LocationScaleLikelihood,
    NewtonSums,
    Sums,
    quartiles,
)
from simstudy.families.sample_space import REAL_LINE
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array, Columns

_SCALE_OF_SD = math.sqrt(3.0) / math.pi
_FARTHEST = 700.0


@final
class Logistic(LocationScale):
    """g(z) = −z − 2 log(1 + e⁻ᶻ), g′ = −tanh(z/2), g″ = −(1 − g′²)/2; I(0, 1) = diag(1/3, (π² + 3)/9).

    With w = 1/(1 + eᶻ) and q = w(1 − w): g = log q, g′ = 2w − 1, g″ = −2q, g′² = 1 − 4q.
    """

    name = "logistic"
    formula = "log p(x) = −z − 2 log(1 + exp(−z)) − log scale,  z = (x − loc)/scale"
    sample_space = REAL_LINE
    information = (1.0 / 3.0, 0.0, (math.pi**2 + 3.0) / 9.0)

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by inversion, log(u/(1 − u)), u kept from 0."""
        draws = rng.random(size)
        np.maximum(draws, 2.0**-54, out=draws)
        draws /= 1.0 - draws
        np.log(draws, out=draws)
        draws *= theta[1]
        draws += theta[0]
        return draws

    def standard(self, z: Array) -> tuple[Array, Array, Array]:
        """Return g, g′ and g″; |z| keeps the exponential from overflowing."""
        decay = np.exp(-np.abs(z))
        g = -np.abs(z) - 2.0 * np.log1p(decay)
        d1 = -np.tanh(0.5 * z)
        return g, d1, -2.0 * decay / np.square(1.0 + decay)

    def newton_sums(self, z: Array) -> NewtonSums:
        """Return the means of g′, z g′, g″, z g″, z² g″ in terms of w and q."""
        w = np.exp(z)
        w += 1.0
        np.reciprocal(w, out=w)
        mean, mean_z = w.mean(axis=-1), z.mean(axis=-1)
        mean_zzw = np.einsum("rn,rn,rn->r", z, z, w) / z.shape[-1]
        zw = np.multiply(z, w, out=z)
        mean_zw = zw.mean(axis=-1)
        q = mean - mean_product(w, w)
        zq = mean_zw - mean_product(w, zw)
        zzq = mean_zzw - mean_product(zw, zw)
        return NewtonSums(2.0 * mean - 1.0, 2.0 * mean_zw - mean_z, -2.0 * q, -2.0 * zq, -2.0 * zzq)

    def sums(self, z: Array) -> Sums:
        """Return all means in terms of w and q = eᶻw², which keeps its digits until eᶻ leaves the range of numbers."""
        w = np.exp(z)
        q = w + 1.0
        np.reciprocal(q, out=q)
        w, q = q, w
        q *= w
        q *= w
        mean_z, mean_zz = z.mean(axis=-1), mean_product(z, z)
        mean, mean_zw = w.mean(axis=-1), mean_product(z, w)
        zq = np.multiply(z, q, out=w)
        mean_q, mean_zq, mean_zzq = q.mean(axis=-1), zq.mean(axis=-1), mean_product(z, zq)
        sums = Sums(
            np.log(q, out=q).mean(axis=-1),
            2.0 * mean - 1.0,
            2.0 * mean_zw - mean_z,
            -2.0 * mean_q,
            -2.0 * mean_zq,
            -2.0 * mean_zzq,
            1.0 - 4.0 * mean_q,
            mean_z - 4.0 * mean_zq,
            mean_zz - 4.0 * mean_zzq,
        )
        far = ~(mean_zz * z.shape[-1] < _FARTHEST**2)
        if far.any():
            for column, exact in zip(sums, super().sums(z[far]), strict=True):
                column[far] = exact
        return sums

    def starts(self, likelihood: LocationScaleLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return moments and quartiles; outliers spoil the one, ties the other."""
        deviation = np.sort(likelihood.centred.deviation, axis=-1)
        middle, half = quartiles(deviation)
        rough = likelihood.centred.origin + middle, np.where(half > 0.0, half, 1.0)
        return (*super().starts(likelihood, known), rough)

    def centre(self, x: Array) -> Centred:
        """Return data relative to the mean; the rough scale is √3/π standard deviations."""
        mean = x.mean(axis=-1)
        deviation = x - mean[:, np.newaxis]
        sd = np.sqrt(mean_product(deviation, deviation))
        exists = sd > 0.0
        suspect = sd <= 1e-12 * np.abs(mean)
        if suspect.any():
            exists[suspect] &= ~constant_rows(x[suspect])
        return Centred(deviation, mean, np.where(exists, sd * _SCALE_OF_SD, 1.0), exists)
