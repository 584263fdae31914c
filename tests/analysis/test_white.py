"""White's information matrix test against what it is in closed form."""

import numpy as np
import pytest
from scipy import stats

from simstudy.analysis import white
from simstudy.analysis.interpolation import FEW
from simstudy.running.block import draw
from simstudy.study.streams import block_size
from tests.analysis.test_higher_order import simulated_cell


def data(cell, replicates):
    n = cell.n
    x = np.concatenate([draw(cell.scenario, 1, b) for b in range(-(-replicates // block_size(n)))])
    return x[:replicates]


def jarque_bera(x):
    """White (1982, example 3.2): for the normal the test is n(b₁/6 + (b₂ − 3)²/24)."""
    d = x - x.mean(axis=1, keepdims=True)
    second, third, fourth = (np.mean(d**k, axis=1) for k in (2, 3, 4))
    n = x.shape[1]
    return n * (third**2 / second**3 / 6.0 + (fourth / second**2 - 3.0) ** 2 / 24.0)


@pytest.mark.parametrize("replicates", [FEW, 3_000])
@pytest.mark.parametrize(("family", "names", "values"), [
    ("normal", ("mean", "sd"), (3.0, 2.0)), ("logistic", ("loc", "scale"), (0.0, 2.0)),
])  # fmt: skip
def test_for_the_normal_it_is_that_of_jarque_and_bera(family, names, values, replicates):
    cell = simulated_cell(family, names, values, 30, replicates, fit=None if family == "normal" else "normal")
    found = white.information_matrix_test(cell)["raw"]
    beyond = jarque_bera(data(cell, replicates)) > stats.chi2.ppf(0.95, 2)
    assert found.value[0] == pytest.approx(beyond.mean(), abs=1e-12)
    assert 0.0 < found.value[0] < 1.0
    limit = white.test_limit(cell)
    assert limit == pytest.approx(0.05) if family == "normal" else np.isnan(limit)


@pytest.mark.parametrize("rate", [1e-6, 2.0])
def test_for_the_exponential_it_compares_the_variance_with_the_squared_mean(rate):
    """With z = x/x̄: d = mean z² − 2 and V = 4."""
    cell = simulated_cell("exponential", ("rate",), (rate,), 25, 3_000)
    x = data(cell, 3_000)
    ratio = np.mean(x**2, axis=1) / x.mean(axis=1) ** 2
    beyond = 25 * (ratio - 2.0) ** 2 / 4.0 > stats.chi2.ppf(0.95, 1)
    assert white.information_matrix_test(cell)["raw"].value[0] == pytest.approx(beyond.mean(), abs=1e-12)


@pytest.mark.parametrize(("family", "names", "values"), [
    ("gamma", ("shape", "rate"), (2.0, 1.0)),
    ("weibull", ("shape", "scale"), (2.0, 1.0)),
    ("poisson", ("mean",), (3.0,)),
    ("bivariate_normal", ("mean1", "mean2", "sd1", "sd2", "correlation"), (0.0, 0.0, 1.0, 2.0, 0.5)),
])  # fmt: skip
def test_it_keeps_its_level_in_large_samples(family, names, values):
    """The statistic is χ² but for terms of order n⁻¹, which move its tail by a few percent of its probability."""
    n = 1_000
    cell = simulated_cell(family, names, values, n, 3_000)
    assert white.has_test(cell)
    found = white.information_matrix_test(cell)["raw"]
    assert abs(found.value[0] - 0.05) <= 4.0 * found.mcse[0] + 10.0 / n


def test_there_is_none_where_nothing_is_left_to_test():
    assert not white.has_test(simulated_cell("bernoulli", ("prob",), (0.3,), 20, 50))
    assert not white.has_test(simulated_cell("laplace", ("loc", "scale"), (0.0, 1.0), 11, 50))
