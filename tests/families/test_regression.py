"""Regressions: information against mpmath and closed forms, fits against linear programming and exact truths."""

import warnings

import mpmath
import numpy as np
import pytest
from scipy import optimize, stats

import simstudy
from simstudy.contract import check
from simstudy.contract.estimates import distance, mean_information, mean_score, tolerance
from simstudy.errors import ConfigError
from simstudy.families import FAMILIES
from simstudy.families.covariates import Named, margin
from simstudy.families.design_moments import DRAWS
from simstudy.families.logistic_moments import weight_moments
from simstudy.families.orthogonal import orthonormal
from simstudy.families.status import Status
from simstudy.study.limits import limits
from simstudy.study.scenario import Covariate, Scenario
from tests.reference import maximise

NAMES = ("linear_regression", "logistic_regression", "poisson_regression")
GAMMA = {"family": "gamma", "parameters": {"shape": 2, "scale": 1}}


def regression(name, slopes):
    return FAMILIES[name].suited(np.zeros((1, 1, 1 + slopes)))


def draws(family, theta, size, seed=0):
    return family.sample(np.random.default_rng(seed), [np.asarray(float(value)) for value in theta], size)


def information(name, theta, covariates=None):
    k = len(theta) - 1 - (name == "linear_regression")
    names = ["intercept", *(f"slope{j}" for j in range(1, k + 1)), "sd"][: len(theta)]
    point = dict(zip(names, theta, strict=True))
    return simstudy.expected_information(name, point, covariates=covariates).to_numpy()


# ---- densities


@pytest.mark.parametrize("slopes", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_log_density_against_scipy_far_out_as_well(name, slopes):
    family = regression(name, slopes)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 1 + slopes)) * 3.0
    theta = [0.3, *np.linspace(4.0, -2.0, slopes), 1.5][: len(family.parameters)]
    eta = theta[0] + x[:, 1:] @ np.array(theta[1 : 1 + slopes])
    if name == "linear_regression":
        own = stats.norm.logpdf(x[:, 0], eta, theta[-1])
    elif name == "logistic_regression":
        x[:, 0] = rng.integers(0, 2, 200)
        own = -np.logaddexp(0.0, np.where(x[:, 0] > 0, -eta, eta))
    else:
        x[:, 0] = rng.integers(0, 40, 200)
        own = stats.poisson.logpmf(x[:, 0], np.exp(eta))
    expected = own + stats.norm.logpdf(x[:, 1:]).sum(axis=1)
    np.testing.assert_allclose(family.log_density(x, theta), expected, rtol=1e-12)


# ---- information


def normal_moment(level, spread, power):
    """∫ w(a + τz) zʲ φ(z) dz around the mode of the integrand, with panels short beside both factors."""
    mode = -np.sign(level) * min(abs(level) / spread, spread) if spread else 0.0
    ends = {mode + k for k in range(-12, 13)}
    if spread:
        ends |= {(d - level) / spread for d in (-80, -40, -20, -10, -5, 0, 5, 10, 20, 40, 80)}
    kept = sorted(end for end in ends if abs(end - mode) <= 12)
    with mpmath.workdps(50):

        def integrand(z):
            small = mpmath.exp(-abs(level + spread * z))
            return small / (1 + small) ** 2 * z**power * mpmath.npdf(z)

        return mpmath.quad(integrand, [mpmath.mpf(float(end)) for end in kept], method="gauss-legendre", maxdegree=5)


@pytest.mark.parametrize(("level", "spread"), [(0.0, 0.0), (0.5, 1.0), (-3.0, 2.0), (2.0, 50.0), (-60.0, 7.0), (10, 3)])
def test_moments_of_the_logistic_weight(level, spread):
    found = [float(part[0]) for part in weight_moments(np.array([float(level)]), np.array([float(spread)]))]
    exact = [float(normal_moment(level, spread, power)) for power in range(3)]
    sizes = np.array([exact[0], np.sqrt(exact[0] * exact[2]), exact[2]])
    assert np.all(np.abs(np.subtract(found, exact)) <= 1e-11 * sizes)


def test_logistic_information_of_two_normal_covariates_by_a_product_rule():
    x, weight = np.polynomial.hermite_e.hermegauss(120)
    first, second = np.meshgrid(2.0 + 0.5 * x, x, indexing="ij")
    mass = np.outer(weight, weight) / (2.0 * np.pi)
    mass = mass / (4.0 * np.cosh(0.5 * (0.5 + first - 2.0 * second)) ** 2)
    columns = [np.ones_like(first), first, second]
    expected = [[(mass * a * b).sum() for a in columns] for b in columns]
    normal = [{"family": "normal", "parameters": {"mean": m, "sd": s}} for m, s in ((2.0, 0.5), (0.0, 1.0))]
    found = information("logistic_regression", (0.5, 1.0, -2.0), normal)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize("theta", [(0.5, 1.0), (-1.0, -3.0), (0.0, 20.0)])
