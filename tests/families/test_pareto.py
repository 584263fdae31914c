"""The Pareto family, whose minimum is a constant."""

import mpmath
import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.errors import ConfigError
from simstudy.families import FAMILIES
from simstudy.families.pareto import Pareto
from simstudy.families.status import Status
from simstudy.running.block import draw, simulate
from simstudy.study.config import load
from simstudy.study.limits import limits
from tests.families.fits import SIZES, assert_highest, assert_shares, quiet

PROBABILITIES = np.array([0.05, 0.5, 0.95])


def draws(shape, minimum, size, seed=1):
    return Pareto(minimum).sample(np.random.default_rng(seed), [np.asarray(shape)], size)


def exact_estimate(x, minimum):
    with mpmath.workdps(50):
        logs = [mpmath.log(mpmath.mpf(float(value)) / mpmath.mpf(minimum)) for value in x]
        return float(len(logs) / mpmath.fsum(logs))


@pytest.mark.parametrize("minimum", [1e-8, 0.3, 1.0, 1e8])
def test_log_density(minimum):
    x = minimum * np.concatenate([[1.0], 1.0 + np.logspace(-15, 100, 100)])
    with mpmath.workdps(50):
        low = mpmath.mpf(minimum)
        logs = [mpmath.log(mpmath.mpf(float(value)) / low) for value in x]
    for shape in (0.05, 1.0, 30.0):
        expected = [float(mpmath.log(shape / low) - (shape + 1) * value) for value in logs]
        found = Pareto(minimum).log_density(x, [np.asarray(shape)])
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    near = minimum * np.linspace(1.0, 10.0, 50)
    found = Pareto(minimum).log_density(near, [np.asarray(2.0)])
    np.testing.assert_allclose(found, stats.pareto.logpdf(near, 2.0, scale=minimum), rtol=1e-12, atol=1e-14)
    assert Pareto(minimum).log_density(np.array([0.999 * minimum]), [np.asarray(1.0)])[0] == -np.inf


@pytest.mark.parametrize(("shape", "minimum"), [(3.0, 1.0), (0.05, 1e8), (1e4, 1e-8)])
def test_expected_information(shape, minimum):
    """E[s²] of s = 1/α − log(x/m), by quadrature at 30 digits in t = (x/m)^−α, which is uniform."""
    with mpmath.workdps(30):
        expected = mpmath.quad(lambda t: ((1 + mpmath.log(t)) / shape) ** 2, [0, 0.1, 1])
    found = simstudy.expected_information("pareto", {"shape": shape, "minimum": minimum})
    assert list(found.index) == ["shape"]
    np.testing.assert_allclose(found.to_numpy(), float(expected), rtol=1e-13)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("minimum", [1e-8, 1.0, 3e8])
def test_fits(minimum, n):
    shape = 10.0 ** np.random.default_rng(n).uniform(-1.0, 5.0, (40, 1))
    x = draws(shape, minimum, (40, n), n)
    found = quiet("pareto", x, {"minimum": minimum})
    assert found.names == ("shape",)
    assert all(status is Status.CONVERGED for status in found.status)
    expected = [exact_estimate(row, minimum) for row in x[:20]]
    np.testing.assert_allclose(found.theta[:20, 0], expected, rtol=1e-13)  # log(x/m) is known to two digits less
    assert_highest(Pareto(minimum), x, found, [0, 1])


def test_estimates_have_their_distribution():
    """nα/α̂ is gamma with shape n."""
    found = quiet("pareto", draws(3.0, 2.0, (40_000, 4), 3), {"minimum": 2.0}).theta[:, 0]
    assert_shares(4 * 3.0 / found, stats.gamma.ppf(PROBABILITIES, 4), PROBABILITIES)


def test_degenerate_data():
    x = np.array([[2.0, 2.0, 2.0], [2.0, 2.0, 3.0], [5.0, 5.0, 5.0], [2.0, 3.0, 1e6], [1.9, 3.0, 4.0]])
    ends = [Status.NO_MAXIMUM, *[Status.CONVERGED] * 3, Status.NOT_FINITE]
    assert list(quiet("pareto", x, {"minimum": 2.0}).status) == ends


def test_member_takes_the_minimum():
    family = FAMILIES["pareto"]
    assert family.minimum == 1.0
    assert family.member({"shape": None}) is family
    assert family.member({"shape": 2.0, "minimum": None}) is family
    bound = family.member({"minimum": 2.5})
    assert (bound.minimum, bound.sample_space.lower) == (2.5, 2.5)


