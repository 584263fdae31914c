"""Moments of third order of the derivatives of one observation's log-density ℓ, and the first-order bias they give.

With κᵢⱼ,ₖ = E[ℓᵢⱼ sₖ], κᵢⱼₖ = E[ℓᵢⱼₖ] and κᵢ,ⱼ,ₖ = E[sᵢ sⱼ sₖ] Bartlett's identities (1953, Biometrika 40) are

    ∂ₖIᵢⱼ = −κᵢⱼₖ − κᵢⱼ,ₖ        κᵢⱼₖ + κᵢⱼ,ₖ + κᵢₖ,ⱼ + κⱼₖ,ᵢ + κᵢ,ⱼ,ₖ = 0,

so that no third derivative is needed. Where there are nodes, κᵢⱼ,ₖ and κᵢ,ⱼ,ₖ are sums over them and the second
identity gives κᵢⱼₖ. In an exponential family ℓᵢⱼ is linear in T, κᵢⱼ,ₖ = Σ ∂ᵢⱼηₐ Cov(Tₐ, sₖ), and the first one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simstudy.families import nodes as places
from simstudy.families.base import Family
from simstudy.families.exponential_family import ExponentialFamily
from simstudy.families.regression import Regression
from simstudy.families.third_nodes import third_by_nodes
from simstudy.families.third_regression import regression_mixed
from simstudy.numerics.slopes import slopes
from simstudy.numerics.symmetric import factor, fill, lower_inverse, pack, position, unpack
from simstudy.parameters import Array, Columns, Parametrisation

_ASYMMETRY = 1e-6


class ThirdOrder(NamedTuple):
    """Moments of R members in p parameters; NaN where there are none.

    Attributes
    ----------
    information : (R, p, p)
        I.
    mixed : (R, p, p, p)
        κᵢⱼ,ₖ.
    triple : (R, p, p, p)
        κᵢ,ⱼ,ₖ.
    """

    information: Array
    mixed: Array
    triple: Array

    @property
    def third(self) -> Array:
        """κᵢⱼₖ, (R, p, p, p)."""
        return -(self.triple + self.mixed + np.swapaxes(self.mixed, 2, 3) + np.moveaxis(self.mixed, 3, 1))

    @property
    def bias(self) -> Array:
        """Limit of n·E(θ̂ − θ), (R, p): Σ Iʳⁱ Iʲᵏ (κᵢⱼ,ₖ + ½κᵢⱼₖ), summed over i, j and k.

        Cox & Snell (1968, J. R. Statist. Soc. B 30, 248–275), eq. 20.
        """
        inverse = inverted(self.information)
        pulled = np.einsum("rjk,rijk->ri", inverse, self.mixed + 0.5 * self.third)
        return np.asarray(np.einsum("rsi,ri->rs", inverse, pulled))

    @property
    def sound(self) -> ThirdOrder:
        """These moments, all NaN where one is."""
        fine = np.asarray(np.isfinite(self.mixed + self.triple).all(axis=(1, 2, 3)))[:, None, None]
        known = [np.where(fine if a.ndim == 3 else fine[..., None], a, np.nan) for a in self]
        return ThirdOrder(*known)

    def select(self, kept: Sequence[int]) -> ThirdOrder:
        """Return those of the parameters kept, the others being known."""
        rows, at = range(len(self.mixed)), list(kept)
        three = np.ix_(rows, at, at, at)
        return ThirdOrder(self.information[np.ix_(rows, at, at)], self.mixed[three], self.triple[three])


def third_order(family: Family, form: Parametrisation, phi: Columns, kept: Sequence[int]) -> ThirdOrder:
    """Return the moments of the parameters kept of a parametrisation at φ, given as arrays (R,)."""
    theta = [np.asarray(column, dtype=float) + np.zeros(len(phi[0])) for column in form.to_base(phi)]
    with np.errstate(all="ignore"):
        if isinstance(family, ExponentialFamily):
            base = _with_slopes(family, theta, _exponential_mixed(family, theta))
        elif isinstance(family, Regression):
            base = _with_slopes(family, theta, regression_mixed(family, theta))
        elif places.reachable(family):
            # A parameter that is known spoils nothing, be the family ever so irregular in it.
            if form.names == family.parametrisations[0].names and len(kept) < len(theta):
                return ThirdOrder(*third_by_nodes(family, theta, kept)).sound
            base = _by_nodes(family, theta)
        else:
            base = _nothing(len(theta[0]), len(theta))
        return _reparametrised(base, form, phi).select(kept)


def information_slopes(family: Family, theta: Columns) -> tuple[Array, Array]:
    """Return I (R, p, p) and ∂ₖIᵢⱼ (R, p, p, p) in the base parameters, by a stencil."""
    rows, domains = len(theta[0]), [parameter.domain for parameter in family.parameters]

    def information(at: Columns) -> Array:
        return fill(family.expected_information(at), rows).T

    here = information(theta)
    precision = here[[position(i, i, len(theta)) for i in range(len(theta))]]
    packed = slopes(information, theta, domains, precision)
    return unpack(here.T), np.moveaxis(unpack(np.moveaxis(packed, 0, -1)), 0, -1)


def _with_slopes(family: Family, theta: Columns, mixed: Array) -> ThirdOrder:
    """Complete κᵢⱼ,ₖ by κᵢ,ⱼ,ₖ = ∂ₖIᵢⱼ − κᵢₖ,ⱼ − κⱼₖ,ᵢ; what does not come out symmetric is not known."""
    information, slope = information_slopes(family, theta)
    triple = slope - np.swapaxes(mixed, 2, 3) - np.moveaxis(mixed, 3, 1)
    other = np.swapaxes(triple, 2, 3)
    scale = np.sqrt(np.einsum("rii->ri", information))
    unit = scale[:, :, None, None] * scale[:, None, :, None] * scale[:, None, None, :]
    size = 1.0 + np.abs(triple / unit).max(axis=(1, 2, 3), keepdims=True)
    sound = (np.abs((triple - other) / unit) <= _ASYMMETRY * size).all(axis=(1, 2, 3), keepdims=True)
    return ThirdOrder(information, np.where(sound, mixed, np.nan), np.where(sound, 0.5 * (triple + other), np.nan))


def _by_nodes(family: Family, theta: Columns) -> ThirdOrder:
    """Return moments by nodes; where κᵢ,ⱼ,ₖ is not to be had by them, and I in closed form, by the slopes of I."""
    found = ThirdOrder(*third_by_nodes(family, theta, range(len(theta))))
    left = np.flatnonzero(np.isnan(found.triple).any(axis=(1, 2, 3)) & np.isfinite(found.mixed).all(axis=(1, 2, 3)))
    if len(left) and type(family).expected_information is not Family.expected_information:
        better = _with_slopes(family, [column[left] for column in theta], found.mixed[left])
        for whole, part in zip(found, better, strict=True):
            whole[left] = part
    return found.sound


def _exponential_mixed(family: ExponentialFamily, theta: Columns) -> Array:
    terms = family.terms(theta, family.centre(theta))
    rows, size, statistics = len(theta[0]), len(theta), len(terms.natural)
    jacobian = np.stack([fill(row, rows) for row in terms.jacobian])
    covariance = unpack(fill(terms.covariance, rows))
    pull = np.einsum("rab,brk->rak", covariance, jacobian)
    bend = np.zeros((rows, statistics, size, size))
    for (a, i, j), entry in terms.curvature.items():
        bend[:, a, i, j] = bend[:, a, j, i] = entry
    return np.asarray(np.einsum("raij,rak->rijk", bend, pull))


def _reparametrised(base: ThirdOrder, form: Parametrisation, phi: Columns) -> ThirdOrder:
    """Carry moments to φ: the score is Jᵀs, the Hessian JᵀℓJ + Σᵢ sᵢ ∂²θᵢ."""
    rows, size = len(phi[0]), len(phi)
    jacobian = np.stack([fill(row, rows) for row in form.jacobian(phi)], axis=1)
    bend = np.zeros((rows, size, size, size))
    for (i, j, k), entry in form.curvature(phi).items():
        bend[:, i, j, k] = bend[:, i, k, j] = entry
    half = np.einsum("rij,rjc->ric", base.information, jacobian)
    mixed, triple = (_carried(moments, jacobian) for moments in (base.mixed, base.triple))
    return ThirdOrder(
        np.einsum("ria,rib->rab", jacobian, half), mixed + np.einsum("riab,ric->rabc", bend, half), triple
    )


def _carried(moments: Array, jacobian: Array) -> Array:
    """Apply Jᵀ to each of three indices."""
    for _ in range(3):
        moments = np.einsum("rijk,ria->rjka", moments, jacobian)
    return moments


def inverted(information: Array) -> Array:
    """Return the inverses of matrices (R, p, p), scaled to unit diagonal first; NaN where not positive definite."""
    scale = 1.0 / np.sqrt(np.einsum("rii->ri", information))
    unit = scale[:, :, None] * scale[:, None, :]
    factors = factor(list(pack(information * unit).T))
    inner = lower_inverse(factors)
    found = np.einsum("kir,kr,kjr->rij", inner, 1.0 / np.stack(factors.pivots), inner) * unit
    return np.where(factors.definite[:, None, None], found, np.nan)


def _nothing(rows: int, size: int) -> ThirdOrder:
    nothing = np.full((rows, size, size, size), np.nan)
    return ThirdOrder(nothing[..., 0], nothing, nothing)
