"""The uniform family: jumps at the ends, estimates that converge at rate n."""

import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy import cli_messages
from simstudy.errors import ConfigError
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.study.config import json_schema
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario
from tests.families.ends import ROWS, SIZES, assert_maxima, assert_mean, log_uniform

UNIFORM = FAMILIES["uniform"]
(FROM_ZERO,) = UNIFORM.variants


def theory(names, values, known=()):
    return limits(Scenario("u", "uniform", names, values, "uniform", known, 1, 2, 0.95))


def test_log_density():
    x = np.array([-2.0, -1.0, 0.0, 1.5, 3.0, 3.1])
    np.testing.assert_allclose(UNIFORM.log_density(x, (-1.0, 3.0)), stats.uniform.logpdf(x, -1.0, 4.0), rtol=1e-15)
    np.testing.assert_allclose(FROM_ZERO.log_density(x, (3.0,)), stats.uniform.logpdf(x, 0.0, 3.0), rtol=1e-15)


def test_limits_of_the_upper_end():
    """E[s] = −1/θ, E[s²] = 1/θ², Cov(s) = 0, −E[∂²] = −1/θ², n²Var → θ²."""
    found = theory(("upper",), (2.0,))
    assert found.information == found.score_mean**2 == [[0.25]]
    assert (found.score_mean, found.score_covariance, found.hessian) == ([-0.5], [[0.0]], [[-0.25]])
    assert (found.covariance, found.rates, found.rate_covariance) == ([[0.0]], [1.0], [[4.0]])
    assert "converge at rate n" in found.irregularity


def test_limits_of_both_ends():
    found = theory(("lower", "upper"), (-1.0, 3.0))
    products = np.array([[1.0, -1.0], [-1.0, 1.0]]) / 16.0
    np.testing.assert_array_equal(found.information, products)
    np.testing.assert_array_equal(found.hessian, -products)
    np.testing.assert_array_equal(found.score_mean, [0.25, -0.25])
    np.testing.assert_array_equal(found.rate_covariance, 16.0 * np.eye(2))
    np.testing.assert_array_equal([found.covariance, found.score_covariance], np.zeros((2, 2, 2)))


@pytest.mark.parametrize("known", ["lower", "upper"])
def test_limits_with_one_end_known(known):
    found = theory(("lower", "upper"), (-1.0, 3.0), (known,))
    assert (found.information, found.hessian, found.rate_covariance) == ([[1 / 16]], [[-1 / 16]], [[16.0]])
    assert found.score_mean == [-0.25 if known == "lower" else 0.25]


@pytest.mark.parametrize("n", SIZES)
def test_fits(n):
    rng = np.random.default_rng(n)
    width = log_uniform(rng, 1e-8, 1e8)
    lower = width * rng.normal(0.0, 30.0, (ROWS, 1))
    x = UNIFORM.sample(rng, (lower, lower + width), (ROWS, n))
    found = assert_maxima(UNIFORM, x)
    np.testing.assert_array_equal(found.theta, np.stack([x.min(axis=1), x.max(axis=1)], axis=-1))
    x = FROM_ZERO.sample(rng, (width,), (ROWS, n))
    np.testing.assert_array_equal(assert_maxima(FROM_ZERO, x).theta[:, 0], x.max(axis=1))


def test_draws_lie_between_the_ends_whatever_the_rounding():
    for ends in ((-0.1, 0.7), (1e16, 1e16 + 2.0), (-1.0, 1e-17)):
        x = UNIFORM.sample(np.random.default_rng(0), [np.asarray(end) for end in ends], (1, 10_000))
        assert x.min() >= ends[0]
        assert x.max() <= ends[1]


@pytest.mark.parametrize("n", [2, 5, 50])
def test_the_estimated_upper_end_is_exact(n):
    """max x has mean nθ/(n+1) and variance nθ²/((n+1)²(n+2))."""
    x = FROM_ZERO.sample(np.random.default_rng(n), (3.0,), (40_000, n))
    assert_mean(fit(FROM_ZERO, x).theta[:, 0], 3.0 * n / (n + 1), n * 9.0 / ((n + 1) ** 2 * (n + 2)))


def test_the_estimated_ends_are_exact():
    """Min and max have covariance w²/((n+1)²(n+2))."""
    n, width = 5, 4.0
    x = UNIFORM.sample(np.random.default_rng(7), (-1.0, 3.0), (40_000, n))
    lower, upper = fit(UNIFORM, x).theta.T
    variance = n * width**2 / ((n + 1) ** 2 * (n + 2))
    means = -1.0 + width / (n + 1), 3.0 - width / (n + 1)
    assert_mean(lower, means[0], variance)
    assert_mean(upper, means[1], variance)
    assert_mean((lower - means[0]) * (upper - means[1]), variance / n)


def test_known_ends():
    x = np.array([[1.0, 2.0, 5.0], [1.0, 1.0, 1.0]])
    assert fit(UNIFORM, x, {"lower": 0.5}).theta.tolist() == [[5.0], [1.0]]
    assert fit(UNIFORM, x, {"upper": 5.0}).theta.tolist() == [[1.0], [1.0]]
    assert fit(UNIFORM, x, {"lower": 1.0}).status.tolist() == [Status.CONVERGED, Status.NO_MAXIMUM]
    assert fit(UNIFORM, x, {"upper": 4.0}).status.tolist() == [Status.NOT_FINITE, Status.CONVERGED]


