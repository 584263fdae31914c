"""Limits of wrong models: against moments, against quadrature by scipy, and against a simulation."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, special, stats

from simstudy.running.block import simulate
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario


def scenario(family, names, values, fit, fitted, known=(), held=()):
    return Scenario("s", family, names, values, fit, known, 100, 100, 0.95, fitted=fitted, held=held)


def gamma(fit, fitted, **more):
    return scenario("gamma", ("shape", "scale"), (2.0, 1.5), fit, fitted, **more)


def test_exponential_fitted_to_weibull():
    """θ* = 1/E X, A = 1/θ*², B = Var X."""
    shape, scale = 2.5, 3.0
    found = limits(scenario("weibull", ("shape", "scale"), (shape, scale), "exponential", ("rate",)))
    mean = scale * special.gamma(1.0 + 1.0 / shape)
    variance = scale**2 * special.gamma(1.0 + 2.0 / shape) - mean**2
    assert_allclose(found.theta, [1.0 / mean], rtol=1e-10)
    assert_allclose(found.hessian, [[mean**2]], rtol=1e-10)
    assert_allclose(found.score_covariance, [[variance]], rtol=1e-10)
    assert_allclose(found.covariance, [[variance / mean**4]], rtol=1e-10)
    assert_allclose(found.information, found.hessian, rtol=1e-10)
    assert (found.right, found.irregularity) == (False, "")


def test_normal_fitted_to_gamma():
    """Mean and standard deviation, and their covariance by central moments."""
    found = limits(gamma("normal", ("mean", "sd")))
    mean, variance, skew, excess = (float(v) for v in stats.gamma.stats(2.0, scale=1.5, moments="mvsk"))
    sd = math.sqrt(variance)
    third, fourth = skew * sd**3, (excess + 3.0) * variance**2
    assert_allclose(found.theta, [mean, sd], rtol=1e-10)
    assert_allclose(found.hessian, np.diag([1.0, 2.0]) / variance, atol=1e-10)
    expected = [[variance, third / (2.0 * sd)], [third / (2.0 * sd), (fourth - variance**2) / (4.0 * variance)]]
    assert_allclose(found.covariance, expected, rtol=1e-9)


def test_lognormal_fitted_to_gamma():
    found = limits(gamma("lognormal", ("mu", "sigma")))
    spread = math.sqrt(special.polygamma(1, 2.0))
    assert_allclose(found.theta, [special.digamma(2.0) + math.log(1.5), spread], rtol=1e-10)


def test_poisson_fitted_to_counts_in_another_form_is_its_own_truth():
    """A family fitted as another that contains it is right: the pseudo-true value is the truth, and A = B."""
    found = limits(scenario("exponential", ("rate",), (2.0,), "weibull", ("shape", "scale")))
    assert_allclose(found.theta, [1.0, 0.5], rtol=1e-9)
    assert_allclose(found.hessian, found.score_covariance, rtol=1e-7)
    assert_allclose(found.hessian, found.information, rtol=1e-7)


def test_weibull_fitted_to_gamma_against_scipy():
    found = limits(gamma("weibull", ("shape", "scale")))
    shape, scale = found.theta
    density = stats.gamma(2.0, scale=1.5).pdf

    def expect(function):
        return integrate.quad(lambda x: function(x) * density(x), 0.0, 80.0, epsabs=1e-10, limit=500)[0]

    def score(x):
        v = shape * math.log(x / scale)
        return (1.0 + v - v * math.exp(v)) / shape, shape * math.expm1(v) / scale

    assert_allclose([expect(lambda x, i=i: score(x)[i]) for i in (0, 1)], 0.0, atol=1e-8)
    products = [[expect(lambda x, i=i, j=j: score(x)[i] * score(x)[j]) for j in (0, 1)] for i in (0, 1)]
    assert_allclose(found.score_covariance, products, rtol=1e-7)


def test_a_known_parameter_is_held_at_its_value():
    """With the scale held the expected score in the location alone is zero."""
    found = limits(gamma("normal", ("mean", "sd"), known=("sd",), held=(5.0,)))
    assert_allclose(found.theta, [3.0], rtol=1e-10)
    assert_allclose(found.covariance, [[4.5]], rtol=1e-9)


def test_no_mean_no_limit():
    found = limits(scenario("cauchy", ("loc", "scale"), (0.0, 1.0), "normal", ("mean", "sd")))
    assert np.isnan(found.covariance).all()
    assert found.irregularity


def test_exponential_fitted_to_lognormal():
    found = limits(scenario("lognormal", ("mu", "sigma"), (0.0, 1.0), "exponential", ("rate",)))
    assert_allclose(found.theta, [math.exp(-0.5)], rtol=1e-10)
    variance = math.expm1(1.0) * math.e
    assert_allclose(found.covariance, [[variance * math.exp(-2.0)]], rtol=1e-9)


def test_data_outside_the_sample_space_of_the_fitted_family():
    found = limits(scenario("normal", ("mean", "sd"), (0.0, 1.0), "gamma", ("shape", "scale")))
    assert np.isnan(found.theta).all()
    assert found.irregularity == "data of normal lie outside the sample space of gamma"


@pytest.mark.parametrize("fit", [("normal", ("mean", "sd")), ("weibull", ("shape", "scale"))])
def test_a_simulation_tends_to_the_limits(fit):
    """At n = 100 means of score, Hessian and score products at θ* lie within 5 MCSE, n·Cov within that and c/n."""
    cell = gamma(*fit)
    theory, record = limits(cell), simulate(cell, 3, 0, 30)
    score = math.sqrt(cell.n) * record.score_limit
    rows = len(score)
    for k, (i, j) in enumerate([(0, 0), (0, 1), (1, 1)]):
        for entries, limit in (
            (record.information_limit, theory.hessian),
            (record.products_limit, theory.score_covariance),
        ):
            assert abs(entries[:, k].mean() - limit[i, j]) < 5.0 * entries[:, k].std() / math.sqrt(rows) + 1e-12
    assert np.all(np.abs(score.mean(axis=0)) < 5.0 * score.std(axis=0) / math.sqrt(rows))
    ratio = cell.n * record.theta.var(axis=0) / np.diag(theory.covariance)
    assert_allclose(ratio, 1.0, atol=5.0 * math.sqrt(8.0 / rows) + 10.0 / cell.n)
