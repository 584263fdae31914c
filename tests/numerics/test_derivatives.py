"""The stencils against derivatives written down, at scales from 1e-8 to 1e8."""

import numpy as np
import pytest

from simstudy.numerics import derivatives
from simstudy.parameters import POSITIVE, REAL, UNIT_INTERVAL, above

SCALES = [1e-8, 1e-3, 1.0, 1e5, 1e8]
# Fourth order: truncation h⁴ times a derivative that grows with |z|, rounding ε/h and ε/h². For z in (−3, 15), where
# the log-density is at most 20 and the sixth derivative at most 20·3⁶ units:
SCORE_ERROR = 1e-9
HESSIAN_ERROR = 1e-7

# The library calls them with warnings off: the first steps tried may be far too long.
pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")


def gumbel(x, theta):
    z = (x - theta[0]) / theta[1]
    return -z - np.exp(-z) - np.log(theta[1])


def gumbel_score(x, theta):
    z = (x - theta[0]) / theta[1]
    pull = 1.0 - np.exp(-z)
    return [pull / theta[1], (z * pull - 1.0) / theta[1]]


def gumbel_hessian(x, theta):
    z = (x - theta[0]) / theta[1]
    w = np.exp(-z)
    square = theta[1] ** 2
    return [-w / square, -(1.0 - w + z * w) / square, (1.0 - 2.0 * z * (1.0 - w) - z * z * w) / square]


def sample(scale, rows=6, n=50):
    rng = np.random.default_rng(1)
    theta = [np.linspace(-3.0, 3.0, rows)[:, np.newaxis] * scale, np.linspace(0.5, 2.0, rows)[:, np.newaxis] * scale]
    return rng.gumbel(theta[0], theta[1], (rows, n)), theta


@pytest.mark.parametrize("scale", SCALES)
def test_score(scale):
    x, theta = sample(scale)
    found = derivatives.score(gumbel, x, theta, (REAL, POSITIVE))
    for entry, expected in zip(found, gumbel_score(x, theta), strict=True):
        assert entry.shape == x.shape
        np.testing.assert_allclose(entry * scale, expected * scale, rtol=SCORE_ERROR, atol=SCORE_ERROR)


@pytest.mark.parametrize("scale", SCALES)
def test_hessian(scale):
    x, theta = sample(scale)
    found = derivatives.hessian(gumbel, x, theta, (REAL, POSITIVE))
    for entry, expected in zip(found, gumbel_hessian(x, theta), strict=True):
        np.testing.assert_allclose(entry * scale**2, expected * scale**2, rtol=HESSIAN_ERROR, atol=HESSIAN_ERROR)


@pytest.mark.parametrize("location", [0.0, 1e4, -1e6])
def test_a_location_far_from_zero(location):
    """The log-density itself loses digits, ε|location| in z, which the stencils divide by h and h²."""
    x, theta = sample(1.0)
    moved = [theta[0] + location, theta[1]]
    lost = abs(location) * 2.0**-52
    score = derivatives.score(gumbel, x + location, moved, (REAL, POSITIVE))
    hessian = derivatives.hessian(gumbel, x + location, moved, (REAL, POSITIVE))
    bounds = (
        SCORE_ERROR + 40.0 * lost / derivatives.SCORE_STEP,
        HESSIAN_ERROR + 400.0 * lost / derivatives.HESSIAN_STEP**2,
    )
    for entry, expected in zip(score, gumbel_score(x + location, moved), strict=True):
        np.testing.assert_allclose(entry, expected, rtol=bounds[0], atol=bounds[0])
    for entry, expected in zip(hessian, gumbel_hessian(x + location, moved), strict=True):
        np.testing.assert_allclose(entry, expected, rtol=bounds[1], atol=bounds[1])


@pytest.mark.parametrize(
    ("x_shape", "theta_shape"),
    [((), ()), ((7,), ()), ((5, 7), ()), ((1, 7), (1, 1)), ((5, 7), (5, 1)), ((5, 1), (5, 1)), ((5, 5), ())],
)
def test_shapes(x_shape, theta_shape):
    x = np.random.default_rng(2).gumbel(size=x_shape)
    theta = [np.full(theta_shape, 0.1), np.full(theta_shape, 1.2)]
    for found, expected in (
        (derivatives.score(gumbel, x, theta, (REAL, POSITIVE)), gumbel_score(x, theta)),
        (derivatives.hessian(gumbel, x, theta, (REAL, POSITIVE)), gumbel_hessian(x, theta)),
    ):
        for entry, value in zip(found, expected, strict=True):
            assert np.shape(entry) == np.shape(value)
            np.testing.assert_allclose(entry, value, rtol=HESSIAN_ERROR, atol=HESSIAN_ERROR)


