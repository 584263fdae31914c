"""Decisions on targets against the rows of the summary, which know nothing of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis import precision
from simstudy.analysis.influence import Estimate
from simstudy.analysis.measures import MEASURES, Measure
from simstudy.analysis.summary import summarise_cell
from simstudy.study.limits import limits
from simstudy.study.precision import MEASURES as NAMES
from simstudy.study.scenario import Target


@pytest.fixture
def record(simulated):
    return simulated["normal"](1, 2_000, 30)


def judged(record, measure):
    """The rows of the summary that a target of the measure speaks of."""
    rows = summarise_cell(record.scenario, record.replicates, limits(record.scenario))
    rows = [row for row in rows if row.measure == measure and row.row]
    if measure == "rejection_rate":
        rows = [row for row in rows if row.row == "mean"]  # a standard deviation cannot be 0
    for estimator in ("control-variate", "raw"):
        if any(row.estimator == estimator for row in rows):
            return [row for row in rows if row.estimator == estimator]
    return rows


def met(record, *targets):
    return precision.precise(replace(record.scenario, precision=targets), record.replicates)


@pytest.mark.parametrize("measure", NAMES)
def test_a_target_is_met_where_the_largest_error_of_its_rows_is(record, measure):
    largest = max(row.mcse for row in judged(record, measure))
    assert largest > 0.0
    assert met(record, Target(measure, 1.001 * largest, False))
    assert not met(record, Target(measure, 0.999 * largest, False))


def size(record, row):
    """The natural size of a row by its definition, from rows of the summary and the limits in closed form."""
    sd, n = 2.0, 30
    limit = {
        "mean_observed_information": {"mean": sd**-2, "sd": 2.0 * sd**-2},
        "scaled_covariance": {"mean": sd**2, "sd": 0.5 * sd**2},
    }
    if row.measure in limit:
        return np.sqrt(limit[row.measure][row.row] * limit[row.measure][row.column])
    if row.measure == "bias":
        column = ["mean", "sd"].index(row.row)
        return np.std(record.replicates.theta[:, column], ddof=1)
    return {"relative_error_model_se": 100.0}.get(row.measure, abs(row.value)) * (n > 0)


@pytest.mark.parametrize(
    "measure",
    ["mean_observed_information", "scaled_covariance", "bias", "relative_error_model_se", "mse", "empirical_se"],
)
def test_a_share_is_of_the_natural_size(record, measure):
    largest = max(row.mcse / size(record, row) for row in judged(record, measure))
    (share,) = precision.shortfalls(record.scenario, record.replicates, (Target(measure, 0.01, True),))
    assert_allclose(share, largest / 0.01, rtol=1e-9)


def test_all_targets_must_be_met(record):
    loose, tight = Target("bias", 1.0, False), Target("coverage", 1e-9, False)
    assert met(record, loose)
    assert not met(record, loose, tight)
    assert not met(record, tight, loose)


def test_only_what_is_asked_for_is_computed(record, monkeypatch):
    def fail(_):
        raise AssertionError

    for name in MEASURES.keys() - {"bias"}:
        monkeypatch.setitem(MEASURES, name, MEASURES[name]._replace(estimates=fail))
    assert met(record, Target("bias", 1.0, False))
    with pytest.raises(AssertionError):
        met(record, Target("coverage", 1.0, False))


def fixed(monkeypatch, **estimates):
    """Let ``coverage`` have these errors, by estimator."""
    table = {name: Estimate(np.ones(2), np.array(errors)) for name, errors in estimates.items()}
    monkeypatch.setitem(MEASURES, "coverage", Measure("vector", lambda _: table, lambda _: 0.95))


def test_an_error_that_is_not_known_meets_nothing(record, monkeypatch):
    fixed(monkeypatch, a=[0.001, np.nan])
    assert not met(record, Target("coverage", 1e9, False))
    assert not met(record, Target("coverage", 1e9, True))


def test_an_error_of_zero_meets_anything(record, monkeypatch):
    fixed(monkeypatch, a=[0.0, 0.0])
    assert met(record, Target("coverage", 1e-300, False))


def test_of_estimators_side_by_side_the_worst_counts(record, monkeypatch):
    fixed(monkeypatch, a=[0.001, 0.001], b=[0.001, 0.003])
    assert met(record, Target("coverage", 0.003, False))
    assert not met(record, Target("coverage", 0.002, False))


def test_regions_of_all_parameters_have_no_target(record, monkeypatch):
    fixed(monkeypatch, a=[0.001, 0.001])
    joint = Measure(
        "scalar", lambda _: {"a": Estimate(np.ones(1), np.array([0.5]))}, lambda _: 0.95, published="coverage"
    )
    monkeypatch.setitem(MEASURES, "of_the_vector", joint)
    assert met(record, Target("coverage", 0.4, False))


def test_nothing_converged_meets_nothing(simulated):
    empty = simulated["exponential"](1, 1_000, 20, fails=lambda mean: mean > 0.0)
    assert not met(empty, Target("bias", 1e9, False))
    assert not met(empty, Target("bias", 1e9, True))
