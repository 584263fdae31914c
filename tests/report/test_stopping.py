from __future__ import annotations

from dataclasses import replace

from simstudy.report.stopping import paragraphs, replicates
from simstudy.study.precision import capped
from simstudy.study.scenario import Scenario, Stop, Study, Target

COVERAGE = Target("coverage", 0.002, False)
SHARE = Target("scaled_covariance", 0.01, True)
CELL = Scenario("a", "normal", ("mean", "sd"), (0.0, 1.0), "normal", (), 20, 5000, 0.95)


def stopped(name, n, count, cap, precise, *targets):
    return replace(CELL, name=name, n=n, replicates=count, precision=targets, stop=Stop(cap, precise))


def study(*cells):
    return Study("s", 1, cells)


def test_without_targets_nothing_is_said():
    assert paragraphs(study(CELL)) == []
    assert replicates([CELL, replace(CELL, replicates=700)]) == "5,000, 700"


def test_replicates_are_a_range_with_the_cap():
    cells = [stopped("a", 20, 5240, 20000, True, COVERAGE), stopped("a", 50, 20000, 20000, False, COVERAGE)]
    assert replicates(cells) == "5,240 to 20,000 (at most 20,000)"
    assert replicates(cells[:1]) == "5,240 (at most 20,000)"


def test_targets_and_the_cells_that_did_not_meet_them():
    cells = [
        stopped("a", 20, 5240, 20000, True, COVERAGE, SHARE),
        stopped("a", 50, 20000, 20000, False, COVERAGE, SHARE),
        stopped("b", 50, 900, 900, False, SHARE),
    ]
    until, until_b, short = paragraphs(study(*cells, replace(CELL, name="c")))
    assert until.startswith(
        "Every cell of a ran until its Monte Carlo standard errors were at most 0.002 for coverage and 1% of its size "
        "for scaled covariance, or to its cap of replicates;"
    )
    assert until_b.startswith("Every cell of b ran until")
    assert short == (
        "2 of 3 cells reached their caps of replicates before their precision: a, n = 50 (20,000); b, n = 50 (900)."
    )


def test_many_cells_are_counted_not_listed():
    said = capped(study(*(stopped("a", n, 900, 900, False, SHARE) for n in range(1, 13))))
    assert said.startswith(
        "12 of 12 cells reached 900 replicates, the cap, before their precision: a, n = 1; a, n = 2;"
    )
    assert said.endswith("; a, n = 10; and 2 more")
