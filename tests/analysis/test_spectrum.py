"""Eigenvalues and log determinant relative to the limit: invariance, exact values, calibration."""

import dataclasses
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis import matrices, orthogonality, spectrum
from simstudy.analysis.measures import MEASURES
from simstudy.analysis.packed import by_entry, full, upper
from simstudy.study.limits import regular
from tests.analysis.rows import found as of_rows

SCALARS = ("log_det_ratio", "largest_eigenvalue", "smallest_eigenvalue")


def mapped(record, matrix):
    """Return the cell of a record in the parameters φ = Mθ: scores M⁻ᵀs, information M⁻ᵀJM⁻¹."""
    inverse = np.linalg.inv(matrix)
    cell = record.cell

    def congruent(entries):
        return upper(np.array([inverse.T @ full(column) @ inverse for column in entries.T]))

    limits = regular(matrix @ cell.limits.theta, inverse.T @ cell.limits.hessian @ inverse)
    return dataclasses.replace(
        cell,
        limits=limits,
        theta=by_entry(cell.theta.T @ matrix.T),
        information=congruent(cell.information),
        informed=congruent(cell.expected),
        all_scores=by_entry(cell.all_scores.T @ inverse),
        all_information=congruent(cell.all_information),
    )


def test_invariant_under_a_linear_map_of_the_parameters(simulated):
    record = simulated["normal_variance"](41, 400, 15)
    cell, other = record.cell, mapped(record, np.array([[2.0, -1.0], [1e-3, 3e-3]]))
    for name in (*SCALARS, "mahalanobis"):
        found, again = (MEASURES[name].estimates(c) for c in (cell, other))
        for estimator, estimate in found.items():
            # the controls are the same but for rounding, magnified by the condition of their squares
            assert_allclose(again[estimator], estimate, rtol=1e-6, err_msg=f"{name} {estimator}")


def test_scaled_covariance_is_not_invariant(simulated):
    """Or the test above would show nothing."""
    record = simulated["normal_variance"](41, 400, 15)
    cell, other = record.cell, mapped(record, np.array([[2.0, -1.0], [1e-3, 3e-3]]))
    ratio = np.divide(*(matrices.scaled_covariance(c)["raw"].value for c in (other, cell)))
    assert np.abs(np.log(np.abs(ratio))).min() > 0.1


def exact(n):
    """n·Var(x̄)/σ² = 1 and n·Var(v̂)/(2σ⁴) = 1 − 1/n; E σ²/v̂ and E (σ²/v̂)² of n v̂/σ² ~ χ² with n − 1 degrees."""
    information = (n / (n - 3), n**2 / ((n - 3) * (n - 5)))
    return {
        ("log_det_ratio", ""): math.log(1.0 - 1.0 / n),
        ("largest_eigenvalue", ""): 1.0,
        ("smallest_eigenvalue", ""): 1.0 - 1.0 / n,
        ("largest_eigenvalue", "information-"): max(information),
        ("smallest_eigenvalue", "information-"): min(information),
    }


@pytest.mark.parametrize("n", [8, 12, 300])
def test_exact_values_of_the_normal(simulated, n):
    cell = simulated["normal_variance"](42, 200_000, n).cell
    for (measure, prefix), truth in exact(n).items():
        if prefix and n < 10:
            continue  # J has no finite variance
        for name in ("raw", "control-variate"):
            found = MEASURES[measure].estimates(cell)[prefix + name]
            assert abs(found.value[0] - truth) <= 4.0 * found.mcse[0] + 1e-13, (measure, prefix + name)


def test_limits(simulated):
    cell = simulated["normal"](43, 100, 10).cell
    assert MEASURES["log_det_ratio"].limit(cell) == 0.0
    assert set(MEASURES["largest_eigenvalue"].limit(cell).values()) == {1.0}
    singular = dataclasses.replace(cell.limits, hessian=np.diag([0.0, 1.0]))
    with np.errstate(all="ignore"):
        found = MEASURES["smallest_eigenvalue"].limit(dataclasses.replace(cell, limits=singular))
    assert found["raw"] == 1.0
    assert np.isnan(found["information-raw"])


