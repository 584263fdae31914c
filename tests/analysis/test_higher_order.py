"""Scaled bias, the corrected estimator and the third of Bartlett's identities: exact truths and calibration."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis import arrangement as cells
from simstudy.analysis import higher_order, performance
from simstudy.analysis.interpolation import FEW
from simstudy.analysis.sample import other_errors
from simstudy.running.block import simulate
from simstudy.study.higher_order import moments_at
from simstudy.study.limits import expected_information, limits
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size


def simulated_cell(family, names, values, n, replicates, seed=1, fit=None, known=()):
    scenario = Scenario(family, family, names, values, fit or family, known, n, replicates, 0.95)
    if fit:
        scenario = dataclasses.replace(scenario, fitted=("mean", "sd"))
    record = simulate(scenario, seed, 0, -(-replicates // block_size(n)) - 1).head(replicates)
    expected = expected_information(scenario, record.theta[cells.converged_rows(record)])
    return cells.build(record, limits(scenario), n, 0.95, expected, scenario)


SHAPES = [
    ("exponential", ("rate",), (2.0,)),
    ("gamma", ("shape", "rate"), (2.0, 1.0)),
    ("weibull", ("shape", "scale"), (2.0, 1.0)),
    ("beta", ("alpha", "beta"), (2.0, 3.0)),
]


@pytest.mark.parametrize(("family", "names", "values"), SHAPES)
def test_scaled_bias_comes_to_its_limit(family, names, values):
    """The next term is some times the first over n: once for the exponential, three times for shapes of the gamma."""
    n = 200
    cell = simulated_cell(family, names, values, n, 4_000)
    limit = higher_order.bias_limit(cell)
    assert np.abs(limit).max() > 1.0
    for found in performance.scaled_bias(cell).values():
        assert (np.abs(found.value - limit) <= 4.0 * found.mcse + 5.0 * np.abs(limit) / n).all()


def test_scaled_bias_is_that_of_the_exponential(simulated):
    cell = simulated["exponential"](3, 20_000, 10, rate=2.0).cell
    found = performance.scaled_bias(cell)["control-variate"]
    assert abs(found.value[0] - 10 * 2.0 / 9) <= 4.0 * found.mcse[0]
    assert abs(found.value[0] - higher_order.bias_limit(cell)[0]) > 8.0 * found.mcse[0]


@pytest.mark.parametrize("replicates", [FEW, 20 * FEW])
def test_the_corrected_estimator_in_closed_form(simulated, replicates):
    cell = simulated["exponential"](4, replicates, 8, rate=2.0).cell
    assert_allclose(other_errors(cell)["cox-snell"](cell)[0] + 2.0, cell.theta[0] * (1.0 - 1.0 / 8), rtol=1e-12)
    cell = simulated["normal_variance"](4, replicates, 8, 1.0, 4.0).cell
    assert_allclose(other_errors(cell)["cox-snell"](cell)[1] + 4.0, cell.theta[1] * (1.0 + 1.0 / 8), rtol=1e-12)
    assert_allclose(other_errors(cell)["cox-snell"](cell)[0], cell.error[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("family", "names", "values"), SHAPES)
def test_corrections_by_splines_are_those_computed_one_by_one(family, names, values):
    n, replicates = 10, 5_000
    cell = simulated_cell(family, names, values, n, replicates)
    some = np.arange(0, replicates, 50)
    direct = moments_at(cell.scenario, cell.theta[:, some].T).bias.T / n
    error = (cell.error - other_errors(cell)["cox-snell"](cell))[:, some] - direct
    standard = error * np.sqrt(n * cell.expected[[0, -1] if len(names) == 2 else [0]][:, some])
    # A hundredth of the Monte Carlo error of a bias, R^-½ in these units.
    assert np.sqrt(np.mean(standard**2)) < 0.01 / np.sqrt(replicates)


def test_the_corrected_estimator_is_nearly_unbiased():
    cell = simulated_cell("gamma", ("shape", "rate"), (2.0, 1.0), 20, 20_000)
    bias, mse = performance.bias(cell), performance.mse(cell)
    assert (np.abs(bias["cox-snell"].value) <= 4.0 * bias["cox-snell"].mcse + 40.0 / 20**2).all()
    assert (bias["raw"].value > 10.0 * bias["raw"].mcse).all()
    assert (mse["cox-snell"].value < 0.8 * mse["raw"].value).all()


def test_without_theory_there_is_no_correction():
    cell = simulated_cell("laplace", ("loc", "scale"), (0.0, 1.0), 11, 300)
    assert "cox-snell" not in other_errors(cell)
    assert "cox-snell" not in performance.bias(cell)
    assert np.isnan(higher_order.bias_limit(cell)).all()
    assert not higher_order.has_third(cell)
    wrong = simulated_cell("exponential", ("rate",), (1.0,), 30, 300, fit="normal")
    assert "cox-snell" not in other_errors(wrong)
    assert np.isnan(higher_order.bias_limit(wrong)).all()


def test_third_identity_of_the_exponential_by_hand(simulated):
    """J₀ = λ⁻² is constant and κ₁₁₁ = 2λ⁻³, so that the estimate is n² times the third moment of s̄, plus that."""
    cell = simulated["exponential"](5, 400, 20, rate=2.0).cell
    (found,) = higher_order.third_bartlett(cell).values()
    s = cell.all_scores[0] - cell.all_scores[0].mean()
    cumulant = (s**3).mean() * 400**2 / (399 * 398)
    assert_allclose(found.value, 20**2 * cumulant + 2.0 / 2.0**3, rtol=1e-12)


def test_third_identity_holds_and_its_error_is_calibrated(simulated):
    """Over repeated studies z has mean 0 and sd 1, but for the fourth moments that MCSE is made of."""
    studies, z = 200, []
    for seed in range(studies):
        found = higher_order.third_bartlett(simulated["normal"](seed, 2_000, 5).cell)
        assert list(found) == ["mean", "sd"]
        z.append([found["mean"].value / found["mean"].mcse, found["sd"].value / found["sd"].mcse])
    z = np.array(z)
    assert_allclose(z[:, 0, 1:], z[:, 1, :2], rtol=1e-12)
    assert (np.abs(z.mean(axis=0)) <= 4.0 / np.sqrt(studies) + 0.1).all()
    assert (np.abs(z.std(axis=0) - 1.0) <= 4.0 / np.sqrt(2 * studies) + 0.1).all()


def test_third_identity_fails_where_the_truth_is_another(simulated):
    record = simulated["exponential"](6, 20_000, 5, rate=2.0)
    other = dataclasses.replace(record.scenario, values=(1.0,))
    (found,) = higher_order.third_bartlett(dataclasses.replace(record.cell, scenario=other)).values()
    assert abs(found.value[0] - (2.0 - 2.0 / 8.0)) <= 4.0 * found.mcse[0]
