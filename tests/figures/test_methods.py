"""Figures that compare interval methods."""

import math

import numpy as np
import pytest

from simstudy.figures import FIGURES, methods, render
from simstudy.figures.style import PALETTE
from simstudy.inference.intervals import METHODS
from tests.figures.drawn import texts
from tests.figures.made import LEVEL, made

COVERAGE, INTERVALS = FIGURES["coverage"], FIGURES["intervals"]


def only(summary, kept):
    return summary[~summary["measure"].isin(["coverage", "interval_width"]) | summary["estimator"].isin(kept)]


def labels(spec, results, summary) -> set[str]:
    return {words for words, _ in texts(render(spec.draw(summary, results.scenario, results.replicates)))}


def test_every_method_has_a_look_of_its_own():
    assert list(methods.LOOKS) == list(METHODS)
    for channel in ("label", "color", "marker", "linestyle"):
        assert len({getattr(look, channel) for look in methods.LOOKS.values()}) == len(METHODS)
    assert methods.SKY in PALETTE


@pytest.mark.parametrize("spec", [COVERAGE, INTERVALS], ids=lambda spec: spec.name)
def test_only_methods_of_the_scenario_are_drawn(spec):
    results = made(2, (10, 40))
    kept = {"wald-expected", "likelihood-ratio"}
    found = labels(spec, results, only(results.summary, kept))
    assert found & {look.label for look in methods.LOOKS.values()} == {methods.LOOKS[name].label for name in kept}


@pytest.mark.parametrize("parameters", [1, 2])
def test_joint_regions_have_a_panel_where_there_are_several_parameters(parameters):
    results = made(parameters, (10, 40))
    assert ("joint region" in labels(COVERAGE, results, results.summary)) == (parameters > 1)
    assert "joint region" not in labels(INTERVALS, results, results.summary)
    alt = COVERAGE.alt(results.summary, results.scenario, results.replicates)
    assert ("joint region, likelihood ratio" in alt) == (parameters > 1)


def test_level_is_known_without_a_sandwich_only_where_the_model_is_right():
    results = made(2, (10,))
    summary = only(results.summary, {"wald-observed"})
    assert methods.level(summary, "made") == LEVEL
    wrong = summary["measure"] == "score_covariance"
    summary = summary.assign(limit=summary["limit"].where(~wrong, 2 * summary["limit"]))
    assert math.isnan(methods.level(summary, "made"))


def test_coverage_that_tends_elsewhere_is_said():
    results = made(1, (10, 40))
    summary = results.summary
    wrong = (summary["measure"] == "coverage") & (summary["estimator"] == "wald-expected")
    summary = summary.assign(limit=summary["limit"].where(~wrong, 0.8712))
    text = COVERAGE.caption(summary, "made", results.replicates)
    assert "As n grows it tends to 87.1 % for shape (Wald, expected information) (dotted)." in text


def test_widths_are_relative_to_the_narrowest():
    results = made(2, (10,))
    summary = results.summary
    widths = summary[(summary["measure"] == "interval_width") & (summary["row"] == "shape")].set_index("estimator")
    ratio = widths["value"] / widths["value"].min()
    alt = INTERVALS.alt(summary, "made", results.replicates)
    for name, look in methods.LOOKS.items():
        said = alt.split(f"width of shape, {look.label}: ")[1].split(" at n")[0]
        np.testing.assert_allclose(float(said), ratio[name], rtol=1e-3)


def test_an_unbounded_interval_has_no_width():
    results = made(1, (10, 40))
    summary = results.summary.copy()
    unbounded = (summary["measure"] == "interval_width") & (summary["estimator"] == "score") & (summary["n"] == 10)
    summary.loc[unbounded, "value"] = np.inf
    render(INTERVALS.draw(summary, "made", results.replicates))
    text = INTERVALS.caption(summary, "made", results.replicates)
    assert "no mean width" in text
    assert "inf " not in text


def test_the_method_nearest_to_the_level_is_named_with_its_worst_parameter():
    results = made(2, (10,))
    summary = results.summary.copy()
    for name, value in (("shape", 0.95), ("scale", 0.94)):
        own = (summary["measure"] == "coverage") & (summary["estimator"] == "score") & (summary["row"] == name)
        summary.loc[own, ["value", "mcse"]] = value, 0.001
    text = INTERVALS.caption(summary, "made", results.replicates)
    assert "nearest to 95 % is score (at worst 94.0 % ± 0.2 %, for scale" in text


@pytest.mark.parametrize("spec", [COVERAGE, INTERVALS], ids=lambda spec: spec.name)
def test_many_parameters(spec):
    results = made(9, (10, 40), names=tuple(f"x{i}" for i in range(9)))
    found = labels(spec, results, results.summary)
    text = spec.caption(results.summary, "made", results.replicates)
    assert ("x8" in found) == (spec is COVERAGE)
    assert ("The first 4 of 9 parameters are shown." in text) == (spec is INTERVALS)
