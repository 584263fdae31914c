"""Every measure against its definition, computed by plain loops on a few replicates."""

import dataclasses
import math
import statistics

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis import intervals, measures, performance
from simstudy.analysis.efficiency import efficiency
from simstudy.families.status import Status

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


def test_rmse(cell, theta):
    squares = [(t - RATE) ** 2 for t in theta]
    value = math.sqrt(statistics.fmean(squares))
    check(performance.rmse(cell)["raw"], value, mcse(squares) / (2 * value))


def test_relative_bias(cell, theta):
    check(performance.relative_bias(cell)["raw"], statistics.fmean(theta) / RATE - 1, mcse(theta) / RATE)


def test_relative_bias_of_a_negative_value_has_a_positive_mcse(simulated):
    found = performance.relative_bias(simulated["normal"](1, 50, 10, mean=-3.0).cell)["raw"]
    bias = performance.bias(simulated["normal"](1, 50, 10, mean=-3.0).cell)["raw"]
    assert found.value[0] == pytest.approx(bias.value[0] / -3.0)
    assert found.mcse[0] == pytest.approx(bias.mcse[0] / 3.0)


@pytest.mark.parametrize("mean", [0.0, 1e-16])
def test_relative_bias_is_unknown_where_the_value_is_zero_but_for_rounding(simulated, mean):
    cell = simulated["normal"](1, 50, 10, mean=mean).cell
    for estimate in performance.relative_bias(cell).values():
        assert np.isnan(estimate.value).tolist() == np.isnan(estimate.mcse).tolist() == [True, False]
    assert np.isnan(measures.MEASURES["relative_bias"].limit(cell)).tolist() == [True, False]


def test_relative_bias_is_unknown_for_an_angle(simulated):
    cell = simulated["normal"](1, 50, 10).cell
    cell = dataclasses.replace(cell, limits=dataclasses.replace(cell.limits, periods=np.array([np.inf, 2 * np.pi])))
    assert np.isnan(performance.relative_bias(cell)["raw"].value).tolist() == [False, True]


def test_median_bias(cell, theta):
    assert performance.median_bias(cell)["raw"].value[0] == pytest.approx(statistics.median(theta) - RATE)


def bounded(simulated, at):
    """Return a record and its cell where every fourth fit ended on the boundary, at ``at``, and one failed."""
    record = simulated["exponential"](11, 40, N, RATE)
    status, theta = np.zeros(40, np.int8), record.replicates.theta.copy()
    status[::4], status[1] = Status.BOUNDARY, Status.NO_MAXIMUM
    theta[::4], theta[1] = at, np.nan
    replicates = dataclasses.replace(record.replicates, status=status, theta=theta)
    return theta[:, 0], status, dataclasses.replace(record, replicates=replicates).cell


def test_with_boundary_keeps_what_converged_and_what_ended_there(simulated):
    theta, status, cell = bounded(simulated, 0.25)
    kept = theta[status <= Status.BOUNDARY].tolist()
    assert len(kept) == 39
    s, mean, squares = statistics.stdev(kept), statistics.fmean(kept), [(t - RATE) ** 2 for t in kept]
    check(performance.bias(cell)["with-boundary"], mean - RATE, mcse(kept))
    check(performance.mse(cell)["with-boundary"], statistics.fmean(squares), mcse(squares))
    spread = mcse([((t - mean) ** 2 - s**2) / (2 * s) for t in kept])
    check(performance.empirical_se(cell)["with-boundary"], s, spread)
    dropped = theta[status == Status.CONVERGED]
    assert performance.bias(cell)["raw"].value[0] == pytest.approx(dropped.mean() - RATE)


@pytest.mark.parametrize(("at", "bias", "spread"), [(np.inf, np.inf, np.inf), (-np.inf, -np.inf, np.inf)])
def test_an_infinite_estimate_on_the_boundary_is_told(simulated, at, bias, spread):
    cell = bounded(simulated, at)[2]
    with np.errstate(invalid="ignore"):
        found = [
            measure(cell)["with-boundary"] for measure in (performance.bias, performance.empirical_se, performance.mse)
        ]
    assert [estimate.value[0] for estimate in found] == [bias, spread, np.inf]
    assert all(np.isnan(estimate.mcse[0]) for estimate in found)


def test_with_boundary_is_absent_where_nothing_ended_there(cell):
    for measure in (performance.bias, performance.empirical_se, performance.mse):
        assert "with-boundary" not in measure(cell)


def test_a_single_estimate_on_the_boundary_has_no_spread(simulated):
    record = simulated["exponential"](11, 5, N, RATE)
    status = np.array([1, 2, 2, 2, 2], np.int8)
    cell = dataclasses.replace(record, replicates=dataclasses.replace(record.replicates, status=status)).cell
    for measure in (performance.bias, performance.empirical_se, performance.mse):
        assert np.isnan(measure(cell)["with-boundary"]).all()


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
