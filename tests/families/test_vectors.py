"""The normal families of vectors: densities, information, closed forms, known entries, nearly singular data."""

from collections import Counter

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import simstudy
from simstudy.contract import check
from simstudy.contract.estimates import distance, mean_score, tolerance
from simstudy.contract.points import base_points
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.numerics.symmetric import fill, pairs, unpack
from tests.reference import maximise

PAIR, MANY = FAMILIES["bivariate_normal"], FAMILIES["multivariate_normal"]
EPS = 2.0**-52


def of_width(width):
    return MANY.suited(np.zeros((1, 1, width)))


def columns(theta):
    return [np.asarray(float(value)) for value in theta]


def covariance_of(family, theta):
    """Return mean and covariance matrix."""
    if family is PAIR:
        mean, (s, t, r) = theta[:2], theta[2:]
        return np.array(mean), np.array([[s * s, r * s * t], [r * s * t, t * t]])
    return np.array(theta[: family.width]), unpack(np.array(theta[family.width :])[np.newaxis])[0]


def random_theta(family, rng, scales=8.0):
    """Return a random member with standard deviations between 10^−scales and 10^scales."""
    width = family.width
    sd = 10.0 ** rng.uniform(-scales, scales, width)
    mean = rng.normal(size=width) * sd * 10.0 ** rng.uniform(-1.0, 3.0)
    if family is PAIR:
        return np.array([*mean, *sd, np.tanh(2.0 * rng.normal())])
    root = rng.normal(size=(width, width))
    matrix = root @ root.T + 0.05 * np.eye(width)
    matrix *= np.outer(sd, sd) / np.sqrt(np.outer(np.diag(matrix), np.diag(matrix)))
    return np.array([*mean, *matrix[np.triu_indices(width)]])


FAMILY_CASES = [PAIR, *(of_width(width) for width in (1, 2, 3, 10))]
LABELS = ["bivariate", "d=1", "d=2", "d=3", "d=10"]


@pytest.mark.parametrize("family", FAMILY_CASES, ids=LABELS)
def test_log_density_against_scipy_also_far_out(family):
    rng = np.random.default_rng(1)
    for _ in range(5):
        theta = random_theta(family, rng, 3.0)
        mean, matrix = covariance_of(family, theta)
        sd = np.sqrt(np.diag(matrix))
        x = mean + sd * rng.normal(size=(40, family.width)) * np.geomspace(0.1, 1e3, 40)[:, np.newaxis]
        # Scipy's own eigenvalues lose digits where units differ, so that both are given data in standard units.
        unit = np.outer(sd, sd)
        expected = stats.multivariate_normal.logpdf((x - mean) / sd, cov=matrix / unit) - np.log(sd).sum()
        condition = np.linalg.cond(matrix / unit)
        found = family.log_density(x, columns(theta))
        assert_allclose(found, np.ravel(expected), rtol=1e2 * EPS * condition + 1e-14, atol=1e-12 * condition)


def exact_information(family, theta):
    """Return E[s sᵀ] by Gauss–Hermite's rule of three nodes, exact for what is of fourth degree in x."""
    names = [parameter.name for parameter in family.parameters]
    with mpmath.workdps(40):
        at = [mpmath.mpf(float(value)) for value in theta]
        mean, matrix = (exact_moments if family is PAIR else exact_entries)(at, family.width)
        root = mpmath.cholesky(matrix)
        nodes = [
            (-mpmath.sqrt(3), mpmath.mpf(1) / 6),
            (mpmath.mpf(0), mpmath.mpf(2) / 3),
            (mpmath.sqrt(3), mpmath.mpf(1) / 6),
        ]
        total = mpmath.zeros(len(names))
        for index in np.ndindex(*(3,) * family.width):
            z = mpmath.matrix([nodes[k][0] for k in index])
            weight = mpmath.fprod(nodes[k][1] for k in index)
            x = mean + root * z
            score = [exact_slope(family, x, at, i) for i in range(len(names))]
            for i, j in pairs(len(names)):
                total[i, j] += weight * score[i] * score[j]
        return np.array([[float(total[min(i, j), max(i, j)]) for j in range(len(names))] for i in range(len(names))])


def exact_moments(theta, _):
    s, t, r = theta[2:]
    return mpmath.matrix(theta[:2]), mpmath.matrix([[s * s, r * s * t], [r * s * t, t * t]])


