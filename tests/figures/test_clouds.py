"""Deviations of estimates beside their limit."""

import numpy as np
import pytest

from simstudy.figures.clouds import RADII, SHOWN_SIZES, Cloud, clouds
from simstudy.figures.selection import spread_out
from tests.figures.made import made


def test_deviations_are_from_the_truth():
    results = made(2, (40,))
    [[cloud]] = clouds(results.summary, results.scenario, results.replicates)
    theta = results.tables[40][["theta[shape]", "theta[scale]"]].to_numpy()
    np.testing.assert_allclose(cloud.z, np.sqrt(40) * (theta - 1.0), atol=1e-12)


def test_failed_fits_are_left_out():
    results = made(1, (40,))
    results.tables[40].loc[::2, "status"] = "BOUNDARY"
    kept = results.tables[40].loc[1::2, "theta[shape]"]
    bias = (results.summary["measure"] == "bias") & (results.summary["estimator"] == "raw")
    results.summary.loc[bias, "value"] = kept.mean() - 1.0
    [[cloud]] = clouds(results.summary, results.scenario, results.replicates)
    np.testing.assert_allclose(cloud.z[:, 0], np.sqrt(40) * (kept - 1.0), atol=1e-12)


@pytest.mark.parametrize("dimension", [1, 2])
def test_share_inside_the_limit(dimension):
    rng = np.random.default_rng(1)
    root = np.array([[2.0, 0.0], [0.7, 0.5]])[:dimension, :dimension]
    z = rng.standard_normal((40_000, dimension)) @ root.T
    cloud = Cloud(("a", "b")[:dimension], 10, z, root @ root.T)
    assert abs(cloud.inside - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 40_000)
    np.testing.assert_allclose(cloud.inside_mcse, np.sqrt(cloud.inside * (1 - cloud.inside) / 40_000))


def test_radii_are_chi_squared_quantiles():
    from scipy.stats import chi2

    np.testing.assert_allclose([RADII[d] ** 2 for d in (1, 2)], chi2.ppf(0.95, [1, 2]), rtol=1e-12)


@pytest.mark.parametrize(("parameters", "rows"), [(1, 1), (2, 1), (3, 3)])
def test_one_row_per_pair(parameters, rows):
    results = made(parameters)
    found = clouds(results.summary, results.scenario, results.replicates)
    assert len(found) == rows
    assert {len(row) for row in found} == {5}


@pytest.mark.parametrize("count", [1, 2, 5, 6, 20])
def test_shown_sizes_hold_the_ends(count):
    sizes = list(range(10, 10 + count))
    shown = spread_out(sizes, SHOWN_SIZES)
    assert len(set(shown)) == len(shown) == min(count, 5)
    assert (shown[0], shown[-1]) == (sizes[0], sizes[-1])


@pytest.mark.parametrize("z", [np.empty((0, 2)), np.zeros((50, 2)), np.ones((2, 2)), np.arange(8.0).reshape(4, 2)])
def test_without_spread_in_every_direction_there_is_no_ellipse(z):
    assert not Cloud(("a", "b"), 10, z, np.eye(2)).usable
