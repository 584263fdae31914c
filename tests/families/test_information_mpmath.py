"""Expected information against E[s sᵀ] by quadrature and summation at 40 digits of the densities themselves."""

from itertools import combinations

import numpy as np
import pytest

import simstudy
from simstudy.contract.points import all_points, middle_points
from simstudy.study.limits import expected_information, limits
from simstudy.study.scenario import Scenario
from tests.core_families import FAMILIES
from tests.exact import FORMULAS
from tests.precise import COUNT, HEAVY, POSITIVE, REAL, UNIT, information

# Closed forms are a few operations; the worst cancellation below, in ψ′(300) − ψ′(300.1), costs over three digits.
TOLERANCE = 1e-12
SPACES = {
    "normal": REAL, "exponential": POSITIVE, "gamma": POSITIVE, "weibull": POSITIVE, "lognormal": POSITIVE,
    "beta": UNIT, "logistic": REAL, "cauchy": HEAVY, "poisson": COUNT,
}  # fmt: skip
TYPICAL = [(f.name, point.parametrisation.names, point.phi) for f in FAMILIES.values() for point in all_points(f)]
EXTREME = [
    ("gamma", ("shape", "scale"), (0.1, 1e8)),
    ("gamma", ("shape", "mean"), (1e4, 1e-8)),
    ("gamma", ("shape", "rate"), (300.0, 1e-8)),
    ("weibull", ("shape", "scale"), (0.05, 1e-8)),
    ("weibull", ("shape", "scale"), (80.0, 1e8)),
    ("normal", ("mean", "variance"), (1e8, 1e-16)),
    ("normal", ("mean", "precision"), (-1e8, 1e-8)),
    ("lognormal", ("mu", "sigma"), (18.0, 0.01)),
    ("beta", ("alpha", "beta"), (0.1, 300.0)),
    ("beta", ("mean", "precision"), (0.99, 50.0)),
    ("logistic", ("loc", "scale"), (1e8, 1e-8)),
    ("cauchy", ("loc", "scale"), (-1e8, 1e8)),
    ("poisson", ("mean",), (1e-6,)),
    ("poisson", ("mean",), (2000.0,)),
    ("exponential", ("scale",), (1e-8,)),
]
MIDDLE = [(f.name, point.parametrisation.names, point.phi) for f in FAMILIES.values() for point in middle_points(f)]


def exact_information(family, names, phi):
    return information(FORMULAS[family, names], names, SPACES[family], phi)


def scenario(family, names, phi, known=()):
    return Scenario(family, family, names, phi, family, known, n=1, replicates=1, level=0.95)


def assert_equal_matrices(found, expected):
    """Compare entries in units of √(Iᵢᵢ Iⱼⱼ): an entry may be zero."""
    scale = np.sqrt(np.diag(expected))
    unit = np.outer(scale, scale)
    np.testing.assert_allclose(found / unit, expected / unit, rtol=0, atol=TOLERANCE)


def test_every_parametrisation_has_a_formula():
    assert {(name, form.names) for name, family in FAMILIES.items() for form in family.parametrisations} == set(
        FORMULAS
    )


@pytest.mark.parametrize(("family", "names", "phi"), TYPICAL + EXTREME)
def test_expected_information(family, names, phi):
    theory = limits(scenario(family, names, phi))
    assert_equal_matrices(theory.hessian, exact_information(family, names, phi))
    np.testing.assert_array_equal(theory.score_covariance, theory.hessian)
    found = simstudy.expected_information(family, dict(zip(names, phi, strict=True)))
    np.testing.assert_array_equal(found.to_numpy(), theory.hessian)


@pytest.mark.parametrize(("family", "names", "phi"), MIDDLE)
def test_known_parameters_are_left_out(family, names, phi):
    expected = exact_information(family, names, phi)
    for count in range(1, len(names)):
        for known in combinations(names, count):
            kept = [i for i, name in enumerate(names) if name not in known]
            theory = limits(scenario(family, names, phi, known))
            assert_equal_matrices(theory.hessian, expected[np.ix_(kept, kept)])
            np.testing.assert_array_equal(theory.theta, np.array(phi)[kept])


@pytest.mark.parametrize(("family", "names", "phi"), MIDDLE)
def test_parameters_may_come_in_any_order(family, names, phi):
    given = dict(zip(names, phi, strict=True))
    backwards = dict(reversed(given.items()))
    found = simstudy.expected_information(family, backwards)
    assert list(found.index) == list(found.columns) == list(backwards)
    assert_equal_matrices(found.to_numpy(), exact_information(family, names, phi)[::-1, ::-1])


@pytest.mark.parametrize(("family", "names", "phi"), MIDDLE)
def test_the_limit_of_the_covariance_is_the_inverse(family, names, phi):
    theory = limits(scenario(family, names, phi))
    np.testing.assert_allclose(theory.covariance @ theory.hessian, np.eye(len(names)), atol=1e-12)


@pytest.mark.parametrize(("family", "names", "phi"), MIDDLE)
def test_estimates_are_looked_up_all_at_once(family, names, phi):
    theta = np.array([phi, [1.1 * value for value in phi], phi])
    found = expected_information(scenario(family, names, phi), theta)
    for row, matrix in zip(theta, found, strict=True):
        alone = expected_information(scenario(family, names, phi), row[np.newaxis])[0]
        np.testing.assert_array_equal(matrix, alone)
