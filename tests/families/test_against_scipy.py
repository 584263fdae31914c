"""Log-densities against scipy.stats, by an explicit map of names and parameters."""

import numpy as np
import pytest
from scipy import stats

from simstudy.contract.points import all_points
from tests.core_families import FAMILIES

# scipy's log-density of x at parameters named as in simstudy
LOG_DENSITIES = {
    ("normal", ("mean", "sd")): lambda x, mean, sd: stats.norm.logpdf(x, mean, sd),
    ("normal", ("mean", "variance")): lambda x, mean, variance: stats.norm.logpdf(x, mean, variance**0.5),
    ("normal", ("mean", "precision")): lambda x, mean, precision: stats.norm.logpdf(x, mean, precision**-0.5),
    ("exponential", ("rate",)): lambda x, rate: stats.expon.logpdf(x, scale=1.0 / rate),
    ("exponential", ("scale",)): lambda x, scale: stats.expon.logpdf(x, scale=scale),
    ("gamma", ("shape", "scale")): lambda x, shape, scale: stats.gamma.logpdf(x, shape, scale=scale),
    ("gamma", ("shape", "rate")): lambda x, shape, rate: stats.gamma.logpdf(x, shape, scale=1.0 / rate),
    ("gamma", ("shape", "mean")): lambda x, shape, mean: stats.gamma.logpdf(x, shape, scale=mean / shape),
    ("weibull", ("shape", "scale")): lambda x, shape, scale: stats.weibull_min.logpdf(x, shape, scale=scale),
    ("lognormal", ("mu", "sigma")): lambda x, mu, sigma: stats.lognorm.logpdf(x, sigma, scale=np.exp(mu)),
    ("beta", ("alpha", "beta")): stats.beta.logpdf,
    ("beta", ("mean", "precision")): lambda x, mean, precision: stats.beta.logpdf(
        x, mean * precision, (1.0 - mean) * precision
    ),
    ("logistic", ("loc", "scale")): stats.logistic.logpdf,
    ("cauchy", ("loc", "scale")): stats.cauchy.logpdf,
    ("poisson", ("mean",)): stats.poisson.logpmf,
}
POINTS = [(family, point) for family in FAMILIES.values() for point in all_points(family)]
# Either side rounds a handful of terms, each at most some tens in size at these points and at draws from them.
TOLERANCE = 64 * 2.0**-52 * 50


def test_every_parametrisation_has_its_counterpart():
    assert {(name, form.names) for name, f in FAMILIES.items() for form in f.parametrisations} == set(LOG_DENSITIES)


@pytest.mark.parametrize(("family", "point"), POINTS, ids=[f"{f.name} {p}" for f, p in POINTS])
def test_log_density(family, point):
    draws = family.sample(np.random.default_rng(5), point.base, (400, 1))
    draws = draws[family.sample_space.holds_all(draws), 0]  # a beta of small shape may round to 1
    expected = LOG_DENSITIES[family.name, point.parametrisation.names](draws, *point.phi)
    np.testing.assert_allclose(family.log_density(draws, point.base), expected, rtol=TOLERANCE, atol=TOLERANCE)


OUTSIDE = {
    "exponential": [-1.0, -1e-300], "gamma": [-1.0], "weibull": [-1.0], "lognormal": [-1.0],
    "beta": [-0.5, 1.5], "poisson": [-1.0, 0.5, 2.5],
}  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_density_outside_the_sample_space(name):
    family = FAMILIES[name]
    theta = [np.asarray(1.0) for _ in family.parameters]
    with np.errstate(all="ignore"):
        density = np.exp(family.log_density(np.array(OUTSIDE[name]), theta))
    np.testing.assert_array_equal(np.nan_to_num(density), 0.0)


TAILS = {
    "normal": (-1e6, 1e6), "exponential": (0.0, 1e-300, 1e6), "gamma": (1e-300, 1e6), "weibull": (1e-300, 1e2),
    "lognormal": (1e-300, 1e300), "beta": (1e-300, 1.0 - 2.0**-53), "logistic": (-1e6, -750.0, 750.0, 1e6),
    "cauchy": (-1e150, 1e100), "poisson": (0.0, 1e6),
}  # fmt: skip
TAIL_POINTS = {"gamma": (0.3, 2.0), "weibull": (2.5, 1.5), "beta": (0.5, 0.7), "poisson": (3.0,), "exponential": (2.0,)}


@pytest.mark.parametrize("name", FAMILIES)
def test_log_density_in_the_tails(name):
    """Far out in the tails the log-density keeps its digits."""
    family, x = FAMILIES[name], np.array(TAILS[name])
    theta = TAIL_POINTS.get(name, (0.5, 2.0))
    expected = LOG_DENSITIES[name, family.parametrisations[0].names](x, *theta)
    found = family.log_density(x, [np.asarray(value) for value in theta])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
