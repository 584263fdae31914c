"""Every measure against its definition, computed by plain loops on a few replicates."""

import math
import statistics

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis import intervals, performance
from simstudy.analysis.efficiency import efficiency

N, RATE = 8, 2.0
Z = statistics.NormalDist().inv_cdf(0.975)


@pytest.fixture
def cell(simulated):
    return simulated["exponential"](11, 15, N, RATE).cell


@pytest.fixture
def theta(cell):
    return cell.theta[0].tolist()


def mcse(psi):
    return statistics.stdev(psi) / math.sqrt(len(psi))


def check(found, value, error):
    assert found.value[0] == pytest.approx(value)
    assert found.mcse[0] == pytest.approx(error)


def test_bias(cell, theta):
    check(performance.bias(cell)["raw"], statistics.fmean(theta) - RATE, mcse(theta))


def test_empirical_se(cell, theta):
    s, mean = statistics.stdev(theta), statistics.fmean(theta)
    check(performance.empirical_se(cell)["raw"], s, mcse([((t - mean) ** 2 - s**2) / (2 * s) for t in theta]))


@pytest.mark.parametrize("kind", ["observed", "expected"])
def test_model_se(cell, theta, kind):
    variances = [t**2 / N for t in theta]
    value = math.sqrt(statistics.fmean(variances))
    found = performance.model_se(cell)[kind]
    check(found, value, mcse([(v - value**2) / (2 * value) for v in variances]))


@pytest.mark.parametrize("kind", ["observed", "expected"])
def test_relative_error_model_se_keeps_the_covariance_of_its_terms(cell, theta, kind):
    variances = [t**2 / N for t in theta]
    model, s, mean = math.sqrt(statistics.fmean(variances)), statistics.stdev(theta), statistics.fmean(theta)
    psi = [
        100 * ((v - model**2) / (2 * model) / s - model * ((t - mean) ** 2 - s**2) / (2 * s) / s**2)
        for v, t in zip(variances, theta, strict=True)
    ]
    check(performance.relative_error_model_se(cell)[kind], 100 * (model / s - 1), mcse(psi))


def test_mse(cell, theta):
    squares = [(t - RATE) ** 2 for t in theta]
    check(performance.mse(cell)["raw"], statistics.fmean(squares), mcse(squares))


@pytest.mark.parametrize("kind", ["wald-observed", "wald-expected"])
def test_coverage(simulated, kind):
    cell = simulated["exponential"](11, 200, N, RATE).cell
    hits = [t - Z * t / math.sqrt(N) <= RATE <= t + Z * t / math.sqrt(N) for t in cell.theta[0].tolist()]
    assert 0 < sum(hits) < 200
    assert intervals.coverage(cell)[kind].value[0] == pytest.approx(sum(hits) / 200)


def test_coverage_is_unknown_where_a_standard_error_is(cell):
    cell.model_variances["expected"][0, 3] = np.nan
    found = intervals.coverage(cell)
    assert np.isnan(found["wald-expected"]).all()
    assert np.isfinite(found["wald-observed"]).all()


def test_efficiency(cell, theta):
    s2, mean = statistics.variance(theta), statistics.fmean(theta)
    value = RATE**2 / (N * s2)
    check(
        efficiency(cell)["raw"],
        value,
        mcse([-value * ((t - mean) ** 2 - s2) / s2 for t in theta]),
    )


def test_failure_rate_counts_all_replicates(simulated):
    cell = simulated["exponential"](11, 200, N, fails=lambda mean: mean > 0.6).cell
    found = performance.failure_rate(cell)["wilson"]
    assert 0 < found.value[0] < 0.5
    assert found.value[0] == (~cell.converged).mean()
    assert cell.theta.shape[1] == cell.converged.sum()


def test_standard_errors_use_the_whole_inverse_matrix(simulated):
    """With correlated parameters, 1/(n Jⱼⱼ) is not the variance."""
    cell = simulated["normal_variance"](1, 5, 20).cell
    cell.information[1] = 0.3 * np.sqrt(cell.information[0] * cell.information[2])
    expected = 1.0 / (20 * cell.information[[0, 2]] * (1 - 0.09))
    assert_allclose(cell.model_variances["observed"], expected)
