"""Moments of third order and first-order bias against third derivatives at tens of digits, and the literature."""

from itertools import combinations

import mpmath
import numpy as np
import pytest

import simstudy
from simstudy.contract.points import bound, middle_points
from simstudy.families import FAMILIES
from simstudy.families.third_order import third_order
from tests import third
from tests.exact import FORMULAS
from tests.precise import COUNT, HEAVY, POSITIVE, REAL, UNIT
from tests.third import CIRCLE, EXTREME

NEGATIVE_BINOMIAL = "loggamma(x + size) - loggamma(size) - loggamma(x + 1) + size*log(prob) + x*log(1 - prob)"
ZERO_INFLATED = (
    "Piecewise((log(inflation + (1 - inflation)*exp(-rate)), x < 1/2),"
    " (log(1 - inflation) - rate + x*log(rate) - loggamma(x + 1), True))"
)
STUDENT = (
    "loggamma((df + 1)/2) - loggamma(df/2) - log(pi*df)/2 - log(scale) - (df + 1)/2*log(1 + ((x - loc)/scale)**2/df)"
)
OTHERS = {
    ("student_t", ("loc", "scale", "df")): (
        STUDENT,
        HEAVY,
    ),
    ("gumbel", ("loc", "scale")): ("-log(scale) - (x - loc)/scale - exp(-(x - loc)/scale)", REAL),
    ("generalized_extreme_value", ("loc", "scale", "shape")): (
        "-log(scale) - (1 + 1/shape)*log(1 + shape*(x - loc)/scale) - (1 + shape*(x - loc)/scale)**(-1/shape)",
        EXTREME,
    ),
    ("generalized_pareto", ("scale", "shape")): ("-log(scale) - (1/shape + 1)*log(1 + shape*x/scale)", POSITIVE),
    ("inverse_gaussian", ("mean", "shape")): (
        "log(shape/(2*pi))/2 - 3*log(x)/2 - shape*(x - mean)**2/(2*mean**2*x)",
        POSITIVE,
    ),
    ("half_normal", ("scale",)): ("log(2/pi)/2 - log(scale) - x**2/(2*scale**2)", POSITIVE),
    ("rayleigh", ("scale",)): ("log(x) - 2*log(scale) - x**2/(2*scale**2)", POSITIVE),
    ("maxwell", ("scale",)): ("log(2/pi)/2 + 2*log(x) - 3*log(scale) - x**2/(2*scale**2)", POSITIVE),
    ("chi_squared", ("df",)): ("(df/2 - 1)*log(x/2) - x/2 - log(2) - loggamma(df/2)", POSITIVE),
    ("von_mises", ("loc", "concentration")): (
        "concentration*cos(x - loc) - log(2*pi*besseli(0, concentration))",
        CIRCLE,
    ),
    ("kumaraswamy", ("alpha", "beta")): (
        "log(alpha*beta) + (alpha - 1)*log(x) + (beta - 1)*log(1 - x**alpha)",
        UNIT,
    ),
    ("log_logistic", ("shape", "scale")): (
        "log(shape) - log(x) + shape*log(x/scale) - 2*log(1 + exp(shape*log(x/scale)))",
        POSITIVE,
    ),
    ("lindley", ("theta",)): ("2*log(theta) - log(1 + theta) + log(1 + x) - theta*x", POSITIVE),
    ("skew_normal", ("loc", "scale", "shape")): (
        "log(2/pi)/2 - log(scale) - ((x - loc)/scale)**2/2 + log(erfc(-shape*(x - loc)/scale/sqrt(2))/2)",
        REAL,
    ),
    ("geometric", ("prob",)): ("log(prob) + x*log(1 - prob)", COUNT),
    ("negative_binomial", ("size", "prob")): (NEGATIVE_BINOMIAL, COUNT),
    ("negative_binomial", ("mean", "size")): (NEGATIVE_BINOMIAL.replace("prob", "(size/(size + mean))"), COUNT),
    ("negative_binomial", ("mean", "dispersion")): (
        NEGATIVE_BINOMIAL.replace("prob", "(size/(size + mean))").replace("size", "(1/dispersion)"),
        COUNT,
    ),
    ("zero_inflated_poisson", ("inflation", "rate")): (
        ZERO_INFLATED,
        COUNT,
    ),
    ("normal_mixture", ("weight", "mean1", "sd1", "mean2", "sd2")): (
        "log(weight/sd1*exp(-((x - mean1)/sd1)**2/2) + (1 - weight)/sd2*exp(-((x - mean2)/sd2)**2/2)) - log(2*pi)/2",
        REAL,
    ),
}
CORE_SPACES = {
    "normal": REAL, "exponential": POSITIVE, "gamma": POSITIVE, "weibull": POSITIVE, "lognormal": POSITIVE,
    "beta": UNIT, "logistic": REAL, "cauchy": HEAVY, "poisson": COUNT,
}  # fmt: skip
EXACT = {key: (formula, CORE_SPACES[key[0]]) for key, formula in FORMULAS.items()} | OTHERS
POINTS = {
    (name, point.parametrisation.names): point
    for name, family in FAMILIES.items()
    for point in middle_points(bound(family))
}
# The rules here at every other node, and those of the package, are right to eight digits.
TOLERANCE = 1e-7


