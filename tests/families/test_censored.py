"""Censored families: survival functions, information and fits against mpmath, independent searches and exact truths."""

import warnings

import mpmath
import numpy as np
import pytest
from scipy import special, stats

import simstudy
from simstudy.contract import check
from simstudy.contract.estimates import distance, mean_information, mean_score, tolerance
from simstudy.errors import ConfigError
from simstudy.families import FAMILIES
from simstudy.families.censoring import censored
from simstudy.families.status import Status
from simstudy.families.tail import information_until, survival_derivatives
from simstudy.numerics.special import log_gamma_survival
from simstudy.running.block import draw
from simstudy.running.record import record_identity
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario
from simstudy.study.streams import identity
from tests.contract.user_families import Rayleigh
from tests.reference import maximise

NAMES = ("exponential", "weibull", "gamma", "lognormal")


def columns(theta):
    return [np.asarray(float(value)) for value in theta]


def pairs_of(name, time, theta, size, seed=0):
    return censored(FAMILIES[name], time).sample(np.random.default_rng(seed), columns(theta), size)


# ---- survival functions


@pytest.mark.parametrize("shape", [1e-3, 0.3, 1.0, 20.0, 1e4])
def test_gamma_survival_in_both_tails(shape):
    at = [1e-10, 0.1 * shape, shape, 1.5 * shape, shape + 40.0 * shape**0.5 + 50.0, 3000.0 + 2.0 * shape]
    with mpmath.workdps(60):
        exact = [float(mpmath.log(mpmath.gammainc(shape, z, regularized=True))) for z in at]
    np.testing.assert_allclose(log_gamma_survival(np.array(shape), np.array(at)), exact, rtol=1e-12, atol=1e-55)


SCIPY = {
    "exponential": lambda rate: stats.expon(scale=1.0 / rate),
    "weibull": lambda shape, scale: stats.weibull_min(shape, scale=scale),
    "gamma": lambda shape, scale: stats.gamma(shape, scale=scale),
    "lognormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
}
THETA = {"exponential": (2.0,), "weibull": (1.7, 0.8), "gamma": (2.5, 0.4), "lognormal": (-0.3, 0.7)}


@pytest.mark.parametrize("name", NAMES)
def test_survival_and_log_density_against_scipy(name):
    x, law = np.geomspace(1e-3, 10.0, 60), SCIPY[name](*THETA[name])
    np.testing.assert_allclose(FAMILIES[name].log_survival(x, THETA[name]), law.logsf(x), rtol=1e-12, atol=1e-15)
    data = np.stack([np.minimum(x, 1.0), x < 1.0], axis=-1)
    expected = np.where(x < 1.0, law.logpdf(x), law.logsf(1.0))
    np.testing.assert_allclose(censored(FAMILIES[name], 1.0).log_density(data, THETA[name]), expected, rtol=1e-12)


LOG_SURVIVAL = {
    "weibull": lambda shape, scale: -((1 / scale) ** shape),
    "gamma": lambda shape, scale: mpmath.log(mpmath.gammainc(shape, 1 / scale, regularized=True)),
    "lognormal": lambda mu, sigma: mpmath.log(mpmath.erfc(-mu / sigma / mpmath.sqrt(2)) / 2),
}


