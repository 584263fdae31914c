"""What a task takes in memory, measured again."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from simstudy.families import REGISTRY
from simstudy.inference.intervals import METHODS
from simstudy.running import footprint
from simstudy.running.block import simulate
from simstudy.study.config import from_dict

N = 2**17
"""Large enough that arrays of the data outweigh all others; one data set to a block."""
SLACK = 2**20
LONG = ("normal_mixture",)


def typical(parameter):
    low, high = parameter.typical
    middle = float(f"{(low * high) ** 0.5 if low > 0 else (low + high) / 2:.2g}")
    return round(middle) if parameter.domain.whole else middle


def cell(n=N, **entry):
    config = {"study": "a", "seed": 1, "replicates": 2, "sample_sizes": [n], "scenarios": [entry]}
    return from_dict(config).scenarios[0]


def of_family(name, **entry):
    form = REGISTRY.get(name).forms[0]
    return cell(family=name, parameters={p.name: typical(p) for p in form}, **entry)


def measured(scenario):
    """Return the peak of all arrays while one data set is drawn and fitted."""
    simulate(replace(scenario, n=100), 1, 0, 0)  # what is kept from call to call
    tracemalloc.start()
    try:
        simulate(scenario, 1, 0, 0)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in REGISTRY.names()]
)
def test_no_family_takes_more_than_said_and_few_take_much_less(name):
    scenario = of_family(name)
    taken, said = measured(scenario), footprint.data_bytes(scenario)
    assert taken <= said + SLACK
    assert said <= 2.5 * taken + SLACK


def vectors(family, slopes):
    names = ["intercept", *(f"slope{i + 1}" for i in range(slopes))]
    values = dict.fromkeys(names, 0.1) | ({"sd": 1.0} if family == "linear_regression" else {})
    return cell(family=family, parameters=values)


@pytest.mark.parametrize("family", ["linear_regression", "logistic_regression", "poisson_regression"])
@pytest.mark.parametrize("slopes", [1, 5])
def test_regressions_take_more_with_every_covariate(family, slopes):
    scenario = vectors(family, slopes)
    assert measured(scenario) <= footprint.data_bytes(scenario) + SLACK
    assert footprint.held_numbers(vectors(family, 5)) > footprint.held_numbers(vectors(family, 1))


def several(size):
    entries = {f"cov{i + 1}{j + 1}": float(i == j) for i in range(size) for j in range(i, size)}
    return cell(family="multivariate_normal", parameters={f"mean{i + 1}": 0.0 for i in range(size)} | entries)


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(lambda: several(4), id="four dimensions"),
        pytest.param(
            lambda: cell(family="dirichlet", parameters={f"alpha{i + 1}": 1.0 for i in range(7)}), id="simplex"
        ),
        pytest.param(lambda: of_family("negative_binomial", fit="normal"), id="another is fitted"),
        pytest.param(lambda: of_family("exponential", fit="gamma"), id="a larger one is fitted"),
        pytest.param(lambda: of_family("weibull", censoring={"time": 1.0}), id="censored"),
        pytest.param(lambda: of_family("exponential", censoring={"time": 1.0}), id="censored exponential"),
        pytest.param(lambda: of_family("gamma", intervals=list(METHODS)), id="all intervals"),
        pytest.param(lambda: of_family("cauchy", known=["scale"]), id="many starts"),
    ],
)
def test_other_cells_take_no_more_than_said(scenario):
    scenario = scenario()
    assert measured(scenario) <= footprint.data_bytes(scenario) + SLACK


def test_many_small_data_sets_take_no_more_than_a_worker_does_without_data():
    """At small n what is held at once is not the data of a block but what is fitted together."""
    scenario = replace(of_family("weibull"), n=20, replicates=2**15)
    simulate(scenario, 1, 0, 0)
    tracemalloc.start()
    try:
        simulate(scenario, 1, 0, 4)
        assert tracemalloc.get_traced_memory()[1] < footprint.task_bytes(scenario) + footprint.WORKER_BYTES / 2
    finally:
        tracemalloc.stop()


def test_a_task_holds_its_record_some_times_over_and_a_short_one_less():
    scenario = replace(of_family("normal"), n=20)
    whole, short = (replace(scenario, replicates=rows) for rows in (10**9, 4096))
    record = footprint.stored_bytes(scenario, 2**16)
    assert 3 * record < footprint.task_bytes(whole) - footprint.data_bytes(whole) < 6 * record
    assert footprint.task_bytes(short) < footprint.task_bytes(whole) / 4
    assert footprint.worker_bytes(short) == footprint.WORKER_BYTES + footprint.task_bytes(short)


def test_a_family_that_is_not_known_is_taken_for_a_large_one():
    strange = replace(of_family("normal"), family="no-such", fit="no-such")
    assert footprint.held_numbers(strange) == 16
