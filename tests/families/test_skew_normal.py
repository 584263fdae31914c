"""The skew-normal family: density, information, statuses and exact truths."""

import math
from itertools import combinations

import mpmath
import numpy as np
import pytest
from scipy import stats

from simstudy.contract.estimates import distance, mean_information, mean_score, tolerance
from simstudy.families import FAMILIES
from simstudy.families.skew_likelihood import mills
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario
from tests.precise import REAL, information
from tests.reference import maximise

SKEW = FAMILIES["skew_normal"]
NAMES = ("loc", "scale", "shape")
FORMULA = "log(2/pi)/2 - log(scale) - ((x - loc)/scale)**2/2 + log(erfc(-shape*(x - loc)/scale/sqrt(2))/2)"


def columns(*theta):
    return [np.asarray(value, dtype=float) for value in theta]


def draws(rows, n, shape, seed=0, loc=0.0, scale=1.0):
    return SKEW.sample(np.random.default_rng([seed, n]), columns(loc, scale, shape), (rows, n))


def statuses(found):
    return np.array([Status(s) for s in found.status])


def scenario(phi, known=()):
    return Scenario("skew_normal", "skew_normal", NAMES, phi, "skew_normal", known, 1, 1, 0.95)


@pytest.mark.parametrize("shape", [-40.0, -1.5, 0.0, 0.3, 6.0, 1e4])
def test_log_density(shape):
    x = np.array([-1e4, -60.0, -3.0, -0.2, 0.5, 0.7, 4.0, 70.0, 1e5])
    with mpmath.workdps(60):
        z = [(mpmath.mpf(float(v)) - 0.5) / 2 for v in x]
        logs = [mpmath.log(mpmath.erfc(-mpmath.mpf(shape) * v / mpmath.sqrt(2)) / 2) - v * v / 2 for v in z]
        expected = [float(v + mpmath.log(2 / mpmath.pi) / 2 - mpmath.log(2)) for v in logs]
    np.testing.assert_allclose(SKEW.log_density(x, columns(0.5, 2.0, shape)), expected, rtol=1e-13)


def test_infinite_shape_is_the_half_normal():
    x = np.array([0.0, 0.3, 5.0])
    found = SKEW.log_density(x, columns(0.0, 2.0, np.inf))
    np.testing.assert_allclose(found, stats.halfnorm.logpdf(x, 0.0, 2.0), rtol=1e-14)


def test_mills_ratio_on_both_sides():
    """t + ζ(t) is 1/|t| far below 0, where its terms are |t|."""
    t = np.array([-1e3, -50.0, -11.0, -10.01, -9.99, -3.0, 0.0, 2.0, 9.0])
    with mpmath.workdps(60):
        exact = [mpmath.npdf(v) / (mpmath.erfc(-mpmath.mpf(v) / mpmath.sqrt(2)) / 2) for v in t]
        excess = [float(v + r) for v, r in zip(t, exact, strict=True)]
    found = mills(t)
    # A difference of two numbers of size 10 to one of size 0.1 loses two digits.
    np.testing.assert_allclose(found[0], [float(r) for r in exact], rtol=2e-14)
    np.testing.assert_allclose(found[1], excess, rtol=1e-13)


@pytest.mark.parametrize("shape", [0.7, 6.0])
def test_expected_information_by_quadrature(shape):
    phi = (0.5, 2.0, shape)
    expected = information(FORMULA, NAMES, REAL, phi)
    for count in range(3):
        for known in combinations(NAMES, count):
            kept = [i for i, name in enumerate(NAMES) if name not in known]
            found = limits(scenario(phi, known)).hessian
            np.testing.assert_allclose(found, expected[np.ix_(kept, kept)], rtol=1e-12)