@pytest.mark.parametrize(
    ("name", "theta"),
    [
        ("weibull", (0.4, 10.0)),
        ("weibull", (1.5, 0.2)),
        ("weibull", (6.0, 1.5)),
        ("gamma", (0.3, 0.1)),
        ("gamma", (0.5, 100.0)),
        ("gamma", (20.0, 10.0)),
        ("gamma", (20.0, 0.04)),
        ("gamma", (1000.0, 0.001)),
        ("lognormal", (0.3, 2.0)),
        ("lognormal", (2.0, 0.3)),
        ("lognormal", (-2.0, 0.5)),
    ],
)
def test_derivatives_of_log_survival_by_quadrature(name, theta):
    score, hessian = survival_derivatives(FAMILIES[name], 1.0, columns(theta))
    with mpmath.workdps(40):
        at, log_survival = tuple(map(mpmath.mpf, theta)), LOG_SURVIVAL[name]
        orders = [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
        exact = [float(mpmath.diff(log_survival, at, order)) for order in orders]
    np.testing.assert_allclose([float(entry) for entry in (*score, *hessian)], exact, rtol=1e-9)


# ---- information


LOG_DENSITY = {
    "weibull": lambda t, k, s: mpmath.log(k / s) + (k - 1) * mpmath.log(t / s) - (t / s) ** k,
    "gamma": lambda t, k, s: (k - 1) * mpmath.log(t) - t / s - k * mpmath.log(s) - mpmath.loggamma(k),
    "lognormal": lambda t, m, s: -mpmath.log(t) + mpmath.log(mpmath.npdf(mpmath.log(t), m, s)),
}
SCORES = {
    "weibull": lambda t, k, s: (
        1 / k + mpmath.log(t / s) * (1 - (t / s) ** k), k * ((t / s) ** k - 1) / s,
    ),
    "gamma": lambda t, k, s: (mpmath.log(t / s) - mpmath.digamma(k), t / s**2 - k / s),
    "lognormal": lambda t, m, s: ((mpmath.log(t) - m) / s**2, ((mpmath.log(t) - m) ** 2 / s**2 - 1) / s),
}  # fmt: skip


def exact_information(name, theta):
    """∫ s sᵀ f over (0, 1) in log t, plus the atom at 1."""
    with mpmath.workdps(30):
        at = tuple(map(mpmath.mpf, theta))
        slopes = [mpmath.diff(LOG_SURVIVAL[name], at, order) for order in ((1, 0), (0, 1))]
        survival = mpmath.exp(LOG_SURVIVAL[name](*at))
        cuts = [-200, -60, -30, -15, -8, -4, -3, -2, -1.5, -1, -0.6, -0.3, -0.1, -0.03, 0]

        def entry(i, j):
            def integrand(v):
                t = mpmath.exp(v)
                score = SCORES[name](t, *at)
                return score[i] * score[j] * mpmath.exp(LOG_DENSITY[name](t, *at) + v)

            return mpmath.quad(integrand, cuts) + survival * slopes[i] * slopes[j]

        return [float(entry(i, j)) for i, j in ((0, 0), (0, 1), (1, 1))]


@pytest.mark.parametrize(
    ("name", "theta"),
    [
        ("weibull", (0.5, 3.0)),
        ("weibull", (2.0, 0.7)),
        ("weibull", (4.0, 1.5)),
        ("gamma", (0.5, 2.0)),
        ("gamma", (3.0, 0.2)),
        ("gamma", (10.0, 0.15)),
        ("lognormal", (0.5, 0.8)),
        ("lognormal", (-1.0, 1.0)),
    ],
)
def test_information_against_mpmath(name, theta):
    exact = exact_information(name, theta)
    found = [float(entry) for entry in censored(FAMILIES[name], 1.0).expected_information(columns(theta))]
    sizes = np.array([exact[0], np.sqrt(exact[0] * exact[2]), exact[2]])
    assert (np.abs(np.subtract(found, exact)) < 1e-10 * sizes).all()


@pytest.mark.parametrize("rate", [1e-9, 0.3, 1.0, 40.0])
def test_exponential_information_is_closed_and_agrees_with_quadrature(rate):
    found = censored(FAMILIES["exponential"], 2.0).expected_information(columns((rate,)))[0]
    np.testing.assert_allclose(found, -np.expm1(-2.0 * rate) / rate**2, rtol=1e-15)
    np.testing.assert_allclose(information_until(FAMILIES["exponential"], 2.0, columns((rate,)))[0], found, rtol=1e-11)


def test_information_in_other_parametrisations_and_with_known_parameters():
    scale, mean = (
        simstudy.expected_information("gamma", point, censoring={"time": 1.5}).to_numpy()
        for point in ({"shape": 2.0, "scale": 0.5}, {"shape": 2.0, "mean": 1.0})
    )
    slopes = np.array([[1.0, 0.0], [-0.25, 0.5]])
    np.testing.assert_allclose(mean, slopes.T @ scale @ slopes, rtol=1e-12)
    known = simstudy.expected_information("gamma", {"shape": 2.0, "scale": 0.5}, ["scale"], censoring={"time": 1.5})
    np.testing.assert_allclose(known.to_numpy(), scale[:1, :1], rtol=1e-15)


@pytest.mark.parametrize("name", ["weibull", "gamma", "lognormal"])
def test_a_late_time_loses_nothing(name):
    whole = FAMILIES[name].expected_information(columns(THETA[name]))
    cut = censored(FAMILIES[name], 1e6).expected_information(columns(THETA[name]))
    np.testing.assert_allclose([float(e) for e in cut], [float(e) for e in whole], rtol=1e-13, atol=1e-15)


# ---- wrong models


@pytest.mark.parametrize("time", [0.2, 1.0, 50.0])
def test_exponential_fitted_to_censored_weibull(time):
    """λ* = P(X < c)/E[min(X, c)], A = P(X < c)/λ*², B = Var(d/λ* − t)."""
    cell = Scenario(
        "w", "weibull", ("shape", "scale"), (2.0, 1.0), "exponential", (), 50, 2, 0.95, ("rate",), censoring=time
    )
    with mpmath.workdps(30):
        power, pieces = lambda t: mpmath.exp(-t * t), sorted({0.0, min(1.0, time), min(6.0, time)})
        seen, mean, square = (
            1 - power(mpmath.mpf(time)),
            mpmath.quad(power, pieces),
            mpmath.quad(lambda t: 2 * t * power(t), pieces),
        )
        early = mean - time * power(mpmath.mpf(time))
        rate = seen / mean
        products = seen / rate**2 - 2 * early / rate + square
    found = limits(cell)
    np.testing.assert_allclose(found.theta[0], float(rate), rtol=1e-10)
    np.testing.assert_allclose(found.hessian[0, 0], float(seen / rate**2), rtol=1e-10)
    np.testing.assert_allclose(found.score_covariance[0, 0], float(products), rtol=1e-10)
    assert not found.irregularity


# ---- laws


@pytest.mark.parametrize("name", ["weibull", "gamma", "lognormal"])
@pytest.mark.parametrize("seed", [1, 2])
def test_laws_where_half_of_the_lifetimes_are_cut(name, seed):
    """The contract suite takes typical ranges; here every point has a good share cut."""
    family = censored(FAMILIES[name], 1.0)
    ranges = {
        "weibull": ((0.5, 4.0), (0.5, 1.5)),
        "gamma": ((0.8, 4.0), (0.3, 0.5)),
        "lognormal": ((-0.7, 0.7), (0.6, 1.5)),
    }
    family.parameters = tuple(
        type(p)(p.name, p.domain, typical) for p, typical in zip(family.parameters, ranges[name], strict=True)
    )
    family.alternatives = ()
    failed = [str(finding) for finding in check(family, seed, LAWS) if not finding.passed]
    assert not failed, "\n".join(failed)


LAWS = ["total_mass", "sampler_distribution", "expected_information", "likelihood_route", "fit_ends", "score_zero"]


# ---- fits


def blocks(name):
    """Data sets over wide parameters and scales, cut at any share."""
    rng = np.random.default_rng(3)
    for block in range(30):
        scale, n = 10 ** rng.uniform(-8, 8), (3, 5, 10, 30, 100, 1000)[block % 6]
        theta = {
            "exponential": (1.0 / scale,),
            "weibull": (10 ** rng.uniform(-0.7, 1.2), scale),
            "gamma": (10 ** rng.uniform(-0.7, 1.5), scale),
            "lognormal": (np.log(scale), 10 ** rng.uniform(-1.0, 0.5)),
        }[name]
        lifetimes = FAMILIES[name].sample(rng, columns(theta), (6, n))
        time = float(np.quantile(FAMILIES[name].sample(rng, columns(theta), (2000,)), rng.uniform(0.05, 0.99)))
        yield time, lifetimes


@pytest.mark.parametrize("name", NAMES)
def test_every_fit_is_a_maximum_unless_nothing_was_seen(name):
    for time, lifetimes in blocks(name):
        family = censored(FAMILIES[name], time)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = simstudy.fit(name, lifetimes, censoring={"time": time})
        seen = (lifetimes < time).any(axis=-1)
        nothing = Status.BOUNDARY if name == "exponential" else Status.NO_MAXIMUM
        assert [s is Status.CONVERGED for s in found.status] == list(seen)
        assert all(status is nothing for status in found.status[~seen])
        if seen.any():
            x, theta = np.stack([np.minimum(lifetimes, time), lifetimes < time], axis=-1)[seen], found.theta[seen]
            information = mean_information(family, x, theta)
            bound = tolerance(family, theta, information)
            # The derivatives of log S come by quadrature, whose nodes round like k ε beside a scale of √k.
            bound = bound * (1.0 if name in ("exponential", "weibull") else 100.0)
            assert (distance(mean_score(family, x, theta), information) <= bound).all()


@pytest.mark.parametrize("name", NAMES)
def test_no_other_search_finds_a_higher_likelihood(name):
    family, x = censored(FAMILIES[name], 0.6), pairs_of(name, 0.6, THETA[name], (3, 15), 8)
    found = simstudy.fit(name, x, censoring={"time": 0.6})
    for row in range(3):
        best = maximise(family, x[row], [found.theta[row]], tries=4)
        assert found.log_likelihood[row] / 15 >= best.value - 1e-9


def test_exponential_estimate_is_events_over_exposure():
    found = simstudy.fit("exponential", [0.5, 3.0, 1.5, 7.0], censoring={"time": 2.0})
    assert found.theta[0] == 2.0 / 6.0
    assert found.observed_information[0, 0] == pytest.approx(0.5 * 9.0, rel=1e-15)


def test_share_without_any_event_is_exact():
    """P(no event) = e^(−nλc): on the boundary λ = 0."""
    rows, share = 5000, np.exp(-5 * 0.3)
    status = simstudy.fit(
        "exponential", pairs_of("exponential", 0.3, (1.0,), (rows, 5)), censoring={"time": 0.3}
    ).status
    found = np.mean([each is Status.BOUNDARY for each in status])
    assert abs(found - share) < 4.0 * np.sqrt(share * (1.0 - share) / rows)


def test_with_nothing_cut_the_fit_is_the_uncensored_one():
    x = FAMILIES["gamma"].sample(np.random.default_rng(2), columns((2.5, 0.4)), (6, 30))
    for name in NAMES:
        whole, cut = simstudy.fit(name, x), simstudy.fit(name, x, censoring={"time": 1e3})
        np.testing.assert_allclose(cut.theta, whole.theta, rtol=1e-12)


@pytest.mark.parametrize(
    ("known", "time", "status"),
    [
        ({}, 1.0, Status.NO_MAXIMUM),
        ({"shape": 2.0}, 1.0, Status.NO_MAXIMUM),
        ({"scale": 2.0}, 1.0, Status.NO_MAXIMUM),  # exp(−(c/λ)ᵏ) rises to 1 as k → ∞
        ({"scale": 0.5}, 1.0, Status.BOUNDARY),  # and here to 1/e as k → 0
    ],
)
def test_weibull_without_events(known, time, status):
    assert simstudy.fit("weibull", [2.0, 3.0, 4.0], known, censoring={"time": time}).status is status


@pytest.mark.parametrize("name", ["weibull", "gamma", "lognormal"])
def test_degenerate_data_end_honestly(name):
    first, second = (parameter.name for parameter in FAMILIES[name].parameters)
    cases = {
        "one seen": ([0.3, 2.0, 2.0], Status.CONVERGED),
        "ties below": ([0.3, 0.3, 0.3, 2.0], Status.CONVERGED),
        "all equal and seen": ([0.3, 0.3, 0.3], Status.NO_MAXIMUM),
        "one outlier": ([0.3, 0.4, 0.35, 1e6], Status.CONVERGED),
        "nothing seen": ([2.0, 3.0], Status.NO_MAXIMUM),
        "not a number": ([0.3, np.nan, 0.5], Status.NOT_FINITE),
        "infinite": ([0.3, np.inf, 0.5], Status.NOT_FINITE),
        "negative": ([0.3, -1.0, 0.5], Status.NOT_FINITE),
    }
    for x, status in cases.values():
        assert simstudy.fit(name, x, censoring={"time": 1.0}).status is status
    for known in ({first: 1.0}, {second: 1.0}):
        assert simstudy.fit(name, [0.3, 0.5, 2.0], known, censoring={"time": 1.0}).status is Status.CONVERGED


@pytest.mark.parametrize("name", NAMES)
def test_a_row_is_its_own(name):
    for n in (1, 2, 3, 17, 60):
        x = pairs_of(name, 0.7, THETA[name], (37, n), n)
        x[4] = np.nan
        together = simstudy.fit(name, x, censoring={"time": 0.7})
        for row in range(0, 37, 4):
            alone = simstudy.fit(name, x[row : row + 1], censoring={"time": 0.7})
            for field in ("theta", "status", "iterations", "log_likelihood", "observed_information", "score_products"):
                one, among = getattr(alone, field)[0], getattr(together, field)[row]
                np.testing.assert_array_equal(one, among, err_msg=field)


# ---- data and identities


def test_pairs_and_times_are_the_same_data():
    times = np.random.default_rng(0).weibull(2.0, (4, 30))
    pairs = np.stack([np.minimum(times, 1.0), times < 1.0], axis=-1)
    block = simstudy.fit("weibull", times, censoring={"time": 1.0})
    np.testing.assert_array_equal(block.theta, simstudy.fit("weibull", pairs, censoring={"time": 1.0}).theta)
    for one in (times[1], pairs[1]):
        np.testing.assert_array_equal(block.theta[1], simstudy.fit("weibull", one, censoring={"time": 1.0}).theta)


def test_two_lifetimes_are_times_unless_the_second_column_is_an_indicator():
    assert simstudy.fit("exponential", [[0.5, 1.0], [0.7, 0.0]], censoring={"time": 0.7}).theta.shape == (1,)
    assert simstudy.fit("exponential", [[0.5, 1.1], [0.7, 0.0]], censoring={"time": 0.7}).theta.shape == (2, 1)


def test_an_event_that_is_cut_earlier_is_outside_the_space():
    x = [[0.5, 1.0], [0.3, 0.0], [1.0, 0.0]]
    assert simstudy.fit("weibull", x, censoring={"time": 1.0}).status is Status.NOT_FINITE


def test_censoring_sees_the_same_lifetimes():
    cell = Scenario("e", "weibull", ("shape", "scale"), (2.0, 1.0), "weibull", (), 20, 100, 0.95)
    cut = Scenario("e", "weibull", ("shape", "scale"), (2.0, 1.0), "weibull", (), 20, 100, 0.95, censoring=0.8)
    assert identity(cell, 1) == identity(cut, 1)
    assert record_identity(cell, 1, 0, 0) != record_identity(cut, 1, 0, 0)
    lifetimes, pairs = draw(cell, 1, 3), draw(cut, 1, 3)
    np.testing.assert_array_equal(pairs[..., 0], np.minimum(lifetimes, 0.8))
    np.testing.assert_array_equal(pairs[..., 1] == 1.0, lifetimes < 0.8)


def test_variance_of_the_exponential_estimate_tends_to_its_limit():
    n, rows = 400, 4000
    theta = simstudy.fit(
        "exponential", pairs_of("exponential", 0.5, (1.0,), (rows, n), 6), censoring={"time": 0.5}
    ).theta
    limit = 1.0 / special.expm1(-0.5) * -1.0
    found = n * theta.var(ddof=1)
    assert abs(found / limit - 1.0) < 4.0 * np.sqrt(2.0 / rows) + 10.0 / n


SIGNED = "has observations other than positive numbers, which cannot be censored"
TIME = "censoring: give the time at which observations are cut, such as {'time': 2.0}, got"


@pytest.mark.parametrize(
    ("family", "censoring", "message"),
    [
        ("normal", {"time": 1.0}, f"censoring: normal {SIGNED}"),
        ("poisson", {"time": 1.0}, f"censoring: poisson {SIGNED}"),
        ("beta", {"time": 0.5}, f"censoring: beta {SIGNED}"),
        ("gamma", {"time": -1.0}, "censoring: time must be positive and finite, got -1.0"),
        ("gamma", {"time": np.inf}, "censoring: time must be positive and finite, got inf"),
        ("gamma", {"tim": 1.0}, f"{TIME} {{'tim': 1.0}}"),
        ("gamma", {"time": "1"}, f"{TIME} {{'time': '1'}}"),
        ("gamma", 2.0, f"{TIME} 2.0"),
    ],
)
def test_wrong_censoring_is_told_in_one_line(family, censoring, message):
    with pytest.raises(ConfigError) as caught:
        simstudy.fit(family, [1.0, 2.0], censoring=censoring)
    assert str(caught.value) == message


def test_a_family_without_survival_function_is_refused():
    with pytest.raises(ConfigError) as caught:
        censored(Rayleigh(), 1.0)
    assert str(caught.value) == "censoring: rayleigh has no survival function, so it cannot be censored"