def test_logistic_information_of_a_gamma_covariate(theta):
    def entry(power):
        def integrand(x):
            small = mpmath.exp(-abs(theta[0] + theta[1] * x))
            return small / (1 + small) ** 2 * x ** (1 + power) * mpmath.exp(-x)

        return float(mpmath.quad(integrand, [0, 0.01, 0.05, 0.2, 0.5, 1, 2, 4, 8, 16, 40, 80]))

    with mpmath.workdps(30):
        expected = [[entry(0), entry(1)], [entry(1), entry(2)]]
    np.testing.assert_allclose(information("logistic_regression", theta, GAMMA), expected, rtol=1e-10)


def test_poisson_information_by_moment_generating_functions():
    slopes = np.array([0.5, -1.0, 0.2])
    block = np.block(
        [[np.ones((1, 1)), slopes[np.newaxis]], [slopes[:, np.newaxis], np.eye(3) + np.outer(slopes, slopes)]]
    )
    expected = np.exp(0.3 + 0.5 * slopes @ slopes) * block
    np.testing.assert_allclose(information("poisson_regression", (0.3, *slopes)), expected, rtol=1e-14)


@pytest.mark.parametrize("slope", [-3.0, 0.5, 0.95])
def test_poisson_information_of_a_gamma_covariate(slope):
    powers = [np.exp(0.5) * c * (1.0 - slope) ** -(2 + j) for j, c in enumerate((1.0, 2.0, 6.0))]
    expected = [[powers[0], powers[1]], [powers[1], powers[2]]]
    np.testing.assert_allclose(information("poisson_regression", (0.5, slope), GAMMA), expected, rtol=1e-9)


@pytest.mark.parametrize("slope", [1.0, 1.5])
def test_information_that_is_infinite_is_told(slope):
    covariate = Covariate("gamma", ("shape", "scale"), (2.0, 1.0))
    cell = Scenario(
        "p", "poisson_regression", ("intercept", "slope1"), (0.0, slope), "poisson_regression", (), 50, 2, 0.95,
        covariates=(covariate,),
    )  # fmt: skip
    found = limits(cell)
    assert np.isinf(found.information).all()
    assert np.isnan(found.covariance).all()
    assert found.irregularity == "I(θ) is infinite: the covariates have no such moments"


def test_linear_information_has_the_moments_of_the_covariates():
    mixed = [GAMMA, {"family": "poisson", "parameters": {"mean": 3}}]
    expected = np.array([[1, 2, 3, 0], [2, 6, 6, 0], [3, 6, 12, 0], [0, 0, 0, 2]]) / 4.0
    np.testing.assert_allclose(information("linear_regression", (1, 2, 3, 2), mixed), expected, rtol=1e-10, atol=1e-15)


def test_information_by_monte_carlo_has_its_standard_error():
    """Three gamma covariates, the third without effect, so that the rest is known by quadrature."""
    family = regression("logistic_regression", 3).designed([margin(Named("gamma", ("shape", "scale"), (2.0, 1.0)))] * 3)
    theta = [np.asarray(value) for value in (-1.0, 1.0, -0.5, 0.0)]
    found, error = family.expected_information(theta), family.information_error(theta)
    exact = information("logistic_regression", (-1.0, 1.0, -0.5), GAMMA)
    for k, (i, j) in {0: (0, 0), 1: (0, 1), 2: (0, 2), 4: (1, 1), 5: (1, 2), 7: (2, 2)}.items():
        assert abs(found[k] - exact[i, j]) < 4.0 * error[k]
        assert 0.0 < error[k] < 10.0 * exact[i, j] / np.sqrt(DRAWS)
    names, values = tuple(p.name for p in family.parameters), (-1.0, 1.0, -0.5, 0.0)
    covariates = (Covariate("gamma", ("shape", "scale"), (2.0, 1.0)),) * 3
    cell = Scenario(family.name, family.name, names, values, family.name, (), 50, 2, 0.95, covariates=covariates)
    np.testing.assert_array_equal(limits(cell).information_error[0, 0], error[0])
    assert not limits(
        Scenario(family.name, family.name, names, values, family.name, (), 50, 2, 0.95)
    ).information_error.any()


# ---- fits


