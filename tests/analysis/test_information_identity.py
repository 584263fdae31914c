"""The second Bartlett identity, where it holds and where it does not."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis import arrangement as cells
from simstudy.analysis.information_identity import limit, second_bartlett
from simstudy.running.block import simulate
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

N = 30
RIGHT = Scenario("s", "gamma", ("shape", "scale"), (2.0, 1.5), "gamma", (), N, 20_000, 0.95)
WRONG = Scenario("s", "gamma", ("shape", "scale"), (2.0, 1.5), "normal", (), N, 20_000, 0.95, ("mean", "sd"))
IRREGULAR = Scenario("s", "laplace", ("loc", "scale"), (1.0, 1.5), "laplace", (), N, 20_000, 0.95)


def cell_of(scenario):
    blocks = -(-scenario.replicates // block_size(scenario.n))
    replicates = simulate(scenario, 71, 0, blocks - 1).head(scenario.replicates)
    size = len(scenario.free)
    expected = np.ones((int(cells.converged_rows(replicates).sum()), size, size))
    return cells.build(replicates, limits(scenario), scenario.n, 0.95, expected)


@pytest.mark.parametrize("scenario", [RIGHT, WRONG, IRREGULAR], ids=["right", "wrong", "irregular"])
def test_mean_is_the_limit_at_every_n(scenario):
    cell = cell_of(scenario)
    found = second_bartlett(cell)["raw"]
    assert (np.abs(found.value - limit(cell)) <= 4.0 * found.mcse + 1e-12).all()
    assert (found.mcse > 0.0).any()


def test_limit_is_zero_where_the_model_is_right_alone():
    assert_allclose(limit(cell_of(RIGHT)), 0.0, atol=0.0)
    wrong = limit(cell_of(WRONG))
    # Of gamma data with variance v and third and fourth central moments μ₃, μ₄ by the normal score (z, z² − 1)/σ:
    # E s² = 1/v, E s₁s₂ = skew/v, E s₂² = (kurtosis − 1)/v, against A = diag(1, 2)/v
    variance, skew, kurtosis = 2.0 * 1.5**2, 2.0 / np.sqrt(2.0), 3.0 + 6.0 / 2.0
    assert_allclose(wrong, np.array([0.0, skew, kurtosis - 3.0]) / variance, rtol=1e-6, atol=1e-9)


def test_uniform_has_scores_whose_mean_is_not_zero():
    """E[s]E[s]ᵀ counts: for the end of a uniform law E s² = 1/θ² while Cov(s) = 0 and −E ∂²ℓ = −1/θ²."""
    scenario = Scenario("s", "uniform", ("upper",), (2.0,), "uniform", (), N, 200, 0.95)
    cell = cell_of(scenario)
    assert_allclose(limit(cell), 0.5, rtol=1e-12)
    assert_allclose(second_bartlett(cell)["raw"].value, 0.5, rtol=1e-9)


def test_replicates_that_are_not_finite_at_the_limit_do_not_count(simulated):
    cell = simulated["normal"](72, 100, 10).cell
    rng = np.random.default_rng(73)
    products = rng.standard_normal((100, 3))
    products[7, 1] = np.nan
    found = second_bartlett(dataclasses.replace(cell, all_products=products.T))["raw"]
    kept = np.arange(100) != 7
    assert_allclose(found.value, (products.T - cell.all_information)[:, kept].mean(axis=1))
    none = dataclasses.replace(cell, all_products=np.full((3, 100), np.nan))
    assert np.isnan(second_bartlett(none)["raw"].value).all()