def exact_entries(theta, width):
    matrix = mpmath.zeros(width)
    for value, (i, j) in zip(theta[width:], pairs(width), strict=True):
        matrix[i, j] = matrix[j, i] = value
    return mpmath.matrix(theta[:width]), matrix


def exact_slope(family, x, theta, i):
    """Return ∂ log p/∂θᵢ by a difference of twice the digits that are asked for."""

    def log_density(value):
        at = [*theta[:i], value, *theta[i + 1 :]]
        mean, matrix = (exact_moments if family is PAIR else exact_entries)(at, family.width)
        y = x - mean
        return -(mpmath.log(mpmath.det(2 * mpmath.pi * matrix)) + (y.T * mpmath.lu_solve(matrix, y))[0]) / 2

    step = mpmath.mpf(10) ** -13 * abs(theta[i] or 1)
    return (log_density(theta[i] + step) - log_density(theta[i] - step)) / (2 * step)


INFORMATION = [
    (PAIR, (0.5, -1.0, 2.0, 0.3, 0.7)),
    (PAIR, (1e3, 2.0, 1e-4, 1e4, -0.99)),
    (of_width(1), (3.0, 0.02)),
    (of_width(2), (0.0, 1.0, 2.0, -1.3, 0.9)),
    (of_width(3), (0.0, 1.0, -2.0, 1.0, 0.5, 0.1, 2.0, -0.3, 3.0)),
]


@pytest.mark.parametrize(("family", "theta"), INFORMATION)
def test_expected_information_against_forty_digits(family, theta):
    expected = exact_information(family, theta)
    names = [parameter.name for parameter in family.parameters]
    scale = np.sqrt(np.diag(expected))
    given = dict(zip(names, theta, strict=True))
    found = simstudy.expected_information(family.name, given)
    assert_allclose(found / np.outer(scale, scale), expected / np.outer(scale, scale), rtol=0.0, atol=1e-12)
    known = names[1::2]
    kept = [i for i, name in enumerate(names) if name not in known]
    free = simstudy.expected_information(family.name, given, known)
    assert list(free.index) == [names[i] for i in kept]
    assert_array_equal(free, found.to_numpy()[np.ix_(kept, kept)])


def test_pair_and_d_2_are_one_family():
    """I(μ, σ, ρ) = JᵀI(μ, Σ)J, and the closed-form estimates are the same distribution."""
    mean1, mean2, s, t, r = theta = (0.5, -1.0, 2.0, 0.3, 0.7)
    base = (mean1, mean2, s * s, r * s * t, t * t)
    slopes = np.eye(5)
    slopes[2:, 2:] = [[2 * s, 0, 0], [r * t, r * s, s * t], [0, 2 * t, 0]]
    one, two = (
        unpack(fill(family.expected_information(columns(at)), 1))[0] for family, at in ((PAIR, theta), (MANY, base))
    )
    assert_allclose(one, slopes.T @ two @ slopes, rtol=1e-13, atol=1e-13)
    x = np.random.default_rng(3).normal(size=(7, 20, 2))
    pair, many = fit(PAIR, x), fit(MANY, x)
    expected = [[*v[:2], v[2] ** 2, v[2] * v[3] * v[4], v[3] ** 2] for v in pair.theta]
    assert_allclose(many.theta, expected, rtol=1e-13)
    assert_allclose(pair.log_likelihood, many.log_likelihood, rtol=1e-13)


@pytest.mark.parametrize("family", FAMILY_CASES, ids=LABELS)
def test_fits_over_wide_ranges(family):
    """Estimates are sample moments; at every one the score is zero, and n ≤ d leaves none."""
    rng = np.random.default_rng(4)
    ends = Counter()
    for n in (3, 12) if family.width == 10 else (3, 5, 12, 100):
        for _ in range(1 if family.width == 10 else 3):
            theta = random_theta(family, rng)
            x = np.ascontiguousarray(family.sample(rng, columns(theta), (10, n)))
            found = fit(family, x)
            wanted = Status.CONVERGED if n > family.width else Status.NO_MAXIMUM
            assert {*found.status} == {wanted}
            ends[wanted] += 1
            if wanted is Status.CONVERGED:
                assert_zero_score(family, x, found)
                for data, estimate in zip(x, found.theta, strict=True):
                    mean, matrix = covariance_of(family, estimate)
                    sample = np.atleast_2d(np.cov(data.T, bias=True))
                    unit = np.sqrt(np.diag(sample))
                    # The mean rounds by ε|mean|.
                    size = 1.0 + np.abs(mean) / unit
                    assert_allclose(mean, data.mean(axis=0), rtol=4 * EPS, atol=8 * EPS * np.abs(x).max())
                    assert_allclose(
                        matrix / np.outer(unit, unit), sample / np.outer(unit, unit), atol=1e-14 * size.max()
                    )
    assert ends[Status.CONVERGED]


