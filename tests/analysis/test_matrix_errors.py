import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis import matrix_errors
from simstudy.analysis.influence import Estimate
from simstudy.analysis.matrices import MatrixEstimate
from simstudy.analysis.packed import full

LIMIT = np.array([2.0, 0.5, 1.0])
ROOT = np.array([[0.3, 0.0, 0.0], [0.2, 0.1, 0.0], [-0.1, 0.1, 0.2]])
COVARIANCE = ROOT @ ROOT.T
NOISE = np.sqrt([1.0, 2.0, 1.0] @ np.diagonal(COVARIANCE))


def estimate(value, covariance=COVARIANCE):
    return MatrixEstimate(np.asarray(value), covariance, Estimate(np.array([NOISE]), np.array([0.01])))


def test_error_is_the_frobenius_norm_over_all_entries_less_the_noise():
    value = np.array([4.0, 1.5, 0.0])
    found = matrix_errors.relative_error(estimate(value), LIMIT)
    naive = np.linalg.norm(full(value - LIMIT))
    assert found.value[0] == pytest.approx(np.sqrt(naive**2 - NOISE**2) / np.linalg.norm(full(LIMIT)))


def test_without_noise_the_error_is_the_naive_norm_and_has_no_mcse():
    found = matrix_errors.relative_error(estimate([4.0, 1.5, 0.0], np.zeros((3, 3))), LIMIT)
    assert found.value[0] == pytest.approx(np.linalg.norm(full([2.0, 1.0, -1.0])) / np.linalg.norm(full(LIMIT)))
    assert found.mcse[0] == 0.0


def simulate(deviation, repeats=20_000):
    errors = np.random.default_rng(3).standard_normal((repeats, 3)) @ ROOT.T
    found = [matrix_errors.relative_error(estimate(LIMIT + deviation + e), LIMIT) for e in errors]
    return np.array(found)[:, :, 0].T, errors


@pytest.mark.parametrize("size", [0.5, 1.0, 3.0])
def test_far_above_the_noise_the_mcse_is_the_standard_deviation(size):
    deviation = size * np.array([1.0, -0.5, 1.0])
    (value, mcse), _ = simulate(deviation)
    # relative error of the delta method: the curvature of the root, of order (noise/error)²
    bound = 4.0 / np.sqrt(2.0 * len(value)) + (NOISE / np.linalg.norm(full(deviation))) ** 2
    assert_allclose(np.sqrt((mcse**2).mean()) / value.std(), 1.0, atol=bound)


def test_at_the_limit_the_mcse_bounds_the_error_without_exploding():
    (value, mcse), _ = simulate(np.zeros(3))
    actual = np.sqrt((value**2).mean())
    assert actual <= np.sqrt((mcse**2).mean()) <= 3.0 * actual


def test_squared_error_is_unbiased_however_the_entries_correlate():
    deviation = np.array([0.1, 0.2, -0.1])
    _, errors = simulate(deviation)
    weights = np.array([1.0, 2.0, 1.0])
    squares = (deviation + errors) ** 2 @ weights - NOISE**2
    mcse = squares.std() / np.sqrt(len(squares))
    assert abs(squares.mean() - deviation**2 @ weights) <= 4.0 * mcse


def test_mcse_is_continuous_in_the_estimate():
    direction = np.array([0.4, -0.3, 0.5])
    steps = np.linspace(0.0, 3.0, 3001)
    mcse = [matrix_errors.relative_error(estimate(LIMIT + t * direction), LIMIT).mcse[0] for t in steps]
    assert np.abs(np.diff(mcse)).max() < 0.01 * max(mcse)


def test_noise_floor_is_relative_to_the_limit():
    found = matrix_errors.noise_floor(estimate(LIMIT), LIMIT)
    size = np.linalg.norm(full(LIMIT))
    assert found.value[0] == pytest.approx(NOISE / size)
    assert found.mcse[0] == pytest.approx(0.01 / size)
