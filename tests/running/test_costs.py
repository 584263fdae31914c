from __future__ import annotations

from dataclasses import replace

import pytest

from simstudy.running import costs
from simstudy.running.costs import Costs, measured_costs, trials
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

BASE = Scenario("a", "normal", ("mean", "sd"), (0.0, 1.0), "normal", (), 50, 100, 0.95)
GAMMA = replace(BASE, family="gamma", names=("shape", "scale"), values=(2.0, 1.0), fit="gamma")


def fake_time(monkeypatch, seconds):
    """Let every block take what ``seconds(n)`` says for each of its rows."""
    clock = [0.0]

    def simulate(scenario, seed, first_block, last_block):
        rows = block_size(scenario.n) * (last_block - first_block + 1)
        clock[0] += rows * seconds(scenario.n)
        return range(rows)

    monkeypatch.setattr(costs, "simulate", simulate)
    monkeypatch.setattr(costs.time, "perf_counter", lambda: clock[0])


def test_cost_is_a_line_in_n(monkeypatch):
    fake_time(monkeypatch, lambda n: 1e-6 + 1e-8 * n)
    cells = [replace(BASE, n=n) for n in (10, 1000, 50)]
    cost = measured_costs(cells)
    assert [cost(cell) for cell in cells] == pytest.approx([1.1e-6, 1.1e-5, 1.5e-6])


def test_cost_of_a_huge_n_is_extrapolated(monkeypatch):
    timed = []
    fake_time(monkeypatch, lambda n: timed.append(n) or 1e-8 * n)
    assert measured_costs([replace(BASE, n=10**8)])(replace(BASE, n=10**8)) == pytest.approx(1.0, rel=1e-3)
    assert max(timed) == 2**16


def test_cost_never_is_negative_or_zero(monkeypatch):
    fake_time(monkeypatch, lambda n: 1.0 / n)  # a disturbed measurement
    cells = [replace(BASE, n=n) for n in (10, 1000)]
    assert all(measured_costs(cells)(cell) > 0 for cell in cells)


def test_each_model_is_tried_at_its_smallest_and_largest_n():
    cells = [replace(BASE, n=n) for n in (10, 1000, 50)] + [replace(BASE, n=7, values=(1.0, 2.0)), GAMMA]
    assert [(trial.scenario.fit, trial.scenario.n) for trial in trials(cells)] == [
        ("normal", 7),
        ("normal", 1000),
        ("gamma", 50),
    ]


def test_what_tasks_took_outweighs_a_trial():
    known = Costs()
    known.add(BASE, 100, 1.0)
    known.add(BASE, 9900, 9.0)
    assert known(BASE) == pytest.approx(1e-3)


def test_a_model_that_was_never_timed_costs_as_others_per_observation():
    known = Costs()
    assert known(GAMMA) < known(replace(GAMMA, n=1000)) / 5
    known.add(replace(BASE, n=1000), 1030, 2060.0)
    assert known(replace(GAMMA, n=1000)) == pytest.approx(2.0)


def test_beyond_the_measured_sizes_the_line_goes_on():
    known = Costs()
    known.add(replace(BASE, n=100), 1, 3.0)
    assert known(replace(BASE, n=230)) == pytest.approx(6.0)
    known.add(replace(BASE, n=200), 1, 5.0)
    assert [known(replace(BASE, n=n)) for n in (50, 150, 400)] == pytest.approx([2.0, 4.0, 9.0])


def test_a_trial_that_raises_tells_nothing():
    assert measured_costs([replace(BASE, family="nosuch")])(BASE) == Costs()(BASE)