def test_a_family_given_as_an_object_keeps_its_minimum():
    x = draws(3.0, 2.0, (3, 20))
    by_name = simstudy.fit("pareto", x, known={"minimum": 2.0})
    np.testing.assert_array_equal(simstudy.fit(Pareto(2.0), x).theta, by_name.theta)
    np.testing.assert_array_equal(simstudy.fit(Pareto(1.0), x, known={"minimum": 2.0}).theta, by_name.theta)
    for names in (["shape"], ["shape", "minimum"]):
        found = simstudy.fit("pareto", x, known={"minimum": 2.0}, parametrisation=names)
        np.testing.assert_array_equal(found.theta, by_name.theta)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (None, "known: pareto needs the value of minimum: give it as known={'minimum': …}"),
        ({"minimum": -1}, "known: pareto needs minimum, a number in positive (0, inf), got -1"),
        ({"minimum": "a"}, "known: pareto needs minimum, a number in positive (0, inf), got 'a'"),
        ({"minimum": 1, "shape": 2}, "known: all parameters are known; leave at least one to be estimated"),
    ],
)
def test_fit_refuses(known, message):
    with pytest.raises(ConfigError) as caught:
        simstudy.fit("pareto", [1.5, 2.0], known=known)
    assert caught.value.faults == (message,)


@pytest.mark.parametrize(
    ("parameters", "known", "message"),
    [
        ({"shape": 3}, (), "pareto has no parametrisation {shape}; it has {shape, minimum}"),
        ({"shape": 3, "minimum": 0}, (), "pareto: minimum must be a number in positive (0, inf), got 0"),
        (
            {"shape": 3, "minimum": 1},
            ["shape"],
            "pareto: all parameters are known; leave at least one to be estimated",
        ),
    ],
)
def test_expected_information_refuses(parameters, known, message):
    with pytest.raises(ConfigError) as caught:
        simstudy.expected_information("pareto", parameters, known)
    assert caught.value.faults == (message,)


def config(tmp_path, scenario):
    path = tmp_path / "study.yaml"
    path.write_text(f"study: s\nseed: 1\nreplicates: 40\nsample_sizes: [25]\nscenarios:\n  - {scenario}\n")
    return path


def test_config_is_drawn_and_fitted(tmp_path):
    study = load(config(tmp_path, "{family: pareto, parameters: {shape: 3.0, minimum: [1.0, 2.0]}}"))
    for cell, minimum in zip(study.scenarios, (1.0, 2.0), strict=True):
        assert (cell.known, cell.free, cell.truth) == (("minimum",), ("shape",), (3.0,))
        assert draw(cell, 1, 0).min() >= minimum
        np.testing.assert_allclose(limits(cell).information, 1.0 / 9.0, rtol=1e-15)
        record = simulate(cell, 1, 0, 0)
        assert (record.status == Status.CONVERGED).all()
        assert record.theta.shape[1] == 1


def test_config_may_fit_it_to_data_of_another_family(tmp_path):
    (cell,) = load(
        config(tmp_path, "{family: lognormal, parameters: {mu: 9.0, sigma: 1.0}, fit: pareto, known: {minimum: 1.0}}")
    ).scenarios
    assert cell.known_values == {"minimum": 1.0}
    assert (simulate(cell, 1, 0, 0).status == Status.CONVERGED).all()


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        (
            "{family: pareto, parameters: {shape: 3.0}}",
            "scenarios[0].parameters: {shape} lacks a parameter of pareto: give {shape, minimum}",
        ),
        (
            "{family: pareto, parameters: {shape: 3.0, minimum: -1}}",
            "scenarios[0].parameters.minimum: must lie in its domain, positive (0, inf), got -1",
        ),
        (
            "{family: weibull, parameters: {shape: 3.0, scale: 1.0}, fit: pareto}",
            "scenarios[0].known: the fitted pareto needs a value of minimum: give known: {minimum: …}",
        ),
        (
            "{family: pareto, parameters: {shape: 3.0, minimum: 1.0}, known: [shape]}",
            "scenarios[0].known: all parameters of pareto are known, so nothing is left to estimate: leave one out",
        ),
    ],
)
def test_config_refuses(tmp_path, scenario, message):
    path = config(tmp_path, scenario)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.faults == (f"{path}:6: {message}",)
