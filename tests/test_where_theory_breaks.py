"""Studies of wrong models and irregular families through the whole line, against exact truths within 4 MCSE."""

import math

import numpy as np
import pytest
from scipy import special, stats

from simstudy.analysis.summary import summarise
from simstudy.report.theory import notes
from simstudy.running.block import simulate
from simstudy.study.config import from_dict
from simstudy.study.limits import limits
from simstudy.study.streams import block_size

SEED, REPLICATES = 20241125, 20_000


def table(n, replicates=REPLICATES, **scenario):
    """Return the summary of one cell by measure, estimator and row, and the cell."""
    config = {"study": "s", "seed": SEED, "replicates": replicates, "sample_sizes": [n], "scenarios": [scenario]}
    (cell,) = from_dict(config).scenarios
    record = simulate(cell, SEED, 0, -(-replicates // block_size(n)) - 1)
    frame = summarise("s", [(cell, record, limits(cell))])
    return frame.set_index(["measure", "estimator", "row", "column"]), cell


def assert_within(row, expected, times=4.0):
    assert abs(row["value"] - expected) < times * row["mcse"] + 1e-12 * abs(expected)


@pytest.mark.parametrize("n", [5, 40])
def test_the_largest_of_uniforms(n):
    """θ̂ = max x has mean nθ/(n+1) and variance nθ²/((n+1)²(n+2)); the two definitions of I(θ) differ in sign."""
    found, cell = table(n, family="uniform", parameters={"upper": 2.0})
    variance = n * 4.0 / ((n + 1) ** 2 * (n + 2))
    assert_within(found.loc["bias", "raw", "upper", ""], -2.0 / (n + 1))
    assert_within(found.loc["rate_covariance", "raw", "upper", "upper"], n**2 * variance)
    assert found.loc["rate_covariance", "raw", "upper", "upper"]["limit"] == pytest.approx(4.0)
    assert found.loc["scaled_covariance", "raw", "upper", "upper"]["limit"] == 0.0
    assert found.loc["mean_observed_information", "raw", "upper", "upper"]["limit"] == pytest.approx(-0.25)
    assert limits(cell).information[0, 0] == pytest.approx(0.25)
    assert found.loc["mean_score", "raw", "upper", ""][["value", "limit"]].tolist() == [-0.5, -0.5]
    assert any("order 1/n" in note for note in notes(cell))


def test_both_ends_of_a_uniform():
    """Each end has the variance of the largest, and they are uncorrelated in the limit: −1 over n² times as much."""
    n = 20
    found, _ = table(n, family="uniform", parameters={"lower": -1.0, "upper": 3.0})
    unit = 16.0 / ((n + 1) ** 2 * (n + 2))
    for end in ("lower", "upper"):
        assert_within(found.loc["rate_covariance", "raw", end, end], n**2 * n * unit)
        assert found.loc["rate_covariance", "raw", end, end]["limit"] == pytest.approx(16.0)
    assert_within(found.loc["rate_covariance", "raw", "lower", "upper"], n**2 * unit)


def test_shifted_exponential():
    """n(min − shift) is exponential; 1/ratê is gamma of shape n − 1, with mean (n−1)/(n·rate)."""
    n, rate = 30, 2.0
    found, cell = table(n, family="shifted_exponential", parameters={"shift": 1.0, "rate": rate})
    assert_within(found.loc["bias", "raw", "shift", ""], 1.0 / (n * rate))
    assert_within(found.loc["rate_covariance", "raw", "shift", "shift"], 1.0 / rate**2)
    mean = n * rate / (n - 2)
    variance = (n * rate) ** 2 / ((n - 2) ** 2 * (n - 3))
    assert_within(found.loc["bias", "raw", "rate", ""], mean - rate)
    assert_within(found.loc["scaled_covariance", "raw", "rate", "rate"], n * variance)
    assert limits(cell).rates.tolist() == [1.0, 0.5]


def test_laplace_has_no_observed_information_and_a_normal_limit():
    n = 201
    found, cell = table(n, 5000, family="laplace", parameters={"loc": 0.0, "scale": 1.0})
    assert found.loc["mean_observed_information", "raw", "loc", "loc"]["value"] == 0.0
    assert np.isnan(found.loc["model_se", "observed", "loc", ""]["value"])
    assert found.loc["scaled_covariance", "raw", "loc", "loc"]["limit"] == 1.0
    assert found.loc["failure_rate", "wilson", "", ""]["value"] == 0.0
    assert notes(cell)


@pytest.mark.parametrize("n", [10, 50])
def test_share_on_the_boundary(n):
    """Of binomial samples all failures or all successes lie on the boundary, with probabilities qᵐⁿ and pᵐⁿ."""
    found, _ = table(n, family="binomial", parameters={"prob": 0.05, "trials": 2})
    share = 0.95 ** (2 * n) + 0.05 ** (2 * n)
    assert_within(found.loc["failure_rate", "boundary", "", ""], share)
    assert_within(found.loc["failure_rate", "wilson", "", ""], share)


def test_poisson_fitted_to_negative_binomial():
    """The mean is estimated rightly; its variance is that of the data, (1 + αμ) times what the model claims."""
    n, mean, dispersion = 50, 5.0, 0.4
    found, cell = table(
        n, family="negative_binomial", parameters={"mean": mean, "dispersion": dispersion}, fit="poisson"
    )
    variance = mean * (1.0 + dispersion * mean)
    assert_within(found.loc["bias", "raw", "mean", ""], 0.0)
    assert_within(found.loc["scaled_covariance", "raw", "mean", "mean"], variance)
    row = found.loc["coverage", "wald-observed", "mean", ""]
    expected = special.erf(1.959963984540054 / math.sqrt(2.0 * (1.0 + dispersion * mean)))
    assert row["limit"] == pytest.approx(expected, rel=1e-9)
    assert_within(row, expected, times=4.0 + 20.0 / n / row["mcse"])
    assert found.loc["model_se", "sandwich", "mean", ""]["limit"] == pytest.approx(math.sqrt(variance / n))
    assert any("42 % too small for mean" in note for note in notes(cell))


def test_normal_fitted_to_students_t():
    """With 5 degrees of freedom the fourth moment is 25: Var x̄ = 5/(3n), and n·Var(sd) tends to (25 − σ⁴)/(4σ²)."""
    found, cell = table(400, 5000, family="student_t", parameters={"loc": 0.0, "scale": 1.0, "df": 5.0}, fit="normal")
    variance, fourth = 5.0 / 3.0, 25.0
    assert_within(found.loc["scaled_covariance", "raw", "mean", "mean"], variance)
    limit = found.loc["scaled_covariance", "raw", "sd", "sd"]["limit"]
    assert limit == pytest.approx((fourth - variance**2) / (4.0 * variance), rel=1e-6)
    assert limits(cell).theta == pytest.approx([0.0, math.sqrt(variance)], abs=1e-8)


def test_normal_fitted_to_laplace():
    theory = limits(table(10, 100, family="laplace", parameters={"loc": 1.0, "scale": 2.0}, fit="normal")[1])
    variance, fourth = (float(stats.laplace(scale=2.0).moment(k)) for k in (2, 4))
    np.testing.assert_allclose(theory.theta, [1.0, math.sqrt(variance)], rtol=1e-9)
    expected = np.diag([variance, (fourth - variance**2) / (4.0 * variance)])
    np.testing.assert_allclose(theory.covariance, expected, rtol=1e-8, atol=1e-8)


def test_a_score_without_variance_has_no_covariance():
    """Exponential fitted to a generalised Pareto of shape 0.7: the mean exists, the variance does not."""
    cell = table(10, 100, family="generalized_pareto", parameters={"scale": 1.0, "shape": 0.7}, fit="exponential")[1]
    theory = limits(cell)
    np.testing.assert_allclose(theory.theta, [0.3], rtol=1e-6)
    assert np.isnan(theory.covariance).all()
    assert any("no variance" in note for note in notes(cell))


def test_singular_information_is_reported_not_inverted():
    cell = table(20, 100, family="skew_normal", parameters={"loc": 0.0, "scale": 1.0, "shape": 0.0})[1]
    theory = limits(cell)
    assert np.isfinite(theory.information).all()
    assert np.linalg.matrix_rank(theory.information) == 2
    assert np.isnan(theory.covariance).all()
    assert notes(cell)
