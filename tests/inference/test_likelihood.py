"""The likelihood of a block in every parametrisation, against the densities at 50 digits."""

import mpmath
import numpy as np
import pytest

from simstudy.contract.points import all_points
from simstudy.inference.likelihood import Likelihood
from simstudy.numerics.symmetric import pairs
from tests.core_families import FAMILIES
from tests.exact import exact

POINTS = [(family, point) for family in FAMILIES.values() for point in all_points(family)]
SEVERAL = [(family, point) for family, point in POINTS if len(point.phi) > 1]
ROWS, SIZE = 2, 8
# Sums of a few terms, pulled back from the base parameters. The terms of the score in shape and mean of a gamma of
# shape 20 are seven times larger than what is left of them, and those of the information fifty times.
ROUNDING = 50 * 64 * 2.0**-52

# As in the library, a beta that rounds to 1 gives infinities without warnings.
pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")


def evaluated(family, point, x, phi):
    """Return value, score, information and products of one data set at 50 digits, and the sizes of what they sum."""
    functions, size = exact(family.name, point.parametrisation.names), len(phi)
    with mpmath.workdps(50):
        at = [mpmath.mpf(value) for value in phi]
        rows = [mpmath.mpf(float(value)) for value in x]
        values = np.array([float(functions.log_density(row, *at)) for row in rows])
        scores = np.array([[float(entry) for entry in functions.score(row, *at)] for row in rows])
        bends = np.array([[float(entry) for entry in functions.hessian(row, *at)] for row in rows])
    outer = np.stack([scores[:, i] * scores[:, j] for i, j in pairs(size)], axis=-1)
    typical = np.sqrt((scores**2).mean(axis=0))
    unit = np.array([typical[i] * typical[j] for i, j in pairs(size)]) + np.abs(bends).mean(axis=0)
    means = values.mean(), scores.mean(axis=0), -bends.mean(axis=0), outer.mean(axis=0)
    return means, (1.0 + np.abs(values).mean(), typical, unit, unit)


@pytest.mark.parametrize(("family", "point"), POINTS, ids=[f"{f.name} {p}" for f, p in POINTS])
def test_value_score_information_and_products(family, point):
    x = family.sample(np.random.default_rng(12), point.base, (ROWS, SIZE))
    x = x[family.sample_space.holds_all(x)]  # a beta of small shape may round to 1
    for factor in (1.0, 1.1):
        phi = [value * factor if 0.0 < value * factor < 1.0 or value > 1.0 else value for value in point.phi]
        likelihood = Likelihood(family, x, point.parametrisation)
        theta = np.array([phi] * len(x))
        found = [likelihood.value(theta), likelihood.score(theta), -likelihood.hessian(theta)]
        found.append(likelihood.score_products(theta))
        upper = np.triu_indices(len(phi))
        for row in range(len(x)):
            means, sizes = evaluated(family, point, x[row], phi)
            packed = [entry[row] if entry.ndim < 3 else entry[row][upper] for entry in found]
            for entry, mean, size in zip(packed, means, sizes, strict=True):
                assert (np.abs(entry - mean) <= ROUNDING * size).all()


@pytest.mark.parametrize(("family", "point"), SEVERAL, ids=[f"{f.name} {p}" for f, p in SEVERAL])
def test_known_parameters_are_left_out(family, point):
    """What remains are the rows and columns of the free parameters."""
    x = family.sample(np.random.default_rng(13), point.base, (3, SIZE))
    form = point.parametrisation
    whole = Likelihood(family, x, form)
    full = np.array([point.phi] * 3)
    for i, name in enumerate(form.names):
        kept = [j for j in range(len(form.names)) if j != i]
        part = Likelihood(family, x, form, {name: point.phi[i]})
        assert part.free == tuple(form.names[j] for j in kept)
        assert part.domains == tuple(form.domains[j] for j in kept)
        theta = full[:, kept]
        np.testing.assert_array_equal(part.value(theta), whole.value(full))
        np.testing.assert_array_equal(part.score(theta), whole.score(full)[:, kept])
        np.testing.assert_array_equal(part.hessian(theta), whole.hessian(full)[:, kept][:, :, kept])
        np.testing.assert_array_equal(part.score_products(theta), whole.score_products(full)[:, kept][:, :, kept])


def test_one_theta_for_all_rows():
    family = FAMILIES["gamma"]
    x = np.random.default_rng(14).gamma(2.0, 3.0, (4, 10))
    likelihood = Likelihood(family, x)
    theta = np.array([2.0, 3.0])
    np.testing.assert_array_equal(likelihood.value(theta), likelihood.value(np.tile(theta, (4, 1))))
    np.testing.assert_array_equal(likelihood.score(theta), likelihood.score(np.tile(theta, (4, 1))))
    np.testing.assert_array_equal(likelihood.hessian(theta), likelihood.hessian(np.tile(theta, (4, 1))))


@pytest.mark.parametrize("family", FAMILIES)
def test_selected_rows(family):
    family = FAMILIES[family]
    point = all_points(family)[-1]
    x = family.sample(np.random.default_rng(15), point.base, (6, SIZE))
    likelihood = Likelihood(family, x, point.parametrisation)
    some = likelihood.select(np.array([4, 1]))
    assert (likelihood.rows, some.rows) == (6, 2)
    theta = np.array(point.phi)
    np.testing.assert_array_equal(some.value(theta), likelihood.value(theta)[[4, 1]])
    np.testing.assert_array_equal(some.hessian(theta), likelihood.hessian(theta)[[4, 1]])
