"""Negative binomial: density, information, estimates in every parametrisation, and samples not overdispersed."""

from itertools import product

import mpmath
import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.contract.estimates import converged
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from tests import reference
from tests.families.counting import SIZES, assert_score_zero, assert_share
from tests.precise import COUNT, information

FAMILY = FAMILIES["negative_binomial"]
BASE = ("mean", "dispersion")
FORMULAS = {
    ("size", "prob"): "loggamma(x + size) - loggamma(size) - loggamma(x + 1) + size*log(prob) + x*log(1 - prob)",
    ("mean", "size"): (
        "loggamma(x + size) - loggamma(size) - loggamma(x + 1)"
        " + size*log(size/(size + mean)) + x*log(mean/(size + mean))"
    ),
    BASE: (
        "loggamma(x + 1/dispersion) - loggamma(1/dispersion) - loggamma(x + 1)"
        " - log(1 + dispersion*mean)/dispersion + x*log(dispersion*mean/(1 + dispersion*mean))"
    ),
}


def columns(*values):
    return [np.asarray(value) for value in values]


def exact_log_density(x, mean, dispersion):
    r, t = 1 / mpmath.mpf(dispersion), mpmath.mpf(dispersion) * mpmath.mpf(mean)
    gammas = mpmath.loggamma(x + r) - mpmath.loggamma(r) - mpmath.loggamma(x + 1)
    return gammas - r * mpmath.log1p(t) + x * mpmath.log(t / (1 + t))


def test_the_usual_parameters_come_first():
    assert [form.names for form in FAMILY.listed] == list(FORMULAS)
    assert fit("negative_binomial", [0, 3, 9]).names == ("size", "prob")
    assert fit("negative_binomial", [0, 3, 9], {"mean": 4.0}).names == ("size",)
    assert fit("negative_binomial", [0, 3, 9], {"dispersion": 0.5}).names == ("mean",)


@pytest.mark.parametrize("dispersion", [1e-8, 1e-3, 0.5, 100.0])
@pytest.mark.parametrize("mean", [0.01, 5.0, 1e4])
def test_log_density(mean, dispersion):
    x = [0, 1, 2, 30, 1000, 10**6]
    with mpmath.workdps(60):
        expected = [float(exact_log_density(k, mean, dispersion)) for k in x]
    found = FAMILY.log_density(np.array(x), columns(mean, dispersion))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_log_density_against_scipy():
    x = np.arange(40)
    found = FAMILY.log_density(x, columns(4.0, 0.5))
    np.testing.assert_allclose(found, stats.nbinom.logpmf(x, 2.0, 1.0 / 3.0), rtol=1e-12)
    assert (FAMILY.log_density(np.array([-1.0, 0.5, np.nan, np.inf]), columns(4.0, 0.5)) == -np.inf).all()


def test_without_dispersion_it_is_a_poisson():
    x, poisson = np.array([0, 1, 7]), FAMILIES["poisson"]
    np.testing.assert_allclose(
        FAMILY.log_density(x, columns(4.0, 0.0)), poisson.log_density(x, columns(4.0)), rtol=1e-14
    )
    np.testing.assert_allclose(FAMILY.score(x, columns(4.0, 0.0))[1], ((x - 4.0) ** 2 - x) / 2.0, rtol=1e-14)
    np.testing.assert_allclose(FAMILY.expected_information(columns(4.0, 0.0)), [0.25, 0.0, 8.0], rtol=1e-13)


@pytest.mark.parametrize("dispersion", [1e-8, 1e-4, 0.02, 3.0, 100.0])
@pytest.mark.parametrize("mean", [0.7, 5.0, 1e4])
def test_derivatives_in_the_dispersion(mean, dispersion):
    x = np.array([0.0, 1.0, 7.0, 11.0, 1000.0])
    score, hessian = (of(x, columns(mean, dispersion)) for of in (FAMILY.score, FAMILY.hessian))
    for k, count in enumerate(x):
        with mpmath.workdps(80):
            r, m, c = 1 / mpmath.mpf(dispersion), mpmath.mpf(mean), mpmath.mpf(count)
            first = mpmath.psi(0, c + r) - mpmath.psi(0, r) + mpmath.log(r / (r + m)) - (c - m) / (m + r)
            second = mpmath.psi(1, c + r) - mpmath.psi(1, r) + 1 / r - 1 / (m + r) + (c - m) / (m + r) ** 2
            slope, bend = -(r**2) * first, r**4 * second + 2 * r**3 * first
        assert score[1][k] == pytest.approx(float(slope), rel=1e-13, abs=1e-13 * mean)
        # Terms of size rx cancel, or below the limit the second order in αx is left out.
        size = abs(float(bend)) + mean**2 / (1.0 + dispersion * mean) ** 2
        assert abs(hessian[2][k] - float(bend)) <= 1e-9 * size + 2e-15 * count / dispersion