def test_degenerate_data():
    assert fit(UNIFORM, np.full(5, 0.1)).status is Status.NO_MAXIMUM
    assert fit(FROM_ZERO, np.full(5, 0.1)).theta.tolist() == [0.1]
    assert fit(FROM_ZERO, np.zeros(3)).status is Status.NO_MAXIMUM
    assert fit(FROM_ZERO, [1.0, -1e-300]).status is Status.NOT_FINITE
    assert fit(UNIFORM, [0.0, 1.0, 1e6, 1.0]).theta.tolist() == [0.0, 1e6]
    for bad in (np.nan, np.inf, -np.inf):
        for family in (UNIFORM, FROM_ZERO):
            assert fit(family, [1.0, bad, 2.0]).status is Status.NOT_FINITE


def test_names_choose_the_form():
    assert simstudy.expected_information("uniform", {"upper": 2.0}).to_dict() == {"upper": {"upper": 0.25}}
    assert simstudy.fit("uniform", [1.0, 3.0], parametrisation=["upper"]).names == ("upper",)
    assert simstudy.fit("uniform", [1.0, 3.0]).names == ("lower", "upper")
    with pytest.raises(ConfigError, match=r"no parametrisation \{lower\}; it has \{lower, upper\} or \{upper\}"):
        simstudy.expected_information("uniform", {"lower": 2.0})
    with pytest.raises(ConfigError, match=r"it has \{lower, upper\} or \{upper\}"):
        simstudy.fit("uniform", [1.0, 3.0], parametrisation=["uper"])
    with pytest.raises(ConfigError, match="lower < upper must hold"):
        simstudy.expected_information("uniform", {"lower": 2.0, "upper": 1.0})


def test_both_forms_are_shown():
    (line,) = [line for line in cli_messages.families().splitlines() if line.startswith("uniform ")]
    assert line.split(maxsplit=1)[1] == "lower, upper | upper"
    shown = cli_messages.family("uniform")
    assert "\n{lower, upper}\n" in shown
    assert "\n{upper}\n" in shown
    rules = {
        rule["if"]["properties"]["family"]["const"]: rule for rule in json_schema()["$defs"]["ScenarioConfig"]["allOf"]
    }
    forms = rules["uniform"]["then"]["properties"]["parameters"]["anyOf"]
    assert [form["required"] for form in forms] == [["lower", "upper"], ["upper"]]


CONFIG = """
study: ends
seed: 1
replicates: 10
sample_sizes: [5]
scenarios:
  - {{family: uniform, parameters: {}}}
"""


@pytest.mark.parametrize("given", ["{upper: [1.0, 2.0]}", "{lower: -1, upper: 2.0}"])
def test_a_config_takes_either_form(tmp_path, given):
    (tmp_path / "ends.yaml").write_text(CONFIG.format(given))
    study = simstudy.load(tmp_path / "ends.yaml")
    assert {scenario.names for scenario in study.scenarios} in ({("upper",)}, {("lower", "upper")})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{uper: 1.0}", r"no parameter of uniform, which takes {lower, upper} or {upper}; did you mean 'upper'?"),
        ("{lower: 1.0}", r"{lower} lacks a parameter of uniform: give {lower, upper} or {upper}"),
        ("{lower: 3, upper: 2}", r"lower < upper must hold for uniform, got lower = 3, upper = 2"),
        ("{upper: -2}", r"must lie in its domain, positive (0, inf), got -2"),
    ],
)
def test_a_config_that_fits_neither_form_is_refused(tmp_path, given, message):
    (tmp_path / "ends.yaml").write_text(CONFIG.format(given))
    with pytest.raises(ConfigError) as caught:
        simstudy.load(tmp_path / "ends.yaml")
    assert any(message in fault for fault in caught.value.faults)


def test_no_limits_where_a_wrong_model_has_corners():
    found = limits(Scenario("w", "normal", ("mean", "sd"), (0.0, 1.0), "uniform", (), 1, 2, 0.95, ("lower", "upper")))
    assert np.isnan(found.theta).all()
    assert "the limits of a wrong uniform are not computed" in found.irregularity


def test_a_wrong_model_of_uniform_data_has_exact_limits():
    """A normal fitted to a uniform on (1, 3): μ* = 2, σ*² = 1/3, and Cov(s) from the fourth moment, 1/5."""
    found = limits(Scenario("w", "uniform", ("lower", "upper"), (1.0, 3.0), "normal", (), 1, 2, 0.95, ("mean", "sd")))
    sd = (1.0 / 3.0) ** 0.5
    np.testing.assert_allclose(found.theta, [2.0, sd], rtol=1e-12)
    products = np.diag([3.0, (0.2 - 1.0 / 9.0) / sd**6])
    np.testing.assert_allclose(found.score_covariance, products, rtol=1e-10, atol=1e-10)
