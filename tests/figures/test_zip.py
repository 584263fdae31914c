"""Zip plots."""

import numpy as np
import pytest

from simstudy.figures import render
from simstudy.figures.estimates import SHOWN_SIZES, truth
from simstudy.figures.selection import spread_out
from simstudy.figures.zip import SHOWN_INTERVALS, ZIP
from simstudy.figures.zips import method, zips
from tests.figures.made import made

METHOD = "wald-observed"


def zipped(results):
    return zips(results.summary, results.scenario, results.replicates)


def test_intervals_are_ordered_by_their_distance_from_the_truth():
    results = made(2, (40,))
    [[first], [second]] = zipped(results)
    for item in (first, second):
        middle, half = (item.lower + item.upper) / 2, (item.upper - item.lower) / 2
        distance = np.abs(middle - item.truth) / half
        assert (np.diff(distance) >= -1e-12).all()
        table = results.tables[40]
        ends = np.sort(table[f"lower[{METHOD},{item.name}]"].to_numpy())
        np.testing.assert_allclose(np.sort(item.lower), ends, rtol=1e-12)
        np.testing.assert_allclose(item.truth, 1.0, rtol=1e-12)


def test_misses_are_those_of_the_replicates():
    results = made(1, (10,), replicates=2000)
    [[item]] = zipped(results)
    table = results.tables[10]
    below, above = (int(misses.sum()) for misses in item.misses)
    assert below == (table[f"upper[{METHOD},shape]"] < 1.0).sum() > 0
    assert above == (table[f"lower[{METHOD},shape]"] > 1.0).sum()
    text = ZIP.caption(results.summary, results.scenario, results.replicates)
    assert ("none of 2,000 above it" in text) == (above == 0)


def test_failed_fits_have_no_interval():
    results = made(1, (10,))
    results.tables[10].loc[::2, "status"] = "BOUNDARY"
    results.tables[10].loc[1, f"lower[{METHOD},shape]"] = np.nan
    [[item]] = zipped(results)
    assert len(item.lower) == 149


def test_an_angle_is_drawn_on_the_turn_of_its_estimate():
    plain, turned = made(1, (10,)), made(1, (10,))
    for end in ("lower", "upper"):
        turned.tables[10].loc[::3, f"{end}[{METHOD},shape]"] += 2 * np.pi
    [[one]], [[other]] = zipped(plain), zipped(turned)
    np.testing.assert_allclose(other.lower, one.lower, atol=1e-12)


@pytest.mark.parametrize(
    ("kept", "chosen"), [(("score", "wald-sandwich", "wald-opg"), "wald-sandwich"), (("wald-log", "score"), "")]
)
def test_the_first_symmetric_method_is_drawn(kept, chosen):
    results = made(1, (10,))
    summary = results.summary
    summary = summary[(summary["measure"] != "coverage") | summary["estimator"].isin(kept)]
    assert method(summary, results.scenario) == chosen
    assert ZIP.applies(summary, results.scenario) == bool(chosen)


def test_results_without_intervals_say_so():
    results = made(1, (10,))
    table = results.tables[10][["theta[shape]", "status"]]
    svg = render(ZIP.draw(results.summary, results.scenario, lambda *_: table))
    assert b"no usable replicate" in svg


@pytest.mark.parametrize("parameters", [1, 3])
def test_files_stay_small(parameters):
    results = made(parameters, (10, 20, 40), replicates=4000)
    svg = render(ZIP.draw(results.summary, results.scenario, results.replicates))
    assert len(svg) < 300_000
    assert svg.count(b"stroke: #0173b2") <= SHOWN_INTERVALS + 10


def test_truth_is_not_known_where_bias_is_not():
    results = made(1, (10,))
    assert np.isnan(truth(results.summary, results.scenario, 20, "shape", results.tables[10]))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shown_sizes_hold_the_ends(count):
    sizes = list(range(10, 10 + count))
    shown = spread_out(sizes, SHOWN_SIZES)
    assert (shown[0], shown[-1]) == (sizes[0], sizes[-1])
    assert len(set(shown)) == len(shown) == min(count, 3)