@pytest.mark.parametrize("names", FORMULAS)
@pytest.mark.parametrize("theta", [(3.0, 0.5), (0.05, 0.001), (4.0, 2.0), (40.0, 1e-4)])
def test_expected_information(names, theta):
    form = FAMILY.find_parametrisation(names)
    phi = tuple(float(value) for value in form.from_base(columns(*theta)))
    expected = information(FORMULAS[names], names, COUNT, phi)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    given = dict(zip(names, phi, strict=True))
    found = simstudy.expected_information("negative_binomial", given).to_numpy()
    # 1 − prob is known to ε/(1 − prob) only.
    tolerance = 1e-12 + (2.0**-50 / (1.0 - phi[1]) if "prob" in names else 0.0)
    np.testing.assert_allclose(found / scale, expected / scale, atol=tolerance)
    for k, name in enumerate(names):
        kept = simstudy.expected_information("negative_binomial", given, known=[name]).to_numpy()
        np.testing.assert_allclose(kept[0, 0], expected[1 - k, 1 - k], rtol=tolerance)


def integral(mean, dispersion):
    """Return r⁴(E[ψ′(r) − ψ′(r + X)] − μ/(r(μ + r))) by trapezoids in log s at 45 digits."""
    with mpmath.workdps(45):
        r, t, step = 1 / mpmath.mpf(dispersion), mpmath.mpf(mean) * mpmath.mpf(dispersion), mpmath.mpf(1) / 10
        total = mpmath.mpf(0)
        for k in range(-600, 50):
            s = mpmath.exp(k * step) / r
            y = -mpmath.expm1(-s)
            total += step * s * s * mpmath.exp(-r * s) * -mpmath.expm1(-r * mpmath.log1p(t * y)) / y
        return float(r**4 * (total - t / (r * (1 + t))))


@pytest.mark.parametrize(("mean", "dispersion"), list(product((0.01, 3.0, 1e4), (1e-6, 0.02, 2.0, 100.0))))
def test_information_of_the_dispersion_over_wide_ranges(mean, dispersion):
    found = FAMILY.expected_information(columns(mean, dispersion))[2]
    assert float(found) == pytest.approx(integral(mean, dispersion), rel=1e-12)


def test_information_of_many_rows():
    rng = np.random.default_rng(1)
    theta = [10.0 ** rng.uniform(-2.0, 4.0, (600, 1)), 10.0 ** rng.uniform(-6.0, 2.0, (600, 1))]
    found = FAMILY.expected_information(theta)[2]
    assert found.shape == (600, 1)
    alone = [FAMILY.expected_information([column[k] for column in theta])[2][0] for k in (0, 511, 512, 599)]
    np.testing.assert_array_equal(found[[0, 511, 512, 599], 0], alone)


def overdispersed(x):
    """Tell exactly, by whole numbers, which data sets have a variance above their mean."""
    rows = [[int(value) for value in row] for row in x]
    return np.array([len(r) * sum(v * v for v in r) - sum(r) ** 2 > len(r) * sum(r) for r in rows])


def wide(rng):
    return columns(10.0 ** rng.uniform(-2.0, 4.5), 10.0 ** rng.uniform(-4.0, 1.5))


def test_fits_over_wide_ranges():
    rng = np.random.default_rng(1)
    for n in SIZES:
        for _ in range(8):
            x = FAMILY.sample(rng, wide(rng), (8, n))
            for form in FAMILY.parametrisations:
                found = fit("negative_binomial", x, None, form.names)
                np.testing.assert_array_equal(
                    found.status, np.where(overdispersed(x), Status.CONVERGED, Status.BOUNDARY)
                )
                assert_score_zero(FAMILY, x, found, form)


def test_estimates_are_not_below_a_careful_search():
    rng = np.random.default_rng(2)
    for n in (3, 10, 100):
        for _ in range(3):
            x = FAMILY.sample(rng, columns(10.0 ** rng.uniform(-0.5, 3.0), 10.0 ** rng.uniform(-1.0, 1.0)), (1, n))
            found = fit("negative_binomial", x, None, BASE)
            best = reference.maximise(FAMILY, x[0].astype(float), [[float(c[0]) for c in FAMILY.start(x)]], tries=3)
            value = found.log_likelihood[0] / n
            assert best.value <= value + 1e-9 * (1.0 + abs(value))