def has_maximum(name, x):
    """Decide by linear programming whether no direction of the coefficients is one of recession."""
    y, columns = x[:, 0], np.column_stack([np.ones(len(x)), x[:, 1:] / (np.abs(x[:, 1:]).max(axis=0) + 1e-300)])
    columns[:, 1:] -= columns[:, 1:].mean(axis=0)
    columns[:, 1:] /= np.sqrt((columns[:, 1:] ** 2).mean(axis=0)) + 1e-300
    if np.linalg.matrix_rank(columns, tol=1e-11 * np.sqrt(len(x))) < columns.shape[1]:
        return False
    if name == "logistic_regression":
        signed = (2.0 * y - 1.0)[:, np.newaxis] * columns
        cost, inequality, equality = -signed.sum(axis=0), -signed, None
    else:
        inequality, equality = columns[y == 0], columns[y > 0]
        cost = inequality.sum(axis=0)
    zeros = [None if part is None or not len(part) else np.zeros(len(part)) for part in (inequality, equality)]
    found = optimize.linprog(
        cost, inequality if zeros[0] is not None else None, zeros[0], equality if zeros[1] is not None else None,
        zeros[1], bounds=[(-1, 1)] * columns.shape[1],
    )  # fmt: skip
    return -found.fun < 1e-7


def blocks(name):
    """Data sets over wide parameters, with ties, foreign units, and covariates far from 0."""
    rng = np.random.default_rng(7)
    for block in range(36):
        n, slopes = (3, 5, 10, 30, 100, 1000)[block % 6], (1, 2, 3, 9)[block % 4]
        strength = 10 ** rng.uniform(-1, 0.3) / np.sqrt(slopes)
        theta = [rng.normal(), *(rng.normal(size=slopes) * strength), 10 ** rng.uniform(-4, 4)]
        family = regression(name, slopes)
        x = draws(family, theta[: len(family.parameters)], (8, n), block)
        kind = block % 5
        x[..., 1:] = {
            1: np.round(1.2 * x[..., 1:]),
            2: x[..., 1:] * 10 ** rng.uniform(-8, 8, slopes),
            3: x[..., 1:] + 10 ** rng.uniform(0, 5, slopes),
        }.get(kind, x[..., 1:])
        yield family, x


@pytest.mark.parametrize("name", NAMES)
def test_every_fit_is_a_maximum_or_there_is_none(name):
    for family, x in blocks(name):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = simstudy.fit(name, x)
        done = np.array([status is Status.CONVERGED for status in found.status])
        assert set(found.status) <= {Status.CONVERGED, Status.NO_MAXIMUM}
        if name == "linear_regression":
            assert done.all() == (x.shape[1] > x.shape[2])
            assert done.all() or not done.any()
        else:
            np.testing.assert_array_equal(done, [has_maximum(name, one) for one in x])
        if done.any():
            theta, data = found.theta[done], x[done]
            information = mean_information(family, data, theta)
            miss = distance(mean_score(family, data, theta), information)
            assert (miss <= tolerance(family, theta, information)).all()


@pytest.mark.parametrize("name", NAMES)
def test_no_other_search_finds_a_higher_likelihood(name):
    family = regression(name, 2)
    x = draws(family, [0.3, 0.8, -0.5, 2.0][: len(family.parameters)], (4, 25), 3)
    found = simstudy.fit(name, x)
    for row in range(4):
        best = maximise(family, x[row], [found.theta[row]], tries=3)
        assert found.log_likelihood[row] / 25 >= best.value - 1e-9


def test_least_squares_of_an_ill_conditioned_design():
    """Against a solution at 60 digits; rounding of the data in x alone allows κ²ε."""
    t = np.linspace(100.0, 101.0, 30)
    x = np.column_stack([np.sin(7.0 * t), t, t * t])
    found = simstudy.fit("linear_regression", x)
    with mpmath.workdps(60):
        columns = mpmath.matrix(np.column_stack([np.ones(30), x[:, 1:]]).tolist())
        beta = mpmath.lu_solve(columns.T * columns, columns.T * mpmath.matrix(x[:, 0].tolist()))
        exact = np.array([float(b) for b in beta])
    # κ of the centred columns t and t² is 2.7e3; a change of x by ε|x| moves β by that times 100ε/sd(t).
    np.testing.assert_allclose(found.theta[:3], exact, rtol=1e-8)


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("logistic_regression", [[0, 1.0], [0, 2.0], [1, 3.0], [1, 4.0]]),
        ("logistic_regression", [[0, 1.0], [0, 2.0], [1, 2.0], [1, 4.0]]),
        ("logistic_regression", [[1, 1.0], [1, 2.0], [1, 2.0], [1, 4.0]]),
        ("logistic_regression", [[0, 1.0], [1, 1.0], [1, 1.0], [0, 1.0]]),
        ("poisson_regression", [[0, 1.0], [0, 2.0], [0, 3.0], [0, 4.0]]),
        ("poisson_regression", [[0, 1.0], [0, 2.0], [3, 3.0], [2, 3.0]]),
        ("poisson_regression", [[5, 1.0], [4, 1.0], [3, 1.0], [2, 1.0]]),
        ("linear_regression", [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0]]),
        ("linear_regression", [[0.1, 0.3], [0.1, 2.0], [0.1, -3.7], [0.1, 4.0]]),
        ("linear_regression", [[1.0, 2.0], [2.0, 2.0], [3.0, 2.0], [5.0, 2.0]]),
        ("linear_regression", [[1.0, 2.0], [2.0, 5.0]]),
    ],
)
def test_degenerate_data_have_no_maximum(name, x):
    assert simstudy.fit(name, x).status is Status.NO_MAXIMUM