def assert_zero_score(family, x, found):
    scale = 1.0 / np.sqrt(np.einsum("rii->ri", found.observed_information))
    score = mean_score(family, x, found.theta) * scale
    information = found.observed_information * scale[:, :, np.newaxis] * scale[:, np.newaxis, :]
    assert (distance(score, information) <= tolerance(family, found.theta, found.observed_information)).all()


def test_no_digits_are_lost_at_a_large_offset():
    """Data that are multiples of 2⁻²⁰ are moved by 10⁸ exactly."""
    x = np.round(np.random.default_rng(5).normal(size=(6, 30, 3)) * 2**20) / 2**20
    near, far = fit(MANY, x), fit(MANY, x + 1e8)
    assert_allclose(far.theta[:, 3:], near.theta[:, 3:], rtol=1e-13)
    assert_allclose(far.log_likelihood, near.log_likelihood, rtol=1e-13)
    # What is left comes from the rounding of the estimated means, 10⁸ ε.
    assert_allclose(far.score_products, near.score_products, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_degenerate_data(width):
    rng = np.random.default_rng(6)
    family = of_width(width)
    x = rng.normal(size=(5, 20, width))
    x[0] = 0.1  # constant; its mean rounds
    x[1, :, -1] = 3.0 * x[1, :, 0] - 1.0 if width > 1 else 7.0  # collinear
    x[2, 0] = 1e6
    x[3, 1:] = x[3, 0]  # one other value, so a line
    x[3, 5] += 1.0
    x[4, 3, 0] = np.nan
    line = Status.CONVERGED if width == 1 else Status.NO_MAXIMUM
    for each in [family, PAIR] if width == 2 else [family]:
        expected = [Status.NO_MAXIMUM, Status.NO_MAXIMUM, Status.CONVERGED, line, Status.NOT_FINITE]
        assert list(fit(each, x).status) == expected


@pytest.mark.parametrize("r", [0.999, -0.99999, 0.999999999])
def test_nearly_collinear_pairs(r):
    """The information of (sd1, sd2, correlation) keeps its digits where that of covariances is singular to rounding."""
    theta = (1.0, 2.0, 3.0, 4.0, r)
    x = np.ascontiguousarray(PAIR.sample(np.random.default_rng(7), columns(theta), (20, 30)))
    found = fit(PAIR, x)
    assert {*found.status} == {Status.CONVERGED}
    assert_zero_score(PAIR, x, found)
    scale = np.sqrt(np.einsum("rii->ri", found.expected_information))
    unit = scale[:, :, np.newaxis] * scale[:, np.newaxis, :]
    # θ rounds by ε|θ|, a multiple of ε/(1 − ρ²) standard deviations.
    bound = 64.0 * EPS / (1.0 - found.theta[:, 4].max() ** 2)
    assert_allclose(found.observed_information / unit, found.expected_information / unit, rtol=0.0, atol=bound)


def random_known(family, theta, rng):
    names = [parameter.name for parameter in family.parameters]
    count = int(rng.integers(1, len(names)))
    chosen = sorted(rng.choice(len(names), count, replace=False))
    return {names[i]: float(theta[i]) for i in chosen}, {i: float(theta[i]) for i in chosen}


@pytest.mark.parametrize(("family", "trials"), [(PAIR, 15), (MANY, 10), (of_width(3), 7)], ids=["pair", "d=2", "d=3"])
def test_known_parameters(family, trials):
    """Whatever is known, fits converge, and to no lower a likelihood than a search from many starts."""
    rng = np.random.default_rng(8)
    for trial in range(trials):
        theta = random_theta(family, rng, 3.0)
        n = int(rng.choice([10, 40]))
        x = np.ascontiguousarray(family.sample(rng, columns(theta), (5, n)))
        names, held = random_known(family, theta, rng)
        found = fit(family, x, names)
        assert {*found.status} == {Status.CONVERGED}, names
        if trial % 6 == 0:
            best = maximise(family, x[0], [theta], held, tries=3)
            assert found.log_likelihood[0] / n >= best.value - 1e-9 * (1.0 + abs(best.value))


@pytest.mark.parametrize("known", [["mean1"], ["mean1", "mean2"]])
def test_known_means_have_a_closed_form(known):
    rng = np.random.default_rng(9)
    for family in (PAIR, MANY):
        x = rng.normal([0.3, -0.2], size=(20, 9, 2))
        found = fit(family, x, dict.fromkeys(known, 0.0))
        assert (found.iterations == 0).all()
        assert {*found.status} == {Status.CONVERGED}
        full = np.concatenate([np.zeros((20, len(known))), found.theta], axis=1)
        score = mean_score(family, x, full)[:, len(known) :]
        assert_allclose(score, 0.0, atol=1e-13)


def test_a_correlation_with_two_maxima():
    """With the sds known far too large the likelihood has a maximum at either end; the higher is found."""
    x = np.random.default_rng(10).normal(size=(30, 6, 2)) * 0.3
    held = {"mean1": 0.0, "mean2": 0.0, "sd1": 1.0, "sd2": 1.0}
    found = fit(PAIR, x, held)
    grid = np.tanh(np.linspace(-4.0, 4.0, 4001))
    theta = [np.zeros(1), np.zeros(1), np.ones(1), np.ones(1)]
    for data, value in zip(x, found.log_likelihood, strict=True):
        heights = PAIR.log_density(data, [*(t[:, np.newaxis] for t in theta), grid[:, np.newaxis]]).sum(axis=-1)
        assert value >= heights.max() - 1e-9


def test_distribution_of_the_estimates():
    """E[Σ̂] = (1 − 1/n)Σ, E[det Σ̂] = (1 − 1/n)(1 − 2/n) det Σ, and r² of independent pairs is Beta(½, (n − 2)/2)."""
    rng, n, rows = np.random.default_rng(11), 8, 20_000
    theta = (0.0, 1.0, 2.0, -1.0, 3.0)
    found = fit(MANY, MANY.sample(rng, columns(theta), (rows, n))).theta
    determinant = found[:, 2] * found[:, 4] - found[:, 3] ** 2
    for column, truth in zip(
        (*found.T, determinant),
        (0.0, 1.0, *(np.array(theta[2:]) * (1 - 1 / n)), 5.0 * (1 - 1 / n) * (1 - 2 / n)),
        strict=True,
    ):
        assert abs(column.mean() - truth) < 4.0 * column.std() / np.sqrt(rows)
    pair = fit(PAIR, PAIR.sample(rng, columns((0.0, 0.0, 1.0, 1.0, 0.0)), (rows, n))).theta[:, 4]
    assert stats.kstest(pair**2, stats.beta(0.5, (n - 2) / 2).cdf).pvalue > 1e-4


LAWS = [
    "sampler_space", "sampler_score", "elementwise", "score", "hessian", "likelihood_route", "likelihood_rows",
    "data_untouched", "start", "fit_ends", "unusable_data", "score_zero", "rows_alone",
]  # fmt: skip


@pytest.mark.parametrize("width", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_members_of_other_dimensions_keep_the_laws(width):
    """Those that do not integrate over the sample space."""
    failed = [str(finding) for finding in check(of_width(width), laws=LAWS) if not finding.passed]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("n", [2, 7, 50])
@pytest.mark.parametrize("family", [PAIR, MANY, of_width(4)], ids=["pair", "d=2", "d=4"])
def test_a_data_set_is_fitted_as_if_it_were_alone(family, n):
    for seed, point in enumerate(base_points(family)):
        x = family.sample(np.random.default_rng(seed), point.base, (37, n))
        together = fit(family, x)
        for row in (0, 17, 36):
            alone = fit(family, x[row])
            for field in ("theta", "status", "log_likelihood", "observed_information", "score_products"):
                assert_array_equal(getattr(alone, field), getattr(together, field)[row], err_msg=field)
