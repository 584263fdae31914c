"""The von Mises family of angles."""

import mpmath
import numpy as np
import pytest
from scipy import integrate, special, stats

import simstudy
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from tests.families.fits import SIZES, assert_highest, assert_zero_score, quiet

FAMILY = FAMILIES["von_mises"]
FORMULA = "concentration*cos(x - loc) - log(2*pi*besseli(0, concentration))"
KAPPAS = [1e-6, 0.01, 0.5, 2.0, 39.0, 41.0, 1e3, 1e6]


def draws(loc, kappa, size, seed=1):
    return FAMILY.sample(np.random.default_rng(seed), [np.asarray(loc), np.asarray(kappa)], size)


def exact(x, loc, kappa):
    with mpmath.workdps(50):
        angle, kappa = mpmath.mpf(float(x)) - mpmath.mpf(loc), mpmath.mpf(kappa)
        scaled = mpmath.log(2 * mpmath.pi * mpmath.besseli(0, kappa)) - kappa
        return float(-2 * kappa * mpmath.sin(angle / 2) ** 2 - scaled)


@pytest.mark.parametrize("kappa", KAPPAS)
def test_log_density(kappa):
    x = np.concatenate([np.linspace(-np.pi, np.pi, 41), draws(0.7, kappa, 40), [1e-200, 7.0, -20.0]])
    found = FAMILY.log_density(x, [np.asarray(0.7), np.asarray(kappa)])
    # x and loc round by ε, which moves the log-density by κ|sin(x − loc)|ε.
    atol = 4 * 2.0**-52 * (kappa * np.abs(np.sin(x - 0.7)) * 8.0 + 1.0)
    assert (np.abs(found - [exact(value, 0.7, kappa) for value in x]) <= atol + 1e-12 * np.abs(found)).all()


