"""Measures of information and score against their definitions, by plain loops on a few replicates."""

import math
import statistics

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis import convergence


@pytest.fixture
def record(simulated):
    return simulated["normal_variance"](12, 15, 9)


def columns(rows):
    return [column.tolist() for column in np.asarray(rows).T]


def test_mean_observed_information(record):
    found = convergence.mean_observed_information(record.cell)["raw"]
    for k, entries in enumerate(columns(record.replicates.information)):
        assert found.value[k] == pytest.approx(statistics.fmean(entries))
        assert found.mcse[k] == pytest.approx(statistics.stdev(entries) / math.sqrt(15))


def test_sd_observed_information(record):
    found = convergence.sd_observed_information(record.cell)["raw"]
    for k in (0, 2):
        entries = record.replicates.information[:, k].tolist()
        mean, s = statistics.fmean(entries), statistics.stdev(entries)
        psi = [((j - mean) ** 2 - s**2) / (2 * s) for j in entries]
        assert found.value[k] == pytest.approx(s)
        assert found.mcse[k] == pytest.approx(statistics.stdev(psi) / math.sqrt(15))
    assert (found.value[1], found.mcse[1]) == (0.0, 0.0)


def test_quantile_observed_information(record):
    found = convergence.quantile_observed_information(record.cell)
    assert list(found) == ["5%", "95%"]
    assert_allclose(found["95%"].value, np.quantile(record.replicates.information, 0.95, axis=0))
    assert (found["5%"].value <= found["95%"].value).all()


def test_scaled_covariance(record):
    found = convergence.scaled_covariance(record.cell)["raw"]
    expected = 9 * np.cov(record.replicates.theta.T)
    assert_allclose(found.value, [expected[0, 0], expected[0, 1], expected[1, 1]])


def test_mean_score_and_score_covariance(record):
    score = record.replicates.score_limit
    assert_allclose(convergence.mean_score(record.cell)["raw"].value, score.mean(axis=0))
    expected = 9 * np.cov(score.T)
    found = convergence.score_covariance(record.cell)["raw"].value
    assert_allclose(found, [expected[0, 0], expected[0, 1], expected[1, 1]])


def test_errors_and_noise_floors_belong_to_their_matrices(record):
    cell = record.cell
    floor = convergence.noise_floor(cell)
    for kind, error, entries, limit in (
        ("information", convergence.information_error, convergence.mean_observed_information, "hessian"),
        ("covariance", convergence.covariance_error, convergence.scaled_covariance, "covariance"),
    ):
        size = np.linalg.norm(getattr(record.limits, limit))
        raw = entries(cell)["raw"]
        noise = np.sqrt([1, 2, 1] @ raw.mcse**2)
        assert floor[f"{kind}-raw"].value[0] == pytest.approx(noise / size)
        limits = getattr(record.limits, limit)[[0, 0, 1], [0, 1, 1]]
        naive = np.sqrt([1, 2, 1] @ (raw.value - limits) ** 2)
        expected = math.sqrt(max(0.0, naive**2 - noise**2)) / size
        assert error(cell)["raw"].value[0] == pytest.approx(expected)