def found_bias(name, names, phi, known=()):
    return simstudy.cox_snell_bias(name, dict(zip(names, phi, strict=True)), known).to_numpy()


def assert_equal_biases(found, expected, information):
    """Compare in units of standard errors: a bias may be zero."""
    unit = np.sqrt(np.diag(information))
    np.testing.assert_allclose(found * unit, expected * unit, rtol=TOLERANCE, atol=TOLERANCE)


def marked(key):
    return pytest.param(*key, marks=pytest.mark.slow) if key[0] == "normal_mixture" else key


@pytest.mark.parametrize(("name", "names"), [marked(key) for key in EXACT])
def test_bias_and_moments(name, names):
    formula, space = EXACT[name, names]
    phi = POINTS[name, names].phi
    information, mixed, triple = third.moments(formula, names, space, phi)
    assert_equal_biases(found_bias(name, names, phi), third.bias(formula, names, space, phi), information)
    family = FAMILIES[name]
    found = third_order(family, POINTS[name, names].parametrisation, [np.array([v]) for v in phi], range(len(phi)))
    scale = np.sqrt(np.diag(information))
    unit = scale[:, None, None] * scale[:, None] * scale
    size = np.abs(triple / unit).max() + 1.0
    np.testing.assert_allclose(found.mixed[0] / unit, mixed / unit, rtol=0, atol=TOLERANCE * size)
    np.testing.assert_allclose(found.third[0] / unit, triple / unit, rtol=0, atol=TOLERANCE * size)


@pytest.mark.parametrize(("name", "names"), [key for key in EXACT if len(key[1]) > 1 and key[0] != "normal_mixture"])
def test_known_parameters_drop_out_of_the_sums(name, names):
    formula, space = EXACT[name, names]
    phi = POINTS[name, names].phi
    information = third.moments(formula, names, space, phi)[0]
    for known in [each for count in range(1, len(names)) for each in combinations(names, count)]:
        kept = [i for i, one in enumerate(names) if one not in known]
        expected = third.bias(formula, names, space, phi, kept)
        assert_equal_biases(found_bias(name, names, phi, known), expected, information[np.ix_(kept, kept)])


def test_where_the_score_runs_out_of_digits_at_an_end():
    """1 − x is 0 or more than 1e-16, and of (1 − x)^½ a share of 1e-8 is lost, of the cube of its logarithm more."""
    formula, space = EXACT["kumaraswamy", ("alpha", "beta")]
    phi = (0.3, 0.5)
    expected = third.bias(formula, ("alpha", "beta"), space, phi)
    np.testing.assert_allclose(found_bias("kumaraswamy", ("alpha", "beta"), phi), expected, rtol=1e-6)
    assert np.isnan(found_bias("kumaraswamy", ("alpha", "beta"), (0.3, 0.1))).all()


def test_every_regular_family_of_numbers_is_here():
    tested = {name for name, _ in EXACT}
    vectors = {name for name, family in FAMILIES.items() if family.sample_space.width is not None}
    irregular = {"laplace", "uniform", "shifted_exponential"}
    exact = {"pareto", "binomial", "bernoulli", "categorical"}  # in closed form below
    assert tested | vectors | irregular | exact == set(FAMILIES)
    assert {key for key in POINTS if key[0] in tested} == set(EXACT)