def test_log_density_is_that_of_scipy():
    x = draws(-1.0, 3.0, 200)
    found = FAMILY.log_density(x, [np.asarray(-1.0), np.asarray(3.0)])
    np.testing.assert_allclose(found, stats.vonmises.logpdf(x, 3.0, loc=-1.0), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kappa", KAPPAS)
def test_expected_information(kappa):
    """E[s sᵀ] by the trapezoidal rule at 40 digits; beyond 15 standard deviations there is no mass."""
    with mpmath.workdps(40):
        k = mpmath.mpf(kappa)
        reach = min(mpmath.pi, 15 / mpmath.sqrt(k))
        angles = [reach * j / 128 for j in range(-128, 128)]
        mass = [mpmath.exp(-2 * k * mpmath.sin(a / 2) ** 2) for a in angles]
        total = mpmath.fsum(mass)
        mean = mpmath.fsum(m * mpmath.cos(a) for m, a in zip(mass, angles, strict=True)) / total
        across = k * k * mpmath.fsum(m * mpmath.sin(a) ** 2 for m, a in zip(mass, angles, strict=True)) / total
        along = mpmath.fsum(m * (mpmath.cos(a) - mean) ** 2 for m, a in zip(mass, angles, strict=True)) / total
    values = {"loc": 1.2, "concentration": kappa}
    found = simstudy.expected_information("von_mises", values).to_numpy()
    np.testing.assert_allclose(np.diag(found), [float(across), float(along)], rtol=1e-14)
    assert abs(found[0, 1]) < 1e-14 * np.sqrt(found[0, 0] * found[1, 1])
    for i, name in enumerate(values):
        alone = simstudy.expected_information("von_mises", values, known=[name]).to_numpy()
        np.testing.assert_array_equal(alone, found[1 - i : 2 - i, 1 - i : 2 - i])


@pytest.mark.parametrize("n", SIZES)
def test_fits(n):
    rng = np.random.default_rng(n)
    loc, kappa = rng.uniform(-np.pi, np.pi, (60, 1)), 10.0 ** rng.uniform(-2.0, 6.0, (60, 1))
    x = draws(loc, kappa, (60, n), n)
    found = quiet(FAMILY, x)
    assert all(status is Status.CONVERGED for status in found.status)
    assert (np.abs(found.theta[:, 0]) <= np.pi).all()
    assert found.iterations.max() <= 5
    some = slice(0, max(1, 30 // n))
    assert_zero_score(FAMILY, FORMULA, x[some], quiet(FAMILY, x[some]))
    assert_highest(FAMILY, x, found, [0, 1] if n < 1000 else [])
    known = {"concentration": 3.0}
    assert_zero_score(FAMILY, FORMULA, x[some], quiet(FAMILY, x[some], known), known)
    known = {"loc": float(found.theta[0, 0]) + 0.01}
    assert_zero_score(FAMILY, FORMULA, x[:1], quiet(FAMILY, x[:1], known), known)


def test_estimates_turn_with_the_data():
    """Angles are numbers modulo 2π: whole turns change nothing, and a turn of the data turns the estimate."""
    x = draws(3.0, 4.0, (50, 30))
    found = quiet(FAMILY, x).theta
    turned = quiet(FAMILY, x + 2.0 * np.pi * np.random.default_rng(2).integers(-3, 4, x.shape)).theta
    np.testing.assert_allclose(turned, found, rtol=1e-12)
    assert (np.abs(found[:, 0]) <= np.pi).all()
    assert (found[:, 0] < 0.0).any()  # the mean direction is beyond π in some
    shifted = quiet(FAMILY, x - 3.0).theta
    np.testing.assert_allclose(np.exp(1j * (shifted[:, 0] + 3.0)), np.exp(1j * found[:, 0]), rtol=1e-12)
    np.testing.assert_allclose(shifted[:, 1], found[:, 1], rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2])
def test_share_on_the_boundary_with_known_location(n):
    """κ̂ = 0 where Σ cos(x − μ) ≤ 0: of two angles, where |x₁ − μ| + |x₂ − μ| ≥ π."""
    kappa, law = 0.7, stats.vonmises(0.7)
    beyond = {
        1: 2.0 * law.sf(np.pi / 2.0),
        2: integrate.quad(lambda a: 4.0 * law.pdf(a) * law.sf(np.pi - a), 0.0, np.pi)[0],
    }[n]
    found = quiet(FAMILY, draws(0.5, kappa, (40_000, n), 7), {"loc": 0.5})
    boundary = np.array([status is Status.BOUNDARY for status in found.status])
    assert abs(boundary.mean() - beyond) < 4.0 * np.sqrt(beyond * (1.0 - beyond) / len(boundary))
    assert (found.theta[boundary, 0] == 0.0).all()
    assert all(status is Status.CONVERGED for status in found.status[~boundary])


def test_mean_direction_is_von_mises_given_the_length():
    """Given R̄, μ̂ is von Mises with concentration nκR̄ (Mardia 1975)."""
    n, kappa = 5, 1.5
    x = draws(0.0, kappa, (40_000, n), 12)
    loc = quiet(FAMILY, x).theta[:, 0]
    length = n * np.hypot(np.cos(x).mean(axis=-1), np.sin(x).mean(axis=-1))
    miss = np.cos(loc) - special.i1e(kappa * length) / special.i0e(kappa * length)
    assert abs(miss.mean()) < 4.0 * miss.std() / np.sqrt(len(miss))


def test_degenerate_data():
    quarter = np.pi / 2.0
    x = np.array([
        [1.0, 1.0, 1.0, 1.0],  # constant
        [7.0, 7.0, 7.0, 7.0],  # and outside of (−π, π]
        [0.0, quarter, 2.0 * quarter, -quarter],  # no mean direction
        [1.0, 1.0, 1.0, 1.0 + 1e-9],
        [np.pi, -np.pi, 3.0, 3.0],
        [0.0, 0.0, 0.0, 1e6],
        [0.0, 0.0, 0.0, np.inf],
    ])  # fmt: skip
    ends = [Status.NO_MAXIMUM] * 2 + [Status.BOUNDARY] + [Status.CONVERGED] * 3 + [Status.NOT_FINITE]
    found = quiet(FAMILY, x)
    assert list(found.status) == ends
    assert found.theta[2, 1] == 0.0
    assert_zero_score(FAMILY, FORMULA, x[4:6], quiet(FAMILY, x[4:6]))
    np.testing.assert_allclose(found.theta[3, 1], 1e18 * 16.0 / 3.0, rtol=1e-6)  # 1/(2(1 − R̄)), x as it rounds
    with_loc = quiet(FAMILY, x[:3], {"loc": 1.0})
    assert list(with_loc.status) == [Status.NO_MAXIMUM, Status.CONVERGED, Status.BOUNDARY]
    with_kappa = quiet(FAMILY, x[:3], {"concentration": 2.0})
    assert list(with_kappa.status) == [Status.CONVERGED, Status.CONVERGED, Status.NOT_CONCAVE]
    np.testing.assert_allclose(with_kappa.theta[:2, 0], [1.0, 7.0 - 2.0 * np.pi], rtol=1e-14)


def test_two_angles():
    """The minimum size for both parameters."""
    assert quiet(FAMILY, np.array([[0.5]])).status[0] is Status.NO_MAXIMUM
    assert quiet(FAMILY, np.array([[0.5, 2.5]])).status[0] is Status.CONVERGED