def test_a_row_does_not_depend_on_its_neighbours():
    x, theta = sample(1.0)
    x[3] = 40.0  # far out, so that its steps take longer to find
    together = derivatives.score(gumbel, x, theta, (REAL, POSITIVE))
    for row in range(len(x)):
        here = slice(row, row + 1)
        alone = derivatives.score(gumbel, x[here], [column[here] for column in theta], (REAL, POSITIVE))
        np.testing.assert_array_equal([entry[0] for entry in alone], [entry[row] for entry in together])


def test_observations_without_density_do_not_matter():
    """Where the log-density is −∞ there is no score, but the others keep theirs."""
    x, theta = sample(1.0)
    x[:, :30] = -1e4
    found = derivatives.score(gumbel, x, theta, (REAL, POSITIVE))
    for entry, expected in zip(found, gumbel_score(x[:, 30:], theta), strict=True):
        np.testing.assert_allclose(entry[:, 30:], expected, rtol=SCORE_ERROR, atol=SCORE_ERROR)


@pytest.mark.parametrize(
    ("domain", "value"), [(UNIT_INTERVAL, 1e-4), (UNIT_INTERVAL, 0.5), (UNIT_INTERVAL, 0.9999), (above(2.0), 2.001)]
)
def test_other_domains(domain, value):
    """A binomial log-likelihood in its probability, and the like in a distance from a bound."""
    theta = [np.full((1, 1), value)]
    inner = value if domain is UNIT_INTERVAL else value - 2.0
    x = np.array([[1.0, 2.0, 3.0]])

    def log_density(x, theta):
        p = theta[0] if domain is UNIT_INTERVAL else theta[0] - 2.0
        return x * np.log(p) + (5.0 - x) * (np.log1p(-p) if domain is UNIT_INTERVAL else -p)

    other = 1.0 / (1.0 - inner) if domain is UNIT_INTERVAL else 1.0
    score = x / inner - (5.0 - x) * other
    bend = -x / inner**2 - (5.0 - x) * (other**2 if domain is UNIT_INTERVAL else 0.0)
    unit = np.abs(score).max()
    found = derivatives.score(log_density, x, theta, [domain])[0]
    np.testing.assert_allclose(found / unit, score / unit, rtol=0, atol=SCORE_ERROR)
    found = derivatives.hessian(log_density, x, theta, [domain])[0]
    np.testing.assert_allclose(found / unit**2, bend / unit**2, rtol=0, atol=HESSIAN_ERROR)


@pytest.mark.parametrize("offset", [0.0, 1e-12, 1e-6])
def test_at_the_maximum_of_a_single_observation(offset):
    """Where the score of all there is is zero, it gives no scale for the step, and the bend does."""
    x, theta = np.array([[3.0]]), [np.full((1, 1), 3.0 + offset), np.full((1, 1), 1.0)]

    def normal(x, theta):
        return -0.5 * ((x - theta[0]) / theta[1]) ** 2 - np.log(theta[1])

    found = derivatives.score(normal, x, theta, (REAL, POSITIVE))
    np.testing.assert_allclose([entry[0, 0] for entry in found], [-offset, -1.0], rtol=0, atol=1e-8)
    found = derivatives.hessian(normal, x, theta, (REAL, POSITIVE))
    np.testing.assert_allclose([entry[0, 0] for entry in found], [-1.0, 2 * offset, 1.0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("location", [1.0, 10.0, 30.0])
def test_a_first_step_that_is_too_long_is_not_kept(location):
    """It is a thousandth of the location, which may be a large part of the scale."""
    x, theta = sample(0.1)
    moved = [theta[0] + location, theta[1]]
    found = derivatives.hessian(gumbel, x + location, moved, (REAL, POSITIVE))
    error = HESSIAN_ERROR + 400.0 * location / 0.1 * 2.0**-52 / derivatives.HESSIAN_STEP**2
    for entry, expected in zip(found, gumbel_hessian(x + location, moved), strict=True):
        np.testing.assert_allclose(entry * 0.01, expected * 0.01, rtol=error, atol=error)