# Published biases, n·bias. Formulas: Cox & Snell (1968); Mazucheli & Dey (2017, R Journal 9(2)); Giles, Feng & Godwin
# (2016, Commun. Stat. 45) for the generalized Pareto; Firth (1993, Biometrika 80).
PSI, PSI1, PSI2 = (float(mpmath.polygamma(k, 2.5)) for k in range(3))
GAMMA_SHAPE = (2.5 * PSI1 - 2.0 - 2.5**2 * PSI2) / (2.0 * (2.5 * PSI1 - 1.0) ** 2)
LITERATURE = [
    ("normal", {"mean": 1.0, "variance": 3.0}, {"mean": 0.0, "variance": -3.0}),
    ("normal", {"mean": 1.0, "sd": 2.0}, {"mean": 0.0, "sd": -1.5}),
    ("normal", {"mean": 1.0, "precision": 2.0}, {"mean": 0.0, "precision": 6.0}),
    ("lognormal", {"mu": 1.0, "sigma": 2.0}, {"mu": 0.0, "sigma": -1.5}),
    ("exponential", {"rate": 3.0}, {"rate": 3.0}),
    ("exponential", {"scale": 3.0}, {"scale": 0.0}),
    ("gamma", {"shape": 2.5, "scale": 2.0}, {"shape": GAMMA_SHAPE}),
    ("gamma", {"shape": 2.5, "rate": 2.0}, {"shape": GAMMA_SHAPE}),
    ("gamma", {"shape": 2.5, "mean": 2.0}, {"shape": GAMMA_SHAPE, "mean": 0.0}),
    ("weibull", {"shape": 2.0, "scale": 1.0}, {"shape": 1.3795 * 2.0}),
    ("inverse_gaussian", {"mean": 2.0, "shape": 3.0}, {"mean": 0.0, "shape": 9.0}),
    ("pareto", {"shape": 3.0, "minimum": 2.0}, {"shape": 3.0}),
    ("half_normal", {"scale": 2.0}, {"scale": -0.5}),
    ("rayleigh", {"scale": 2.0}, {"scale": -0.25}),
    ("maxwell", {"scale": 2.0}, {"scale": -2.0 / 12.0}),
    ("lindley", {"theta": 2.0}, {"theta": (2.0 / 2.0**3 - 1.0 / 3.0**3) / (2.0 / 2.0**2 - 1.0 / 3.0**2) ** 2}),
    ("poisson", {"mean": 3.0}, {"mean": 0.0}),
    ("geometric", {"prob": 0.3}, {"prob": 0.3 * 0.7}),
    ("binomial", {"trials": 7, "prob": 0.3}, {"prob": 0.0}),
    ("bernoulli", {"prob": 0.3}, {"prob": 0.0}),
    ("categorical", {"prob1": 0.3, "prob2": 0.2}, {"prob1": 0.0, "prob2": 0.0}),
    ("negative_binomial", {"mean": 3.0, "size": 2.0}, {"mean": 0.0}),
    ("generalized_pareto", {"scale": 2.0, "shape": -0.15}, {"scale": 4.68 / 0.55, "shape": -2.4225 / 0.55}),
    ("generalized_pareto", {"scale": 2.0, "shape": -0.25}, {"scale": 16.0, "shape": -8.25}),
    ("generalized_pareto", {"scale": 2.0, "shape": 0.5}, {"scale": 2.0 * 6.5 / 2.5, "shape": -1.5 * 3.5 / 2.5}),
    ("generalized_pareto", {"scale": 2.0, "shape": 0.0}, {"scale": 6.0, "shape": -3.0}),
    ("linear_regression", {"intercept": 1.0, "slope1": 2.0, "slope2": 0.5, "sd": 2.0},
     {"intercept": 0.0, "slope1": 0.0, "slope2": 0.0, "sd": -2.0 * (2 * 3 + 1) / 4.0}),
    ("multivariate_normal", {"mean1": 1.0, "mean2": 2.0, "cov11": 2.0, "cov12": 0.7, "cov22": 1.0},
     {"mean1": 0.0, "mean2": 0.0, "cov11": -2.0, "cov12": -0.7, "cov22": -1.0}),
    ("bivariate_normal", {"mean1": 1.0, "mean2": 2.0, "sd1": 2.0, "sd2": 1.0, "correlation": 0.6},
     {"mean1": 0.0, "mean2": 0.0, "sd1": -1.5, "sd2": -0.75, "correlation": -0.5 * 0.6 * 0.64}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "expected"), LITERATURE)
def test_published_biases(name, parameters, expected):
    found = simstudy.cox_snell_bias(name, parameters)
    assert set(found.index) == set(parameters) - {"minimum", "trials"}
    assert [key for key in parameters if key in found.index] == list(found.index)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=5e-5 if name == "weibull" else 1e-9, atol=1e-12)
    np.testing.assert_allclose(simstudy.cox_snell_bias(name, parameters, n=20), found / 20, rtol=1e-15)