def test_without_a_limit_there_is_no_such_measure(simulated):
    cell = simulated["normal"](43, 100, 10).cell
    unknown = dataclasses.replace(cell, limits=dataclasses.replace(cell.limits, covariance=np.full((2, 2), np.nan)))
    assert not any(MEASURES[name].applies(unknown) for name in (*SCALARS, "mahalanobis"))
    assert all(MEASURES[name].applies(cell) for name in (*SCALARS, "mahalanobis"))


def test_a_matrix_that_is_not_positive_definite_has_no_log_determinant():
    found = spectrum._log_det(
        spectrum.relative(of_rows(matrices.mean, np.array([[1.0, 1.0], [2.0, 2.0], [1.0, 1.0]])), np.eye(2))
    )
    assert np.isnan(found.value[0])
    assert np.isnan(found.mcse[0])


def repeated(variances, replicates, repeats, seed):
    """Return (value, MCSE) of the three functions, (repeats, 3, 2), for vectors of independent normal entries."""
    rng = np.random.default_rng(seed)
    scale = np.sqrt(variances)[:, None]
    result = []
    for _ in range(repeats):
        estimate = of_rows(matrices.covariance, scale * rng.standard_normal((len(variances), replicates)))
        found = spectrum.relative(estimate, np.eye(len(variances)))
        parts = (spectrum._log_det(found), spectrum._extreme(found, -1), spectrum._extreme(found, 0))
        result.append([(part.value[0], part.mcse[0]) for part in parts])
    return np.array(result)


@pytest.mark.parametrize("variances", [[1.0, 1.5], [1.0, 2.0, 3.0]])
def test_calibrated_and_unbiased_where_eigenvalues_are_apart(variances):
    repeats = 1000
    found = repeated(np.array(variances), 1000, repeats, 44)
    truth = [np.log(variances).sum(), max(variances), min(variances)]
    sd = found[..., 0].std(axis=0, ddof=1)
    assert (np.abs(found[..., 0].mean(axis=0) - truth) <= 4.0 * sd / np.sqrt(repeats)).all()
    ratio = np.sqrt(np.mean(found[..., 1] ** 2, axis=0)) / sd
    assert_allclose(ratio, 1.0, atol=0.05 + 4.0 / np.sqrt(2.0 * repeats))


@pytest.mark.parametrize("size", [2, 3, 5])
def test_honest_at_ties(size):
    """The bias outwards is less than that of the eigenvalues as they are, and the MCSE counts it."""
    repeats = 600
    found = repeated(np.ones(size), 1000, repeats, 45)[:, 1:]
    error = found[..., 0] - 1.0
    root = np.sqrt(np.mean(error**2, axis=0))
    stated = np.sqrt(np.mean(found[..., 1] ** 2, axis=0))
    assert (stated >= 0.75 * root).all()
    assert (stated <= 1.3 * root).all()
    assert (np.abs(error) <= 4.0 * found[..., 1]).mean() > 0.99
    rng = np.random.default_rng(45)
    naive = [np.linalg.eigvalsh(np.cov(rng.standard_normal((size, 1000))))[-1] - 1.0 for _ in range(repeats)]
    assert 0.0 < error[:, 0].mean() < 0.62 * np.mean(naive)


def test_controlled_log_determinant_is_unbiased_and_calibrated(simulated):
    """Over 400 seeds; its bias of order 1/R is added back, so that what is left is of order 1/R²."""
    n, replicates, repeats = 20, 500, 400
    cells = (simulated["normal_variance"]([46, seed], replicates, n).cell for seed in range(repeats))
    found = np.array([list(MEASURES["log_det_ratio"].estimates(cell).values()) for cell in cells])[..., 0]
    value, mcse = found[..., 0], found[..., 1]
    sd = value.std(axis=0, ddof=1)
    assert (np.abs(value.mean(axis=0) - math.log(1.0 - 1.0 / n)) <= 4.0 * sd / np.sqrt(repeats)).all()
    assert_allclose(np.sqrt(np.mean(mcse**2, axis=0)) / sd, 1.0, atol=0.05 + 4.0 / np.sqrt(2.0 * repeats))
    assert sd[1] < 0.5 * sd[0]


