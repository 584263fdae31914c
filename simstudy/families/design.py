"""Random designs of regressions: independent covariates, each from a named family, and their moments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from simstudy.families.base import Family
from simstudy.families.normal import Normal
from simstudy.families.sample_space import SampleSpace, VectorSpace
from simstudy.numerics import quadrature
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array

# A moment of which the outermost nodes make up this share does not exist.
_DIVERGENT = 1e-9
_OUTERMOST = 3
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
# Beyond this, exponents that are opposite to this relative error leave nothing that falls.
_FAR, _ROUNDING = 1e12, 2.0**-49
# Nodes of less mass than this add nothing to the expectation of a bounded function.
_NEGLIGIBLE = np.log(1e-19)


class Margin(NamedTuple):
    """How one covariate is drawn: a family of numbers, and the values of its base parameters."""

    family: Family
    theta: tuple[float, ...]

    @property
    def columns(self) -> list[Array]:
        """The base parameters as arrays without dimension."""
        return [np.asarray(value, dtype=float) for value in self.theta]


STANDARD_NORMAL = Margin(Normal(), (0.0, 1.0))


class Design:
    """k independent covariates.

    Parameters
    ----------
    margins
        One for each covariate.
    """

    def __init__(self, margins: Sequence[Margin]) -> None:
        self.margins = tuple(margins)
        self._rules = [None if m.family.name == "normal" else _rule(m) for m in self.margins]

    @property
    def spaces(self) -> tuple[SampleSpace, ...]:
        """The sample spaces of the covariates."""
        return tuple(_interval(margin.family.sample_space) for margin in self.margins)

    def sample(self, rng: np.random.Generator, size: tuple[int, ...]) -> list[Array]:
        """Draw every covariate in that size."""
        return [np.asarray(m.family.sample(rng, m.columns, size), dtype=float) for m in self.margins]

    def log_density(self, covariates: Sequence[Array]) -> Array:
        """Return Σ log g(xⱼ) elementwise."""
        parts = []
        for margin, rule, x in zip(self.margins, self._rules, covariates, strict=True):
            parts.append(_normal_log_density(x, *margin.theta) if rule is None else _log_density(margin, x))
        return np.asarray(sum(parts))

    def mean_log_density(self, covariates: Sequence[Array]) -> Array:
        """Return the mean of Σ log g(xⱼ) along the last axis."""
        total = np.zeros(covariates[0].shape[:-1])
        for margin, rule, x in zip(self.margins, self._rules, covariates, strict=True):
            if rule is None:
                mean, sd = margin.theta
                centred = x if mean == 0.0 else x - mean
                total += -_HALF_LOG_TWO_PI - np.log(sd) - 0.5 * mean_product(centred, centred) / (sd * sd)
            else:
                total += _log_density(margin, x).mean(axis=-1)
        return total

    @property
    def normal(self) -> bool:
        """Whether all covariates are normal, so that a linear predictor is."""
        return all(rule is None for rule in self._rules)

    @cached_property
    def location(self) -> list[tuple[float, float]]:
        """Mean and variance of every covariate; infinite where it has none."""
        return [self._location(j) for j in range(len(self.margins))]

    def _location(self, j: int) -> tuple[float, float]:
        rule = self._rules[j]
        if rule is None:
            mean, sd = self.margins[j].theta
            return mean, sd * sd
        x, log_mass = rule
        mass = np.exp(log_mass)
        mean = float((x * mass).sum())
        terms = (x - mean) ** 2 * mass
        return mean, float(terms.sum()) if _exists(x, terms[np.newaxis])[0] else np.inf

    def exponential_moments(self, j: int, slope: Array) -> tuple[Array, Array, Array]:
        """Return log E[e^{βx}], and E[x e^{βx}] and E[x² e^{βx}] relative to E[e^{βx}], for slopes (R,)."""
        rule = self._rules[j]
        if rule is None:
            mean, sd = self.margins[j].theta
            tilted = mean + sd * sd * slope
            return slope * (mean + 0.5 * sd * sd * slope), tilted, tilted * tilted + sd * sd
        x, log_mass = rule
        with np.errstate(all="ignore"):
            tilt = slope[:, np.newaxis] * x
            exponent = tilt + log_mass
            lost = (np.abs(tilt) > _FAR) & (np.abs(exponent) <= _ROUNDING * np.abs(tilt))
            largest = exponent.max(axis=-1, keepdims=True)
            weight = np.exp(exponent - largest)
            total = weight.sum(axis=-1)
            first, second = (weight * x).sum(axis=-1) / total, (weight * x * x).sum(axis=-1) / total
            exists = np.logical_and(_exists(x, weight * (1.0 + x * x)), ~lost.any(axis=-1))
        log_total = np.where(exists, largest[:, 0] + np.log(total), np.inf)
        return log_total, first, second

    def nodes(self, draws: int) -> tuple[Array, Array, bool]:
        """Return points (m, k) and weights (m,) for expectations of bounded functions of x, and whether by chance.

        One or two covariates have the product of quadrature rules, more of them random draws.
        """
        if len(self.margins) > 2:
            x = np.stack(self.sample(np.random.default_rng(0), (draws,)), axis=-1)
            return x, np.full(draws, 1.0 / draws), True
        rules = [_rule(m) if rule is None else rule for m, rule in zip(self.margins, self._rules, strict=True)]
        kept = [(x[log_mass > _NEGLIGIBLE], np.exp(log_mass[log_mass > _NEGLIGIBLE])) for x, log_mass in rules]
        x = np.stack([np.ravel(c) for c in np.meshgrid(*(x for x, _ in kept), indexing="ij")], axis=-1)
        masses = np.meshgrid(*(mass for _, mass in kept), indexing="ij")
        return x, np.ravel(np.prod(masses, axis=0)), False


def _normal_log_density(x: Array, mean: float, sd: float) -> Array:
    z = (x - mean) / sd
    return np.asarray(-_HALF_LOG_TWO_PI - np.log(sd) - 0.5 * z * z)


def _log_density(margin: Margin, x: Array) -> Array:
    return margin.family.log_density(x, margin.columns)


def _interval(space: SampleSpace | VectorSpace) -> SampleSpace:
    if not isinstance(space, SampleSpace):
        message = f"covariates are numbers, not vectors in {space.name}"
        raise TypeError(message)
    return space


def _rule(margin: Margin) -> tuple[Array, Array]:
    """Return nodes and the logarithms of their probabilities, of which a moment may need those that underflow."""
    theta = [np.reshape(value, (1, 1)) for value in margin.columns]
    family = margin.family
    with np.errstate(all="ignore"):
        x, weights = quadrature.rule(family.sample, _interval(family.sample_space), theta)
        log_mass = np.log(weights) + family.log_density(x, theta)
    order = np.argsort(x[0])
    x, log_mass = x[0, order], log_mass[0, order]
    return x[log_mass > -np.inf], log_mass[log_mass > -np.inf]


def _exists(x: Array, terms: Array) -> Array:
    """Tell where the outermost nodes hold next to nothing of Σ terms."""
    outer = terms[:, :_OUTERMOST].sum(axis=-1) * (x[0] != 0.0) + terms[:, -_OUTERMOST:].sum(axis=-1)
    return np.asarray(outer <= _DIVERGENT * terms.sum(axis=-1))
