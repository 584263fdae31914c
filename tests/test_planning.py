"""What a pilot foretells, against runs of other replicates."""

from __future__ import annotations

from dataclasses import replace

import pytest

import simstudy
from simstudy import cli_plan
from simstudy.analysis.precision import shortfalls
from simstudy.errors import ConfigError
from simstudy.planning import DEFAULTS, needed, needs, pilot_size
from simstudy.running.block import simulate
from simstudy.running.plan import disk_bytes, needed_blocks
from simstudy.study.config import loads
from simstudy.study.scenario import Target

STUDY = loads("""
study: plans
seed: 2
replicates: 5000
sample_sizes: [30, 300]
scenarios:
  - {name: a, family: normal, parameters: {mean: 0, sd: 1}}
  - {name: failing, family: poisson, parameters: {mean: 0.05}, precision: {coverage: 0.004, bias: 2%}}
""")
TARGETS = {"coverage": 0.004, "scaled_covariance": "2%", "bias": "1%"}


@pytest.mark.parametrize("name", ["a", "failing"])
def test_so_many_replicates_reach_the_target(name):
    """Errors of 40,000 replicates of another seed say what is needed; the pilot's leave a factor 1.5 (4 sd or more)."""
    cells = replace(STUDY, scenarios=tuple(cell for cell in STUDY.scenarios if cell.name == name))
    wanted = (Target("scaled_covariance", 0.01, True), Target("coverage", 0.002, False))
    found = needs(cells, wanted, pilot=4_000)
    assert len(found) == 4
    for need in found:
        run = replace(need.scenario, replicates=40_000)
        record = simulate(run, 99, 0, needed_blocks(run) - 1).head(40_000)
        (share,) = shortfalls(run, record, (need.target,))
        truth = max(500.0, 40_000 * share**2)
        assert 1 / 1.5 < need.replicates / truth < 1.5, need


def test_the_frame():
    frame = simstudy.plan(STUDY, TARGETS)
    assert list(frame["measure"]) == ["scaled_covariance", "bias", "coverage"] * 4
    assert list(frame["target"]) == ["2%", "1%", 0.004] * 4
    assert frame.groupby(["scenario", "n"])["decides"].sum().tolist() == [1] * 4
    for _, cell in frame.groupby(["scenario", "n"]):
        assert cell.loc[cell["decides"], "replicates"].item() == cell["replicates"].max()
    assert (frame["seconds"] > 0.0).all()
    whole = replace(STUDY.scenarios[0], replicates=int(frame["replicates"][2]))
    assert frame["bytes"][2] == disk_bytes(whole)
    assert frame["pilot"].tolist() == [pilot_size(30)] * 3 + [pilot_size(300)] * 3 + [2184] * 3 + [1090] * 3


def test_targets_are_those_given_else_of_the_config_else_the_defaults():
    own = [(need.scenario.name, need.target) for need in needs(STUDY, pilot=30)]
    assert [target for name, target in own if name == "a"] == [*DEFAULTS, *DEFAULTS]
    assert {target for name, target in own if name == "failing"} == set(STUDY.scenarios[-1].precision)
    assert {need.target for need in needs(STUDY, (Target("mse", 1.0, True),), pilot=30)} == {Target("mse", 1.0, True)}


def test_what_the_pilot_cannot_tell_is_unknown():
    """Without a single estimate there is no error to foretell from."""
    hopeless = replace(STUDY.scenarios[2], values=(1e-9,), n=2)
    (need,) = needs(replace(STUDY, scenarios=(hopeless,)), (Target("bias", 0.1, False),), pilot=30)
    assert (need.replicates, need.decides) == (None, True)
    frame = simstudy.plan(replace(STUDY, scenarios=(hopeless,)), {"bias": 0.1}, pilot=30)
    assert frame["replicates"].isna().all()
    shown = cli_plan.plan(replace(STUDY, scenarios=(hopeless,)), (Target("bias", 0.1, False),))
    assert "unknown" in shown
    assert "1 cell: the pilot could not compute the MCSE" in shown


@pytest.mark.parametrize("share", [0.3, 1.0, 1.7, 30.0])
def test_two_digits_rounded_up(share):
    found, exact = needed(1000, share), 1000 * share**2
    assert exact <= found
    assert found < max(1.1 * exact + 1, 501)
    assert len(str(found).rstrip("0")) <= 2


# ---- command line ------------------------------------------------------------------------------------------------


def test_the_table_fits_a_terminal():
    shown = cli_plan.plan(STUDY, cli_plan.targets(["coverage=0.004", "scaled_covariance = 2%"]), 100)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["n", "measure", "MCSE", "replicates", "seconds", "disk"]
    assert [line for line in lines if line and line[0].isalpha()][:2] == ["a", "failing"]
    assert sum(line.endswith("  *") for line in lines) == 4
    assert "targets of the command line; pilot of 218 to 2,184 replicates a cell" in " ".join(shown.split())
    assert "plans: 4 cells" in shown
    assert "of 4 cells need more than the replicates that the config has for them" in " ".join(shown.split())


def test_whose_targets_they_are_is_said():
    assert "targets of the config and by default;" in " ".join(cli_plan.plan(STUDY, (), 30).split())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["coverage"], "precision: 'coverage' is no MEASURE=MCSE such as coverage=0.002"),
        (["coverage=0.1", "coverage=0.2"], "precision: 'coverage=0.2' gives a measure twice"),
        (["coverag=0.1"], "measure called the text 'coverag'; did you mean 'coverage'?"),
        (["coverage=-1"], "precision: coverage must be a positive number .* got -1.0"),
        (["coverage=nan"], "got nan"),
        (["coverage=inf"], "got inf"),
        (["coverage=0%"], "got the text '0%'"),
        (["coverage="], "got the text ''"),
        (["=1"], "measure called the text ''"),
    ],
)
def test_bad_targets_are_one_line(given, says):
    with pytest.raises(ConfigError, match=says) as caught:
        cli_plan.targets(given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "precision: no target is given"),
        ({"coverage": True}, "got true"),
        ({"coverage": None}, "got nothing"),
        ({"coverage": "x", "bia": 1}, "coverage must be .*\nprecision: no target .* did you mean 'bias'"),
    ],
)
def test_bad_targets_of_the_interface(given, says):
    with pytest.raises(ConfigError, match=says):
        simstudy.plan(STUDY, given)
