"""What the page says of theory, and angles as numbers."""

import math

import numpy as np
import pandas as pd
import pytest

from simstudy.report.theory import notes, unwrapped
from simstudy.study.config import from_dict


def cell(**scenario):
    config = {"study": "s", "seed": 1, "replicates": 10, "sample_sizes": [50], "scenarios": [scenario]}
    return from_dict(config).scenarios[0]


def test_a_right_and_regular_model_needs_no_words():
    assert notes(cell(family="gamma", parameters={"shape": 2, "scale": 1})) == ()


def test_a_wrong_model_is_told_with_its_numbers():
    first, second, third, fourth = notes(cell(family="weibull", parameters={"shape": 2, "scale": 1}, fit="exponential"))
    assert first == "The fitted family, exponential, is not the one that draws the data, weibull."
    assert f"rate = {2.0 / math.sqrt(math.pi):.4g}" in second
    ratio = 4.0 / math.pi - 1.0
    assert f"are {ratio:.3g}. So" in third
    assert f"become {100 * (1.0 / math.sqrt(ratio) - 1.0):.0f} % too large for rate" in fourth


def test_a_model_that_contains_the_truth_keeps_the_information_equality():
    told = notes(cell(family="exponential", parameters={"rate": 2}, fit="gamma"))
    assert told[-1].startswith("Here the information equality holds")


def test_no_pseudo_true_value():
    told = notes(cell(family="cauchy", parameters={"loc": 0, "scale": 1}, fit="normal"))
    assert len(told) == 2
    assert told[1]


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ({"family": "uniform", "parameters": {"upper": 2}}, "of order 1/n"),
        ({"family": "laplace", "parameters": {"loc": 0, "scale": 1}}, "kink"),
        ({"family": "skew_normal", "parameters": {"loc": 0, "scale": 1, "shape": 0}}, "singular"),
        (
            {"family": "generalized_extreme_value", "parameters": {"loc": 0, "scale": 1, "shape": -0.6}},
            "−1/2",
        ),
    ],
)
def test_an_irregular_family_says_why(scenario, said):
    assert any(said in note for note in notes(cell(**scenario)))


def test_an_information_by_monte_carlo_says_how_exact_it_is():
    covariates = {"family": "gamma", "parameters": {"shape": 2, "scale": 1}}
    slopes = {"intercept": -1, "slope1": 0.3, "slope2": 0.3, "slope3": 0.3}
    (told,) = notes(cell(family="logistic_regression", parameters=slopes, covariates=covariates))
    assert "designs drawn at random" in told
    assert "%" in told


def test_angles_are_drawn_around_their_limit():
    scenario = cell(family="von_mises", parameters={"loc": 3.0, "concentration": 5.0})
    table = pd.DataFrame({"theta[loc]": [3.1, -3.1, np.nan], "theta[concentration]": [5.0, 6.0, np.nan]})
    found = unwrapped(table, scenario)
    np.testing.assert_allclose(found["theta[loc]"], [3.1, 2.0 * np.pi - 3.1, np.nan])
    np.testing.assert_array_equal(found["theta[concentration]"], table["theta[concentration]"])
    gamma = cell(family="gamma", parameters={"shape": 2, "scale": 1})
    assert unwrapped(table, gamma) is table
