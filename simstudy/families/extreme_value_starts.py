"""Where to start the search for the estimates of the generalized extreme value family."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import special

from simstudy.families.endpoint_profile import INSIDE, candidates, endpoints
from simstudy.families.extreme_value_likelihood import Centred, ExtremeValueLikelihood
from simstudy.families.reduced_variate import variate
from simstudy.numerics.sums import mean_product
from simstudy.parameters import Array, Columns

_MOST_MOMENT_SHAPE, _SMALL = 0.45, 1e-3
# Above this shape the quantiles serve better, which lie so far apart in y.
_HEAVY, _APART = 0.6, 1.0
# Newton steps of the inner fit at the first node of the profile and at the others.
_FIRST_STEPS, _STEPS = 12, 4


def rough(data: Centred) -> tuple[Array, Array, Array]:
    """Return feasible estimates of location (relative to the origin), scale and shape from some observations."""
    with np.errstate(all="ignore"):
        moments, quantiles = _by_moments(data.sample), _by_quantiles(data.sample)
        heavy = quantiles[2] > _HEAVY
        place, scale, shape = (np.where(heavy, q, m) for q, m in zip(quantiles, moments, strict=True))
        sound = np.isfinite(place + scale + shape) & (scale > 0.0)
        place = np.where(sound, place, 0.0)
        scale = np.where(sound, scale, data.spread)
        shape = np.where(sound, shape, 0.0)
        least, most = (-INSIDE * scale / _positive(data.high - place), INSIDE * scale / _positive(place + data.low))
        return place, np.where(np.isfinite(scale), scale, 1.0), np.clip(shape, least, most)


def _by_moments(sample: Array) -> tuple[Array, Array, Array]:
    """Return estimates by probability-weighted moments, |ξ| at most 0.45.

    Source: Hosking, Wallis & Wood (1985), Technometrics 27, 251–261, eq. 14 and 15.
    """
    size = sample.shape[1]
    rank = np.arange(size)
    first = sample.mean(axis=-1)
    second = (sample * (rank / max(1, size - 1))).mean(axis=-1)
    third = (sample * (rank * (rank - 1.0) / max(1, (size - 1) * (size - 2)))).mean(axis=-1)
    ratio = (2.0 * second - first) / (3.0 * third - first) - math.log(2.0) / math.log(3.0)
    k = np.clip(7.8590 * ratio + 2.9554 * ratio * ratio, -_MOST_MOMENT_SHAPE, _MOST_MOMENT_SHAPE)
    k = np.where(np.abs(k) < _SMALL, _SMALL, k)
    gamma = special.gamma(1.0 + k)
    scale = (2.0 * second - first) * k / (gamma * (1.0 - 2.0**-k))
    return first + scale * (gamma - 1.0) / k, scale, -k


def _by_quantiles(sample: Array) -> tuple[Array, Array, Array]:
    """Return estimates from three quantiles at equal distances of y, of which the second has y = 0."""
    size = sample.shape[1]
    low, middle, high = (sample[:, int(size * math.exp(-math.exp(-y)))] for y in (-_APART, 0.0, _APART))
    shape = np.log((high - middle) / (middle - low)) / _APART
    return middle, (high - middle) * shape / np.expm1(shape * _APART), shape


def _positive(distance: Array) -> Array:
    return np.maximum(distance, 1e-300)


def feasible(likelihood: ExtremeValueLikelihood, shape: Array, known: Mapping[int, Array]) -> Columns:
    """Return a point with all observations inside the support: by a larger scale, a moved location or less shape."""
    data = likelihood.data
    place, scale, _ = rough(data)
    location, scale = known.get(0, data.origin + place), known.get(1, scale)
    low = location - data.origin + data.low
    high = data.high + data.origin - location
    if 1 not in known:
        scale = np.maximum(scale, np.maximum(shape * low, -shape * high) / INSIDE)
    elif 0 not in known:
        reach = INSIDE * scale / np.abs(shape)
        location = np.where(
            shape < 0.0, location + np.maximum(high - reach, 0.0), location - np.maximum(low - reach, 0.0)
        )
    else:
        shape = np.clip(shape, -INSIDE * scale / _positive(high), INSIDE * scale / _positive(low))
    return [np.broadcast_to(column, (likelihood.rows,)) for column in (location, scale, shape)]


def best_of_profile(data: Centred) -> list[list[Array]]:
    """Return location (relative to the origin), scale and shape at two candidates for the best local maximum, or NaN.

    Given the endpoint, log(1 + θx)/θ is a Gumbel sample.
    """
    theta = endpoints(data.low, np.where(data.low > 0.0, data.low, 1e-3 * data.high), data.high)
    value, rate, middle = np.empty((3, *theta.shape))
    rate[-1] = 1.0 / data.spread
    for node, column in enumerate(theta):
        y = variate(data.deviation, column[:, np.newaxis])
        fitted, rate[node], middle[node] = _gumbel(y, rate[node - 1], _FIRST_STEPS if node == 0 else _STEPS)
        value[node] = fitted - column * y.mean(axis=-1)
    found = candidates(value)
    points = []
    for chosen in (found.first, found.second):
        at, slope, centre = (np.take_along_axis(part, chosen[np.newaxis], axis=0)[0] for part in (theta, rate, middle))
        stretched = np.exp(at * centre)
        point = np.expm1(at * centre) / at, stretched / slope, at / slope
        points.append([np.where(found.found, column, np.nan) for column in point])
    return points


def _gumbel(y: Array, rate: Array, steps: int) -> tuple[Array, Array, Array]:
    """Return the mean log-likelihood, 1/scale and location of the Gumbel family fitted to y, from a rate nearby."""
    least = y.min(axis=-1)
    y = y - least[:, np.newaxis]
    mean = y.mean(axis=-1)
    for step in range(steps + 1):
        weight = np.exp(-rate[:, np.newaxis] * y)
        total = weight.mean(axis=-1)
        if step == steps:
            break
        weight *= y
        first, second = weight.mean(axis=-1) / total, mean_product(weight, y) / total
        gap = 1.0 + rate * (first - mean)
        rate = rate * np.exp(np.clip(gap / (1.0 + rate * rate * (second - first * first)), -1.0, 1.0))
    return np.log(rate) - rate * mean - np.log(total) - 1.0, rate, least - np.log(total) / rate
