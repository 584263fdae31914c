"""The mixture of two normals: density, information, and fits against a careful search inside the same bounds."""

import mpmath
import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.errors import ConfigError
from simstudy.families.base import Family
from simstudy.families.normal_mixture import FLOOR, NormalMixture
from simstudy.families.status import Status
from simstudy.inference import fit
from tests import reference
from tests.exact import of_formula
from tests.precise import REAL, information

NAMES = ("weight", "mean1", "sd1", "mean2", "sd2")
FORMULA = "log(weight/sd1*exp(-((x - mean1)/sd1)**2/2) + (1 - weight)/sd2*exp(-((x - mean2)/sd2)**2/2)) - log(2*pi)/2"
POINT = (0.3, -1.0, 0.5, 3.5, 0.6)


class Bounded(Family):
    """The mixture without its unbounded part, for a search that knows no bounds."""

    name = "bounded"
    parameters = NormalMixture.parameters
    sample_space = NormalMixture.sample_space
    sample, start = NormalMixture.sample, NormalMixture.start

    def log_density(self, x, theta):
        narrow = np.minimum(theta[2], theta[4]) < FLOOR * np.maximum(theta[2], theta[4])
        return np.where(narrow, -np.inf, NormalMixture().log_density(x, theta))


def test_log_density_against_the_sum_of_two():
    x = np.linspace(-8.0, 12.0, 101)
    one, two = (stats.norm(m, s).pdf(x) for m, s in ((-1.0, 0.5), (3.5, 0.6)))
    found = NormalMixture().log_density(x, [np.asarray(v) for v in POINT])
    np.testing.assert_allclose(found, np.log(0.3 * one + 0.7 * two), rtol=1e-12)


def test_log_density_far_in_the_tails():
    exact = of_formula(FORMULA, NAMES)
    for x in (-1e3, 60.0, 1e6):
        with mpmath.workdps(60):
            expected = float(exact.log_density(mpmath.mpf(x), *[mpmath.mpf(v) for v in POINT]))
        assert NormalMixture().log_density(np.array(x), [np.asarray(v) for v in POINT]) == pytest.approx(
            expected, rel=1e-12
        )


@pytest.mark.parametrize("point", [(0.3, 0.0, 0.8, 2.0, 1.1), (0.5, 0.0, 1.0, 1.5, 1.0), (0.7, -2.0, 0.2, 0.0, 3.0)])
def test_expected_information(point):
    expected = information(FORMULA, NAMES, REAL, point)
    found = simstudy.expected_information("normal_mixture", dict(zip(NAMES, point, strict=True))).to_numpy()
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-11)


def test_labels_are_ordered():
    with pytest.raises(ConfigError, match="mean1 < mean2 must hold"):
        simstudy.expected_information("normal_mixture", dict(zip(NAMES, (0.3, 4.0, 0.5, 3.5, 0.6), strict=True)))
    x = NormalMixture().sample(np.random.default_rng(0), [np.asarray(v) for v in POINT], (50, 60))
    found = fit("normal_mixture", x)
    assert (found.theta[:, 1] < found.theta[:, 3]).all()


@pytest.mark.parametrize(("n", "scale"), [(6, 1.0), (12, 1e-8), (40, 1e8), (200, 1.0)])
def test_no_careful_search_finds_more(n, scale):
    """Interior maxima and those at the floor of the ratio are the highest that a search from many points finds."""
    rng = np.random.default_rng(n)
    separation = rng.uniform(1.0, 6.0, (4, 1))
    theta = [
        rng.uniform(0.2, 0.8, (4, 1)),
        np.zeros((4, 1)),
        rng.uniform(0.5, 2.0, (4, 1)),
        separation,
        np.ones((4, 1)),
    ]
    x = scale * NormalMixture().sample(rng, theta, (4, n))
    found = fit("normal_mixture", x)
    assert set(found.status) <= {Status.CONVERGED, Status.BOUNDARY}
    for row in range(4):
        data = x[row] / scale
        start = (0.5, np.quantile(data, 0.25), data.std(), np.quantile(data, 0.75), data.std())
        own = np.array([1.0, scale, scale, scale, scale])
        best = reference.maximise(Bounded(), data, [start, found.theta[row] / own], spread=1.0, tries=3)
        value = found.log_likelihood[row] / n + np.log(scale)
        assert value >= best.value - 1e-8
        ratio = np.sort(found.theta[row][[2, 4]])
        assert (ratio[0] / ratio[1] > FLOOR * (1.0 + 1e-9)) == (found.status[row] is Status.CONVERGED)


def test_constant_data_have_no_maximum():
    found = fit("normal_mixture", np.ones((1, 10)))
    assert found.status[0] is not Status.CONVERGED


def test_known_parameters_keep_their_labels():
    x = NormalMixture().sample(np.random.default_rng(1), [np.asarray(v) for v in POINT], (20, 300))
    found = fit("normal_mixture", x, known={"mean1": -1.0, "sd1": 0.5})
    assert {str(status) for status in found.status} == {"CONVERGED"}
    assert found.names == ("weight", "mean2", "sd2")
    np.testing.assert_allclose(found.theta.mean(axis=0), [0.3, 3.5, 0.6], atol=0.05)