def test_collinear_covariates_have_no_maximum():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 2)) * 1e5 + 3e5
    for name, y in (("linear_regression", rng.normal(size=30)), ("poisson_regression", rng.integers(0, 9, 30))):
        data = np.column_stack([y, x, x[:, 0] - 3.0 * x[:, 1] + 0.1])
        assert simstudy.fit(name, data).status is Status.NO_MAXIMUM
        assert simstudy.fit(name, data[:, :3]).status is Status.CONVERGED


def test_a_wild_covariate_does_no_harm():
    x = draws(regression("logistic_regression", 1), (0.0, 1.0), (1, 60), 5)[0]
    x[7, 1] = 1e6 * (2 * x[7, 0] - 1)
    assert simstudy.fit("logistic_regression", x).status is Status.CONVERGED
    x[7, 0] = 1 - x[7, 0]
    found = simstudy.fit("logistic_regression", x)
    assert (found.status is Status.CONVERGED) == has_maximum("logistic_regression", x)


def test_responses_outside_the_space_are_not_finite():
    for name, bad in (("logistic_regression", 0.5), ("poisson_regression", -1.0), ("linear_regression", np.inf)):
        assert simstudy.fit(name, [[bad, 1.0], [1, 2.0], [0, 3.0], [2, 0.5]]).status is Status.NOT_FINITE


def test_share_of_separated_data_sets_is_covers():
    """Without effect, n points of k covariates are separated with chance 2^(1−n) Σ_{i≤k} C(n−1, i) (Cover 1965)."""
    n, slopes, rows = 12, 3, 4000
    x = draws(regression("logistic_regression", slopes), (0.0,) * (slopes + 1), (rows, n), 11)
    found = np.mean([status is Status.NO_MAXIMUM for status in simstudy.fit("logistic_regression", x).status])
    share = 2.0 ** (1 - n) * sum(float(mpmath.binomial(n - 1, i)) for i in range(slopes + 1))
    assert abs(found - share) < 4.0 * np.sqrt(share * (1.0 - share) / rows)


def test_the_residual_variance_is_chi_squared():
    n, slopes, rows = 20, 3, 4000
    x = draws(regression("linear_regression", slopes), (1.0, 2.0, 0.5, -1.0, 3.0), (rows, n), 2)
    ratio = n * simstudy.fit("linear_regression", x).theta[:, -1] ** 2 / 9.0
    degrees = n - slopes - 1
    assert abs(ratio.mean() - degrees) < 4.0 * np.sqrt(2.0 * degrees / rows)
    assert stats.kstest(ratio, stats.chi2(degrees).cdf).pvalue > 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_known_coefficients_are_an_offset(name):
    family = regression(name, 2)
    theta = [0.3, 0.8, -0.5, 2.0][: len(family.parameters)]
    x = draws(family, theta, (5, 60), 4)
    names = [parameter.name for parameter in family.parameters]
    for known in (["intercept"], ["slope1"], ["intercept", "slope2"], ["slope1", "slope2"], names[1:]):
        held = {key: theta[names.index(key)] for key in known}
        found = simstudy.fit(name, x, held, names)
        full = np.array([[held.get(key, 0.0) for key in names]] * 5)
        free = [i for i, key in enumerate(names) if key not in held]
        full[:, free] = found.theta
        score = mean_score(family, x, full)[:, free]
        assert all(status is Status.CONVERGED for status in found.status)
        assert (distance(score, found.observed_information) < 1e-10).all()


