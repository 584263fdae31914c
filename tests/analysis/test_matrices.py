import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis import matrices
from simstudy.analysis.control_variates import orthonormal, score_controls
from simstudy.analysis.packed import full, multiplicity
from simstudy.analysis.streaming import run
from tests.analysis.rows import Table, found, values

VECTORS = np.random.default_rng(1).gamma(2.0, 1.0, (3, 41))


def loop_covariance(psi):
    """Return Σ(ψ−ψ̄)(ψ−ψ̄)ᵀ/(R(R−1)) by a plain loop."""
    replicates = psi.shape[1]
    psi = psi - psi.mean(axis=1, keepdims=True)
    return sum(np.outer(psi[:, r], psi[:, r]) for r in range(replicates)) / (replicates * (replicates - 1))


def test_covariance_and_the_mcse_of_its_entries_by_plain_loops():
    estimate = found(matrices.covariance, VECTORS)
    assert_allclose(full(estimate.value), np.cov(VECTORS))
    deviation = VECTORS - VECTORS.mean(axis=1, keepdims=True)
    psi = np.array([deviation[i] * deviation[j] for i in range(3) for j in range(i, 3)]) - estimate.value[:, None]
    assert_allclose(estimate.covariance, loop_covariance(psi))
    assert_allclose(estimate.entries.mcse, np.sqrt(np.diagonal(loop_covariance(psi))))


def test_mean_and_the_mcse_of_its_entries_by_plain_loops():
    estimate = found(matrices.mean, VECTORS)
    assert_allclose(estimate.value, VECTORS.mean(axis=1))
    assert_allclose(estimate.covariance, np.cov(VECTORS) / 41)


def test_noise_counts_off_diagonal_entries_twice():
    estimate = found(matrices.mean, VECTORS)
    weights = multiplicity(3)
    assert estimate.noise.value[0] == pytest.approx(np.sqrt(weights @ estimate.entries.mcse**2))
    deviation = VECTORS - VECTORS.mean(axis=1, keepdims=True)
    squares = [weights @ deviation[:, r] ** 2 / 40 for r in range(41)]
    spread = np.std(squares, ddof=1) / np.sqrt(41)
    assert estimate.noise.mcse[0] == pytest.approx(spread / (2 * estimate.noise.value[0]))


def test_controls_that_do_not_vary_leave_the_covariance_as_it_is():
    table = Table(values=VECTORS, nothing=np.zeros((1, 41)), converged=np.ones(41, bool))
    constant = run(table, orthonormal(lambda part: part.nothing))
    estimate = run(table, matrices.controlled_covariance(values, constant, np.zeros(3)))
    raw = found(matrices.covariance, VECTORS)
    assert_allclose(estimate.value, raw.value, rtol=1e-13)
    assert_allclose(estimate.covariance, raw.covariance, rtol=1e-12)


def test_where_the_controls_explain_all_the_mcse_is_the_rounding(simulated):
    """Exponential: J = x̄² is quadratic in the score, so E J = (1 + 1/n)/λ² comes out exact but for rounding."""
    for seed in range(20):
        cell = simulated["exponential"](seed, 500, 10).cell
        estimate = matrices.mean_information(cell)["control-variate"].entries
        assert abs(estimate.value[0] - 1.1 / 4.0) <= estimate.mcse[0] < 1e-13


@pytest.mark.parametrize("name", ["exponential", "normal_variance"])
def test_with_too_few_replicates_for_controls_both_estimates_are_raw(simulated, name):
    cell = simulated[name](0, 12, 10).cell
    assert score_controls(cell) is None
    for matrix in (matrices.scaled_covariance, matrices.mean_information):
        estimates = matrix(cell)
        assert estimates["control-variate"] is estimates["raw"]


def test_where_the_estimate_is_the_score_the_controlled_covariance_is_exact(simulated):
    """The mean of a normal sample is linear in the score, so n·Var is known without Monte Carlo error."""
    cell = simulated["normal"](0, 500, 10).cell
    estimate = matrices.scaled_covariance(cell)["control-variate"].entries
    assert_allclose(estimate.value[0], 4.0, rtol=1e-13)
    assert estimate.mcse[0] < 1e-12
    assert abs(estimate.value[0] - 4.0) <= estimate.mcse[0]
