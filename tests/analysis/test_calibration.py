"""Monte Carlo standard errors against the spread of repeated studies, many studies in one array.

K studies of one parameter are treated as the K parameters of one sample, since no measure mixes parameters. An sd over
K studies is known to 1/√(2K) of itself; four of those is what chance allows beside the 5% that are claimed.
"""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special

from simstudy.analysis import intervals, performance, shape, table6
from simstudy.analysis.given import Given
from simstudy.analysis.streaming import run
from simstudy.inference.intervals import quantile, wald

MEASURES = {
    function.__name__: function
    for function in (
        performance.bias,
        performance.relative_bias,
        performance.median_bias,
        performance.empirical_se,
        performance.model_se,
        performance.relative_error_model_se,
        performance.mse,
        performance.rmse,
        intervals.coverage,
        intervals.bias_eliminated_coverage,
        intervals.interval_width,
        intervals.rejection_rate,
    )
}
SHAPES = {"skewness": shape.skewness, "kurtosis": shape.kurtosis}


def studies(theta, errors, true, n):
    """K studies of R estimates; what is tested is some two standard errors away, so that about half reject it."""
    size, null = len(theta), true * (1.0 - 2.0 / math.sqrt(n))
    return Given(theta, np.full(size, true), np.full(size, null), errors, wald(theta, errors, quantile(0.95)))


def exponential(rng, repeats, size, n):
    """Rate of an exponential, λ̂ = 1/x̄, se λ̂/√n."""
    theta = n / rng.gamma(n, 1.0, (repeats, size))
    return studies(theta, theta / math.sqrt(n), 1.0, n)


def gamma(rng, repeats, size, n):
    """Shape of a gamma by the closed form of Ye & Chen (2017, The American Statistician 71), se of its likelihood."""
    x = rng.gamma(2.0, 1.0, (n, repeats, size))
    log = np.log(x)
    total = x.sum(axis=0)
    theta = n * total / (n * (x * log).sum(axis=0) - log.sum(axis=0) * total)
    return studies(theta, 1.0 / np.sqrt(n * (special.polygamma(1, theta) - 1.0 / theta)), 2.0, n)


def weibull(rng, repeats, size, n):
    """Shape of a Weibull from the sd of log x, π/(√6·sd), of relative variance 1.1/n (kurtosis 5.4 of log x)."""
    log = np.log(rng.standard_exponential((n, repeats, size))) / 1.5
    theta = math.pi / math.sqrt(6.0) / log.std(axis=0, ddof=1)
    return studies(theta, theta * math.sqrt(1.1 / n), 1.5, n)


def ratio(estimate):
    """Return the root mean square MCSE over the sd of the values."""
    return math.sqrt(np.mean(estimate.mcse**2)) / estimate.value.std(ddof=1)


def raw(found):
    return next(iter(found.values()))


CASES = [(exponential, 20), (exponential, 100), (gamma, 20), (weibull, 20)]


@pytest.mark.parametrize(("make", "n"), CASES)
def test_influence_functions_are_calibrated(make, n):
    repeats = 600
    sample = make(np.random.default_rng([31, n]), repeats, 400, n)
    for name, measure in MEASURES.items():
        assert_allclose(ratio(raw(measure(sample))), 1.0, atol=0.05 + 4 / math.sqrt(2 * repeats), err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "n"), [*CASES, (gamma, 50), (weibull, 50)])
def test_influence_functions_are_calibrated_closely(make, n):
    """Five thousand studies, by parts: an sd is known to 1%."""
    found = {name: [] for name in MEASURES}
    for part in range(10):
        sample = make(np.random.default_rng([32, n, part]), 500, 1000, n)
        for name, measure in MEASURES.items():
            found[name].append(raw(measure(sample)))
    for name, parts in found.items():
        values, errors = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
        assert_allclose(math.sqrt(np.mean(errors**2)) / values.std(ddof=1), 1.0, atol=0.05, err_msg=name)


def test_table_6_is_too_small_for_a_skewed_estimator():
    """Exponential rate at n = 10: half and four fifths of the true Monte Carlo sd, while influence is right."""
    repeats = 2000
    sample = exponential(np.random.default_rng(33), repeats, 1000, 10)
    slack = 4 / math.sqrt(2 * repeats)
    for name, wrong in (("empirical_se", 0.51), ("relative_error_model_se", 0.78)):
        found = MEASURES[name](sample)
        assert_allclose(ratio(raw(found)), 1.0, atol=0.05 + slack, err_msg=name)
        assert_allclose(ratio(raw(run(sample, table6.textbook(name, found, sample)))), wrong, atol=slack, err_msg=name)


def test_skewness_and_kurtosis_are_calibrated_for_estimates_that_are_nearly_normal():
    """Exponential rate at n = 400: skewness 0.2. For skewed ones their MCSE understates, as their docstrings say."""
    repeats = 500
    sample = exponential(np.random.default_rng(34), repeats, 2000, 400)
    for name, measure in SHAPES.items():
        assert_allclose(ratio(raw(measure(sample))), 1.0, atol=0.05 + 4 / math.sqrt(2 * repeats), err_msg=name)
