"""Ends of intervals against closed forms, scalar root finding and a profile that shares no code with ours."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, special, stats

from simstudy import families
from simstudy.errors import ConfigError
from simstudy.families.status import Status
from simstudy.inference import fit, mle
from simstudy.inference.intervals import DATA_METHODS, METHODS, from_data, quantile
from simstudy.inference.likelihood import Likelihood

Z = 1.959963984540054
# A root of t = z of a statistic with rounding of about 2n·ε·|ℓ|; one Newton step ends it, far below this.
EXACT = 1e-10
# What the searches of scipy reach.
SEARCHED = 1e-8


def draws(seed, rows, n, law):
    return law(np.random.default_rng(seed), (rows, n))


def column(ends):
    return ends[0][:, 0], ends[1][:, 0]


def assert_ends(found, lower, upper, tolerance=EXACT):
    assert_allclose(found[0], lower, rtol=tolerance)
    assert_allclose(found[1], upper, rtol=tolerance)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.9999])
def test_quantile(level):
    assert quantile(level) == pytest.approx(stats.norm.ppf(0.5 + level / 2), rel=1e-12)


def test_binomial_score_is_wilsons():
    n, hits = 20, np.arange(1, 20)
    x = (np.arange(n) < hits[:, None]).astype(float)
    p = hits / n
    centre, spread = p + Z**2 / (2 * n), Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    wilson = [(centre + sign * spread) / (1 + Z**2 / n) for sign in (-1, 1)]
    assert_ends(column(fit("binomial", x, {"trials": 1}).interval("score")), *wilson)


def test_poisson_score():
    x = draws(1, 50, 12, lambda rng, size: rng.poisson(3.0, size))
    mean = x.mean(axis=1)
    spread = Z * np.sqrt(mean / 12 + Z**2 / (4 * 144))
    ends = [mean + Z**2 / 24 + sign * spread for sign in (-1, 1)]
    assert_ends(column(fit("poisson", x).interval("score")), *ends)


@pytest.mark.parametrize("n", [5, 200])
def test_exponential(n):
    x = draws(2, 50, n, lambda rng, size: rng.exponential(0.5, size))
    found, mean = fit("exponential", x), x.mean(axis=1)
    assert_ends(column(found.interval("score")), (1 - Z / np.sqrt(n)) / mean, (1 + Z / np.sqrt(n)) / mean)

    def deviance(ratio):
        return 2 * n * (ratio - 1 - np.log(ratio)) - Z**2

    ends = [optimize.brentq(deviance, *span, xtol=1e-15, rtol=1e-15) / mean for span in ((1e-9, 1), (1, 50))]
    assert_ends(column(found.interval("likelihood-ratio")), *ends)


@pytest.mark.parametrize("method", DATA_METHODS)
def test_normal_mean_of_known_sd_is_wald(method):
    x = draws(3, 50, 9, lambda rng, size: rng.normal(1.0, 2.0, size))
    found = fit("normal", x, {"sd": 2.0})
    half = Z * 2.0 / 3.0
    for end, wald in zip(found.interval(method), found.interval("wald-observed"), strict=True):
        assert_allclose(end, wald, atol=EXACT)
    assert_allclose(column(found.interval(method))[1], x.mean(axis=1) + half, atol=EXACT)


def test_normal_mean_likelihood_ratio_is_students_statistic():
    """2n·log(1 + (x̄ − μ)²/σ̂²)/2 = z²: a closed profile."""
    n = 8
    x = draws(4, 50, n, lambda rng, size: rng.normal(1.0, 2.0, size))
    half = x.std(axis=1) * np.sqrt(np.expm1(Z**2 / n))
    found = column(fit("normal", x).interval("likelihood-ratio"))
    assert_allclose(found[0], x.mean(axis=1) - half, atol=EXACT)
    assert_allclose(found[1], x.mean(axis=1) + half, atol=EXACT)


def searched(x, log_density, theta, j, others):
    """Return the ends of one data set by minimising over the other parameter inside a scalar root search."""

    def profile(value):
        def negative(other):
            pair = (value, other) if j == 0 else (other, value)
            return -log_density(x, *pair).sum()

        best = optimize.minimize_scalar(negative, bounds=others, method="bounded", options={"xatol": 1e-12})
        return -best.fun

    top = log_density(x, *theta).sum()
    return [
        optimize.brentq(lambda v: 2 * (top - profile(v)) - Z**2, *span, xtol=1e-13, rtol=1e-13)
        for span in ((theta[j] / 30, theta[j]), (theta[j], theta[j] * 30))
    ]


CASES = {
    "normal": (
        1,
        lambda rng, size: rng.normal(1.0, 2.0, size),
        lambda x, m, s: stats.norm.logpdf(x, m, s),
        (-9.0, 9.0),
    ),
    "gamma": (
        0,
        lambda rng, size: rng.gamma(2.0, 1.5, size),
        lambda x, k, s: stats.gamma.logpdf(x, k, scale=s),
        (0.01, 60.0),
    ),
    "weibull": (
        0,
        lambda rng, size: 2.0 * rng.weibull(1.5, size),
        lambda x, k, s: stats.weibull_min.logpdf(x, k, scale=s),
        (0.1, 30.0),
    ),
}


@pytest.mark.parametrize("family", CASES)
def test_profile_against_an_independent_search(family):
    j, law, log_density, others = CASES[family]
    x = draws(5, 4, 15, law)
    found = fit(family, x)
    lower, upper = found.interval("likelihood-ratio")
    for row in range(4):
        ends = searched(x[row], log_density, found.theta[row], j, others)
        assert_allclose([lower[row, j], upper[row, j]], ends, rtol=SEARCHED)


def test_gamma_shape_score_against_a_closed_profile():
    """Given the shape a, the scale is x̄/a, and (I⁻¹)ₐₐ = 1/(ψ′(a) − 1/a)."""
    n = 25
    x = draws(6, 10, n, lambda rng, size: rng.gamma(2.0, 1.5, size))
    found = fit("gamma", x)
    lower, upper = found.interval("score")
    for row, theta, low, high in zip(x, found.theta[:, 0], lower[:, 0], upper[:, 0], strict=True):

        def statistic(a, row=row):
            score = np.log(row).mean() - special.digamma(a) - np.log(row.mean() / a)
            return n * score**2 / (special.polygamma(1, a) - 1 / a) - Z**2

        ends = [optimize.brentq(statistic, *span, xtol=1e-14) for span in ((theta / 50, theta), (theta, theta * 50))]
        assert_allclose([low, high], ends, rtol=SEARCHED)


@pytest.mark.parametrize("method", DATA_METHODS)
def test_invariant_under_reparametrisation(method):
    x = draws(7, 40, 12, lambda rng, size: rng.gamma(2.0, 1.5, size))
    scale = fit("gamma", x, parametrisation=["shape", "scale"]).interval(method)
    rate = fit("gamma", x, parametrisation=["shape", "rate"]).interval(method)
    with np.errstate(divide="ignore"):
        turned = 1.0 / rate[1][:, 1], 1.0 / rate[0][:, 1]
    for side in (0, 1):
        assert_allclose(rate[side][:, 0], scale[side][:, 0], rtol=EXACT)
        assert_allclose(turned[side], scale[side][:, 1], rtol=EXACT)


@pytest.mark.parametrize("method", DATA_METHODS)
@pytest.mark.parametrize("name", ["gamma", "weibull", "logistic", "cauchy", "negative_binomial"])
def test_rows_do_not_depend_on_their_neighbours(name, method):
    family = families.FAMILIES[name]
    middle = [np.asarray(np.mean(p.typical)) for p in family.parameters]
    x = family.sample(np.random.default_rng(8), middle, (60, 15))
    with np.errstate(all="ignore"):
        whole = Likelihood(family, x)
        ends = from_data(whole, mle.fit(whole), method, 0.95)
        for rows in ([17], [3, 40, 59]):
            part = whole.select(np.array(rows))
            for found, expected in zip(from_data(part, mle.fit(part), method, 0.95), ends, strict=True):
                assert_array_equal(found, expected[rows])


@pytest.mark.parametrize("method", METHODS)
def test_failed_fits_have_none(method):
    x = np.array([[1.0, 2.0, 4.0], [1.0, np.nan, 2.0], [3.0, 3.0, 3.0]])
    found = fit("gamma", x)
    assert [status is Status.CONVERGED for status in found.status] == [True, False, False]
    for ends in found.interval(method):
        assert ends.shape == (3, 2)
        assert np.isfinite(ends[0]).sum() + np.isinf(ends[0]).sum() == 2
        assert np.isnan(ends[1:]).all()


def test_a_statistic_that_stays_below_ends_at_the_domain():
    """Exponential, n = 3: n(1 − λx̄)² < z² for all λ < 1/x̄, so 0 is the lower end of the rate, and ∞ of 1/λ."""
    x = np.array([1.0, 2.0, 4.0])
    lower, upper = fit("exponential", x).interval("score")
    assert_array_equal(lower, [0.0])
    assert_allclose(upper, (1 + Z / np.sqrt(3)) * 3 / 7, rtol=EXACT)
    lower, upper = fit("exponential", x, parametrisation=["scale"]).interval("score")
    assert_array_equal(upper, [np.inf])
    # Counts hardly more spread than Poisson's: no dispersion is too small for them.
    counts = np.array([[3, 5, 1, 4, 8, 2, 6, 3, 0, 4]])
    found = fit("negative_binomial", counts, parametrisation=["mean", "dispersion"])
    assert found.status[0] is Status.CONVERGED
    lower, upper = found.interval("likelihood-ratio")
    assert lower[0, 1] == 0.0
    assert 0.0 < found.theta[0, 1] < upper[0, 1] < np.inf
    _, upper = fit("negative_binomial", counts, parametrisation=["size", "prob"]).interval("likelihood-ratio")
    assert_array_equal(upper, [[np.inf, 1.0]])


def test_an_angle_of_which_nothing_is_known_goes_all_the_way_round():
    angles = np.array([0.1, 1.8, 3.4, -1.6, 2.9, -0.4])
    found = fit("von_mises", angles)
    lower, upper = found.interval("likelihood-ratio", 0.999)
    assert found.status is Status.CONVERGED
    assert_allclose([lower[0], upper[0]], found.theta[0] + np.array([-np.pi, np.pi]), rtol=1e-12)


@pytest.mark.parametrize("method", DATA_METHODS)
def test_corners_have_none_and_are_held_for_the_others(method):
    x = draws(9, 6, 20, lambda rng, size: 3.0 + rng.exponential(2.0, size))
    lower, upper = fit("shifted_exponential", x).interval(method)
    assert np.isnan(lower[:, 0]).all()
    assert np.isnan(upper[:, 0]).all()
    mean = x.mean(axis=1) - x.min(axis=1)
    held = fit("exponential", np.repeat(mean[:, None], 20, axis=1)).interval(method)
    assert_ends((lower[:, 1], upper[:, 1]), held[0][:, 0], held[1][:, 0])


def test_wald_methods():
    x = draws(10, 5, 30, lambda rng, size: rng.gamma(2.0, 1.5, size))
    found = fit("gamma", x)
    for method, kind in {f"wald-{kind}": kind for kind in ("observed", "expected", "sandwich", "opg")}.items():
        half = Z * np.sqrt(np.diagonal(found.covariance(kind), axis1=1, axis2=2))
        assert_ends(found.interval(method), found.theta - half, found.theta + half)
    error = np.sqrt(np.diagonal(found.covariance(), axis1=1, axis2=2)) / found.theta
    assert_ends(found.interval("wald-log"), found.theta * np.exp(-Z * error), found.theta * np.exp(Z * error))
    share = fit("bernoulli", [0.0, 1.0, 1.0, 1.0])
    ends = special.expit(np.log(3.0) + Z * np.array([-1, 1]) / np.sqrt(4 * 0.25 * 0.75))
    assert_ends(share.interval("wald-log"), ends[:1], ends[1:])


def test_one_data_set_has_ends_of_its_own_shape():
    x = draws(11, 3, 20, lambda rng, size: rng.gamma(2.0, 1.5, size))
    for method in METHODS:
        whole, single = fit("gamma", x).interval(method, 0.9), fit("gamma", x[1]).interval(method, 0.9)
        for all_rows, one in zip(whole, single, strict=True):
            assert one.shape == (2,)
            assert_array_equal(one, all_rows[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scor",), "interval: there is no method 'scor'; did you mean 'score'?; choose one of wald-observed, "),
        (("score", 1.0), "interval: level must be a number between 0 and 1 such as 0.95, got 1.0"),
        (("score", "95%"), "interval: level must be a number between 0 and 1 such as 0.95, got '95%'"),
    ],
)
def test_messages(arguments, message):
    with pytest.raises(ConfigError) as caught:
        fit("exponential", [1.0, 2.0]).interval(*arguments)
    assert str(caught.value).startswith(message)


def test_a_copy_keeps_numbers_and_no_data():
    found = pickle.loads(pickle.dumps(fit("exponential", [1.0, 2.0])))
    assert_allclose(found.theta, [2.0 / 3.0])
    with pytest.raises(ConfigError, match="has not kept its data; fit again"):
        found.interval()
