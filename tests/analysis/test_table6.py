"""Table 6 by the formulas of the paper in plain Python, and influence functions by numerical derivatives."""

import math
import statistics

import numpy as np
import pytest
from numpy.testing import assert_allclose

import simstudy
from simstudy.analysis import table6
from simstudy.analysis.influence import Estimate
from simstudy.analysis.measures import MEASURES
from simstudy.analysis.streaming import run

TRUE, NULL, Z = 2.0, 1.5, statistics.NormalDist().inv_cdf(0.975)


def drawn(replicates, seed=5, n=15):
    theta = TRUE * n / np.random.default_rng(seed).gamma(n, 1.0, replicates)
    return theta.tolist(), (theta / math.sqrt(n)).tolist()


def measures(theta, errors):
    """Values of the measures by their definitions."""
    squares = [(t - TRUE) ** 2 for t in theta]
    model, empirical = math.sqrt(statistics.fmean(e**2 for e in errors)), statistics.stdev(theta)
    mean, sd = statistics.fmean(theta), statistics.pstdev(theta)
    return {
        "bias": mean - TRUE,
        "relative_bias": (mean - TRUE) / TRUE,
        "empirical_se": empirical,
        "model_se": model,
        "relative_error_model_se": 100.0 * (model / empirical - 1.0),
        "mse": statistics.fmean(squares),
        "rmse": math.sqrt(statistics.fmean(squares)),
        "interval_width": 2.0 * Z * statistics.fmean(errors),
        "skewness": statistics.fmean(((t - mean) / sd) ** 3 for t in theta),
        "kurtosis": statistics.fmean(((t - mean) / sd) ** 4 for t in theta),
    }


def table_6(theta, errors):
    """MCSE of Morris, White & Crowther (2019, Table 6), line by line."""
    size = len(theta)
    mean, mse = statistics.fmean(theta), statistics.fmean((t - TRUE) ** 2 for t in theta)
    variances = [e**2 for e in errors]
    empirical, model = statistics.stdev(theta), math.sqrt(statistics.fmean(variances))
    bias = math.sqrt(sum((t - mean) ** 2 for t in theta) / (size * (size - 1)))
    squared = math.sqrt(sum(((t - TRUE) ** 2 - mse) ** 2 for t in theta) / (size * (size - 1)))
    spread = statistics.variance(variances)
    return {
        "bias": bias,
        "relative_bias": bias / TRUE,
        "empirical_se": empirical / math.sqrt(2 * (size - 1)),
        "mse": squared,
        "rmse": squared / (2 * math.sqrt(mse)),
        "model_se": math.sqrt(spread / (4 * size * model**2)),
        "relative_error_model_se": 100
        * (model / empirical)
        * math.sqrt(spread / (4 * size * model**4) + 1 / (2 * (size - 1))),
    }


def shares(theta, errors):
    """Coverage, bias-eliminated coverage and rejection rate by their definitions."""
    mean, ends = statistics.fmean(theta), [(t - Z * e, t + Z * e) for t, e in zip(theta, errors, strict=True)]
    return {
        "coverage": statistics.fmean(low <= TRUE <= high for low, high in ends),
        "bias_eliminated_coverage": statistics.fmean(low <= mean <= high for low, high in ends),
        "rejection_rate": statistics.fmean(not low <= NULL <= high for low, high in ends),
    }


@pytest.mark.parametrize("replicates", [2, 40, 1000])
def test_values_and_errors_of_table_6(replicates):
    theta, errors = drawn(replicates)
    found = simstudy.performance(theta, errors, true=TRUE, null=NULL, mcse="table6").set_index("measure")
    for measure, value in (measures(theta, errors) | shares(theta, errors)).items():
        assert_allclose(found.loc[measure, "value"], value, rtol=1e-10, atol=1e-13, err_msg=measure)
    wanted = table_6(theta, errors)
    wanted |= {name: math.sqrt(p * (1 - p) / replicates) for name, p in shares(theta, errors).items()}
    for measure, mcse in wanted.items():
        assert_allclose(found.loc[measure, "mcse"], mcse, rtol=1e-10, err_msg=measure)


def weighted(theta, errors, weights):
    """Return the measures of replicates of those weights, which sum to 1, with divisor R where there is a choice."""
    mean, mse = weights @ theta, weights @ (theta - TRUE) ** 2
    z = (theta - mean) / math.sqrt(weights @ (theta - mean) ** 2)
    model, empirical = math.sqrt(weights @ errors**2), math.sqrt(weights @ (theta - mean) ** 2)
    return {
        "bias": mean - TRUE,
        "relative_bias": (mean - TRUE) / TRUE,
        "empirical_se": empirical,
        "model_se": model,
        "relative_error_model_se": 100.0 * (model / empirical - 1.0),
        "mse": mse,
        "rmse": math.sqrt(mse),
        "interval_width": 2.0 * Z * weights @ errors,
        "skewness": weights @ z**3,
        "kurtosis": weights @ z**4,
    }


def test_influence_functions_are_derivatives_by_the_weight_of_a_replicate():
    """ψᵢ = ∂T((1−ε)F + εδᵢ)/∂ε, to the square of ε; divisors R and R−1 differ by 1/R of the share."""
    size, step = 400, 1e-4
    theta, errors = (np.array(values) for values in drawn(size))
    found = simstudy.performance(theta, errors, true=TRUE).set_index("measure")
    even = np.full(size, 1.0 / size)
    ends = [
        [weighted(theta, errors, (1.0 - e) * even + e * np.eye(size)[i]) for e in (step, -step)] for i in range(size)
    ]
    for measure in ends[0][0]:
        psi = [(up[measure] - down[measure]) / (2.0 * step) for up, down in ends]
        mcse = statistics.pstdev(psi) / math.sqrt(size - 1)
        assert_allclose(found.loc[measure, "mcse"], mcse, rtol=2.0 / size, err_msg=measure)


def test_what_table_6_does_not_know_keeps_its_influence_function(simulated):
    cell = simulated["exponential"](3, 500, 10).cell
    changed = set()
    for name, measure in MEASURES.items():
        found = measure.estimates(cell)
        with np.errstate(invalid="ignore"):  # the record has no sandwich
            textbook = run(cell, table6.textbook(name, found, cell))
        assert list(textbook) == list(found)
        for estimator, estimate in found.items():
            np.testing.assert_array_equal(textbook[estimator].value, estimate.value)
            if not np.array_equal(textbook[estimator].mcse, estimate.mcse, equal_nan=True):
                changed.add(name)
    assert changed == {"empirical_se", "relative_error_model_se", "coverage", "bias_eliminated_coverage"}


def test_estimates_on_the_boundary_keep_their_influence_function(simulated):
    cell = simulated["exponential"](3, 500, 10).cell
    found = {"raw": Estimate(np.ones(1), np.ones(1)), "with-boundary": Estimate(np.ones(1), np.ones(1))}
    textbook = run(cell, table6.textbook("empirical_se", found, cell))
    assert textbook["raw"].mcse[0] == pytest.approx(1.0 / math.sqrt(998.0))
    assert textbook["with-boundary"].mcse[0] == 1.0
