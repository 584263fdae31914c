"""The whole study in one figure."""

import numpy as np
import pandas as pd
import pytest

from simstudy.figures import FIGURES, render
from simstudy.figures.cell_ranges import level, method, ranges
from simstudy.figures.factors import cells
from tests.figures.drawn import outside, overlaps, texts
from tests.figures.made import LEVEL, made

NESTED = FIGURES["nested_loop"]
SIZES = (10, 20, 40, 80, 160, 320)
FACTORIAL = [
    f"{family}-shape={shape},scale={scale}"
    for family in ("gamma", "weibull")
    for shape in (0.5, 1, 2, 5)
    for scale in (1, 3, 9)
]
LONG = [f"a-rather-long-name-of-scenario-{i:02d}-{'x' * 60}" for i in range(24)]


def study(names, sizes=SIZES, **options) -> pd.DataFrame:
    one = made(2, sizes, **options).summary
    return pd.concat([one.assign(scenario=name, family=name.split("-")[0]) for name in names])


def unread(scenario, n):
    pytest.fail("a figure of the whole study reads no replicates")


@pytest.mark.parametrize(
    ("names", "sizes"), [(FACTORIAL, SIZES), (LONG, SIZES), (LONG[:2], (20,)), (["gamma", "weibull", "cauchy"], SIZES)]
)
def test_every_study_is_legible(names, sizes):
    summary = study(names, sizes)
    assert NESTED.whole
    assert NESTED.applies(summary, "")
    svg = render(NESTED.draw(summary, "", unread))
    assert outside(svg) == []
    assert overlaps(svg) == []
    assert f"{len(names) * len(sizes)} cells (scenario × n) in the order of their factors" in dict(texts(svg))


def test_factors_are_named_with_their_levels():
    shown = dict(texts(render(NESTED.draw(study(FACTORIAL), "", unread))))
    assert {"family: gamma, weibull", "shape: 0.5, 1, 2, 5", "scale: 1, 3, 9", "n: 10, 20, 40, 80, 160, 320"} <= set(
        shown
    )


def test_it_is_no_figure_of_one_scenario():
    summary = study(["a", "b"])
    assert not NESTED.applies(summary, "a")
    assert not NESTED.applies(summary[summary["scenario"] == "a"], "")
    assert not NESTED.applies(summary[summary["measure"] != "coverage"], "")


def test_ranges_hold_the_extremes_of_each_cell():
    summary = study(FACTORIAL, (10, 20))
    table = cells(summary)
    found = ranges(summary, table, "coverage", "score")
    rows = summary[(summary["measure"] == "coverage") & (summary["estimator"] == "score") & (summary["row"] != "")]
    for place, cell in table.iterrows():
        own = rows[(rows["scenario"] == cell["scenario"]) & (rows["n"] == cell["n"])].set_index("row")["value"]
        assert (found.low.value[place], found.high.value[place]) == (own.min(), own.max())
        assert (found.low.names[place], found.high.names[place]) == (own.idxmin(), own.idxmax())


def test_caption_names_the_worst_cell():
    summary = study(FACTORIAL, (10, 20)).reset_index(drop=True)
    own = (summary["measure"] == "coverage") & (summary["estimator"] == "wald-observed") & (summary["n"] == 20)
    own &= (summary["scenario"] == "weibull-shape=2,scale=3") & (summary["row"] == "scale")
    summary.loc[own, ["value", "mcse"]] = 0.5, 0.005
    text = NESTED.caption(summary, "", unread)
    assert "is lowest for scale of weibull-shape=2,scale=3 at n = 20 (50.0 % ± 1.0 %)" in text


def test_errors_that_would_flatten_all_else_are_marked():
    summary = study(["a", "b"]).reset_index(drop=True)
    own = (summary["measure"] == "relative_error_model_se") & (summary["n"] == 10) & (summary["row"] == "shape")
    summary.loc[own, "value"] = 98_000.0
    figure = NESTED.draw(summary, "", unread)
    assert figure.axes[1].get_ylim()[1] < 120
    assert "Triangles: above 100 %." in NESTED.caption(summary, "", unread)


def test_scenarios_without_estimates_leave_gaps():
    dead = made(2, SIZES, dead=SIZES).summary.assign(scenario="b", family="b")
    summary = pd.concat([study(["a"]), dead])
    svg = render(NESTED.draw(summary, "", unread))
    assert outside(svg) == overlaps(svg) == []
    text = NESTED.caption(summary, "", unread)
    assert "Crosses on the axis: no usable replicate." in text
    assert "of b at" not in text


def test_the_method_that_most_scenarios_have_is_drawn():
    summary = study(["a", "b"])
    rare = (summary["scenario"] == "b") & (summary["estimator"] == "wald-observed")
    assert method(summary) == "wald-observed"
    assert method(summary[~rare]) == "wald-expected"


def test_level_is_that_of_all_scenarios():
    summary = study(["a", "b"])
    assert level(summary) == LEVEL
    other = (summary["scenario"] == "b") & (summary["measure"] == "coverage")
    assert np.isnan(level(summary.assign(limit=summary["limit"].where(~other, 0.9))))


@pytest.mark.parametrize("name", ["$x_1$-a=1", '<b onclick="x">&"\'</b>', "尺度"])
def test_names_are_inert(name):
    svg = render(NESTED.draw(study([name, "other"], (10, 20)), "", unread), "svg", name, name)
    assert b"<b " not in svg
    assert outside(svg) == []