@pytest.mark.parametrize(("names", "known"), [(names, known) for names in FORMULAS for known in names])
def test_fits_with_one_parameter_known(names, known):
    rng, form = np.random.default_rng(3), FAMILY.find_parametrisation(names)
    for n in (1, 2, *SIZES[:-1]):
        theta = wide(rng)
        x = FAMILY.sample(rng, theta, (10, n))
        held = {known: float(dict(zip(names, form.from_base(theta), strict=True))[known])}
        found = fit("negative_binomial", x, held, names)
        assert_score_zero(FAMILY, x, found, form, held)
        some, mean = x.sum(axis=-1) > 0, x.mean(axis=-1)
        if known == "mean":  # overdispersed around it
            some &= np.square(x - held["mean"]).mean(axis=-1) > mean
        np.testing.assert_array_equal(converged(found), some)
        if known in ("size", "dispersion"):
            fitted_mean = form.to_base([found.theta[:, 0] if name != known else held[known] for name in names])[0]
            np.testing.assert_allclose(fitted_mean[some], mean[some], rtol=1e-12 if "prob" not in names else 1e-6)


def test_with_known_mean_zeros_alone_have_no_maximum():
    assert fit("negative_binomial", [0, 0], {"mean": 2.0}, BASE).status is Status.NO_MAXIMUM
    assert fit("negative_binomial", [1, 1], {"mean": 1.0}, BASE).status is Status.BOUNDARY
    # The mean square deviation from the known mean is the mean: a tie, which rounding does not break.
    assert fit("negative_binomial", [0, 1, 2, 1, 0, 0, 3], {"mean": 1.0}, BASE).status is Status.CONVERGED
    assert fit("negative_binomial", [0, 0, 2, 2], {"mean": 1.0}, BASE).status is Status.BOUNDARY


DEGENERATE = [
    ([0, 0, 0], Status.BOUNDARY), ([5], Status.BOUNDARY), ([4, 4, 4], Status.BOUNDARY), ([0, 2], Status.BOUNDARY),
    ([0, 3], Status.CONVERGED), ([0, 0, 0, 0, 10**6], Status.CONVERGED), ([1, 2, 10**6], Status.CONVERGED),
    ([10**8, 10**8 + 1], Status.BOUNDARY), ([0, 10**9], Status.CONVERGED),
]  # fmt: skip


@pytest.mark.parametrize(("x", "status"), DEGENERATE)
def test_degenerate_data(x, status):
    for names in FORMULAS:
        found = fit("negative_binomial", x, None, names)
        assert found.status is status
    np.testing.assert_allclose(found.theta[0], np.mean(x), rtol=1e-15)
    if status is Status.BOUNDARY:
        assert found.theta[1] == 0.0
        if sum(x):
            rounding = 2.0**-50 * sum(x) * np.log(max(x) + 1.0)  # of x log μ − log x! there
            np.testing.assert_allclose(
                found.log_likelihood, fit("poisson", x).log_likelihood, rtol=1e-13, atol=rounding
            )


def test_counts_may_be_floats():
    whole = fit("negative_binomial", [[0, 3, 9, 40], [1, 1, 1, 2]])
    real = fit("negative_binomial", [[0.0, 3.0, 9.0, 40.0], [1.0, 1.0, 1.0, 2.0], [0.0, 1.5, 2.0, 3.0]])
    np.testing.assert_array_equal(whole.theta, real.theta[:2])
    assert real.status[2] is Status.NOT_FINITE


def test_share_of_poisson_samples_on_the_boundary():
    """Of three Poisson counts, by enumeration; of fifty, somewhat more than half."""
    rng, mean = np.random.default_rng(4), 3.0
    counts = np.arange(40)
    triples = np.stack(np.meshgrid(counts, counts, counts, indexing="ij"), axis=-1).reshape(-1, 3)
    total = triples.sum(axis=-1)
    under = 3 * (triples**2).sum(axis=-1) - total**2 <= 3 * total
    probability = float(stats.poisson.pmf(triples, mean).prod(axis=-1)[under].sum())
    assert_share(fit("negative_binomial", rng.poisson(mean, (20_000, 3))).status == Status.BOUNDARY, probability)
    share = np.mean(fit("negative_binomial", rng.poisson(mean, (4000, 50))).status == Status.BOUNDARY)
    assert 0.55 < share < 0.61


def test_share_of_overdispersed_pairs():
    mean, dispersion = 3.0, 0.5
    x = FAMILY.sample(np.random.default_rng(5), columns(mean, dispersion), (20_000, 2))
    mass = stats.nbinom.pmf(np.arange(400), 1 / dispersion, 1 / (1 + mean * dispersion))
    one, two = np.meshgrid(np.arange(400), np.arange(400))
    probability = float(np.outer(mass, mass)[(one - two) ** 2 > 2 * (one + two)].sum())
    assert_share(fit("negative_binomial", x).status == Status.CONVERGED, probability)