@pytest.mark.parametrize("shape", [-1e6, -1.0, 1e-3, 6.0])
def test_expected_information_by_its_integrals(shape):
    """Azzalini's a₀, a₁, a₂ straight from their definition."""
    with mpmath.workdps(25):
        lam = mpmath.mpf(shape)
        ends = [k / mpmath.sqrt(1 + lam * lam) for k in (-14, -8, -5, -3, -1, 0, 1, 3, 5, 8, 14)]

        def density(z):
            return 4 * mpmath.npdf(z) * mpmath.npdf(lam * z) ** 2 / mpmath.erfc(-lam * z / mpmath.sqrt(2))

        a0, a1, a2 = (mpmath.quad(lambda z, k=k: density(z) * z**k, ends) for k in range(3))
        b, one = mpmath.sqrt(2 / mpmath.pi), 1 + lam * lam
        expected = [
            1 + lam * lam * a0,
            b * lam * (1 + 2 * lam * lam) / one**1.5 + lam * lam * a1,
            b / one**1.5 - lam * a1,
            2 + lam * lam * a2,
            -lam * a2,
            a2,
        ]
    found = SKEW.expected_information(columns(0.0, 1.0, shape))
    np.testing.assert_allclose([float(entry) for entry in found], [float(e) for e in expected], rtol=1e-14)


def test_singular_at_shape_0():
    """I(θ) is told to be singular there, and is not inverted."""
    theory = limits(scenario((0.0, 1.0, 0.0)))
    assert theory.irregularity.startswith("I(θ) is singular where shape is 0")
    assert np.isfinite(theory.hessian).all()
    assert np.isnan(theory.covariance).all()
    assert np.isnan(limits(scenario((0.0, 1.0, 0.006))).covariance).all()
    near = limits(scenario((0.0, 1.0, 0.007)))
    assert near.irregularity == ""
    assert np.isfinite(near.covariance).all()


def test_draws():
    for shape in (-2.0, 0.0, 20.0):
        x = draws(1, 100_000, shape, loc=1.0, scale=2.0)[0]
        assert stats.kstest(x, stats.skewnorm(shape, 1.0, 2.0).cdf).pvalue > 1e-6


def half_normal(x):
    """Return the higher of the mean log-likelihoods of the half normals from the least and the largest observation."""
    values = []
    for end in (x.min(axis=-1, keepdims=True), x.max(axis=-1, keepdims=True)):
        square = ((x - end) ** 2).mean(axis=-1)
        values.append(0.5 * np.log(2.0 / (np.pi * square)) - 0.5)
    return np.maximum(*values)


def fits(n, rows, seed):
    """Return data over wide ranges of parameters and units, and their fits."""
    rng = np.random.default_rng([seed, n])
    scale = 10.0 ** rng.uniform(-8.0, 8.0, (rows, 1))
    loc = scale * rng.normal(0.0, 10.0, (rows, 1))
    x = SKEW.sample(rng, [loc, scale, rng.normal(0.0, 5.0, (rows, 1))], (rows, n))
    return x, fit(SKEW, x)


@pytest.mark.parametrize("n", [3, 5, 10, 30, 100, 1000])
def test_fits_end_with_a_maximum_or_at_the_half_normal(n):
    x, found = fits(n, 60, seed=1)
    ended = statuses(found)
    assert set(ended) <= {Status.CONVERGED, Status.BOUNDARY}
    limit, value = half_normal(x), found.log_likelihood / n
    rows = ended == Status.CONVERGED
    theta = found.theta[rows]
    if rows.any():
        matrix = mean_information(SKEW, x[rows], theta)[0]
        error = distance(mean_score(SKEW, x[rows], theta), matrix)
        assert (error <= tolerance(SKEW, theta, matrix)).all()
        normal = -0.5 * np.log(2.0 * np.pi * x[rows].var(axis=-1)) - 0.5
        assert (value[rows] > np.maximum(limit[rows], normal)).all()
    np.testing.assert_allclose(value[~rows], limit[~rows], rtol=1e-12)
    assert np.isinf(found.theta[~rows, 2]).all()


@pytest.mark.parametrize("n", [5, 30, 100])
def test_nothing_higher_is_found_by_many_starts(n):
    x, found = fits(n, 40, seed=2)
    for row in range(0, 40, 13):
        data = (x[row] - x[row].mean()) / x[row].std()
        best = maximise(SKEW, data, [(-1.0, 1.3, 2.0), (1.0, 1.3, -2.0)], tries=2)
        again = fit(SKEW, data)
        assert again.status is found.status[row]
        assert again.log_likelihood / n >= best.value - 1e-9


