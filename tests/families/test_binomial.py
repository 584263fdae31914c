"""Binomial and Bernoulli: density, information, estimates, boundary, and the number of trials wherever it is given."""

import mpmath
import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.contract.estimates import converged
from simstudy.errors import ConfigError
from simstudy.families import FAMILIES
from simstudy.families.binomial import Binomial
from simstudy.families.status import Status
from simstudy.inference import fit
from simstudy.study import models
from simstudy.study.config import load
from tests.families.counting import SIZES, assert_score_zero, assert_share

EPS = 2.0**-52


@pytest.mark.parametrize("trials", [1, 2, 10, 50, 1000, 5000])
@pytest.mark.parametrize("prob", [1e-6, 0.3, 0.999])
def test_log_density(trials, prob):
    x = np.unique(np.concatenate([np.arange(min(trials, 20) + 1), np.linspace(0, trials, 9).astype(int)]))
    with mpmath.workdps(40):
        p = mpmath.mpf(prob)
        expected = [
            float(
                mpmath.log(mpmath.binomial(trials, int(k)))
                + int(k) * mpmath.log(p)
                + (trials - int(k)) * mpmath.log1p(-p)
            )
            for k in x
        ]
    found = Binomial(trials).log_density(x, [np.asarray(prob)])
    # log C, x log p and (m−x) log(1−p) are each at most that large, and are added.
    size = trials * (1.0 + abs(np.log(prob)) + abs(np.log1p(-prob)))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=4.0 * EPS * size)


def test_bernoulli_is_a_binomial_of_one_trial():
    x, prob = np.array([0, 1, 1]), [np.asarray(0.3)]
    for of in ("log_density", "score", "hessian"):
        found, expected = (getattr(family, of)(x, prob) for family in (FAMILIES["bernoulli"], Binomial(1)))
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(FAMILIES["bernoulli"].log_density(x, prob), stats.bernoulli.logpmf(x, 0.3), rtol=1e-14)


@pytest.mark.parametrize("x", [-1.0, 11.0, 2.5, np.nan])
def test_no_density_outside_the_sample_space(x):
    assert Binomial(10).log_density(np.array(x), [np.asarray(0.3)]) == -np.inf


@pytest.mark.parametrize(("trials", "prob"), [(1, 0.5), (10, 0.3), (50, 1e-5), (7, 0.999)])
def test_expected_information(trials, prob):
    with mpmath.workdps(40):
        p = mpmath.mpf(prob)
        scores = [
            (k / p - (trials - k) / (1 - p), mpmath.binomial(trials, k) * p**k * (1 - p) ** (trials - k))
            for k in range(trials + 1)
        ]
        expected = float(mpmath.fsum(mass * s * s for s, mass in scores))
    found = simstudy.expected_information("binomial", {"prob": prob, "trials": trials})
    assert found.to_numpy() == pytest.approx(np.array([[expected]]), rel=1e-12)
    assert list(found.index) == ["prob"]


def test_fits_over_wide_ranges():
    rng = np.random.default_rng(1)
    for n in SIZES:
        for _ in range(8):
            family = Binomial(int(10.0 ** rng.uniform(0.0, 3.0)))
            x = family.sample(rng, [np.asarray(1.0 / (1.0 + np.exp(rng.uniform(-7.0, 7.0))))], (8, n))
            found = fit(family, x)
            boundary = np.isin(x.sum(axis=-1), (0, family.trials * n))
            np.testing.assert_array_equal(found.status == Status.BOUNDARY, boundary)
            np.testing.assert_array_equal(converged(found), ~boundary)
            np.testing.assert_allclose(found.theta[:, 0], x.mean(axis=-1) / family.trials, rtol=4 * EPS)
            assert_score_zero(family, x, found)


@pytest.mark.parametrize(("x", "prob"), [([0, 0], 0.0), ([4, 4, 4], 1.0)])
def test_likelihood_on_the_boundary_is_one(x, prob):
    found = fit("binomial", x, known={"trials": 4})
    assert (found.status, found.theta[0]) == (Status.BOUNDARY, prob)
    assert found.log_likelihood == pytest.approx(0.0, abs=1e-14)


def test_share_on_the_boundary_and_moments_of_the_estimate():
    trials, prob, n, rows = 3, 0.8, 4, 20_000
    family = Binomial(trials)
    x = family.sample(np.random.default_rng(2), [np.asarray(prob)], (rows, n))
    found = fit(family, x)
    assert_share(found.status == Status.BOUNDARY, prob ** (n * trials) + (1 - prob) ** (n * trials))
    assert_share(x.ravel() == 2, stats.binom.pmf(2, trials, prob))
    deviation = found.theta[:, 0] - prob
    sd = np.sqrt(prob * (1 - prob) / (n * trials))
    assert abs(deviation.mean()) <= 4.0 * sd / np.sqrt(rows)


def test_trials_are_needed_and_must_be_whole():
    with pytest.raises(ConfigError, match="binomial needs the value of trials"):
        fit("binomial", [1, 2])
    with pytest.raises(ConfigError, match="binomial needs trials, a number in positive integer"):
        fit("binomial", [1, 2], known={"trials": 2.5})
    assert fit(Binomial(4), [1, 2]).theta[0] == pytest.approx(3 / 8)
    assert fit(Binomial(4), [1, 2], known={"trials": 6}).theta[0] == pytest.approx(1 / 4)


def test_config(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "study: s\nseed: 1\nreplicates: 10\nsample_sizes: [5]\nscenarios:\n"
        "  - family: binomial\n    parameters: {prob: 0.3, trials: [1, 10]}\n"
        "  - family: poisson\n    parameters: {mean: 2}\n    fit: binomial\n    known: {trials: 40}\n"
    )
    one, ten, wrong = load(path).scenarios
    assert [models.drawn(cell).family.trials for cell in (one, ten)] == [1.0, 10.0]
    assert (one.known, one.free) == (("trials",), ("prob",))
    assert (models.fitted(wrong).family.trials, wrong.free) == (40.0, ("prob",))