def test_the_bias_that_is_added_back_matters():
    """Of log det S by −p(p + 1)/(2R), 0.12 here; what is left is of order 1/R²."""
    repeats, replicates, rng = 2000, 50, np.random.default_rng(47)
    naive, value = [], []
    for _ in range(repeats):
        estimate = of_rows(matrices.covariance, rng.standard_normal((3, replicates)))
        naive.append(np.linalg.slogdet(full(estimate.value))[1])
        value.append(spectrum._log_det(spectrum.relative(estimate, np.eye(3))).value[0])
    assert abs(np.mean(naive)) > 10.0 * np.std(naive) / np.sqrt(repeats)
    assert abs(np.mean(value)) < 0.2 * abs(np.mean(naive))


def test_correlations_and_their_mcse():
    """Of z₁ and z₁ + z₂: ρ = 1/√2; for normal vectors Var(r) = (1 − ρ²)²/R."""
    repeats, replicates, rng = 1000, 400, np.random.default_rng(48)
    found = []
    for _ in range(repeats):
        z = rng.standard_normal((3, replicates))
        estimate = orthogonality.correlations(of_rows(matrices.covariance, np.array([z[0], z[0] + z[1], z[2]])))
        found.append((estimate.value, estimate.mcse))
    value, mcse = np.array(found).transpose(1, 2, 0)
    assert_allclose(
        value.mean(axis=1), [math.sqrt(0.5), 0.0, 0.0], atol=4.0 * 0.05 / math.sqrt(repeats) + 1.0 / replicates
    )
    exact_sd = np.array([0.5, 1.0, 1.0]) / math.sqrt(replicates)
    assert_allclose(value.std(axis=1, ddof=1), exact_sd, rtol=4.0 / math.sqrt(2.0 * repeats) + 0.02)
    assert_allclose(np.sqrt(np.mean(mcse**2, axis=1)), exact_sd, rtol=0.05)


def test_orthogonality_is_the_correlation_of_the_estimates_beside_its_limit(simulated):
    cell = mapped(simulated["normal_variance"](49, 3000, 200), np.array([[1.0, 0.5], [0.0, 1.0]]))
    found, limit = MEASURES["orthogonality"].estimates(cell), MEASURES["orthogonality"].limit(cell)
    assert_allclose(found["estimates"].value, np.corrcoef(cell.theta)[0, 1])
    mean = full(cell.information.mean(axis=-1))
    assert_allclose(found["information"].value, mean[0, 1] / math.sqrt(mean[0, 0] * mean[1, 1]))
    # Σ = M diag(σ², 2σ⁴)Mᵀ with σ² = 4; the correlation of an inverse of order 2 is the same with the other sign
    exact_limit = 0.5 * 32.0 / math.sqrt((4.0 + 0.25 * 32.0) * 32.0)
    assert_allclose([limit["estimates"][0], limit["information"][0]], [exact_limit, -exact_limit])
    for name, estimate in found.items():
        assert abs(estimate.value[0] - limit[name][0]) <= 4.0 * estimate.mcse[0] + 1.0 / 200


def test_a_limit_without_a_positive_diagonal_has_no_correlation(simulated):
    cell = simulated["normal"](0, 100, 10).cell
    singular = dataclasses.replace(cell.limits, hessian=np.array([[0.0, -1.0], [-1.0, 1.0]]))
    found = orthogonality.limits(dataclasses.replace(cell, limits=singular))
    assert np.isnan(found["information"]).all()
    assert_allclose(found["estimates"], 0.0)


def test_one_parameter_has_no_pairs(simulated):
    assert not MEASURES["orthogonality"].applies(simulated["exponential"](0, 100, 10).cell)
