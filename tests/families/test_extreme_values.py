"""Generalized extreme value and generalized Pareto: densities, information, estimates and when there are none."""

import warnings
from itertools import combinations

import mpmath
import numpy as np
import pytest
from scipy import optimize, stats

import simstudy
from simstudy.contract.estimates import distance, mean_information, mean_score, tolerance
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.study.limits import limits
from simstudy.study.scenario import Scenario
from tests.exact import of_formula

GEV, GPD = "generalized_extreme_value", "generalized_pareto"
NAMES = {GEV: ("loc", "scale", "shape"), GPD: ("scale", "shape")}
FORMULAS = {
    GEV: "-log(scale) - (1/shape + 1)*log(1 + shape*(x - loc)/scale) - (1 + shape*(x - loc)/scale)**(-1/shape)",
    GPD: "-log(scale) - (1/shape + 1)*log(1 + shape*x/scale)",
}
EPS = 2.0**-52


def family_of(name):
    return FAMILIES[name]


def theta_of(name, scale, shape, loc=0.0):
    return (loc, scale, shape) if name == GEV else (scale, shape)


def columns(theta):
    return [np.asarray(value) for value in theta]


def draws(name, theta, size, seed=0):
    return family_of(name).sample(np.random.default_rng(seed), columns(theta), size)


# ---- densities


def exact_log_density(name, x, theta):
    *_, scale, shape = (mpmath.mpf(float(value)) for value in theta)
    z = (mpmath.mpf(float(x)) - (mpmath.mpf(float(theta[0])) if name == GEV else 0)) / scale
    y = z if shape == 0 else mpmath.log(1 + shape * z) / shape
    return -mpmath.log(scale) - (1 + shape) * y - (mpmath.exp(-y) if name == GEV else 0)


@pytest.mark.parametrize("shape", [0.0, 1e-12, -1e-8, 1e-4, -1e-3, 0.2, -0.25, 1.5, -0.9])
@pytest.mark.parametrize("name", NAMES)
def test_log_density(name, shape):
    theta = theta_of(name, 2.0, shape, 1.0)
    y = np.array([1e-9, 0.1, 1.0, 3.0, 30.0, 600.0])
    y = np.concatenate([-np.array([0.3, 2.0, 5.0]), y]) if name == GEV else y
    y = y[np.abs(shape * y) < 200.0]
    z = y if shape == 0.0 else np.expm1(shape * y) / shape
    x = 2.0 * z + (1.0 if name == GEV else 0.0)
    x = x[1.0 + shape * z > 1e-3]
    found = family_of(name).log_density(x, columns(theta))
    with mpmath.workdps(40):
        expected = [float(exact_log_density(name, value, theta)) for value in x]
    # x is rounded, which close to the endpoint is a thousand roundings of 1 + ξz; y multiplies it by e⁻ʸ
    np.testing.assert_allclose(found, expected, rtol=1e-12 if shape > -0.5 else 1e-11)


