from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from simstudy.analysis import arrangement as cells
from simstudy.analysis import intervals, measures
from simstudy.analysis.interval_bounds import bounds, claimed
from simstudy.analysis.interval_columns import intervals_by_column
from simstudy.inference import fit
from simstudy.inference.intervals import METHODS
from simstudy.running.block import draw, simulate
from simstudy.study.config import from_dict
from simstudy.study.limits import limits

SEED, N, R = 9, 300, 50
"""A few replicates of families whose data can be fitted again."""


def scenario(**changes):
    config = {
        "study": "s",
        "seed": SEED,
        "replicates": R,
        "sample_sizes": [N],
        "intervals": list(METHODS),
        "scenarios": [{"family": "gamma", "parameters": {"shape": 2.0, "mean": 3.0}} | changes],
    }
    return from_dict(config).scenarios[0]


@pytest.fixture(scope="module")
def gamma():
    cell = scenario()
    return cell, simulate(cell, SEED, 0, 0).head(R)


def built(scenario, record, **changes):
    return dataclasses.replace(cells.of_scenario(scenario, record, limits(scenario)), **changes)


@pytest.mark.parametrize("method", METHODS)
def test_bounds_are_those_of_a_fit_to_the_same_data(gamma, method):
    scenario, record = gamma
    lower, upper = bounds(built(*gamma), method)
    found = fit("gamma", draw(scenario, SEED, 0)[:R], parametrisation=scenario.free)
    ends = found.interval(method)
    assert_allclose(lower, ends[0].T, rtol=1e-12)
    assert_allclose(upper, ends[1].T, rtol=1e-12)
    assert (lower < record.theta.T).all()
    assert (upper > record.theta.T).all()


def test_columns_of_all_replicates(gamma):
    scenario, record = gamma
    status = record.status.copy()
    status[[0, 7]] = 1
    columns = intervals_by_column(scenario, dataclasses.replace(record, status=status), limits(scenario))
    assert list(columns)[:4] == ["se[shape]", "se[mean]", "lower[wald-observed,shape]", "lower[wald-observed,mean]"]
    assert len(columns) == 2 + 2 * 2 * len(METHODS)
    failed = status != 0
    for values in columns.values():
        assert_array_equal(np.isnan(values), failed)
    half = 1.959963984540054 * columns["se[mean]"]
    assert_allclose(
        columns["upper[wald-observed,mean]"], np.where(failed, np.nan, record.theta[:, 1] + half), rtol=1e-14
    )
    assert_array_equal(columns["lower[score,shape]"][~failed], record.intervals[~failed, 0])
    assert_array_equal(columns["upper[likelihood-ratio,mean]"][~failed], record.intervals[~failed, 7])


def test_columns_where_nothing_converged(gamma):
    scenario, record = gamma
    status = np.ones_like(record.status)
    columns = intervals_by_column(scenario, dataclasses.replace(record, status=status), limits(scenario))
    assert all(values.shape == (R,) and np.isnan(values).all() for values in columns.values())


@pytest.mark.parametrize("method", METHODS)
def test_an_end_that_is_not_a_number_is_neither_hit_nor_miss(gamma, method):
    cell = built(*gamma)
    assert np.isfinite(intervals.coverage(cell)[method].value).all()
    for values in (cell.products, cell.information, cell.ends, cell.theta):
        values[:, 3] = np.nan
    assert np.isnan(intervals.coverage(cell)[method].value[0])


def test_ends_at_infinity_hold_everything(gamma):
    cell = built(*gamma)
    cell.ends[:2], cell.ends[2:4] = -np.inf, np.inf
    assert (intervals.coverage(cell)["score"].value == 1.0).all()


def test_an_angle_is_held_however_it_is_written():
    angle = scenario(family="von_mises", parameters={"loc": 3.1, "concentration": 4.0})
    record = simulate(angle, SEED, 0, 0).head(R)
    assert record.theta[:, 0].min() < -3.0 < 3.0 < record.theta[:, 0].max()
    cell = built(angle, record)
    for method in METHODS:
        assert 0.8 < intervals.coverage(cell)[method].value[0] <= 1.0
    turned = built(angle, record, theta=cell.theta + np.array([[2.0 * np.pi], [0.0]]))
    assert_array_equal(*(intervals.coverage(each)["wald-observed"].value for each in (turned, cell)))


def test_limits_of_a_right_model_are_the_level(gamma):
    found = measures.MEASURES["coverage"].limit(built(*gamma))
    assert list(found) == list(METHODS)
    assert all((limit == 0.95).all() for limit in found.values())


def test_limits_of_a_wrong_model(gamma):
    """With A, B and I at hand: a Wald interval of variance v covers as N(0, Σ/v), and the statistics as they should."""
    theory = dataclasses.replace(
        limits(gamma[0]),
        hessian=np.diag([2.0, 1.0]),
        score_covariance=np.diag([4.0, 1.0]),
        information=np.diag([3.0, 1.0]),
        covariance=np.diag([1.0, 1.0]),
    )
    cell = built(*gamma, limits=theory)
    variances = {method: N * claimed(cell, method)[0] for method in METHODS}
    assert variances == pytest.approx(
        {
            "wald-observed": 1 / 2,
            "wald-expected": 1 / 3,
            "wald-sandwich": 1.0,
            "wald-opg": 1 / 4,
            "wald-log": 1 / 2,
            "score": 3 / 4,
            "likelihood-ratio": 1 / 2,
        }
    )
