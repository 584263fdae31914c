"""Mahalanobis quantiles and joint coverage against exact probabilities."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats

from simstudy.analysis import regions
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario

LEVEL = 0.95


def with_likelihood(record, ratio):
    """Return the cell of a record whose likelihood ratio statistic 2(ℓ(θ̂) − ℓ(θ*)) is given."""
    value = -17.0 + 0.5 * ratio
    replicates = dataclasses.replace(record.replicates, value=value, value_limit=np.full_like(value, -17.0))
    return dataclasses.replace(record, replicates=replicates).cell


def exponential_cell(simulated, n, replicates=100_000):
    record = simulated["exponential"](31, replicates, n, 2.0)
    share = record.replicates.theta[:, 0] / 2.0
    return with_likelihood(record, 2.0 * n * (np.log(share) - 1.0 + 1.0 / share))


def normal_cell(simulated, n, replicates=100_000):
    record = simulated["normal"](32, replicates, n, 1.0, 2.0)
    error, sd = record.replicates.theta[:, 0] - 1.0, record.replicates.theta[:, 1]
    share = (sd / 2.0) ** 2
    return with_likelihood(record, n * (-np.log(share) - 1.0 + share + (error / 2.0) ** 2))


def exact_exponential(n):
    """With g = G/n of G ~ gamma(n), λ̂ = λ/g: Wald and score are n(1 − g)², LR is 2n(g − 1 − log g)."""
    bound = stats.chi2.ppf(LEVEL, 1)

    def excess(g):
        return 2.0 * n * (g - 1.0 - np.log(g)) - bound

    ends = [optimize.brentq(excess, 1e-9, 1.0), optimize.brentq(excess, 1.0, 20.0)]
    wald = [1.0 - np.sqrt(bound / n), 1.0 + np.sqrt(bound / n)]
    shares = {"wald": wald, "score": wald, "likelihood-ratio": ends}
    return {name: np.diff(stats.gamma.cdf(n * np.array(at), n))[0] for name, at in shares.items()}


def exact_normal(n):
    """By quadrature over c = C/n, C ~ χ² with n − 1 degrees, of P(U² ≤ …) for U = √n(x̄ − μ)/σ."""
    bound = stats.chi2.ppf(LEVEL, 2)
    # midpoints of equal steps of C; the integrand is continuous, with kinks, so that the error is of order step²
    edges = np.linspace(0.0, stats.chi2.isf(1e-12, n - 1), 400_001)
    middle, weights = 0.5 * (edges[1:] + edges[:-1]), np.diff(stats.chi2.cdf(edges, n - 1))
    c = middle / n
    # the score statistic t + n/2·(c − 1 + t/n)² in t = U² is a parabola, increasing for t > 0 where c > 0
    half = n * c
    room = {
        "wald": c * (bound - 2.0 * n * (1.0 - 1.0 / np.sqrt(c)) ** 2),
        "score": -half + np.sqrt(np.maximum(half**2 - (n * (c - 1.0)) ** 2 + 2.0 * n * bound, 0.0)),
        "likelihood-ratio": bound - n * (c - 1.0 - np.log(c)),
    }
    return {name: weights @ stats.chi2.cdf(np.maximum(t, 0.0), 1) for name, t in room.items()}


@pytest.mark.parametrize("n", [5, 20, 200])
@pytest.mark.parametrize(
    ("make", "exact"), [(exponential_cell, exact_exponential), (normal_cell, exact_normal)], ids=["one", "two"]
)
def test_joint_coverage_is_the_exact_one(simulated, make, exact, n):
    found, truth = regions.joint_coverage(make(simulated, n)), exact(n)
    assert list(found) == list(truth)
    for name, estimate in found.items():
        assert abs(estimate.value[0] - truth[name]) <= 4.0 * estimate.mcse[0], name
    if n == 5:
        # too far from the level for an estimate of the level to pass
        assert max(abs(truth[name] - LEVEL) / found[name].mcse[0] for name in truth) > 8.0


def test_the_exact_coverages_of_the_normal_by_simulation_of_data():
    """Another route: data, and the three statistics by their definitions."""
    n, replicates = 5, 200_000
    x = np.random.default_rng(33).standard_normal((replicates, n))
    mean, sd = x.mean(axis=-1), x.std(axis=-1)
    score = np.stack([x.sum(axis=-1), np.square(x).sum(axis=-1) - n])
    statistics = {
        "wald": n * (mean**2 + 2.0 * (sd - 1.0) ** 2) / sd**2,
        "score": (score[0] ** 2 + score[1] ** 2 / 2.0) / n,
        "likelihood-ratio": 2.0
        * (stats.norm.logpdf(x, mean[:, None], sd[:, None]) - stats.norm.logpdf(x)).sum(axis=-1),
    }
    for name, exact in exact_normal(n).items():
        share = (statistics[name] <= stats.chi2.ppf(LEVEL, 2)).mean()
        assert abs(share - exact) <= 4.0 * np.sqrt(exact * (1.0 - exact) / replicates), name


def test_mahalanobis_quantiles_are_the_exact_ones(simulated):
    """n(λ̂/λ − 1)² ≤ x where n/G lies within 1 ± √(x/n), G ~ gamma(n)."""
    n = 20
    found = regions.mahalanobis(exponential_cell(simulated, n))
    for name, level in regions.LEVELS.items():

        def share(x, level=level):
            root = np.sqrt(x / n)
            low = stats.gamma.cdf(n / (1.0 + root), n)
            high = stats.gamma.cdf(n / (1.0 - root), n) if root < 1.0 else 1.0
            return high - low - level

        exact = optimize.brentq(share, 1e-9, 1e3)
        assert abs(found[name].value[0] - exact) <= 4.0 * found[name].mcse[0]


def test_mahalanobis_tends_to_chi_squared(simulated):
    cell = normal_cell(simulated, 1_000_000)
    bounds = regions.mahalanobis_limits(cell)
    assert_allclose(list(bounds.values()), stats.chi2.ppf([0.5, 0.9, 0.95, 0.99], 2), rtol=1e-12)
    for name, estimate in regions.mahalanobis(cell).items():
        assert abs(estimate.value[0] - bounds[name]) <= 4.0 * estimate.mcse[0]


def test_mahalanobis_mcse_is_the_monte_carlo_sd(simulated):
    repeats, found = 400, {}
    for seed in range(repeats):
        cell = simulated["normal"]([34, seed], 2000, 20).cell
        for name, estimate in regions.mahalanobis(cell).items():
            found.setdefault(name, []).append((estimate.value[0], estimate.mcse[0]))
    for name in ("50%", "90%", "95%"):
        value, mcse = np.array(found[name]).T
        ratio = np.sqrt(np.mean(mcse**2)) / value.std(ddof=1)
        assert_allclose(ratio, 1.0, atol=0.1 + 4.0 / np.sqrt(2.0 * repeats), err_msg=name)


def test_failed_replicates_do_not_count(simulated):
    n = 20
    record = simulated["exponential"](35, 2000, n, 2.0, fails=lambda mean: mean > 0.5)
    share = record.replicates.theta[:, 0] / 2.0
    found = regions.joint_coverage(with_likelihood(record, 2.0 * n * (np.log(share) - 1.0 + 1.0 / share)))
    kept = np.isfinite(share)
    assert 0.3 < kept.mean() < 0.7
    hits = n * (1.0 - 1.0 / share[kept]) ** 2 <= stats.chi2.ppf(LEVEL, 1)
    assert_allclose([found["wald"].value[0], found["score"].value[0]], hits.mean())


def test_a_statistic_that_is_not_a_number_leaves_no_coverage(simulated):
    record = simulated["exponential"](36, 200, 20)
    information = record.replicates.information.copy()
    information[3] = -1.0
    broken = dataclasses.replace(record.replicates, information=information)
    with np.errstate(all="ignore"):
        found = regions.joint_coverage(dataclasses.replace(record, replicates=broken).cell)
    assert np.isnan(found["wald"].value[0])
    assert np.isfinite(found["score"].value[0])


@pytest.mark.parametrize(
    ("scenario", "level"),
    [
        (Scenario("s", "normal", ("mean", "sd"), (0.0, 1.0), "normal", (), 10, 9, 0.9), 0.9),
        (Scenario("s", "laplace", ("loc", "scale"), (0.0, 1.0), "laplace", (), 10, 9, 0.9), np.nan),
        (Scenario("s", "gamma", ("shape", "scale"), (2.0, 1.0), "normal", (), 10, 9, 0.9, ("mean", "sd")), np.nan),
    ],
    ids=["right", "irregular", "wrong"],
)
def test_the_level_is_the_limit_where_the_model_is_right_and_regular(simulated, scenario, level):
    cell = simulated["normal"](37, 100, 10).cell
    cell = dataclasses.replace(cell, level=0.9, limits=limits(scenario))
    assert_allclose(regions.nominal(cell), level)
    assert regions.has_point(cell)
