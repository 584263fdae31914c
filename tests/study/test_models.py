import numpy as np
import pytest
from numpy.testing import assert_array_equal

from simstudy.study import models
from simstudy.study.scenario import Scenario


@pytest.mark.parametrize(
    ("family", "values", "known", "wanted"),
    [
        ("normal", {"mean": 3.0, "sd": 1.0}, (), [0.0, np.nan]),
        ("normal", {"mean": 3.0, "sd": 1.0}, ("mean",), [np.nan]),
        ("exponential", {"rate": 1.0}, (), [np.nan]),
        # the 0 of an angle is a convention
        ("von_mises", {"loc": 0.5, "concentration": 2.0}, (), [np.nan, np.nan]),
        ("bernoulli", {"prob": 0.5}, (), [np.nan]),
        ("logistic", {"loc": 1.0, "scale": 2.0}, (), [0.0, np.nan]),
    ],
)
def test_null_values_are_zero_where_a_parameter_can_be_zero(family, values, known, wanted):
    scenario = Scenario("x", family, tuple(values), tuple(values.values()), family, known, 10, 100, 0.95)
    assert_array_equal(models.null_values(scenario), wanted)


def test_null_values_are_those_of_the_fitted_family():
    scenario = Scenario(
        "x", "gamma", ("shape", "scale"), (2.0, 1.0), "normal", (), 10, 100, 0.95, fitted=("mean", "sd")
    )  # fmt: skip
    assert_array_equal(models.null_values(scenario), [0.0, np.nan])
