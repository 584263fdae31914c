"""Measures of intervals against their definitions, exact truths and repeated studies."""

import dataclasses
import math
import statistics

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from simstudy.analysis import intervals, measures
from simstudy.analysis.given import Given
from simstudy.inference.intervals import quantile, wald

Z = statistics.NormalDist().inv_cdf(0.975)
N, RATE = 8, 2.0
ALL = (intervals.coverage, intervals.bias_eliminated_coverage, intervals.interval_width, intervals.rejection_rate)


@pytest.fixture
def cell(simulated):
    cell = simulated["exponential"](11, 200, N, RATE).cell
    return dataclasses.replace(cell, null=np.array([1.0]))


def ends(cell):
    return [(t - Z * t / math.sqrt(N), t + Z * t / math.sqrt(N)) for t in cell.theta[0].tolist()]


def test_definitions(cell):
    mean = statistics.fmean(cell.theta[0].tolist())
    wanted = {
        intervals.coverage: [low <= RATE <= high for low, high in ends(cell)],
        intervals.bias_eliminated_coverage: [low <= mean <= high for low, high in ends(cell)],
        intervals.interval_width: [high - low for low, high in ends(cell)],
        intervals.rejection_rate: [low > 1.0 or high < 1.0 for low, high in ends(cell)],
    }
    for measure, values in wanted.items():
        assert statistics.fmean(values) > 0.0
        assert measure(cell)["wald-observed"].value[0] == pytest.approx(statistics.fmean(values)), measure


def test_a_missing_end_makes_the_measure_unknown(cell):
    cell.model_variances["expected"][0, 3] = np.nan
    for measure in ALL:
        found = measure(cell)
        assert np.isnan(found["wald-expected"]).all()
        assert np.isfinite(found["wald-observed"]).all()


def test_methods_are_those_of_the_cell_and_ends_may_be_infinite(cell):
    recorded = np.concatenate([cell.theta - 0.5, np.full_like(cell.theta, np.inf)])
    cell = dataclasses.replace(cell, intervals=("wald-observed", "score"), ends=recorded)
    with np.errstate(invalid="ignore"):
        found = {measure.__name__: measure(cell) for measure in ALL}
    assert all(list(estimates) == ["wald-observed", "score"] for estimates in found.values())
    assert found["coverage"]["score"].value[0] == (cell.error <= 0.5).mean()
    assert found["interval_width"]["score"].value[0] == np.inf
    assert np.isnan(found["interval_width"]["score"].mcse[0])
    assert found["rejection_rate"]["score"].value[0] == (cell.theta > 1.5).mean()
    assert_array_equal(
        cell.interval("wald-observed"), wald(cell.theta, np.sqrt(cell.model_variances["observed"]), quantile(0.95))
    )


def test_what_cannot_be_zero_is_not_tested(cell):
    untested = dataclasses.replace(cell, null=np.array([np.nan]))
    assert np.isnan(intervals.rejection_rate(untested)["wald-observed"]).all()
    assert measures.MEASURES["rejection_rate"].applies(cell)
    assert not measures.MEASURES["rejection_rate"].applies(untested)


def test_an_interval_of_an_angle_goes_round_the_circle():
    """θ̂ = π − 0.1 and −π + 0.1 are both 0.1 from π; read on the line, one of them misses it by 2π."""
    theta = np.array([[np.pi - 0.1, -np.pi + 0.1, 0.0]])
    sample = given(theta, np.full_like(theta, 0.2), np.pi)
    assert intervals.coverage(sample)["interval"].value[0] == pytest.approx(1 / 3)

    class Angle(Given):
        error = np.array([[-0.1, 0.1, -np.pi]])

    angle = Angle(theta, sample.truth, sample.null, sample.standard_errors, sample.ends)
    assert intervals.coverage(angle)["interval"].value[0] == pytest.approx(2 / 3)


