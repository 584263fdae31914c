"""Matrices as colours and numbers."""

import numpy as np
import pytest

from simstudy.figures import FIGURES, render
from simstudy.figures import selection as sel
from simstudy.figures.heatmap import _differences, _matrix
from simstudy.figures.matrix_panel import short, written
from tests.figures.drawn import outside, overlaps
from tests.figures.made import made

HEATMAP = FIGURES["heatmap"]
NAMES = tuple(f"parameter_{i}" for i in range(9))


@pytest.mark.parametrize(("parameters", "scale"), [(1, 1e8), (4, 1e-5), (9, 1e8)])
def test_numbers_stay_in_their_cells(parameters, scale):
    results = made(parameters, (10,), names=NAMES, scale=scale)
    svg = render(HEATMAP.draw(results.summary, results.scenario, results.replicates))
    assert outside(svg) == []
    assert overlaps(svg) == []


def test_differences_are_in_units_of_the_mcse():
    results = made(3, (10,))
    rows = sel.measured(results.summary, "made", "mean_observed_information")
    own = rows[rows["estimator"] == "control-variate"].set_index(["row", "column"])
    away = _differences(rows, 10)
    np.testing.assert_allclose(away, away.T)
    expected = (own["value"] - own["limit"]) / own["mcse"]
    np.testing.assert_allclose(away[np.triu_indices(3)], expected, rtol=1e-12)


def test_what_does_not_vary_does_not_differ():
    results = made(2, (10,))
    rows = sel.measured(results.summary, "made", "mean_observed_information")
    exact = rows.assign(value=rows["limit"] * (1 + 1e-15), mcse=0.0)
    np.testing.assert_array_equal(_differences(exact, 10), np.zeros((2, 2)))
    assert np.isnan(_differences(rows.assign(mcse=0.0), 10)).all()


def test_a_matrix_is_symmetric_and_missing_where_nothing_converged():
    results = made(3, (10, 20), dead=(10,))
    rows = sel.measured(results.summary, "made", "mean_observed_information")
    assert np.isnan(_matrix(rows, 10, "value")).all()
    np.testing.assert_array_equal(_matrix(rows, 20, "value"), _matrix(rows, 20, "value").T)
    assert "At n = 10" not in HEATMAP.caption(results.summary, "made", results.replicates)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (31.2, 1, "31"),
        (1234.5, 4, "1234"),
        (0.0, 3, "0"),
        (-0.12345, 2, "−0.12"),
        (1.5e-16, 2, "1.5e−16"),
        (2e7, 2, "2e7"),
        (np.nan, 2, "–"),
        (9.99, 1, "10"),
    ],
)
def test_short_numbers(value, digits, text):
    assert short(value, digits) == text


def test_digits_are_given_up_before_legibility():
    values = np.full((2, 2), -0.123456)
    roomy, narrow = (written(values, 4, width, 60.0) for width in (60.0, 16.0))
    assert roomy == ([["−0.1235"] * 2] * 2, 8.0)
    assert narrow[0][0][0] == "−0.1"
    assert narrow[1] >= 4.6


def test_without_a_limit_there_is_nothing_to_compare():
    summary = made(2, (10,)).summary
    assert HEATMAP.applies(summary, "made")
    assert not HEATMAP.applies(summary.assign(limit=np.nan), "made")