@pytest.mark.parametrize("shape", [0.3, -0.3, 0.0])
def test_log_density_against_scipy(shape):
    x = np.linspace(-2.0, 12.0, 57)
    with np.errstate(all="ignore"):
        gev, gpd = stats.genextreme.logpdf(x, -shape, 0.5, 2.0), stats.genpareto.logpdf(x, shape, scale=2.0)
    np.testing.assert_allclose(family_of(GEV).log_density(x, columns((0.5, 2.0, shape))), gev, rtol=1e-12)
    np.testing.assert_allclose(family_of(GPD).log_density(x, columns((2.0, shape))), gpd, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_no_density_beyond_the_endpoint(name):
    family = family_of(name)
    for shape, x in ((-0.5, [4.0, 4.0 + 1e-9, 1e9]), (0.5, [-4.0, -5.0, -1e9])):
        value = family.log_density(np.array(x), columns(theta_of(name, 2.0, shape)))
        np.testing.assert_array_equal(value, -np.inf)
    np.testing.assert_array_equal(family_of(GPD).log_survival(np.array([4.0, 9.0]), columns((2.0, -0.5))), -np.inf)


def test_log_survival():
    x = np.array([0.0, 0.5, 3.0, 50.0])
    for shape in (-0.01, 0.0, 0.4):
        expected = stats.genpareto.logsf(x, shape, scale=2.0)
        np.testing.assert_allclose(family_of(GPD).log_survival(x, columns((2.0, shape))), expected, rtol=1e-13)


def test_support():
    gev, gpd = family_of(GEV), family_of(GPD)
    spaces = [gev.support((1.0, 2.0, shape)) for shape in (-0.5, 0.0, 0.5)]
    assert [(s.lower, s.upper) for s in spaces] == [(-np.inf, 5.0), (-np.inf, np.inf), (-3.0, np.inf)]
    spaces = [gpd.support((2.0, shape)) for shape in (-0.5, 0.0, 0.5)]
    assert [(s.lower, s.upper) for s in spaces] == [(0.0, 4.0), (0.0, np.inf), (0.0, np.inf)]


# ---- information


def exact_information(name, scale, shape):
    """E[s sᵀ] as an integral over v = −log E, E the standard exponential that an observation is a function of."""
    functions = of_formula(FORMULAS[name], NAMES[name])
    with mpmath.workdps(130):
        theta = [mpmath.mpf(value) for value in theta_of(name, scale, shape if shape else 1e-22)]
        xi, size = theta[-1], theta[-2]

        def integrand(v):
            y = v if name == GEV else mpmath.exp(-v)
            score = functions.score(size * mpmath.expm1(xi * y) / xi, *theta)
            weight = mpmath.exp(-v - mpmath.exp(-v))
            return mpmath.matrix([a * b * weight for i, a in enumerate(score) for b in score[i:]])

        # Trapezoidal sums of a function that is analytic within ±iπ/2 and decays at both ends, near ξ = −½ slowly in v
        # or in e⁻ᵛ: their error is exp(−π²/step).
        reach = 45 / min(1, 1 + 2 * xi)
        low, high, step = -5.0, float(reach), 1 / 8
        if name == GPD:
            low, high = -float(mpmath.log(reach)), 45.0
        count = int((high - low) / step) + 1
        total = sum((integrand(mpmath.mpf(low + k * step)) for k in range(count)), 0 * integrand(mpmath.mpf(1)))
        packed = [float(value * step) for value in total]
    rows = np.empty((len(theta), len(theta)))
    rows[np.triu_indices(len(theta))] = packed
    return np.triu(rows) + np.triu(rows, 1).T


@pytest.mark.parametrize("shape", [0.0, 1e-8, -1e-5, 1e-3, -0.01, 0.19, -0.21, 0.6, -0.45])
@pytest.mark.parametrize("name", NAMES)
def test_expected_information(name, shape):
    theta = theta_of(name, 3.0, shape)
    given = dict(zip(NAMES[name], theta, strict=True))
    expected = exact_information(name, 3.0, shape)
    found = simstudy.expected_information(name, given).to_numpy()
    scale = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(found / np.outer(scale, scale), expected / np.outer(scale, scale), rtol=0, atol=1e-12)
    for count in range(1, len(theta)):
        for known in combinations(NAMES[name], count):
            kept = [i for i, key in enumerate(NAMES[name]) if key not in known]
            part = simstudy.expected_information(name, given, known).to_numpy()
            np.testing.assert_allclose(part, expected[np.ix_(kept, kept)], rtol=1e-11)


@pytest.mark.parametrize("distance_to_half", [1e-4, 1e-7])
def test_information_close_to_minus_one_half(distance_to_half):
    """Near −½ the leading term is that of the pole, times a function that is smooth there."""
    shape = -0.5 + distance_to_half
    given = {"loc": 0.0, "scale": 1.0, "shape": shape}
    found = simstudy.expected_information(GEV, given).to_numpy()
    with mpmath.workdps(40):
        x = mpmath.mpf(shape)
        expected = float((1 + x) ** 2 * mpmath.gamma(1 + 2 * x))
    assert found[0, 0] == pytest.approx(expected, rel=1e-13)
    assert np.linalg.eigvalsh(found)[0] > 0.0


@pytest.mark.parametrize("shape", [-0.5, -0.75, -2.0])
@pytest.mark.parametrize("name", NAMES)
def test_no_information_from_minus_one_half_down(name, shape):
    theta = theta_of(name, 1.0, shape)
    assert np.isnan(simstudy.expected_information(name, dict(zip(NAMES[name], theta, strict=True)))).all(axis=None)
    assert "infinite" in family_of(name).irregularity(theta)
    assert family_of(name).irregularity(theta_of(name, 1.0, -0.49)) == ""
    theory = limits(Scenario(name, name, NAMES[name], theta, name, (), n=1, replicates=1, level=0.95))
    assert np.isnan(theory.hessian).all()
    assert np.isnan(theory.covariance).all()
    assert theory.irregularity


def pseudo_true(name, theta, wrong, free):
    cell = Scenario("wrong", name, NAMES[name], theta, wrong, (), n=1, replicates=1, level=0.95, fitted=free)
    return limits(cell).theta


def test_pseudo_true_values_of_data_with_an_endpoint():
    """A normal or an exponential fitted to such data tends to their moments."""
    shape = -0.3
    first, second = (float(mpmath.gamma(1 - k * shape)) for k in (1, 2))
    mean, sd = 1.0 + 2.0 * (first - 1.0) / shape, 2.0 * np.sqrt(second - first**2) / abs(shape)
    found = pseudo_true(GEV, (1.0, 2.0, shape), "normal", ("mean", "sd"))
    np.testing.assert_allclose(found, [mean, sd], rtol=1e-9)
    found = pseudo_true(GPD, (2.0, -0.4), "exponential", ("scale",))
    np.testing.assert_allclose(found, [2.0 / 1.4], rtol=1e-9)


# ---- estimates


def random_data(name, n, sets, seed):
    """Return data sets (sets, n), each of its own parameters, over scales from 1e-8 to 1e8."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-8.0, 8.0, (sets, 1))
    shape = rng.uniform(-0.7, 2.0, (sets, 1))
    theta = [scale * rng.uniform(-100.0, 100.0, (sets, 1)), scale, shape] if name == GEV else [scale, shape]
    return family_of(name).sample(rng, theta, (sets, n))


def assert_maxima(name, x, found):
    """The score is zero, the information positive definite, and the shape above −1, where there is an estimate."""
    rows = found.status == Status.CONVERGED
    assert set(found.status) <= {Status.CONVERGED, Status.NO_MAXIMUM}
    assert np.isnan(found.theta[~rows]).all()
    theta, x, family = found.theta[rows], x[rows], family_of(name)
    information = mean_information(family, x, theta)
    error = distance(mean_score(family, x, theta), information)
    assert (error <= tolerance(family, theta, information)).all()
    scale = np.sqrt(np.einsum("rii->ri", information))
    least = np.linalg.eigvalsh(information / scale[:, :, np.newaxis] / scale[:, np.newaxis, :])[:, 0]
    assert (least > 0.0).all()
    assert (theta[:, -1] > -1.0).all()


@pytest.mark.parametrize("n", [3, 5, 10, 30, 100, 1000])
@pytest.mark.parametrize("name", NAMES)
def test_fits_of_random_data(name, n):
    x = random_data(name, n, 60, n)
    found = fit(name, x)
    assert_maxima(name, x, found)
    if n >= 1000:
        assert (found.status == Status.CONVERGED).all()


def local_maximum(name, x, rng):
    """Climb from a random feasible point by another optimiser; return height and whether it is a maximum inside."""
    low, high = (x.min(), x.max()) if name == GEV else (0.0, x.max())
    shape, spread = rng.uniform(-0.9, 1.5), x.std() * np.exp(rng.normal(-0.5, 0.7))
    loc = np.median(x) if name == GEV else 0.0
    scale = max(spread, 1.05 * shape * (loc - low), -1.05 * shape * (high - loc))
    family = family_of(name)

    def parameters(u):
        return columns((*u[:-2], np.exp(u[-2]), u[-1]))

    def cost(u):
        with np.errstate(all="ignore"):
            value = -np.mean(family.log_density(x, parameters(u)))
        return value if np.isfinite(value) else 1e10

    start = [*([loc] if name == GEV else []), np.log(scale), shape]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = optimize.minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})
    theta = np.array([[float(value) for value in parameters(found.x)]])
    if not theta[0, -1] > -1.0:
        return -np.inf
    with np.errstate(all="ignore"):
        information = mean_information(family, x[np.newaxis], theta)
        error = distance(mean_score(family, x[np.newaxis], theta), information)[0]
    is_maximum = np.isfinite(error) and error < 1e-3 and np.linalg.eigvalsh(information)[0, 0] > 0.0
    return -found.fun if is_maximum else -np.inf


@pytest.mark.parametrize("n", [4, 8, 20, 40])
@pytest.mark.parametrize("name", NAMES)
def test_no_search_finds_a_higher_local_maximum(name, n):
    rng = np.random.default_rng(100 + n)
    theta = theta_of(name, 1.0, float(rng.uniform(-0.5, 0.8)))
    x = draws(name, theta, (3, n), seed=n)
    found = fit(name, x)
    for row, status in enumerate(found.status):
        best = max(local_maximum(name, x[row], rng) for _ in range(6))
        height = found.log_likelihood[row] / n if status is Status.CONVERGED else -np.inf
        assert best <= height + 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_estimates_move_with_the_data(name):
    x = draws(name, theta_of(name, 1.0, 0.2), (40, 30), seed=5)
    found, moved = fit(name, x), fit(name, 1e6 * x + (3e6 if name == GEV else 0.0))
    np.testing.assert_array_equal(found.status, moved.status)
    rows = found.status == Status.CONVERGED
    assert rows.sum() > 30
    expected = found.theta[rows] * np.where(np.array(NAMES[name]) == "shape", 1.0, 1e6)
    if name == GEV:
        expected[:, 0] += 3e6
    np.testing.assert_allclose(moved.theta[rows], expected, rtol=1e-9, atol=1e-9)


# ---- known parameters


@pytest.mark.parametrize("name", NAMES)
def test_known_parameters(name):
    for shape in (-0.3, 0.4):
        theta = theta_of(name, 2.0, shape, 3.0)
        x = draws(name, theta, (20, 40), seed=7)
        given = dict(zip(NAMES[name], theta, strict=True))
        for count in range(1, len(theta)):
            for known in combinations(NAMES[name], count):
                found = fit(name, x, {key: given[key] for key in known})
                assert set(found.status) <= {Status.CONVERGED, Status.NO_MAXIMUM}
                assert (found.status == Status.CONVERGED).sum() >= 18
                full = np.tile(theta, (len(x), 1))
                kept = [i for i, key in enumerate(NAMES[name]) if key not in known]
                full[:, kept] = found.theta
                rows = found.status == Status.CONVERGED
                score = mean_score(family_of(name), x[rows], full[rows])[:, kept]
                information = mean_information(family_of(name), x[rows], full[rows])[:, kept][:, :, kept]
                bound = tolerance(family_of(name), full[rows][:, kept], information)
                assert (distance(score, information) <= bound).all()


def test_exponential_data_have_their_mean_as_scale():
    x = draws(GPD, (2.0, 0.0), (10, 25))
    found = fit(GPD, x, {"shape": 0.0})
    np.testing.assert_allclose(found.theta[:, 0], x.mean(axis=-1), rtol=1e-14)


def test_gumbel_data_with_shape_zero():
    """Of the Gumbel family μ̂ = −σ̂ log mean e^(−x/σ̂), σ̂ = x̄ − Σx e^(−x/σ̂)/Σe^(−x/σ̂)."""
    x = draws(GEV, (1.0, 2.0, 0.0), (10, 25))
    found = fit(GEV, x, {"shape": 0.0})
    loc, scale = found.theta.T
    weight = np.exp(-x / scale[:, np.newaxis])
    np.testing.assert_allclose(loc, -scale * np.log(weight.mean(axis=-1)), rtol=1e-12)
    np.testing.assert_allclose(scale, x.mean(axis=-1) - (x * weight).sum(axis=-1) / weight.sum(axis=-1), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_known_shape_of_minus_one_or_less_has_no_maximum(name):
    found = fit(name, draws(name, theta_of(name, 1.0, -1.2), (3, 50)), {"shape": -1.2})
    assert set(found.status) == {Status.NO_MAXIMUM}


# ---- no estimate


def test_share_of_pairs_with_an_estimate():
    """Of two observations the profile depends on r = max/min alone, and P(r > t) = 2/(1 + t) for exponential data."""

    def has_peak(r):
        log_theta = np.linspace(-8.0, 30.0, 20_001)
        theta = np.exp(log_theta)
        shape = 0.5 * (np.log1p(theta) + np.log1p(theta * r))
        profile = log_theta - np.log(shape) - shape
        rise = np.diff(profile)
        return bool(((rise[:-1] > 0.0) & (rise[1:] < 0.0)).any())

    least, most = 2.0, 1e4
    for _ in range(40):
        middle = np.sqrt(least * most)
        least, most = (least, middle) if has_peak(middle) else (middle, most)
    share = 2.0 / (1.0 + most)
    count = 10_000
    found = fit(GPD, draws(GPD, (1.0, 0.0), (count, 2), seed=3))
    converged = (found.status == Status.CONVERGED).mean()
    assert abs(converged - share) <= 4.0 * np.sqrt(share * (1.0 - share) / count)


CONSTANT = [np.full(5, 2.0), np.full(50, 2.0), np.full(1, 3.0)]


@pytest.mark.parametrize("x", CONSTANT, ids=len)
@pytest.mark.parametrize("name", NAMES)
def test_constant_data_have_no_maximum(name, x):
    assert fit(name, x).status is Status.NO_MAXIMUM


def test_zeros():
    assert fit(GPD, np.zeros(10)).status is Status.NO_MAXIMUM
    assert fit(GPD, np.zeros(50)).status is Status.NO_MAXIMUM
    x = draws(GPD, (1.0, 0.1), (50,))
    x[:3] = 0.0
    assert fit(GPD, x).status is Status.CONVERGED
    assert fit(GPD, np.append(x, -1e-300)).status is Status.NOT_FINITE


@pytest.mark.parametrize("n", [10, 100])
@pytest.mark.parametrize("name", NAMES)
def test_unpleasant_data_end_honestly(name, n):
    x = draws(name, theta_of(name, 1.0, 0.1), (6, n), seed=n)
    x = np.abs(x) if name == GPD else x
    x[0] = np.round(x[0])
    x[1, 0] = 1e6
    x[2] = np.round(4.0 * x[2]) / 4.0
    x[3] = 1.0 + 1e-9 * x[3]
    x[4, : n // 2] = x[4, 0]
    assert_maxima(name, x, fit(name, x))


@pytest.mark.parametrize("name", NAMES)
def test_unusable_data(name):
    x = draws(name, theta_of(name, 1.0, 0.1), (3, 40))
    x[0, 3], x[2, 0] = np.nan, np.inf
    assert fit(name, x).status.tolist() == [Status.NOT_FINITE, Status.CONVERGED, Status.NOT_FINITE]


@pytest.mark.parametrize("name", NAMES)
def test_too_few_observations_for_most(name):
    assert family_of(name).minimum_size(NAMES[name]) == 5
    assert family_of(name).minimum_size(["shape"]) == 1
