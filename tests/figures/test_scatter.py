"""Standard errors against estimates."""

import numpy as np

from simstudy.figures import FIGURES, render
from simstudy.figures.scatter import Pairs, pairs
from tests.figures.made import made

SCATTER = FIGURES["scatter"]


def skewed(rng, replicates: int) -> Pairs:
    theta = rng.standard_exponential(replicates)
    return Pairs(10, theta, theta + rng.standard_exponential(replicates), np.nan)


def test_correlation_and_its_error():
    rng = np.random.default_rng(5)
    found = np.array([skewed(rng, 2000).correlation for _ in range(400)])
    r, mcse = found.T
    # r of θ and θ + e with equal variances is 1/√2; the sd of 400 estimates is known to 1/√800.
    np.testing.assert_allclose(r.mean(), np.sqrt(0.5), atol=4 * r.std() / 20 + 2 / 2000)
    np.testing.assert_allclose(mcse.mean(), r.std(), rtol=4 / np.sqrt(800))


def test_pairs_are_those_of_the_replicates():
    results = made(2, (10, 40))
    results.tables[40].loc[3, "status"] = "BOUNDARY"
    found = pairs(results.summary, "made", results.replicates)
    assert list(found) == ["shape", "scale"]
    last = found["scale"][-1]
    table = results.tables[40].drop(index=3)
    np.testing.assert_array_equal(last.theta, table["theta[scale]"])
    np.testing.assert_allclose(last.scaled, np.sqrt(40) * table["se[scale]"])


def test_a_constant_standard_error_has_no_correlation():
    results = made(1, (10,))
    results.tables[10]["se[shape]"] = 0.3
    render(SCATTER.draw(results.summary, "made", results.replicates))
    text = SCATTER.caption(results.summary, "made", results.replicates)
    assert "does not vary" in text


def test_results_without_standard_errors_say_so():
    results = made(1, (10,))
    table = results.tables[10].drop(columns="se[shape]")
    svg = render(SCATTER.draw(results.summary, "made", lambda *_: table))
    assert b"no usable replicate" in svg
