"""Expected information against E[s sᵀ] by 30-digit quadrature and summation of the densities themselves.

The sums below know the densities of `tests.exact` and nothing of simstudy. Integrals are trapezoidal sums after a
double-exponential substitution (Takahasi & Mori 1974), whose error is squared when the step is halved.
"""

from functools import cache
from itertools import combinations

import mpmath
import numpy as np
import pytest

import simstudy
from simstudy.contract.points import all_points, middle_points
from simstudy.families import FAMILIES
from simstudy.numerics.symmetric import pairs
from simstudy.study.limits import expected_information, limits
from simstudy.study.scenario import Scenario
from tests.exact import FORMULAS, exact

# Closed forms are a few operations; the worst cancellation below, in ψ′(300) − ψ′(300.1), costs over three digits.
TOLERANCE = 1e-12
STEP, REACH = mpmath.mpf(1) / 32, 7
NEGLIGIBLE = mpmath.mpf(10) ** -60
# The error of the coarse rule, squared, is that of the fine one.
COARSE = 1e-8

REAL, HEAVY, POSITIVE, UNIT, COUNT = "real", "heavy-tailed", "positive", "unit", "count"
SPACES = {
    "normal": REAL, "exponential": POSITIVE, "gamma": POSITIVE, "weibull": POSITIVE, "lognormal": POSITIVE,
    "beta": UNIT, "logistic": REAL, "cauchy": HEAVY, "poisson": COUNT,
}  # fmt: skip
# At 1 − x = 1e-220 a density like (1 − x)^(b−1) has 1e-22 of its mass left when b = 0.1.
DIGITS = {REAL: 40, HEAVY: 40, POSITIVE: 40, UNIT: 220, COUNT: 40}

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


def place(space, v):
    """Return x(v) and dx/dv of a map of the real line onto the sample space."""
    if space in (REAL, HEAVY):
        return v, mpmath.mpf(1)
    if space == POSITIVE:
        return mpmath.exp(v), mpmath.exp(v)
    share = 1 / (1 + mpmath.exp(-v))
    return share, share * (1 - share)


def log_mass(log_density, space, v):
    x, slope = place(space, v)
    inside = slope > 0 and (space != UNIT or 0 < x < 1)
    return log_density(x) + mpmath.log(slope) if inside else -mpmath.inf


def mode_and_width(height):
    """Return where a function of v is largest and how far away it falls by a half, by ever smaller steps."""
    centre, step = mpmath.mpf(0), mpmath.mpf(2) ** 28
    while True:
        centre = max((centre + k * step for k in range(-4, 5)), key=height)
        if min(height(centre - step), height(centre + step)) > height(centre) - mpmath.mpf("0.5"):
            return centre, step
        step /= 2


def integral_nodes(log_density, space):
    """Return pairs (x, weight times density), those of even number making up the rule with twice the step."""
    centre, width = mode_and_width(lambda v: log_mass(log_density, space, v))
    nodes = []
    for k in range(-round(REACH / STEP), round(REACH / STEP) + 1):
        v, slope = mpmath.sinh(k * STEP), STEP * mpmath.cosh(k * STEP)
        if space == HEAVY:  # it takes a second sinh to make power laws double exponential
            v, slope = mpmath.sinh(v), slope * mpmath.cosh(v)
        v = centre + width * v
        height = log_mass(log_density, space, v) + mpmath.log(slope * width)
        nodes.append((place(space, v)[0], mpmath.exp(height)))
    return nodes


def count_nodes(log_density):
    """Return pairs (x, mass) of the counts outwards from the mode; the sum is exact."""
    mode, step = 0, 2**20
    while step:
        mode = max(
            (mode + k * step for k in (-1, 0, 1) if mode + k * step >= 0), key=lambda x: log_density(mpmath.mpf(x))
        )
        step //= 2
    nodes = []
    for sign in (1, -1):
        x = mode if sign > 0 else mode - 1
        while x >= 0 and (mass := mpmath.exp(log_density(mpmath.mpf(x)))) > NEGLIGIBLE:
            nodes.append((mpmath.mpf(x), mass))
            x += sign
    return nodes


def expectations(family, names, phi, every):
    """Return ∫p and the packed E[sᵢsⱼ] from every so-manieth node."""
    functions, space = exact(family, names), SPACES[family]
    theta = [mpmath.mpf(value) for value in phi]

    def log_density(x):
        return functions.log_density(x, *theta)

    nodes = count_nodes(log_density) if space == COUNT else integral_nodes(log_density, space)[::every]
    kept = [(mass * every, functions.score(x, *theta)) for x, mass in nodes if mass > NEGLIGIBLE]
    mass = mpmath.fsum(mass for mass, _ in kept)
    return [mass, *(mpmath.fsum(mass * s[i] * s[j] for mass, s in kept) for i, j in pairs(len(theta)))]


@cache
def information(family, names, phi):
    """Return E[s sᵀ], having checked that it is known to more digits than a float has."""
    with mpmath.workdps(DIGITS[SPACES[family]]):
        coarse, fine = (expectations(family, names, phi, every) for every in (2, 1))
        if SPACES[family] == COUNT:
            coarse = fine
        matrix = np.empty((len(names), len(names)))
        for k, (i, j) in enumerate(pairs(len(names)), start=1):
            matrix[i, j] = matrix[j, i] = float(fine[k])
            size = mpmath.sqrt(fine[1] * fine[-1]) if i != j else fine[k]
            assert abs(coarse[k] - fine[k]) < COARSE * size
        assert abs(fine[0] - 1) < 1e-15
        return matrix


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
    assert_equal_matrices(theory.hessian, information(family, names, phi))
    np.testing.assert_array_equal(theory.score_covariance, theory.hessian)
    found = simstudy.expected_information(family, dict(zip(names, phi, strict=True)))
    np.testing.assert_array_equal(found.to_numpy(), theory.hessian)


@pytest.mark.parametrize(("family", "names", "phi"), MIDDLE)
def test_known_parameters_are_left_out(family, names, phi):
    expected = information(family, names, phi)
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
    assert_equal_matrices(found.to_numpy(), information(family, names, phi)[::-1, ::-1])


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
