"""Inference given the observed information."""

import numpy as np
import pytest

from simstudy.figures import FIGURES, render
from simstudy.figures.conditional import ERROR, _cases, _deciles
from tests.figures.drawn import outside, overlaps, texts
from tests.figures.made import made

CONDITIONAL = FIGURES["conditional"]


def test_deciles_come_in_order():
    results = made(2, (10,))
    shuffled = results.summary.sample(frac=1, random_state=np.random.default_rng(1))
    found = _deciles(shuffled, "made", "conditional_coverage", ("scale", 10), "wald-expected")
    assert list(found.index) == list(range(1, 11))
    assert set(found["estimator"]) == {f"wald-expected-decile-{i:02d}" for i in range(1, 11)}


@pytest.mark.parametrize(
    ("parameters", "cases"),
    [
        (1, [("shape", 10), ("shape", 40)]),
        (2, [("shape", 10), ("scale", 10)]),
        (3, [("shape", 10), ("scale", 10), ("rate", 10)]),
    ],
)
def test_rows_of_panels(parameters, cases):
    results = made(parameters, (10, 20, 40))
    assert _cases(results.summary, "made") == cases
    shown = {words for words, _ in texts(render(CONDITIONAL.draw(results.summary, "made", results.replicates)))}
    assert {f"{name}, n = {n}" for name, n in cases} <= shown


def test_a_size_without_estimates_is_passed_over():
    results = made(2, (10, 20), dead=(10,))
    assert _cases(results.summary, "made") == [("shape", 20), ("scale", 20)]


def test_caption_states_both_ends_and_what_theory_says():
    results = made(1, (20,))
    summary = results.summary.copy()
    for decile, error, claimed in (("decile-01", 0.06, 0.0612), ("decile-10", 0.23, 0.2213)):
        for measure, value in ((ERROR, error), ("conditional_variance", claimed)):
            own = (summary["measure"] == measure) & (summary["estimator"] == decile)
            summary.loc[own, ["value", "mcse", "limit"]] = value, 0.001, 0.1
    text = CONDITIONAL.caption(summary, "made", results.replicates)
    assert "0.060 ± 0.002 in decile 1 of 1/(nJ), which is 0.0612 there on average" in text
    assert "0.230 ± 0.002 in decile 10 of 1/(nJ), which is 0.221 there on average; 1/(nI) is 0.1 for all" in text


def test_some_deciles_may_be_missing():
    results = made(1, (20,))
    summary = results.summary
    gone = summary["estimator"].str.endswith("decile-10") & summary["measure"].str.startswith("conditional")
    for case in (summary[~gone], summary.assign(value=summary["value"].where(~gone))):
        svg = render(CONDITIONAL.draw(case, "made", results.replicates))
        assert outside(svg) == overlaps(svg) == []
        assert "decile 9 of" in CONDITIONAL.caption(case, "made", results.replicates)


def test_information_that_depends_on_the_estimate_is_said():
    results = made(1, (20,))
    summary = results.summary
    given = summary["measure"] == "conditional_coverage"
    for case, said in ((summary, False), (summary.assign(limit=summary["limit"].where(~given)), True)):
        text = CONDITIONAL.caption(case, "made", results.replicates)
        assert ("depends on the estimate" in text) == said


def test_it_needs_all_its_measures():
    summary = made(1, (20,)).summary
    assert CONDITIONAL.applies(summary, "made")
    for measure in CONDITIONAL.measures:
        assert not CONDITIONAL.applies(summary[summary["measure"] != measure], "made")
