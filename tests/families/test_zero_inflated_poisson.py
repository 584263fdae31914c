"""Zero-inflated Poisson: density, information, estimates, known subsets and boundaries."""

import mpmath
import numpy as np
import pytest

import simstudy
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from tests import reference
from tests.families.counting import SIZES, assert_score_zero, assert_share
from tests.precise import COUNT, information

ZIP, NAMES = FAMILIES["zero_inflated_poisson"], ("inflation", "rate")
FORMULA = (
    "Piecewise((log(inflation + (1 - inflation)*exp(-rate)), x < 1/2),"
    " (log(1 - inflation) - rate + x*log(rate) - loggamma(x + 1), True))"
)


def columns(*values):
    return [np.asarray(value) for value in values]


@pytest.mark.parametrize("inflation", [1e-9, 0.3, 0.999])
@pytest.mark.parametrize("rate", [1e-6, 0.5, 40.0, 2000.0])
def test_log_density(inflation, rate):
    x = np.array([0, 1, 2, 30, 1000, 10**6])
    with mpmath.workdps(50):
        p, m = mpmath.mpf(inflation), mpmath.mpf(rate)
        positive = [mpmath.log(1 - p) - m + int(k) * mpmath.log(m) - mpmath.loggamma(int(k) + 1) for k in x[1:]]
        expected = [float(v) for v in (mpmath.log(p + (1 - p) * mpmath.exp(-m)), *positive)]
    found = ZIP.log_density(x, columns(inflation, rate))
    # x log λ and log x! are each that large, and are subtracted.
    size = x * (abs(np.log(rate)) + np.log(x + 1.0)) + rate
    np.testing.assert_array_less(np.abs(found - expected), 1e-12 * np.abs(expected) + 2.0**-50 * (1.0 + size))


@pytest.mark.parametrize("phi", [(0.3, 2.0), (0.01, 0.05), (0.9, 8.0), (0.5, 45.0)])
def test_expected_information(phi):
    expected = information(FORMULA, NAMES, COUNT, phi)
    found = simstudy.expected_information("zero_inflated_poisson", dict(zip(NAMES, phi, strict=True))).to_numpy()
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-13)
    for k, name in enumerate(NAMES):
        kept = simstudy.expected_information("zero_inflated_poisson", dict(zip(NAMES, phi, strict=True)), known=[name])
        np.testing.assert_allclose(kept, expected[1 - k : 2 - k, 1 - k : 2 - k], rtol=1e-12)


def wide(rng):
    return columns(rng.uniform(0.01, 0.99), 10.0 ** rng.uniform(-1.5, 3.0))


def test_fits_over_wide_ranges():
    rng = np.random.default_rng(1)
    for n in SIZES:
        for _ in range(8):
            x = ZIP.sample(rng, wide(rng), (8, n))
            found = fit("zero_inflated_poisson", x)
            assert set(found.status) <= {Status.CONVERGED, Status.BOUNDARY}
            assert_score_zero(ZIP, x, found)


def test_estimates_are_not_below_a_careful_search():
    """On the boundary, no interior point is better than the Poisson, or than certain zeros."""
    rng = np.random.default_rng(2)
    for n in (3, 10, 100):
        for _ in range(2):
            x = ZIP.sample(rng, wide(rng), (1, n))
            found = fit("zero_inflated_poisson", x)
            start = [float(column[0]) for column in ZIP.start(x)]
            best = reference.maximise(ZIP, x[0].astype(float), [start], tries=3)
            value = found.log_likelihood[0] / n
            assert best.value <= value + 1e-9 * (1.0 + abs(value))


@pytest.mark.parametrize("known", NAMES)
def test_fits_with_one_parameter_known(known):
    rng, grid = np.random.default_rng(3), np.geomspace(1e-3, 1e4, 2001)
    for n in SIZES[:-1]:
        for _ in range(4):
            theta = wide(rng)
            x = ZIP.sample(rng, theta, (8, n))
            value = float(theta[NAMES.index(known)])
            found = fit("zero_inflated_poisson", x, {known: value})
            assert_score_zero(ZIP, x, found, known={known: value})
            share = (x > 0).mean(axis=-1)
            interior = (share > 0.0) if known == "inflation" else (share > 0.0) & (share < -np.expm1(-value))
            np.testing.assert_array_equal(found.status, np.where(interior, Status.CONVERGED, Status.BOUNDARY))
            if known == "inflation":  # the likelihood may have two maxima
                there = x[:2, :, np.newaxis]
                searched = ZIP.log_density(there, [np.asarray(value), grid]).sum(axis=1).max(axis=-1)
                assert (searched <= found.log_likelihood[:2] + 1e-9).all()


DEGENERATE = [
    ([0, 0, 0], Status.BOUNDARY), ([1, 0, 1, 0], Status.BOUNDARY), ([3, 4, 5], Status.BOUNDARY),
    ([7], Status.BOUNDARY), ([0, 10**6], Status.CONVERGED), ([0, 0, 2], Status.CONVERGED),
    ([0, 1, 1, 2], Status.BOUNDARY),
]  # fmt: skip


@pytest.mark.parametrize(("x", "status"), DEGENERATE)
def test_degenerate_data(x, status):
    found = fit("zero_inflated_poisson", x)
    assert found.status is status
    if status is Status.BOUNDARY and sum(x):
        np.testing.assert_allclose(found.theta, [0.0, np.mean(x)], rtol=1e-15)


def test_share_on_the_boundary_of_pairs():
    """Of two counts, one must be zero and the other at least two: then half are positive, and 1 − e^(−λ̂) > ½."""
    inflation, rate = 0.3, 1.5
    x = ZIP.sample(np.random.default_rng(4), columns(inflation, rate), (20_000, 2))
    zero = inflation + (1 - inflation) * np.exp(-rate)
    more = (1 - inflation) * -(np.expm1(-rate) + rate * np.exp(-rate))
    assert_share(fit("zero_inflated_poisson", x).status == Status.CONVERGED, 2 * zero * more)
