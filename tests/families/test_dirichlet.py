"""The Dirichlet family, and what it shares with the beta family."""

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import simstudy
from simstudy.contract import check
from simstudy.contract.estimates import distance, mean_score, tolerance
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.numerics.symmetric import fill, unpack
from tests.reference import maximise

BETA, DIRICHLET = FAMILIES["beta"], FAMILIES["dirichlet"]


def of_width(width):
    return DIRICHLET.suited(np.zeros((1, 1, width)))


def columns(theta):
    return [np.asarray(float(value)) for value in theta]


@pytest.mark.parametrize("alpha", [(2.0, 3.0, 4.0), (0.05, 0.5, 20.0, 3.0), (300.0, 0.2)])
def test_log_density_against_scipy(alpha):
    family = of_width(len(alpha))
    x = family.sample(np.random.default_rng(1), columns(alpha), (50,))
    x = np.concatenate([x, [[1.0 - (len(alpha) - 1) * 1e-200, *[1e-200] * (len(alpha) - 1)]]])
    expected = [stats.dirichlet.logpdf(one / one.sum(), alpha) for one in x]
    assert_allclose(family.log_density(x, columns(alpha)), expected, rtol=1e-11)


@pytest.mark.parametrize("alpha", [(2.0, 3.0, 4.0), (0.05, 0.5, 20.0, 300.0), (1e6, 2e6), (1e-6, 1e-3, 1.0)])
def test_information_is_the_curvature_of_log_b(alpha):
    """∂² log B(α) by differences at 60 digits."""
    names = [f"alpha{i + 1}" for i in range(len(alpha))]

    def log_b(*at):
        return mpmath.fsum(map(mpmath.loggamma, at)) - mpmath.loggamma(mpmath.fsum(at))

    with mpmath.workdps(60):
        at = [mpmath.mpf(value) for value in alpha]
        size = len(alpha)
        expected = np.empty((size, size))
        for i in range(size):
            for j in range(size):
                order = tuple((k == i) + (k == j) for k in range(size))
                step = mpmath.mpf(10) ** -15 * min(at)
                expected[i, j] = float(mpmath.diff(log_b, tuple(at), order, h=step))
    scale = np.sqrt(np.diag(expected))
    found = simstudy.expected_information("dirichlet", dict(zip(names, alpha, strict=True)))
    assert_allclose(found / np.outer(scale, scale), expected / np.outer(scale, scale), rtol=0.0, atol=1e-12)
    free = simstudy.expected_information("dirichlet", dict(zip(names, alpha, strict=True)), names[:1])
    assert_array_equal(free, found.to_numpy()[1:, 1:])


def test_two_shares_are_a_beta():
    x = np.random.default_rng(2).beta(0.7, 3.0, (20, 30))
    one, two = fit(BETA, x), fit(DIRICHLET, np.stack([x, 1.0 - x], axis=-1))
    assert two.names == ("alpha1", "alpha2")
    assert_allclose(two.theta, one.theta, rtol=1e-11)
    assert_allclose(two.log_likelihood, one.log_likelihood, rtol=1e-11)


@pytest.mark.parametrize("width", [2, 3, 5, 10])
def test_fits_over_wide_ranges(width):
    rng, family = np.random.default_rng(3), of_width(width)
    for n in (3, 10, 100):
        for _ in range(4):
            alpha = np.exp(rng.uniform(np.log(0.12), np.log(1000.0), width))
            x = np.ascontiguousarray(family.sample(rng, columns(alpha), (20, n)))
            found = fit(family, x)
            assert {*found.status} == {Status.CONVERGED}
            error = distance(mean_score(family, x, found.theta), found.observed_information)
            assert (error <= tolerance(family, found.theta, found.observed_information)).all()
            assert found.iterations.max() < 30


def test_no_search_finds_a_higher_likelihood():
    rng = np.random.default_rng(4)
    for n in (3,):
        alpha = np.exp(rng.uniform(np.log(0.2), np.log(50.0), 3))
        x = np.ascontiguousarray(DIRICHLET.sample(rng, columns(alpha), (2, n)))
        for known in ({}, {1: float(alpha[1])}, {0: float(alpha[0]), 2: float(alpha[2])}):
            found = fit(DIRICHLET, x, {f"alpha{i + 1}": value for i, value in known.items()})
            assert {*found.status} == {Status.CONVERGED}
            best = maximise(DIRICHLET, x[0], [alpha], known, tries=3)
            assert found.log_likelihood[0] / n >= best.value - 1e-9