def dirichlet_bias(alpha):
    """½ Σ Iʳⁱ Iʲᵏ κᵢⱼₖ in the natural parameters, κ = −∂I with I = diag ψ′(α) − ψ′(Σα)."""
    first, second = ([float(mpmath.polygamma(k, a)) for a in (*alpha, sum(alpha))] for k in (1, 2))
    size = len(alpha)
    inverse = np.linalg.inv(np.diag(first[:-1]) - first[-1])
    triple = np.full((size,) * 3, second[-1])
    triple[np.diag_indices(size, 3)] -= second[:-1]
    return 0.5 * np.einsum("ri,jk,ijk->r", inverse, inverse, triple)


@pytest.mark.parametrize("alpha", [(2.0, 3.0, 0.7), (1.0, 2.0, 3.0, 0.5, 4.0)])
def test_dirichlet(alpha):
    found = simstudy.cox_snell_bias("dirichlet", {f"alpha{i + 1}": a for i, a in enumerate(alpha)})
    np.testing.assert_allclose(found, dirichlet_bias(alpha), rtol=1e-10)


def test_logistic_regression():
    """Cordeiro & McCullagh (1991, J. R. Statist. Soc. B 53): (XᵀWX)⁻¹XᵀWξ with ξ = ½xᵀ(XᵀWX)⁻¹x(2μ − 1)."""
    beta = np.array([0.5, 1.5])
    z, weight = np.polynomial.hermite_e.hermegauss(120)
    weight = weight / np.sqrt(2.0 * np.pi)
    x = np.stack([np.ones_like(z), z])
    mean = 1.0 / (1.0 + np.exp(-beta @ x))
    w = weight * mean * (1.0 - mean)
    inverse = np.linalg.inv(x * w @ x.T)
    spread = np.einsum("im,ij,jm->m", x, inverse, x)
    expected = inverse @ (x * w @ (spread * (mean - 0.5)))
    found = simstudy.cox_snell_bias("logistic_regression", {"intercept": 0.5, "slope1": 1.5})
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("laplace", {"loc": 0.0, "scale": 1.0}),
        ("uniform", {"upper": 1.0}),
        ("shifted_exponential", {"shift": 0.0, "rate": 1.0}),
        ("generalized_pareto", {"scale": 1.0, "shape": -0.4}),
        ("generalized_extreme_value", {"loc": 0.0, "scale": 1.0, "shape": -0.45}),
        ("skew_normal", {"loc": 0.0, "scale": 1.0, "shape": 0.0}),
    ],
)
def test_there_is_no_bias_where_theory_fails(name, parameters):
    assert simstudy.cox_snell_bias(name, parameters).isna().all()


def test_what_is_irregular_does_no_harm_where_it_is_known():
    found = simstudy.cox_snell_bias("laplace", {"loc": 0.0, "scale": 2.0}, known=["loc"])
    np.testing.assert_allclose(found, 0.0, atol=1e-12)
    found = simstudy.cox_snell_bias("shifted_exponential", {"shift": 1.0, "rate": 2.0}, known=["shift"])
    np.testing.assert_allclose(found, 2.0, rtol=1e-9)


@pytest.mark.parametrize("n", [0, -3, 2.5, True, "20", float("nan")])
def test_a_sample_size_is_a_whole_number(n):
    with pytest.raises(simstudy.errors.ConfigError, match="n must be a whole number of at least 1"):
        simstudy.cox_snell_bias("poisson", {"mean": 1.0}, n=n)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_do_not_matter(scale):
    for name, names in [("gamma", ("shape", "scale")), ("logistic", ("loc", "scale")), ("normal", ("mean", "sd"))]:
        one, other = (found_bias(name, names, (u if names[0] != "shape" else 2.0, u)) for u in (1.0, scale))
        unit = np.array([scale if names[0] != "shape" else 1.0, scale])
        np.testing.assert_allclose(other / unit, one, rtol=1e-8, atol=1e-8)


def test_members_are_computed_together():
    family = FAMILIES["weibull"]
    shape, scale = np.array([0.5, 2.0, np.nan, 8.0]), np.array([1.0, 3.0, 1.0, 0.1])
    together = third_order(family, family.parametrisations[0], [shape, scale], [0, 1]).bias
    for row, at in enumerate(zip(shape, scale, strict=True)):
        alone = third_order(family, family.parametrisations[0], [np.array([v]) for v in at], [0, 1]).bias[0]
        np.testing.assert_allclose(together[row], alone, rtol=1e-12)
