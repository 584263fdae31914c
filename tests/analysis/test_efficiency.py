import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis.efficiency import efficiency


def test_corrected_is_the_adjusted_multiple_r_squared_on_the_score(simulated):
    cell = simulated["normal_variance"](3, 60, 12).cell
    design = np.column_stack([np.ones(60), cell.all_scores.T])
    found = efficiency(cell)["corrected"]
    for j in range(2):
        residual = np.linalg.lstsq(design, cell.theta[j], rcond=None)[1]
        wanted = 1.0 - (residual.sum() / 57) / cell.theta[j].var(ddof=1)
        assert found.value[j] == pytest.approx(wanted)


def test_corrected_is_the_bound_of_a_biased_estimator(simulated):
    """D(nB)⁻¹Dᵀ/Var with D = ∂E[θ̂]/∂θ known: λ̂ = n/G has mean nλ/(n−1)."""
    n, rate = 10, 2.0
    cell = simulated["exponential"](5, 200_000, n, rate).cell
    variance = (n * rate) ** 2 / ((n - 1) ** 2 * (n - 2))
    bound = (n / (n - 1)) ** 2 * rate**2 / n
    found = efficiency(cell)["corrected"]
    assert abs(found.value[0] - bound / variance) <= 4 * found.mcse[0]


def test_mcse_is_the_sd_of_repeated_studies(simulated):
    found = [efficiency(simulated["exponential"]([6, seed], 400, 20).cell)["corrected"] for seed in range(600)]
    values, errors = np.array(found)[..., 0].T
    # an sd of 600 is within 4/√1200 of its mean; R² of 400 skewed replicates adds some per cent
    assert_allclose(np.sqrt(np.mean(errors**2)) / values.std(ddof=1), 1.0, atol=4 / np.sqrt(1200) + 0.03)


def test_failures_are_left_out_of_estimates_and_scores(simulated):
    whole = simulated["exponential"](7, 400, 20).cell
    cell = simulated["exponential"](7, 400, 20, fails=lambda mean: mean > 0.55).cell
    kept = cell.converged
    assert 0 < kept.sum() < 400
    correlation = np.corrcoef(whole.theta[0, kept], cell.all_scores[0, kept])[0, 1]
    size = kept.sum()
    wanted = 1.0 - (1.0 - correlation**2) * (size - 1) / (size - 2)
    assert efficiency(cell)["corrected"].value[0] == pytest.approx(wanted)


def test_nothing_is_known_without_scores_or_a_normal_limit(simulated):
    cell = simulated["normal"](8, 100, 20).cell
    broken = dataclasses.replace(cell, all_scores=np.full_like(cell.all_scores, np.nan))
    with np.errstate(invalid="ignore"):
        assert np.isnan(efficiency(broken)["corrected"]).all()
    irregular = dataclasses.replace(cell, limits=dataclasses.replace(cell.limits, rates=np.array([0.5, 1.0])))
    assert np.isfinite(efficiency(irregular)["corrected"].value).tolist() == [True, False]


def test_three_replicates_of_two_parameters_leave_no_freedom(simulated):
    cell = simulated["normal"](9, 3, 20).cell
    assert np.isnan(efficiency(cell)["corrected"]).all()
    assert np.isfinite(efficiency(cell)["raw"].value).all()
