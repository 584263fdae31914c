"""Student's t family: density, information, statuses and exact truths."""

import math
from itertools import combinations

import mpmath
import numpy as np
import pytest
from scipy import stats

from simstudy.contract.estimates import distance, mean_information, mean_score, tolerance
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario
from tests.precise import HEAVY, information
from tests.reference import maximise

STUDENT = FAMILIES["student_t"]
NAMES = ("loc", "scale", "df")
FORMULA = (
    "loggamma((df + 1)/2) - loggamma(df/2) - log(pi*df)/2 - log(scale) - (df + 1)/2*log(1 + ((x - loc)/scale)**2/df)"
)


def columns(*theta):
    return [np.asarray(value, dtype=float) for value in theta]


def draws(rows, n, df, seed=0, loc=0.0, scale=1.0):
    return STUDENT.sample(np.random.default_rng([seed, n]), columns(loc, scale, df), (rows, n))


def statuses(found):
    return np.array([Status(s) for s in found.status])


@pytest.mark.parametrize("df", [0.1, 1.0, 5.0, 100.0, 1e4, 1e8, 1e12])
def test_log_density(df):
    """Also where log(1 + z²/ν) has no digits left beside 1, and where z² overflows."""
    x = np.concatenate([np.linspace(-50.0, 50.0, 21), [1e3, 1e10, -1e150, 1e200]])
    with mpmath.workdps(60):
        nu = mpmath.mpf(df)
        constant = mpmath.loggamma((nu + 1) / 2) - mpmath.loggamma(nu / 2) - mpmath.log(nu * mpmath.pi) / 2
        z = [(mpmath.mpf(float(v)) - 0.5) / 2 for v in x]
        expected = [float(constant - mpmath.log(2) - (nu + 1) / 2 * mpmath.log(1 + v * v / nu)) for v in z]
    np.testing.assert_allclose(STUDENT.log_density(x, columns(0.5, 2.0, df)), expected, rtol=1e-14)


def test_infinite_df_is_the_normal():
    x = np.linspace(-9.0, 9.0, 7)
    found = STUDENT.log_density(x, columns(1.0, 2.0, np.inf))
    np.testing.assert_allclose(found, stats.norm.logpdf(x, 1.0, 2.0), rtol=1e-14)