def test_degenerate_data():
    x = np.random.default_rng(5).dirichlet([1.0, 2.0, 3.0], (7, 10))
    x[0] = x[0, 0]
    x[1, 3] = 0.0, 0.5, 0.5
    x[2] *= 2.0
    x[3, 0, 1] = np.nan
    x[4] = [0.2, 0.3, 0.5]
    x[4, 0] = [0.2 + 1e-9, 0.3 - 1e-9, 0.5]  # nearly constant
    x[5, 2] = 1.5, -0.25, -0.25
    S = Status
    expected = [S.NO_MAXIMUM, S.NOT_FINITE, S.NOT_FINITE, S.NOT_FINITE, S.CONVERGED, S.NOT_FINITE, S.CONVERGED]
    assert list(fit(DIRICHLET, x).status) == expected
    assert fit(DIRICHLET, x[6, :1]).status is Status.NO_MAXIMUM
    assert fit(DIRICHLET, x[6, :1], {"alpha2": 2.0}).status is Status.CONVERGED


@pytest.mark.parametrize("family", [BETA, DIRICHLET], ids=["beta", "dirichlet"])
def test_a_wide_share_beside_narrow_ones_keeps_its_digits(family):
    """With shapes 0.12 and 300 one share is spread over decades while the others hardly vary."""
    alpha = (0.15, 300.0) if family is BETA else (0.12, 500.0, 400.0)
    x = np.ascontiguousarray(family.sample(np.random.default_rng(6), columns(alpha), (300, 4)))
    found = fit(family, x)
    rows = np.array([status is Status.CONVERGED for status in found.status])
    assert rows.mean() > 0.95  # a beta may round to 0
    error = distance(mean_score(family, x[rows], found.theta[rows]), found.observed_information[rows])
    assert (error <= tolerance(family, found.theta[rows], found.observed_information[rows])).all()


@pytest.mark.parametrize("alpha", [(0.02, 0.03, 0.05), (0.02, 3.0, 1.0)])
def test_small_shapes_do_not_underflow(alpha):
    """Each share is a beta; even of shape 0.02 only e^(−745·0.02) of draws lie below the smallest number."""
    x = DIRICHLET.sample(np.random.default_rng(7), columns(alpha), (200_000,))
    assert_allclose(x.sum(axis=-1), 1.0, rtol=1e-14)
    for share, one in zip(x.T, alpha, strict=True):
        assert (share == 0.0).mean() < 4.0 * np.exp(-745.0 * one) + 1e-9
        low = stats.beta(one, sum(alpha) - one).cdf([1e-300, 1e-30, 1e-3, 0.5])
        found = np.array([(share <= point).mean() for point in (1e-300, 1e-30, 1e-3, 0.5)])
        assert_allclose(found, low, atol=5.0 * 0.5 / np.sqrt(len(share)))


def test_statistics_have_their_exact_moments():
    """E[log x] and Cov(log x) at the truth: the score of many draws and its products."""
    alpha, rows = (0.4, 2.0, 7.0), 100_000
    x = DIRICHLET.sample(np.random.default_rng(8), columns(alpha), (rows,))
    score = np.stack(DIRICHLET.score(x, columns(alpha)), axis=-1)
    information = unpack(fill(DIRICHLET.expected_information(columns(alpha)), 1))[0]
    assert (np.abs(score.mean(axis=0)) < 4.0 * np.sqrt(np.diag(information) / rows)).all()
    products = score[:, :, np.newaxis] * score[:, np.newaxis, :]
    assert (np.abs(products.mean(axis=0) - information) < 4.5 * products.std(axis=0) / np.sqrt(rows)).all()


LAWS = [
    "sampler_space", "sampler_score", "elementwise", "score", "hessian", "likelihood_route", "likelihood_rows",
    "data_untouched", "start", "fit_ends", "unusable_data", "score_zero", "rows_alone",
]  # fmt: skip


@pytest.mark.parametrize("width", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_members_of_other_widths_keep_the_laws(width):
    """Those that do not integrate over the sample space."""
    failed = [str(finding) for finding in check(of_width(width), laws=LAWS) if not finding.passed]
    assert not failed, "\n".join(failed)
