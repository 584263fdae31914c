"""Means within deciles: a plain route, and their MCSE against repeated studies."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis import deciles
from simstudy.analysis.streaming import run
from tests.analysis.rows import Table


def grouped(error, observed, expected, quantile, pieces=1):
    """Return the means within deciles of the observed variances of plain arrays (p, m)."""

    def columns(part):
        return part.error, part.observed, part.expected

    table = Table(pieces, error=error, observed=observed, expected=expected)
    return run(table, deciles.grouped(columns, len(error), quantile))


def draw(rng, replicates):
    """Variances v (1, m), and errors that are normal of variance v given v."""
    variance = rng.gamma(3.0, 1.0, (1, replicates))
    return np.sqrt(variance) * rng.standard_normal((1, replicates)), variance


@pytest.mark.parametrize("pieces", [1, 9])
def test_by_plain_sorting_and_slicing(pieces):
    error, variance = draw(np.random.default_rng(81), 1003)
    found = grouped(error, variance, np.full_like(variance, 2.0), 1.5, pieces)
    ranked = sorted(zip(variance[0], error[0], strict=True))
    for k, group in enumerate(np.split(ranked, [1003 * k // 10 for k in range(1, 10)])):
        v, e = group.T
        assert len(group) in (100, 101)
        assert found["mse"].value[0, k] == pytest.approx(np.mean(e**2))
        assert found["variance"].value[0, k] == pytest.approx(v.mean())
        assert found["wald-observed"].value[0, k] == pytest.approx(np.mean(np.abs(e) <= 1.5 * np.sqrt(v)))
        assert found["wald-expected"].value[0, k] == pytest.approx(np.mean(np.abs(e) <= 1.5 * np.sqrt(2.0)))
        assert found["mse"].mcse[0, k] >= np.std(e**2) / np.sqrt(len(e))


def test_mcse_is_the_monte_carlo_sd():
    """The ends of a group move with the sample: of v itself that is most of the error of the middle groups."""
    repeats, replicates, rng = 400, 2000, np.random.default_rng(82)
    found = []
    for _ in range(repeats):
        error, variance = draw(rng, replicates)
        found.append(grouped(error, variance, np.full_like(variance, 3.0), 1.0))
    for name in found[0]:
        value, mcse = (np.array([getattr(f[name], part)[0] for f in found]) for part in ("value", "mcse"))
        ratio = np.sqrt(np.mean(mcse**2, axis=0)) / value.std(axis=0, ddof=1)
        # the means at the ends of a group have a bias and noise of their own
        assert_allclose(ratio, 1.0, atol=0.05 + 4.0 / np.sqrt(2.0 * repeats), err_msg=name)
    within = [np.sort(draw(rng, replicates)[1][0])[1000:1200].std() / np.sqrt(200) for _ in range(20)]
    spread = np.std([f["variance"].value[0, 5] for f in found])
    assert np.mean(within) < 0.3 * spread


def test_a_variance_that_does_not_vary_cuts_nothing():
    error, variance = draw(np.random.default_rng(83), 1000)
    constant = 0.3 * (1.0 + 1e-14 * np.arange(1000.0))[None]
    found = grouped(np.concatenate([error, error]), np.concatenate([constant, variance]), variance[[0, 0]], 2.0)
    for estimate in found.values():
        assert np.isnan(estimate.value[0]).all()
        assert np.isfinite(estimate.value[1]).all()


def test_too_few_to_a_group_or_no_number_leaves_nothing():
    error, variance = draw(np.random.default_rng(84), 499)
    assert np.isnan(grouped(error, variance, variance, 2.0)["mse"].value).all()
    error, variance = draw(np.random.default_rng(84), 600)
    variance[0, 5] = np.nan
    assert np.isnan(grouped(error, variance, variance, 2.0)["variance"].value).all()


@pytest.mark.parametrize("pieces", [1, 9])
def test_ties_fall_in_the_order_of_the_replicates(pieces):
    rng = np.random.default_rng(85)
    error, variance = rng.standard_normal((1, 1000)), np.repeat([1.0, 2.0], 500)[None]
    found = grouped(error, variance, variance, 2.0, pieces)["mse"].value[0]
    assert_allclose(found, np.square(error).reshape(10, 100).mean(axis=1))