@pytest.mark.parametrize("known", [{"scale": 1.0}, {"shape": 2.0}, {"loc": 0.0}, {"scale": 1.0, "shape": 2.0}])
def test_known_parameters(known):
    x = draws(30, 20, 2.0)
    held = {NAMES.index(name): value for name, value in known.items()}
    found = fit(SKEW, x, known)
    assert set(statuses(found)) <= {Status.CONVERGED, Status.BOUNDARY}
    for row in (0, 17):
        best = maximise(SKEW, x[row], [(0.0, 1.0, 2.0)], known=held, tries=2)
        assert found.log_likelihood[row] / 20 >= best.value - 1e-9


def test_boundary_share_with_the_location_known():
    """The shape is infinite where all observations are on one side, whose probability is ½ ± atan(λ)/π."""
    rows, n, shape = 20_000, 4, 1.0
    found = fit(SKEW, draws(rows, n, shape), {"loc": 0.0})
    above = 0.5 + math.atan(shape) / math.pi
    expected = above**n + (1.0 - above) ** n
    share = (statuses(found) == Status.BOUNDARY).mean()
    assert abs(share - expected) < 4.0 * math.sqrt(expected * (1.0 - expected) / rows)


def test_scale_with_the_location_known_is_that_of_the_normal():
    """Its square is the mean square whatever the shape, so that nω̂²/ω² is chi-squared."""
    x = draws(200, 30, 1.0)
    found = fit(SKEW, x, {"loc": 0.0})
    np.testing.assert_allclose(found.theta[:, 0] ** 2, (x * x).mean(axis=-1), rtol=1e-12)


def test_shape_0_is_the_maximum_where_the_known_scale_is_small():
    x = draws(40, 50, 0.0)
    found = fit(SKEW, x, {"scale": 0.5})
    rows = found.theta[:, 1] == 0.0
    assert rows.all()
    assert set(statuses(found)) == {Status.CONVERGED}
    np.testing.assert_allclose(found.theta[:, 0], x.mean(axis=-1), atol=1e-14)


@pytest.mark.parametrize(
    ("x", "known", "status"),
    [
        ([1.0] * 8, {}, Status.NO_MAXIMUM),
        ([1.0] * 8, {"loc": 1.0}, Status.NO_MAXIMUM),
        ([1.0] * 8, {"loc": 1.0, "scale": 1.0}, Status.NO_MAXIMUM),
        ([1.0] * 8, {"scale": 1.0}, Status.BOUNDARY),
        ([1.0] * 8, {"loc": 1.0, "shape": 1.0}, Status.NO_MAXIMUM),
        ([2.0] * 8, {"loc": 1.0, "shape": 1.0}, Status.CONVERGED),
        ([1.0, 2.0, 4.0], {"loc": 1.0}, Status.BOUNDARY),
        ([1.0, 2.0], {}, Status.BOUNDARY),
        ([3.0], {}, Status.NO_MAXIMUM),
        ([3.0], {"scale": 1.0, "shape": 2.0}, Status.CONVERGED),
        ([1.0] * 20 + [5.0], {}, Status.BOUNDARY),
        ([1.0, 2.0, np.nan], {}, Status.NOT_FINITE),
        ([1.0, 2.0, -np.inf, 3.0], {}, Status.NOT_FINITE),
    ],
)
def test_degenerate_data(x, known, status):
    assert fit(SKEW, x, known).status is status


def test_symmetric_data_have_a_singular_maximum():
    x = stats.norm.ppf((np.arange(60) + 0.5) / 60.0)
    found = fit(SKEW, x)
    assert found.status is Status.NOT_CONCAVE
    np.testing.assert_allclose(found.theta, [0.0, x.std(), 0.0], atol=1e-12)


def test_an_outlier():
    x = draws(1, 50, 2.0)[0]
    x[7] = 1e6
    assert fit(SKEW, x).status in (Status.BOUNDARY, Status.CONVERGED)