def given(theta, errors, true, null=0.0):
    """Return K studies at once: estimates (K, R) as those of K parameters."""
    size = len(theta)
    return Given(theta, np.full(size, true), np.full(size, null), errors, wald(theta, errors, quantile(0.95)))


def test_mcse_of_bias_eliminated_coverage_needs_the_error_of_the_mean():
    """One-sided intervals (−∞, θ̂]: 1{θ̂ᵢ ≥ θ̄} − P − f(θ̄)(θ̂ᵢ − θ̄) has for normal θ̂ the variance ¼ − 1/(2π), not ¼."""
    size, repeats = 400, 2000
    theta = np.random.default_rng(1).standard_normal((repeats, size))
    sample = Given(theta, np.zeros(repeats), np.zeros(repeats), None, (np.full_like(theta, -np.inf), theta))
    found = intervals.bias_eliminated_coverage(sample)["interval"]
    exact = math.sqrt((0.25 - 0.5 / math.pi) / size)
    assert found.value.std(ddof=1) == pytest.approx(exact, rel=4 / math.sqrt(2 * repeats))
    # the difference quotient over ±δ misses f by the share f″δ²/(6f) = −δ²/6, δ = R^−1/5: at most 2%
    assert_allclose(math.sqrt(np.mean(found.mcse**2)), exact, rtol=0.02)


def test_power_is_exact_and_its_limit_normal():
    """Normal mean, variance known: P(|x̄| > z/√n), at θ* = 0 the size of the test."""
    rng, size = np.random.default_rng(2), 100_000
    for true in (0.0, 0.2, -0.5):
        theta = true + 0.1 * rng.standard_normal((1, size))
        found = intervals.rejection_rate(given(theta, np.full_like(theta, 0.1), true))["interval"]
        power = stats.norm.cdf(-Z - 10 * true) + stats.norm.cdf(-Z + 10 * true)
        assert abs(found.value[0] - power) <= 4 * found.mcse[0]


@pytest.mark.parametrize("true", [0.0, 0.3])
def test_limits_of_powers_and_widths(simulated, true):
    cell = simulated["normal"](1, 100, 25, mean=true, sd=2.0).cell
    cell = dataclasses.replace(cell, null=np.array([0.0, np.nan]))
    limits = {name: measures.MEASURES[name].limit(cell) for name in ("rejection_rate", "interval_width")}
    shift = true / 0.4
    power = 0.05 if true == 0.0 else stats.norm.cdf(-Z - shift) + stats.norm.cdf(-Z + shift)
    for method in cell.intervals:
        assert_allclose(limits["rejection_rate"][method], [power, np.nan])
        assert_allclose(limits["interval_width"][method], [2 * Z * 0.4, 2 * Z * 2.0 / math.sqrt(50)])


def test_limits_of_all_methods_where_the_model_is_right_and_where_it_is_wrong(simulated):
    cell = simulated["normal"](1, 100, 25).cell
    methods = (*cell.intervals, "wald-opg", "wald-log", "score", "likelihood-ratio")
    right = dataclasses.replace(cell, intervals=methods)
    for limit in measures.MEASURES["coverage"].limit(right).values():
        assert_array_equal(limit, 0.95)
    # scores twice as variable as the information says: true variance 2/A, claimed 1/A, or 1/(2A) by the scores
    doubled = dataclasses.replace(
        cell.limits, score_covariance=2 * cell.limits.hessian, covariance=2 * cell.limits.covariance,
        rate_covariance=2 * cell.limits.covariance, right=False,
    )  # fmt: skip
    found = measures.MEASURES["coverage"].limit(dataclasses.replace(right, limits=doubled))
    half, quarter = (2 * stats.norm.cdf(Z * ratio) - 1 for ratio in (math.sqrt(0.5), 0.5))
    for method, limit in zip(methods, (half, half, 0.95, quarter, half, half, half), strict=True):
        assert_allclose(found[method], limit, err_msg=method)
