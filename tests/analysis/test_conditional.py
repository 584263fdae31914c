"""Efron & Hinkley (1978): deciles of the observed information."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from simstudy.analysis import arrangement as cells
from simstudy.analysis import conditional
from simstudy.analysis.measures import MEASURES
from simstudy.running.block import simulate
from simstudy.study.limits import expected_information, limits
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

N, REPLICATES = 20, 10_000
CAUCHY = Scenario("s", "cauchy", ("loc", "scale"), (0.0, 1.0), "cauchy", ("scale",), N, REPLICATES, 0.95)


@pytest.fixture(scope="module")
def cauchy():
    """The cell of a Cauchy location with known scale, as the package simulates it."""
    replicates = simulate(CAUCHY, 91, 0, REPLICATES // block_size(N)).head(REPLICATES)
    estimates = replicates.theta[cells.converged_rows(replicates)]
    return cells.build(replicates, limits(CAUCHY), N, 0.95, expected_information(CAUCHY, estimates))


def cauchy_by_hand(seed):
    """Return estimates and second derivatives (R,) of the log-likelihood: the best point of a grid, then Newton."""
    x = np.random.default_rng(seed).standard_cauchy((REPLICATES, N))
    grid = np.linspace(-4.0, 4.0, 81)
    heights = np.stack([stats.cauchy.logpdf(x, at).sum(axis=1) for at in grid])
    theta = grid[heights.argmax(axis=0)]

    def derivatives(theta):
        d = x - theta[:, None]
        return (2 * d / (1 + d**2)).sum(axis=1), (2 * (d**2 - 1) / (1 + d**2) ** 2).sum(axis=1)

    for _ in range(12):
        slope, bend = derivatives(theta)
        theta = theta + np.clip(-slope / np.minimum(bend, -1.0), -0.05, 0.05)
    slope, bend = derivatives(theta)
    assert np.abs(slope).max() < 1e-6
    return theta, -bend


def test_cauchy_against_an_independent_implementation(cauchy):
    theta, information = cauchy_by_hand(92)
    order = np.argsort(1.0 / information)
    groups = np.array_split(order, 10)
    z = stats.norm.ppf(0.975)
    by_hand = {
        "conditional_mse": [theta[g] ** 2 for g in groups],
        "conditional_variance": [1.0 / information[g] for g in groups],
        "conditional_coverage": [
            *(np.abs(theta[g]) <= z / np.sqrt(information[g]) for g in groups),
            *(np.abs(theta[g]) <= z / np.sqrt(N / 2) for g in groups),
        ],
    }
    for name, expected in by_hand.items():
        found = MEASURES[name].estimates(cauchy)
        assert len(found) == len(expected)
        for estimate, group in zip(found.values(), expected, strict=True):
            # both have the same number of replicates, and so the same error
            assert abs(estimate.value[0] - group.mean()) <= 4.0 * np.sqrt(2.0) * estimate.mcse[0], name


def test_squared_error_follows_the_observed_information(cauchy):
    """From about 0.06 to 0.23 while 1/(nI) is 0.1 for all."""
    assert conditional.applies(cauchy)
    error = [e.value[0] for e in conditional.mse(cauchy).values()]
    mcse = [e.mcse[0] for e in conditional.mse(cauchy).values()]
    claimed = [e.value[0] for e in conditional.variance(cauchy).values()]
    assert_allclose(conditional.unconditional_variance(cauchy), 0.1)
    assert_allclose([error[0], error[-1]], [0.0648, 0.2280], atol=4.0 * max(mcse))
    # 1/(nJ) is the variance to first order; at n = 20 it falls short by some tenth, and 1/(nI) errs by half and twice
    assert_allclose(np.array(error) / claimed, 1.1, atol=0.1 + 4.0 * max(np.array(mcse) / claimed))
    assert error[0] / 0.1 < 0.7
    assert error[-1] / 0.1 > 2.0


def test_intervals_by_the_observed_information_hold_in_every_decile(cauchy):
    found = {name: (e.value[0], e.mcse[0]) for name, e in conditional.coverage(cauchy).items()}
    low, high = found["wald-expected-decile-01"], found["wald-expected-decile-10"]
    assert low[0] - 4.0 * low[1] > 0.95 > high[0] + 4.0 * high[1] + 0.05
    for k in range(1, 11):
        value, mcse = found[f"wald-observed-decile-{k:02d}"]
        assert abs(value - 0.95) <= 4.0 * mcse + 0.5 / N


def test_exponential_by_quadrature(simulated):
    """λ̂ = n/G sorts v = λ̂²/n: deciles of G ~ gamma(n)."""
    n, rate = 10, 2.0
    cell = simulated["exponential"](93, 100_000, n, rate).cell
    ends = stats.gamma.ppf(np.linspace(1.0, 0.0, 11), n)
    z = stats.norm.ppf(0.975) / np.sqrt(n)

    def mean(h, k):
        # over shares u of the decile, in which the density is 1
        u = stats.gamma.cdf([ends[k + 1], ends[k]], n)
        return 10.0 * integrate.quad(lambda u: h(stats.gamma.ppf(u, n)), *u, limit=200)[0]

    kinds = {"mse": lambda g: (n * rate / g - rate) ** 2, "variance": lambda g: (n * rate / g) ** 2 / n}
    for kind, h in kinds.items():
        found = getattr(conditional, kind)(cell)
        for k, estimate in enumerate(found.values()):
            assert abs(estimate.value[0] - mean(h, k)) <= 4.0 * estimate.mcse[0], (kind, k)
    found = list(conditional.coverage(cell).values())
    for k in range(10):
        inside = np.clip([ends[k + 1], ends[k]], n * (1.0 - z), n * (1.0 + z))
        exact = 10.0 * np.diff(stats.gamma.cdf(inside, n))[0]
        assert abs(found[k].value[0] - exact) <= 4.0 * found[k].mcse[0]


def test_the_level_is_the_limit_where_the_information_does_not_depend_on_the_estimate(simulated, cauchy):
    assert_allclose(conditional.nominal(cauchy), [0.95])
    assert np.isnan(conditional.nominal(simulated["exponential"](94, 600, 20).cell)).all()
    # sd̂²/n, of a normal mean, varies with the sd; sd̂²/(2n) too
    assert np.isnan(conditional.nominal(simulated["normal"](94, 600, 20).cell)).all()


def test_applies_where_it_means_something(simulated, cauchy):
    record = simulated["exponential"](94, 600, 20)
    cell = record.cell
    assert conditional.applies(cell)
    assert not conditional.applies(simulated["exponential"](94, 499, 20).cell)
    for change in ({"right": False}, {"irregularity": "a jump"}):
        other = dataclasses.replace(cell, limits=dataclasses.replace(cell.limits, **change))
        assert not conditional.applies(other)
    constant = dataclasses.replace(cell, information=np.full((1, 600), 0.25))
    assert not conditional.applies(constant)
