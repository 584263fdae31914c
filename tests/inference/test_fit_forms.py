"""Forms of data and arguments, invariance of estimates, and what is reported with them."""

import mpmath
import numpy as np
import pytest

import simstudy
from simstudy.contract.points import base_points, middle_points
from simstudy.errors import ConfigError
from simstudy.families.status import Status
from simstudy.inference import fit
from tests.core_families import FAMILIES
from tests.exact import mean_score
from tests.inference.exactness import DIGITS, EPS, ROWS, draws

COUNTS = [1, 2, 3, 5, 7, 11, 13]


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, np.float32, object, list]
)
@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "beta"])
def test_integers_are_numbers(family, dtype):
    """However they are stored; these are the same numbers in every format."""
    given = COUNTS if dtype is list else np.array(COUNTS, dtype=dtype)
    expected = fit(family, np.array(COUNTS, dtype=float))
    assert expected.status is Status.CONVERGED
    found = fit(family, given)
    np.testing.assert_allclose(found.theta, expected.theta, rtol=16 * EPS)
    assert found.status is Status.CONVERGED


@pytest.mark.parametrize("family", FAMILIES)
def test_one_data_set_is_a_block_of_one(family):
    x = draws(family, base_points(FAMILIES[family])[0], 20)
    one, block = fit(family, x[0]), fit(family, x[:1])
    assert one.theta.shape == (len(FAMILIES[family].parameters),)
    assert one.observed_information.shape == (one.theta.size, one.theta.size)
    assert isinstance(one.status, Status)
    for name in ("theta", "log_likelihood", "observed_information", "expected_information", "score_products"):
        np.testing.assert_array_equal(getattr(one, name), getattr(block, name)[0])


@pytest.mark.parametrize("family", FAMILIES)
def test_data_are_left_alone(family):
    x = draws(family, base_points(FAMILIES[family])[0], 20)
    kept = x.copy()
    x.setflags(write=False)
    fit(family, x)
    for form in FAMILIES[family].parametrisations:
        fit(family, x, parametrisation=form.names)
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize(
    "x", [[], [[]], np.zeros((2, 2, 2)), 3.0, "abc", ["a", "b"], [[1.0], [1.0, 2.0]], None, [1 + 2j]]
)
def test_what_is_no_data_is_refused(x):
    with pytest.raises(ConfigError, match=r"^x: the data must"):
        fit("normal", x)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_estimate_does_not_depend_on_the_parametrisation(family):
    forms = FAMILIES[family].parametrisations
    for point in base_points(FAMILIES[family]):
        x = draws(family, point, 30)
        base = fit(family, x)
        for form in forms:
            found = fit(family, x, parametrisation=form.names[::-1])
            assert found.names == form.names
            assert found.status.tolist() == base.status.tolist()
            mapped = np.stack(form.to_base(list(found.theta.T)), axis=-1)
            np.testing.assert_allclose(mapped, base.theta, rtol=64 * EPS)
            np.testing.assert_allclose(found.log_likelihood, base.log_likelihood, rtol=64 * EPS, atol=64 * 30 * EPS)


@pytest.mark.parametrize("shift", [0.0, -3.0, 1e5])
@pytest.mark.parametrize("factor", [1e-8, 7.0, 1e8])
@pytest.mark.parametrize("family", ["normal", "logistic", "cauchy"])
def test_location_and_scale_follow_the_data(family, factor, shift):
    x = np.random.default_rng(9).standard_t(3, (ROWS, 15))
    plain, moved = fit(family, x), fit(family, factor * (shift + x))
    # Moving the data rounds them by ε(|shift| + |x|), a few scales.
    rounding = 1e-11 + 64 * EPS * abs(shift)
    unit = plain.theta[:, 1]
    np.testing.assert_allclose((moved.theta[:, 0] / factor - shift - plain.theta[:, 0]) / unit, 0.0, atol=rounding)
    np.testing.assert_allclose(moved.theta[:, 1] / factor / unit, 1.0, rtol=rounding)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_order_of_the_observations_does_not_matter(family):
    x = draws(family, base_points(FAMILIES[family])[0], 25)
    np.testing.assert_allclose(fit(family, x[:, ::-1].copy()).theta, fit(family, x).theta, rtol=1e-11)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_reported_is_exact(family):
    """Log-likelihood and observed information at the estimate, at 50 digits, in every parametrisation."""
    for point in middle_points(FAMILIES[family]):
        names = point.parametrisation.names
        x = draws(family, point, 10)
        found = fit(family, x, parametrisation=names)
        for row in range(0, ROWS, 5):
            with mpmath.workdps(DIGITS):
                _, information = mean_score(family, names, x[row], found.theta[row])
            exact = np.array(information.tolist(), dtype=float)
            unit = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
            np.testing.assert_allclose(found.observed_information[row] / unit, exact / unit, rtol=0, atol=1e-12)


def test_kinds_of_covariance():
    x = np.random.default_rng(3).gamma(2.0, 3.0, (5, 50))
    found = fit("gamma", x)
    for kind, matrix in (("observed", found.observed_information), ("expected", found.expected_information)):
        np.testing.assert_allclose(
            50 * matrix @ found.covariance(kind), np.broadcast_to(np.eye(2), (5, 2, 2)), atol=1e-12
        )
    outer = np.linalg.inv(50 * found.score_products)
    np.testing.assert_allclose(found.covariance("opg"), outer, rtol=1e-11)
    bread = found.covariance("observed")
    np.testing.assert_allclose(found.covariance("sandwich"), 50 * bread @ found.score_products @ bread, rtol=1e-11)
    np.testing.assert_array_equal(fit("gamma", x[0]).covariance(), found.covariance()[0])


def test_no_covariance_without_an_estimate():
    for kind in ("observed", "expected", "opg", "sandwich"):
        assert np.isnan(fit("normal", [1.0, 1.0]).covariance(kind)).all()
        assert np.isnan(fit("normal", [1.0, np.nan]).covariance(kind)).all()


def test_an_unknown_kind_of_covariance():
    with pytest.raises(ConfigError) as caught:
        fit("normal", [1.0, 2.0]).covariance("observd")
    hint = "did you mean 'observed'?; choose one of observed, expected, sandwich, opg"
    assert str(caught.value) == f"covariance: there is no kind 'observd'; {hint}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gama", [1.0]), "family: there is no family 'gama'; did you mean 'gamma'?"),
        (("gamma", [1.0], {"scal": 2.0}), "known: gamma has no parameter 'scal'; did you mean 'scale'?"),
        (("gamma", [1.0], {"rate": -2.0}), "known: rate must be a number in positive (0, inf), got -2.0"),
        (("gamma", [1.0], {"rate": np.nan}), "known: rate must be a number in positive (0, inf), got nan"),
        (("gamma", [1.0], {"rate": "two"}), "known: rate must be a number in positive (0, inf), got 'two'"),
        (
            ("normal", [1.0], {"mean": 0.0, "sd": 1.0}),
            "known: all parameters are known; leave at least one to be estimated",
        ),
        (
            ("normal", [1.0], None, ["mean", "rate"]),
            "normal has no parametrisation {mean, rate}; it has {mean, sd} or {mean, variance} or {mean, precision}",
        ),
    ],
)
def test_arguments_that_make_no_sense(arguments, message):
    with pytest.raises(ConfigError) as caught:
        fit(*arguments)
    assert str(caught.value) == message


def test_the_public_name():
    assert simstudy.fit("exponential", [1.0, 2.0, 3.0]).theta.tolist() == [0.5]