@pytest.mark.parametrize("slopes", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_a_row_is_its_own(name, slopes):
    family = regression(name, slopes)
    for n in (3, 5, 17, 200):
        x = draws(family, [0.3, *[1.5] * slopes, 2.0][: len(family.parameters)], (37, n), n)
        x[4] = np.nan
        together = simstudy.fit(name, x)
        for row in range(0, 37, 5):
            alone = simstudy.fit(name, x[row])
            for field in ("theta", "status", "iterations", "log_likelihood", "observed_information", "score_products"):
                np.testing.assert_array_equal(getattr(alone, field), getattr(together, field)[row], err_msg=field)


def test_orthonormal_columns():
    rng = np.random.default_rng(0)
    columns = [np.ones((3, 40)), *(rng.normal(size=(2, 3, 40)) * 1e6 + 1e9)]
    basis = orthonormal(columns)
    gram = [[(a * b).mean(axis=-1) for a in basis.columns] for b in basis.columns]
    np.testing.assert_allclose(np.moveaxis(gram, -1, 0), np.broadcast_to(np.eye(3), (3, 3, 3)), atol=40 * 2.0**-52)
    own = basis.project(columns[1])
    np.testing.assert_allclose(basis.combine(own), columns[1], rtol=1e-15)
    np.testing.assert_allclose(np.stack(basis.coefficients(own))[1], 1.0, rtol=1e-9)


# ---- the design


@pytest.mark.parametrize("law", ["score", "elementwise", "likelihood_route", "score_zero", "sampler_score"])
@pytest.mark.parametrize("name", NAMES)
def test_laws_hold_for_three_covariates_of_several_kinds(name, law):
    kinds = [("gamma", (3.0, 0.2)), ("normal", (1.0, 0.5)), ("poisson", (0.7,))]
    family = FAMILIES[name].designed([margin(Named(f, FAMILIES[f].parametrisations[0].names, v)) for f, v in kinds])
    failed = [str(finding) for finding in check(family, laws=[law]) if not finding.passed]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("name", NAMES)
def test_laws_hold_for_a_skewed_covariate(name):
    family = FAMILIES[name].designed([margin(Named("gamma", ("shape", "scale"), (3.0, 0.2)))])
    laws = ["total_mass", "sampler_space", "sampler_distribution", "information_equality", "expected_information"]
    failed = [str(finding) for finding in check(family, laws=laws) if not finding.passed]
    assert not failed, "\n".join(failed)


def test_a_covariate_may_be_named_in_any_parametrisation():
    found = [
        information("logistic_regression", (0.0, 1.0), {"family": "gamma", "parameters": parameters})
        for parameters in ({"shape": 2, "scale": 0.5}, {"rate": 2, "shape": 2}, {"shape": 2, "mean": 1})
    ]
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-12)


def test_fits_take_their_information_from_the_design():
    x = draws(FAMILIES["poisson_regression"], (0.0, 0.3), (40,), 1)
    normal, gamma = (simstudy.fit("poisson_regression", np.abs(x), covariates=each) for each in (None, GAMMA))
    np.testing.assert_array_equal(normal.theta, gamma.theta)
    expected = information("poisson_regression", tuple(gamma.theta), GAMMA)
    np.testing.assert_allclose(gamma.expected_information, expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("family", "covariates", "message"),
    [
        (
            "gamma",
            GAMMA,
            "covariates: gamma has no covariates: leave them out, or choose one of linear_regression",
        ),
        (
            "logistic_regression",
            7,
            "covariates: must be a mapping with family and parameters, or a list with one for each covariate, got 7",
        ),
        ("logistic_regression", {"family": "gamma"}, "must be a mapping with family and parameters, got "),
        (
            "logistic_regression",
            [GAMMA, GAMMA],
            "covariates: lists 2 for 1 in the model: list one for each slope, or give one mapping for all",
        ),
        (
            "logistic_regression",
            {"family": "gama", "parameters": {}},
            "covariates.family: there is no family 'gama'; did you mean 'gamma'?",
        ),
        (
            "logistic_regression",
            [{"family": "gamma", "parameters": {"shape": 0, "scale": 1}}],
            "covariates[0].parameters.shape: must lie in its domain, positive (0, inf), got 0",
        ),
    ],
)
def test_wrong_covariates_are_told_in_one_line(family, covariates, message):
    data = np.ones((4, 2)) if family != "gamma" else np.ones(4)
    point = {"shape": 1, "scale": 1} if family == "gamma" else {"intercept": 0, "slope1": 1}
    for call in (
        lambda: simstudy.fit(family, data, covariates=covariates),
        lambda: simstudy.expected_information(family, point, covariates=covariates),
    ):
        with pytest.raises(ConfigError) as caught:
            call()
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
