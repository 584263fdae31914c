"""Coverage through the whole line against exact values, summed over the sufficient statistic, within 4 MCSE.

All are conditional on a fit that converged, as the measure is: on at least one event for counts, and on at least one
success and one failure for proportions.
"""

import math
from statistics import NormalDist

import numpy as np
import pytest
from scipy import optimize, special, stats

from simstudy.analysis.summary import summarise
from simstudy.inference.intervals import METHODS
from simstudy.running.block import simulate
from simstudy.study.config import from_dict
from simstudy.study.limits import limits
from simstudy.study.streams import block_size

SEED, REPLICATES = 20250307, 20_000
Z = NormalDist().inv_cdf(0.975)


def coverages(n, **scenario):
    """Return the rows of coverage of one cell of one parameter, by method."""
    config = {"study": "s", "seed": SEED, "replicates": REPLICATES, "sample_sizes": [n], "scenarios": [scenario]}
    (cell,) = from_dict(config | {"intervals": list(METHODS)}).scenarios
    record = simulate(cell, SEED, 0, -(-REPLICATES // block_size(n)) - 1)
    frame = summarise("s", [(cell, record, limits(cell))])
    return frame[(frame["measure"] == "coverage") & (frame["row"] != "")].set_index("estimator")


def assert_coverages(found, exact):
    assert list(found.index) == list(METHODS)
    for method, value in exact.items():
        row = found.loc[method]
        assert row["limit"] == 0.95
        assert abs(row["value"] - value) < 4.0 * row["mcse"], (method, value, row["value"])


def summed(weights, hits):
    return float((weights * hits).sum() / weights.sum())


@pytest.mark.parametrize("n", [5, 20, 80])
def test_poisson(n):
    mean = 0.8
    total = np.arange(1, 400)
    weights, found = stats.poisson.pmf(total, n * mean), total / n
    deviance = 2 * n * (mean - found + found * np.log(found / mean))
    hits = {
        "wald-observed": np.abs(found - mean) <= Z * np.sqrt(found / n),
        "wald-expected": np.abs(found - mean) <= Z * np.sqrt(found / n),
        "wald-log": np.abs(np.log(found / mean)) <= Z / np.sqrt(total),
        "score": n * (found - mean) ** 2 / mean <= Z**2,
        "likelihood-ratio": deviance <= Z**2,
    }
    found = coverages(n, family="poisson", parameters={"mean": mean})
    assert_coverages(found, {method: summed(weights, hit) for method, hit in hits.items()})


@pytest.mark.parametrize("n", [10, 40, 150])
def test_binomial(n):
    share = 0.2
    total = np.arange(1, n)
    weights, found = stats.binom.pmf(total, n, share), total / n
    spread = found * (1 - found) / n
    deviance = 2 * n * (special.rel_entr(found, share) + special.rel_entr(1 - found, 1 - share))
    turned = np.abs(special.logit(found) - special.logit(share))
    hits = {
        "wald-observed": np.abs(found - share) <= Z * np.sqrt(spread),
        "wald-expected": np.abs(found - share) <= Z * np.sqrt(spread),
        # Of zeros and ones (xᵢ − p̂)² has the mean p̂(1 − p̂), so K = J.
        "wald-sandwich": np.abs(found - share) <= Z * np.sqrt(spread),
        "wald-opg": np.abs(found - share) <= Z * np.sqrt(spread),
        "wald-log": turned <= Z / np.sqrt(n * found * (1 - found)),
        "score": n * (found - share) ** 2 / (share * (1 - share)) <= Z**2,
        "likelihood-ratio": deviance <= Z**2,
    }
    found = coverages(n, family="bernoulli", parameters={"prob": share})
    assert_coverages(found, {method: summed(weights, hit) for method, hit in hits.items()})


@pytest.mark.parametrize("n", [3, 10, 100])
def test_exponential(n):
    """λx̄ is gamma(n)/n, and every interval is a range of it."""

    def deviance(ratio):
        return 2 * n * (ratio - 1 - math.log(ratio)) - Z**2

    half, ends = Z / math.sqrt(n), [optimize.brentq(deviance, *span) for span in ((1e-9, 1), (1, 50))]
    ranges = {
        # 1/x̄·(1 ∓ z/√n) holds λ
        "wald-observed": (max(1 - half, 0.0), 1 + half),
        "wald-expected": (max(1 - half, 0.0), 1 + half),
        "wald-log": (math.exp(-half), math.exp(half)),
        "score": (max(1 - half, 0.0), 1 + half),
        "likelihood-ratio": tuple(ends),
    }
    law = stats.gamma(n, scale=1.0 / n)
    found = coverages(n, family="exponential", parameters={"rate": 2.0})
    assert_coverages(found, {method: law.cdf(high) - law.cdf(low) for method, (low, high) in ranges.items()})


def test_normal_mean_of_known_sd():
    """Every interval that rests on the likelihood alone is x̄ ∓ zσ/√n: exact at any n, and the same in every row."""
    found = coverages(7, family="normal", parameters={"mean": 1.0, "sd": 2.0}, known=["sd"])
    same = ["wald-observed", "wald-expected", "wald-log", "score", "likelihood-ratio"]
    assert_coverages(found, dict.fromkeys(same, 0.95))
    assert found.loc[same, "value"].nunique() == 1
