"""Geometric: density, information, estimates and boundary."""

import mpmath
import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from tests.families.counting import SIZES, assert_score_zero, assert_share
from tests.precise import COUNT, information

GEOMETRIC = FAMILIES["geometric"]


@pytest.mark.parametrize("prob", [1e-8, 0.02, 0.5, 0.999])
def test_log_density(prob):
    x = np.array([1, 2, 3, 10, 1000, 10**6])
    with mpmath.workdps(40):
        expected = [float(mpmath.log(prob) + (int(k) - 1) * mpmath.log1p(-mpmath.mpf(prob))) for k in x]
    np.testing.assert_allclose(GEOMETRIC.log_density(x, [np.asarray(prob)]), expected, rtol=1e-14)
    np.testing.assert_allclose(GEOMETRIC.log_density(x, [np.asarray(prob)]), stats.geom.logpmf(x, prob), rtol=1e-12)


@pytest.mark.parametrize("x", [0.0, -1.0, 1.5, np.inf])
def test_no_density_outside_the_sample_space(x):
    assert GEOMETRIC.log_density(np.array(x), [np.asarray(0.3)]) == -np.inf


@pytest.mark.parametrize("prob", [0.1, 0.3, 0.99])
def test_expected_information(prob):
    expected = information("log(prob) + x*log(1 - prob)", ("prob",), COUNT, (prob,))  # x the number of failures
    assert simstudy.expected_information("geometric", {"prob": prob}).to_numpy() == pytest.approx(expected, rel=1e-12)


def test_fits_over_wide_ranges():
    rng = np.random.default_rng(1)
    for n in SIZES:
        for _ in range(8):
            x = GEOMETRIC.sample(rng, [np.asarray(10.0 ** rng.uniform(-9.0, -0.001))], (8, n))
            found = fit("geometric", x)
            ones = (x == 1).all(axis=-1)
            np.testing.assert_array_equal(found.status, np.where(ones, Status.BOUNDARY, Status.CONVERGED))
            np.testing.assert_allclose(found.theta[:, 0], 1.0 / x.mean(axis=-1), rtol=1e-15)
            assert_score_zero(GEOMETRIC, x, found)


def test_ones_alone_are_certain():
    found = fit("geometric", [1, 1, 1])
    assert (found.status, found.theta[0]) == (Status.BOUNDARY, 1.0)
    assert found.log_likelihood == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("x", [[1, 10**6], [7, 7, 7], [10**15, 1, 1]])
def test_extreme_data(x):
    found = fit("geometric", x)
    assert found.status is Status.CONVERGED
    assert found.theta[0] == pytest.approx(len(x) / sum(x), rel=1e-15)


def test_draws():
    """Shares of values small and large, also where p is far below rounding."""
    rng = np.random.default_rng(3)
    x = GEOMETRIC.sample(rng, [np.array([[0.3], [1e-4]])], (2, 50_000))
    for value in (1, 2, 5):
        assert_share(x[0] == value, stats.geom.pmf(value, 0.3))
    for value in (1, 3000, 30_000):
        assert_share(x[1] <= value, stats.geom.cdf(value, 1e-4))
    assert (GEOMETRIC.sample(rng, [np.asarray(1e-300)], (9,)) == 2**62 + 1).all()


def test_share_on_the_boundary():
    x = GEOMETRIC.sample(np.random.default_rng(2), [np.asarray(0.8)], (20_000, 4))
    assert_share(fit("geometric", x).status == Status.BOUNDARY, 0.8**4)