@pytest.mark.parametrize("df", [1.0, 5.5])
def test_expected_information_by_quadrature(df):
    phi = (0.5, 2.0, df)
    expected = information(FORMULA, NAMES, HEAVY, phi)
    for count in range(3):
        for known in combinations(NAMES, count):
            kept = [i for i, name in enumerate(NAMES) if name not in known]
            scenario = Scenario("student_t", "student_t", NAMES, phi, "student_t", known, 1, 1, 0.95)
            np.testing.assert_allclose(limits(scenario).hessian, expected[np.ix_(kept, kept)], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("df", 10.0 ** np.arange(-3.0, 10.0, 0.6))
def test_information_in_df_does_not_cancel(df):
    """Its terms are ν times as large as it is, or ν² for two of them."""
    with mpmath.workdps(60):
        nu = mpmath.mpf(float(df))
        step = mpmath.psi(1, nu / 2) - mpmath.psi(1, (nu + 1) / 2)
        expected = float((step - 2 * (nu + 5) / (nu * (nu + 1) * (nu + 3))) / 4)
    np.testing.assert_allclose(STUDENT.expected_information(columns(0.0, 1.0, df))[5], expected, rtol=1e-13)


def test_draws():
    for df in (0.5, 3.0, 30.0):
        x = draws(1, 100_000, df, loc=1.0, scale=2.0)[0]
        assert stats.kstest(x, stats.t(df, 1.0, 2.0).cdf).pvalue > 1e-6


def fits(n, rows, seed):
    """Return data over wide ranges of parameters and units, and their fits."""
    rng = np.random.default_rng([seed, n])
    scale = 10.0 ** rng.uniform(-8.0, 8.0, (rows, 1))
    loc = scale * rng.normal(0.0, 10.0, (rows, 1))
    df = np.exp(rng.uniform(math.log(0.5), math.log(100.0), (rows, 1)))
    x = STUDENT.sample(rng, [loc, scale, df], (rows, n))
    return x, fit(STUDENT, x)


def normal_limit(x):
    """Return the mean log-likelihood of the normal and the kurtosis."""
    deviation = x - x.mean(axis=-1, keepdims=True)
    variance = (deviation**2).mean(axis=-1)
    return -0.5 * np.log(2.0 * np.pi * variance) - 0.5, (deviation**4).mean(axis=-1) / variance**2


@pytest.mark.parametrize("n", [3, 5, 10, 30, 100, 1000])
def test_fits_end_with_a_maximum_or_at_the_normal(n):
    x, found = fits(n, 120, seed=1)
    ended = statuses(found)
    assert set(ended) <= {Status.CONVERGED, Status.BOUNDARY, Status.NO_MAXIMUM}
    limit, kurtosis = normal_limit(x)
    rows = ended == Status.CONVERGED
    theta = found.theta[rows]
    matrix = mean_information(STUDENT, x[rows], theta)[0]
    error = distance(mean_score(STUDENT, x[rows], theta), matrix)
    assert (error <= tolerance(STUDENT, theta, matrix)).all()
    assert (theta[:, 2] > 1.0 / (n - 1)).all()
    value = found.log_likelihood / n
    assert (value[rows] > limit[rows]).all()
    boundary = ended == Status.BOUNDARY
    assert (kurtosis[boundary] <= 3.0).all()
    np.testing.assert_allclose(value[boundary], limit[boundary], rtol=1e-12)
    np.testing.assert_array_equal(found.theta[boundary, 2], np.inf)
    assert (kurtosis[ended == Status.NO_MAXIMUM] > 3.0).all()


@pytest.mark.parametrize("n", [10, 30, 100])
def test_nothing_higher_is_found_by_many_starts(n):
    """A reference that runs to the unbounded end has left every sensible start far behind."""
    x, _ = fits(n, 40, seed=2)
    for row in range(0, 40, 13):
        spread = np.subtract(*np.quantile(x[row], (0.75, 0.25)))
        data = (x[row] - np.median(x[row])) / spread
        best = maximise(STUDENT, data, [(0.0, 0.7, 4.0)], tries=3)
        found = fit(STUDENT, data)
        assert found.status is not Status.NO_MAXIMUM
        if best.inside:
            assert found.log_likelihood / n >= best.value - 1e-9


def test_cauchy():
    x = draws(20, 30, 1.0)
    found, cauchy = fit(STUDENT, x, {"df": 1.0}), fit("cauchy", x)
    np.testing.assert_allclose(found.theta, cauchy.theta, rtol=1e-9, atol=1e-9)


def test_the_estimate_moves_with_the_data():
    x = draws(50, 20, 3.0)
    found, moved = fit(STUDENT, x), fit(STUDENT, 100.0 - 0.25 * x)
    np.testing.assert_array_equal(moved.status, found.status)
    rows = statuses(found) == Status.CONVERGED
    expected = found.theta[rows] * [-0.25, 0.25, 1.0] + [100.0, 0.0, 0.0]
    np.testing.assert_allclose(moved.theta[rows], expected, rtol=1e-8)


def test_boundary_share_of_one_observation():
    """With location and scale known the likelihood of ν rises to ν = ∞ unless z⁴ − 2z² > 1."""
    rows, df = 20_000, 2.0
    found = fit(STUDENT, draws(rows, 1, df), {"loc": 0.0, "scale": 1.0})
    share = (statuses(found) == Status.BOUNDARY).mean()
    expected = 1.0 - 2.0 * stats.t.sf(math.sqrt(1.0 + math.sqrt(2.0)), df)
    assert abs(share - expected) < 4.0 * math.sqrt(expected * (1.0 - expected) / rows)


@pytest.mark.parametrize(
    ("x", "known", "status"),
    [
        ([1.0] * 8, {}, Status.NO_MAXIMUM),
        ([1.0] * 8, {"scale": 1.0}, Status.BOUNDARY),
        ([1.0] * 6 + [2.0, 5.0], {"df": 3.0}, Status.NO_MAXIMUM),  # unbounded for df < 6/2
        ([1.0] * 6 + [2.0, 5.0], {"df": 3.5}, Status.CONVERGED),
        ([1.0, 2.0, 4.0], {"df": 0.5}, Status.NO_MAXIMUM),
        ([0.0, 0.0, 3.0], {"loc": 0.0, "df": 1.0}, Status.NO_MAXIMUM),
        ([-1.0, 1.0], {}, Status.BOUNDARY),
        ([3.0], {}, Status.NO_MAXIMUM),
        ([1.0, 2.0, np.nan], {}, Status.NOT_FINITE),
        ([1.0, 2.0, -np.inf, 3.0], {}, Status.NOT_FINITE),
    ],
)
def test_degenerate_data(x, known, status):
    assert fit(STUDENT, x, known).status is status


def test_an_outlier():
    x = draws(1, 50, 5.0)[0]
    x[7] = 1e6
    found = fit(STUDENT, x)
    assert found.status is Status.CONVERGED
    assert abs(found.theta[0]) < 1.0


def test_two_clusters_beat_the_normal():
    """The kurtosis is 1, and yet a t distribution about one of the clusters is the more likely."""
    x = np.concatenate([1e-6 * np.arange(10.0), 1.0 + 1e-6 * np.arange(10.0)])
    found = fit(STUDENT, x)
    assert found.status is Status.CONVERGED
    assert found.log_likelihood / 20 > normal_limit(x[np.newaxis])[0][0] + 1.0


def test_large_df_is_estimated_to_rounding():
    """A kurtosis just over 3 puts ν far out, where the likelihood is nearly flat."""
    x = draws(400, 50, 30.0)
    found = fit(STUDENT, x)
    rows = (statuses(found) == Status.CONVERGED) & (found.theta[:, 2] > 200.0)
    assert rows.any()
    theta = found.theta[rows]
    matrix = mean_information(STUDENT, x[rows], theta)[0]
    assert (distance(mean_score(STUDENT, x[rows], theta), matrix) <= tolerance(STUDENT, theta, matrix)).all()
