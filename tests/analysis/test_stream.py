"""Cells in parts: the same rows as at once, however the record was cut, and no more memory than a part takes."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from simstudy.analysis import distance, ladder, order_statistics, stream
from simstudy.analysis.precision import shortfalls
from simstudy.analysis.streaming import run
from simstudy.analysis.summary import summarise_cell
from simstudy.families.status import Status
from simstudy.inference.intervals import METHODS
from simstudy.running.block import simulate
from simstudy.study.limits import limits
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario, Target
from simstudy.study.streams import block_size
from tests.analysis.rows import Table, found, values

R = 1_500
SCENARIOS = {
    "every method": Scenario(
        "s", "gamma", ("shape", "rate"), (2.0, 1.0), "gamma", (), 15, 900, 0.95, intervals=tuple(METHODS)
    ),
    "one parameter": Scenario("s", "cauchy", ("loc", "scale"), (0.0, 1.0), "cauchy", ("scale",), 20, R, 0.95),
    "boundary": Scenario("s", "bernoulli", ("prob",), (0.1,), "bernoulli", (), 20, R, 0.95),
    "failures": Scenario(
        "s", "student_t", ("loc", "scale", "df"), (0.0, 1.0, 5.0), "student_t", (), 40, 1_000, 0.95, mcse="table6"
    ),
    "wrong": Scenario("s", "gamma", ("shape", "rate"), (2.0, 1.0), "normal", (), 10, R, 0.95, ("mean", "sd")),
    "irregular": Scenario("s", "laplace", ("loc", "scale"), (0.0, 1.0), "laplace", (), 11, R, 0.95),
}


@dataclass(frozen=True)
class Cut:
    """A record cut at some rows, an empty part among them."""

    whole: Replicates
    ends: tuple[int, ...]

    def __len__(self):
        return len(self.whole)

    def __iter__(self):
        for first, last in zip((0, *self.ends), (*self.ends, len(self)), strict=True):
            yield self.whole.head(last).tail(last - first)


def record_of(scenario):
    return simulate(scenario, 5, 0, -(-scenario.replicates // block_size(scenario.n)) - 1).head(scenario.replicates)


def same(found, expected):
    """Compare rows: the same but for rounding, which is that of the largest number of a measure where one is zero."""
    assert [row[:8] for row in found] == [row[:8] for row in expected]
    sizes: dict[tuple[str, str], float] = {}
    for row in expected:
        key = row.measure, row.estimator
        sizes[key] = max(sizes.get(key, 1e-3), abs(row.value) if np.isfinite(row.value) else 0.0)
    for one, other in zip(found, expected, strict=True):
        size, where = sizes[other.measure, other.estimator], str(other)
        assert_allclose(one.value, other.value, rtol=1e-8, atol=1e-12 * size, err_msg=where)
        assert_allclose(one.mcse, other.mcse, rtol=1e-7, atol=1e-12 * size, err_msg=where)
        assert_array_equal(one[10:], other[10:], err_msg=where)


@pytest.fixture(scope="module", params=SCENARIOS)
def case(request):
    """A scenario, its record, and the rows from one part."""
    scenario = SCENARIOS[request.param]
    record = record_of(scenario)
    return scenario, record, summarise_cell(scenario, record, limits(scenario))


@pytest.mark.parametrize("rows", [97, 512])
def test_many_parts_say_what_one_says(case, monkeypatch, rows):
    scenario, record, expected = case
    monkeypatch.setattr(stream, "ROWS", rows)
    same(summarise_cell(scenario, record, limits(scenario)), expected)


def test_tiny_parts_say_what_one_says(monkeypatch):
    scenario = replace(SCENARIOS["boundary"], replicates=200)
    record = record_of(scenario)
    assert 0 < (record.status == Status.BOUNDARY).sum() < 200
    expected = summarise_cell(scenario, record, limits(scenario))
    monkeypatch.setattr(stream, "ROWS", 7)
    same(summarise_cell(scenario, record, limits(scenario)), expected)


@pytest.mark.parametrize("converged", [0, 1, 2])
def test_many_parts_of_a_cell_that_hardly_converged(monkeypatch, converged):
    scenario = replace(SCENARIOS["one parameter"], replicates=200)
    record = record_of(scenario)
    status = np.full(200, Status.NO_MAXIMUM, np.int8)
    status[60:65], status[120 : 120 + converged] = Status.BOUNDARY, Status.CONVERGED
    record = replace(record, status=status)
    expected = summarise_cell(scenario, record, limits(scenario))
    monkeypatch.setattr(stream, "ROWS", 40)
    same(summarise_cell(scenario, record, limits(scenario)), expected)


def test_bits_do_not_depend_on_where_the_record_was_cut(monkeypatch):
    monkeypatch.setattr(stream, "ROWS", 256)
    scenario = replace(SCENARIOS["wrong"], replicates=1_300)
    record = record_of(SCENARIOS["wrong"])
    once = summarise_cell(scenario, record, limits(scenario))
    for ends in ((256, 512), (1, 1, 700, 1_301), tuple(range(100, 1_500, 100))):
        again = summarise_cell(scenario, Cut(record, ends), limits(scenario))
        assert_array_equal([row[8:] for row in again], [row[8:] for row in once])
    assert {row.replicates for row in once} == {1_300}


def test_targets_are_judged_in_parts(monkeypatch):
    scenario, targets = SCENARIOS["wrong"], tuple(Target(name, 0.01, True) for name in ("bias", "coverage", "mse"))
    record = record_of(scenario)
    once = shortfalls(scenario, record, targets)
    monkeypatch.setattr(stream, "ROWS", 100)
    assert_allclose(shortfalls(scenario, Cut(record, (10, 1_000)), targets), once, rtol=1e-9)


def test_a_record_is_read_a_handful_of_times(monkeypatch):
    """Once to count the endings, then as often as the longest chain of sums that rest on each other."""
    reads = []

    class Counted(Cut):
        def __iter__(self):
            reads.append(1)
            return super().__iter__()

    monkeypatch.setattr(stream, "ROWS", 256)
    scenario = SCENARIOS["every method"]
    summarise_cell(scenario, Counted(record_of(scenario), (300,)), limits(scenario))
    assert len(reads) <= 6


DRAWS = {
    "normal": np.random.default_rng(1).standard_normal((2, 3_001)),
    "ties": np.random.default_rng(2).integers(0, 4, (2, 3_001)).astype(float),
    "in order": np.sort(np.random.default_rng(3).standard_normal((2, 3_001))),
    "against it": np.sort(np.random.default_rng(3).standard_cauchy((2, 3_001)))[:, ::-1],
    "constant": np.full((1, 3_001), -0.1),
    "unbounded": np.where(np.arange(3_001) % 3 == 0, np.inf, np.arange(3_001.0))[None],
}
PROBABILITIES = np.array([0.0, 0.03, 0.5, 0.95, 1.0])


@pytest.mark.parametrize("many", [2**20, 8])
@pytest.mark.parametrize("pieces", [1, 13, 700])
@pytest.mark.parametrize("name", DRAWS)
def test_quantiles_are_those_of_all_values(monkeypatch, name, pieces, many):
    monkeypatch.setattr(ladder, "MANY", many)
    got = found(order_statistics.quantiles, DRAWS[name], lambda _: PROBABILITIES, pieces=pieces)
    with np.errstate(invalid="ignore"):
        assert_array_equal(got, np.quantile(DRAWS[name], PROBABILITIES, axis=-1))


def test_ranks_come_with_the_number_of_smaller_values():
    draws = DRAWS["ties"]
    ranks = np.array([0, 1_000, 2_999])
    got = found(order_statistics.order_statistics, draws, lambda _: ranks, pieces=11)
    assert_array_equal(got.values, np.sort(draws)[:, ranks])
    assert_array_equal(got.below, (draws[:, None, :] < got.values[:, :, None]).sum(axis=-1))


def test_one_that_is_not_a_number_spoils_its_row_alone():
    draws = DRAWS["normal"].copy()
    draws[0, 2_000] = np.nan
    got = found(order_statistics.quantiles, draws, lambda _: PROBABILITIES, pieces=5)
    assert np.isnan(got[:, 0]).all()
    assert_array_equal(got[:, 1], np.quantile(draws[1], PROBABILITIES))


def brute(draws):
    """Return where draws are farthest from normal, by looking at all of them."""
    ordered = np.sort(draws)
    normal, steps = distance.special.ndtr(ordered), np.arange(len(draws) + 1) / len(draws)
    above, below = steps[1:] - normal, normal - steps[:-1]
    highest = above.max() >= below.max()
    return float(ordered[np.argmax(above if highest else below)]), bool(highest)


@pytest.mark.parametrize("few", [2**17, 20])
@pytest.mark.parametrize("pieces", [1, 17])
@pytest.mark.parametrize("shift", [0.0, 0.2, -0.2])
def test_the_farthest_draw_is_that_of_all_draws(monkeypatch, shift, pieces, few):
    monkeypatch.setattr(distance, "_FEW", few)
    monkeypatch.setattr(distance, "_BINS", 64)
    draws = np.random.default_rng(7).standard_normal(4_000) + shift
    draws[5], draws[6] = -np.inf, 40.0
    got = run(Table(pieces, values=draws), distance.farthest(values))
    assert tuple(got) == brute(draws)


@dataclass(frozen=True)
class Drawn:
    """R replicates of the normal distribution that are drawn anew at each reading."""

    draw: object
    total: int
    rows: int

    def __len__(self):
        return self.total

    def __iter__(self):
        for part in range(-(-self.total // self.rows)):
            yield self.draw([71, part], self.rows, 20).replicates


def test_memory_is_that_of_a_part(simulated, monkeypatch):
    """Eight times as many replicates, at most a third more memory: a few values about each quantile are collected."""
    monkeypatch.setattr(stream, "ROWS", 2_048)
    peaks = []
    for total in (2**13, 2**13, 2**16):  # the first fills caches
        drawn = Drawn(simulated["normal"], total, 4_096)
        scenario = replace(simulated["normal"](1, 50, 20).scenario, replicates=total)
        tracemalloc.start()
        summarise_cell(scenario, drawn, limits(scenario))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.33 * peaks[1]


LARGE = """
import resource, sys, time
from dataclasses import replace
from simstudy.analysis.summary import summarise_cell
from simstudy.study.limits import limits
from tests.analysis.conftest import normal
from tests.analysis.test_stream import Drawn
total = int(sys.argv[1])
scenario = replace(normal(1, 50, 20).scenario, replicates=total)
start = time.process_time()
rows = summarise_cell(scenario, Drawn(normal, total, 2**16), limits(scenario))
assert rows[0].replicates == total
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time() - start)
"""


@pytest.mark.slow
def test_a_million_replicates_take_less_than_500_megabytes():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", LARGE, "1000000"], cwd=root, capture_output=True, text=True, check=True, timeout=600
    )
    kilobytes = float(done.stdout.split()[0])
    assert kilobytes < 500_000
