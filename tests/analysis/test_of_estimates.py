import inspect
import math

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import simstudy
from simstudy.analysis.of_estimates import performance
from simstudy.errors import ConfigError

THETA, ERRORS = [1.1, 0.9, 1.3, 0.7, 1.2], [0.2, 0.2, 0.3, 0.2, 0.1]
WITHOUT_ERRORS = ["bias", "relative_bias", "median_bias", "empirical_se", "mse", "rmse", "skewness", "kurtosis"]


def measures(*args, **kwargs):
    return performance(*args, **kwargs).set_index("measure")


def test_it_is_public():
    assert simstudy.performance is performance
    assert "performance" in simstudy.__all__


def test_the_table_is_tidy():
    table = performance(THETA, ERRORS, true=1.0)
    assert list(table.columns) == ["measure", "value", "mcse", "replicates", "failed"]
    assert table["measure"].is_unique
    assert (table["replicates"] == 5).all()
    assert (table["failed"] == 0).all()


def test_a_study_and_its_estimates_have_the_same_measures_bit_for_bit(simulated):
    from simstudy.analysis.measures import MEASURES

    cell = simulated["exponential"](1, 300, 10).cell
    errors = np.sqrt(cell.model_variances["observed"][0])
    for name, row in measures(cell.theta[0], errors, true=2.0).iterrows():
        if name == "rejection_rate":
            continue  # a rate cannot be 0
        found = MEASURES[name].estimates(cell)
        estimate = next(found[key] for key in ("raw", "observed", "wald-observed") if key in found)
        # the square of a root is off by rounding
        assert_allclose((row["value"], row["mcse"]), (estimate.value[0], estimate.mcse[0]), rtol=1e-12, err_msg=name)


def test_measures_that_lack_what_they_are_made_of_are_not_there():
    assert list(measures(THETA, true=1.0).index) == WITHOUT_ERRORS
    assert list(measures(THETA).index) == ["empirical_se", "skewness", "kurtosis"]
    without_truth = set(measures(THETA, ERRORS).index)
    assert without_truth == set(measures(THETA, ERRORS, true=1.0).index) - {
        *WITHOUT_ERRORS[:3],
        "mse",
        "rmse",
        "coverage",
    }
    ends = {"lower": [t - 1 for t in THETA], "upper": [t + 1 for t in THETA]}
    assert "model_se" not in measures(THETA, **ends).index
    assert measures(THETA, **ends).loc["interval_width", "value"] == pytest.approx(2.0)


def test_a_row_with_a_nan_anywhere_is_left_out_and_counted():
    nan = math.nan
    dirty = measures([*THETA, nan, 5.0, nan], [*ERRORS, 0.2, nan, nan], true=1.0)
    clean = measures(THETA, ERRORS, true=1.0)
    pd.testing.assert_frame_equal(dirty[["value", "mcse"]], clean[["value", "mcse"]])
    assert (dirty["replicates"] == 8).all()
    assert (dirty["failed"] == 3).all()


@pytest.mark.parametrize("theta", [[], [1.0], [math.nan, 1.0]])
def test_fewer_than_two_replicates_tell_nothing(theta):
    found = performance(theta, np.ones(len(theta)), true=1.0)
    assert len(found) == 14
    assert found[["value", "mcse"]].isna().all(axis=None)


def test_an_infinite_estimate_is_told():
    found = measures([*THETA, math.inf], true=1.0)
    for measure in ("bias", "empirical_se", "mse", "rmse"):
        assert found.loc[measure, "value"] == math.inf
        assert math.isnan(found.loc[measure, "mcse"])
    assert found.loc["median_bias", "value"] == pytest.approx(0.15)


def test_intervals_of_other_than_normal_critical_values():
    table = measures([0.0, 3.0], [1.0, 1.0], true=1.5, lower=[-1.5, 1.5], upper=[1.5, math.inf], null=-1.0)
    assert table.loc["coverage", "value"] == 1.0  # the ends belong to the interval
    assert table.loc["rejection_rate", "value"] == 0.5
    assert table.loc["interval_width", "value"] == math.inf


def test_the_level_is_that_of_normal_intervals():
    found = measures(THETA, ERRORS, level=0.5).loc["interval_width", "value"]
    assert found == pytest.approx(2 * 0.6744897501960817 * np.mean(ERRORS))


def test_series_and_arrays_are_taken_alike():
    pd.testing.assert_frame_equal(performance(pd.Series(THETA), np.array(ERRORS)), performance(THETA, ERRORS))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"estimates": [[1.0]]}, "estimates: an array of one dimension is wanted, got shape (1, 1)"),
        ({"estimates": ["a"]}, "estimates: numbers are wanted, got ['a']"),
        ({"standard_errors": [1.0]}, "standard_errors: one number is wanted for each of the 5 estimates, got 1"),
        ({"standard_errors": [1, 1, 1, 1, -2]}, "standard_errors: none may be negative, got -2"),
        ({"lower": THETA}, "lower, upper: only one of the two is given; give both or neither"),
        ({"lower": [0, 0, 9, 0, 0], "upper": [1] * 5},
         "lower, upper: lower is above upper at position 2; exchange them"),
        ({"level": 95}, "level: a number between 0 and 1 is wanted, got 95"),
        ({"level": "high"}, "level: a number between 0 and 1 is wanted, got 'high'"),
        ({"true": math.nan}, "true: a finite number is wanted, got nan"),
        ({"null": [0.0]}, "null: a finite number is wanted, got [0.0]"),
        ({"mcse": "table 6"}, "mcse: influence or table6 is wanted, got 'table 6'; did you mean 'table6'?"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_one_line(given, message):
    with pytest.raises(ConfigError) as caught:
        performance(**{"estimates": THETA, **given})
    assert str(caught.value) == message


def test_all_faults_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        performance(THETA, [-1.0], lower=THETA)
    assert len(caught.value.faults) == 3


def test_the_signature():
    assert str(inspect.signature(performance)).startswith(
        "(estimates: 'ArrayLike', standard_errors: 'ArrayLike | None'"
    )
