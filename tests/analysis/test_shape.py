import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from simstudy.analysis import distance, shape
from simstudy.analysis.streaming import run
from tests.analysis.rows import Table


def test_skewness_and_kurtosis_by_their_definitions(simulated):
    cell = simulated["normal_variance"](1, 200, 10).cell
    assert_allclose(shape.skewness(cell)["raw"].value, stats.skew(cell.theta, axis=1))
    assert_allclose(shape.kurtosis(cell)["raw"].value, stats.kurtosis(cell.theta, axis=1, fisher=False))


def test_mcse_of_normal_estimates_are_the_classical_ones(simulated):
    """√(6/R) and √(24/R), whose own sampling error comes from moments of order 6 and 8: 2% and 5% at R = 10⁵."""
    cell = simulated["normal"](2, 100_000, 10).cell
    assert shape.skewness(cell)["raw"].mcse[0] == pytest.approx(np.sqrt(6e-5), rel=0.03)
    assert shape.kurtosis(cell)["raw"].mcse[0] == pytest.approx(np.sqrt(24e-5), rel=0.08)


def cross_fitted(first, second):
    """The distance from normal of two halves."""
    return run(Table(), distance.cross_fitted(lambda _: first, lambda _: second))


def exact_distance(n):
    """Return the greatest distance of √n(n/G − 1), G ~ gamma(n), from N(0, 1)."""
    z = np.linspace(-5.0, 8.0, 400_001)
    law = stats.gamma.sf(n / np.maximum(1.0 + z / np.sqrt(n), 1e-12), n)
    return np.abs(law - stats.norm.cdf(z)).max()


@pytest.mark.parametrize("n", [10, 100])
def test_normal_distance_of_the_exponential(simulated, n):
    found = shape.normal_distance(simulated["exponential"](3, 400_000, n).cell)["raw"]
    # read at a point found by the other half: below the greatest distance by less than the noise
    assert abs(found.value[0] - exact_distance(n)) <= 4 * found.mcse[0]


def test_each_half_is_read_where_the_other_is_farthest():
    first, second = np.array([-1.0, 0.2, 0.3]), np.array([-0.5, 0.1, 0.25, 2.0])
    # farthest above Φ: the first at 0.3, 1 − Φ(0.3); the second just before −0.5, Φ(−0.5) − 0 below
    at = stats.norm.cdf([0.3, -0.5, 0.25])
    above, below = 0.75 - at[2], at[1]
    assert below > above
    read_by_second = 3 / 4 - at[0]
    read_by_first = at[1] - 1 / 3
    found = cross_fitted(first, second)
    assert found[0] == pytest.approx((read_by_second + read_by_first) / 2)


def test_ties_are_read_on_the_right_side():
    """A mass of ½ at 0, as of a discrete estimate: the distribution function jumps from ¼ to ¾."""
    half = np.sort(np.concatenate([np.full(50, 0.0), np.linspace(-3.0, -2.0, 25), np.linspace(2.0, 3.0, 25)]))
    assert cross_fitted(half, half)[0] == pytest.approx(0.25, abs=0.03)


def test_normal_distance_does_not_depend_on_units_and_is_unknown_without_a_limit(simulated):
    cell = simulated["exponential"](4, 500, 10, rate=2.0).cell
    other = simulated["exponential"](4, 500, 10, rate=2e9).cell
    assert_allclose(shape.normal_distance(cell)["raw"], shape.normal_distance(other)["raw"], rtol=1e-9)
    for covariance in (np.full((1, 1), np.nan), np.zeros((1, 1)), np.full((1, 1), np.inf)):
        unknown = dataclasses.replace(cell, limits=dataclasses.replace(cell.limits, covariance=covariance))
        with np.errstate(divide="ignore", invalid="ignore"):
            assert np.isnan(shape.normal_distance(unknown)["raw"]).all()


@pytest.mark.parametrize(("name", "n"), [("normal", 50), ("exponential", 20), ("exponential", 200)])
def test_mcse_of_the_normal_distance_bounds_its_error(simulated, name, n):
    found = [shape.normal_distance(simulated[name]([5, seed], 400, n).cell)["raw"] for seed in range(400)]
    values, errors = np.array(found)[..., 0].T
    ratio = np.sqrt(np.mean(errors**2)) / values.std(ddof=1)
    assert 1.0 - 4 / np.sqrt(800) < ratio < np.sqrt(2.0) + 4 / np.sqrt(800)


def test_estimates_that_do_not_vary_have_no_shape(simulated):
    cell = simulated["exponential"](6, 50, 10).cell
    cell = dataclasses.replace(cell, theta=np.ones_like(cell.theta))
    with np.errstate(invalid="ignore"):
        assert np.isnan(shape.skewness(cell)["raw"]).all()
        assert np.isnan(shape.kurtosis(cell)["raw"]).all()
