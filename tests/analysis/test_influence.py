import math
import statistics

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from simstudy.analysis import influence
from tests.analysis.rows import Table, found

VALUES = np.random.default_rng(1).gamma(2.0, 1.0, (2, 37))


def test_mean_and_its_mcse_by_the_definitions():
    estimate = found(influence.mean, VALUES)
    for row, value, mcse in zip(VALUES.tolist(), *estimate, strict=True):
        assert value == pytest.approx(statistics.fmean(row))
        assert mcse == pytest.approx(statistics.stdev(row) / math.sqrt(37))


def test_variance_and_standard_deviation_by_the_definitions():
    spread = found(influence.variance, VALUES)
    square, value = spread.value, spread.root
    psi_square, psi = (of(Table(values=VALUES)) for of in (spread.psi, spread.root_psi))
    for k, row in enumerate(VALUES.tolist()):
        mean, s = statistics.fmean(row), statistics.stdev(row)
        assert square[k] == pytest.approx(s**2)
        assert value[k] == pytest.approx(s)
        squares = [(x - mean) ** 2 for x in row]
        assert_allclose(psi_square[k], np.array(squares) - statistics.fmean(squares))
        assert_allclose(psi[k], psi_square[k] / (2 * s))


def test_equal_values_have_no_spread_at_all():
    values = np.full((1, 1001), 0.1)
    for pieces in (1, 7):
        assert_array_equal(found(influence.mean, values, pieces=pieces), [[0.1], [0.0]])
        spread = found(influence.variance, values, pieces=pieces)
        assert spread.root == 0.0
        assert not spread.root_psi(Table(values=values)).any()


@pytest.mark.parametrize(("hits", "replicates"), [(0, 10), (10, 10), (3, 10), (9500, 10000)])
def test_mcse_of_a_proportion_is_the_half_width_of_wilsons_interval(hits, replicates):
    z = statistics.NormalDist().inv_cdf(0.975)
    p = hits / replicates
    # Wilson's limits solve (p − π)² = z²π(1−π)/R
    limits = np.roots([1 + z**2 / replicates, -(2 * p + z**2 / replicates), p**2])
    share = found(influence.proportion, (np.arange(replicates) < hits)[None].astype(float))
    assert share.value[0] == pytest.approx(p)
    assert share.mcse[0] == pytest.approx((limits.max() - limits.min()) / (2 * z))
    assert share.mcse[0] > 0.0


def test_mcse_of_an_interior_proportion_is_the_binomial_one_for_many_replicates():
    hits = (np.arange(100_000) < 95_000)[None].astype(float)
    # expansion: relative difference z²/(8Rp(1−p)) − z²/R
    assert found(influence.proportion, hits).mcse[0] == pytest.approx(math.sqrt(0.95 * 0.05 / 100_000), rel=2e-4)


def test_quantile_and_its_mcse_from_order_statistics():
    values = np.sort(np.random.default_rng(2).standard_normal(2001))
    (median,) = found(influence.quantiles, values[None], (0.5,))
    assert median.value[0] == values[1000]
    shift = influence.Z * math.sqrt(0.25 / 2001) * 2000
    low, high = np.interp([1000 - shift, 1000 + shift], np.arange(2001), values)
    assert median.mcse[0] == pytest.approx((high - low) / (2 * influence.Z))


@pytest.mark.parametrize("replicates", [2, 3, 10])
def test_quantile_of_a_handful_takes_the_difference_over_what_is_left(replicates):
    values = np.arange(float(replicates))[None]
    for probability in (0.05, 0.95):
        (estimate,) = found(influence.quantiles, values, (probability,))
        # evenly spaced values: the density is exactly 1/(R−1) everywhere
        exact = (replicates - 1) * math.sqrt(probability * (1 - probability) / replicates)
        assert estimate.mcse[0] == pytest.approx(exact)


def test_quantile_mcse_agrees_with_the_density_formula():
    normal = statistics.NormalDist()
    values = np.array([[normal.inv_cdf((i + 0.5) / 20_000) for i in range(20_000)]])
    for probability in (0.05, 0.95):
        density = normal.pdf(normal.inv_cdf(probability))
        exact = math.sqrt(probability * (1 - probability) / 20_000) / density
        # curvature of the quantile function over ±z steps: (z·step)²·x″/6 relative, under half a percent
        (estimate,) = found(influence.quantiles, values, (probability,))
        assert estimate.mcse[0] == pytest.approx(exact, rel=5e-3)
