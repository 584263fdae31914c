"""Figures of rates, spectra, biases, distances, savings, quantiles and paths: what each does of its own."""

import re
from statistics import NormalDist

import numpy as np
import pytest

from simstudy.analysis import rates as slopes
from simstudy.figures import FIGURES, rates, render
from simstudy.figures.normality import POINTS, samples
from simstudy.figures.paths import followed
from simstudy.figures.savings import EXACT
from simstudy.figures.scales import plain
from tests.figures.drawn import outside, overlaps, texts
from tests.figures.made import NAMES, SIZES, made

NINE = {"parameters": 9, "names": (*NAMES, "a", "b", "c", "d", "e", "f"), "sizes": (10, 40, 160)}
NEW = ("paths", "spectrum", "rates", "bias", "normality", "mahalanobis", "savings")


def drawn(name, results, summary=None):
    summary = results.summary if summary is None else summary
    return FIGURES[name].draw(summary, results.scenario, results.replicates)


def caption(name, results, summary=None):
    summary = results.summary if summary is None else summary
    return FIGURES[name].caption(summary, results.scenario, results.replicates)


def changed(results, measure, **columns):
    """Return the summary with columns of one measure replaced."""
    chosen = results.summary["measure"] == measure
    summary = results.summary.copy()
    for name, value in columns.items():
        summary.loc[chosen, name] = value
    return summary


@pytest.mark.parametrize("name", NEW)
def test_nine_parameters_fit(name):
    results = made(**NINE)
    svg = render(drawn(name, results))
    assert outside(svg) == []
    assert overlaps(svg) == []
    assert len(svg) < 700_000
    assert FIGURES[name].alt(results.summary, results.scenario, results.replicates)


@pytest.mark.parametrize("name", ["spectrum", "mahalanobis", "savings", "rates", "bias"])
def test_values_of_many_magnitudes_are_legible(name):
    results = made()
    measures = FIGURES[name].measures
    chosen = results.summary["measure"].isin(measures) & (results.summary["n"] == SIZES[0])
    summary = results.summary.assign(value=results.summary["value"].mask(chosen, 3e7))
    svg = render(drawn(name, results, summary))
    assert outside(svg) == []
    assert overlaps(svg) == []


# ---- scales ------------------------------------------------------------------------------------------------------


def test_ticks_of_a_log_axis():
    assert [plain(x) for x in (1e-9, 1e-4, 0.5, 2000.0, 2e6)] == ["1e−9", "0.0001", "0.5", "2000", "2e6"]


def ticks(svg):
    numbers = [text.replace("−", "-") for text, _ in texts(svg)]
    return [float(text) for text in numbers if re.fullmatch(r"-?[\d.]+(e-?\d+)?", text)]


def test_an_axis_of_nearly_equal_values_has_ticks():
    results = made(1)
    summary = changed(results, "replicates_saved", value=1.001, mcse=1e-4)
    assert 1.0 in ticks(render(drawn("savings", results, summary)))


# ---- rates -------------------------------------------------------------------------------------------------------


def test_what_is_seen_is_what_slopes_rest_on():
    assert (rates.ABOVE, rates.ROUNDING) == (slopes.ABOVE, slopes.ROUNDING)
    assert {panel.measure: panel.estimator for panel in rates.PANELS} == {
        measure: rated.estimator for measure, rated in slopes.RATED.items()
    }


def test_the_line_is_that_of_least_squares():
    results = made(1)
    (course,) = rates.courses(results.summary, "made", rates.PANELS[3])
    seen = course.rows[course.rows["seen"]]
    n, value, mcse = (seen[name].to_numpy(float) for name in ("n", "value", "mcse"))
    grid = course.level * np.linspace(0.99, 1.01, 201)
    loss = [np.sum(((value - c * n**course.slope.value) / mcse) ** 2) for c in grid]
    np.testing.assert_allclose(grid[np.argmin(loss)], course.level, rtol=1e-3)


def test_slopes_stand_beside_those_of_theory():
    results = made(2)
    said = caption("rates", results)
    assert "relative error of mean J −1.02 ± 0.06, in theory −1;" in said
    assert "−0.49 ± 0.02 (shape) and −0.49 ± 0.02 (scale), in theory −0.5." in said
    assert "in theory" not in caption("rates", results, changed(results, "rate", limit=np.nan))


def test_without_slopes_it_says_why():
    results = made(2)
    summary = results.summary[results.summary["measure"] != "rate"]
    assert caption("rates", results, summary).startswith(rates.NONE)
    assert not FIGURES["rates"].applies(summary, "made")


# ---- spectrum, bias, mahalanobis, savings -------------------------------------------------------------------------


def test_one_parameter_has_one_eigenvalue():
    labels = [text for text, _ in texts(render(drawn("spectrum", made(1))))]
    assert "raw" in labels
    assert not any("smallest" in label for label in labels)
    assert re.search(r"lie at 1\.\d+ ± 0\.\d+ at n = 10 and at ", caption("spectrum", made(1)))


def test_bias_is_compared_with_cox_and_snell_where_that_is_known():
    results = made(1)
    assert "Cox–Snell = 1.5" in caption("bias", results)
    unknown = changed(results, "scaled_bias", limit=np.nan)
    assert "Cox" not in caption("bias", results, unknown)
    assert "Cox–Snell" not in [text for text, _ in texts(render(drawn("bias", results, unknown)))]


def test_bars_of_raw_biases_do_not_hide_the_sharper_ones():
    results = made(1)
    raw = (results.summary["measure"] == "scaled_bias") & (results.summary["estimator"] == "raw")
    wide = results.summary.assign(mcse=results.summary["mcse"].mask(raw, 1e3))
    low, high = drawn("bias", results, wide).axes[0].get_ylim()
    assert high - low < 5


def test_distances_name_their_degrees_of_freedom():
    assert "χ² on 1 degree of freedom = 3.841" in caption("mahalanobis", made(1))
    assert "χ² on 2 degrees of freedom = 5.991" in caption("mahalanobis", made(2))


def test_what_control_variates_make_exact_stands_on_the_edge():
    results = made(2)
    summary = changed(results, "replicates_saved", value=EXACT)
    assert "Triangles on the edge: the controlled estimate does not vary." in caption("savings", results, summary)
    assert outside(render(drawn("savings", results, summary))) == []
    assert "Triangles" not in caption("savings", results)


# ---- normality ---------------------------------------------------------------------------------------------------


def test_lines_are_order_statistics_against_normal_quantiles():
    results = made(1, (40,), replicates=5000)
    (sample,) = samples(results.summary, "made", results.replicates)["shape"]
    theta = np.sort(results.tables[40]["theta[shape]"])
    x, y = sample.line
    assert len(x) <= POINTS
    assert (np.diff(x) > 0).all()
    ranks = np.searchsorted(sample.z, y)
    np.testing.assert_allclose(y, np.sqrt(40) * (theta[ranks] - 1.0), atol=1e-9)
    np.testing.assert_allclose(x, [NormalDist().inv_cdf((rank + 0.5) / 5000) for rank in ranks], atol=1e-12)
    # the outermost are all there
    assert {0, 1, 4998, 4999} <= set(ranks)


def test_without_a_limit_estimates_are_standardised_by_themselves():
    results = made(1, (40,))
    summary = changed(results, "scaled_covariance", limit=np.nan)
    (sample,) = samples(summary, "made", results.replicates)["shape"]
    np.testing.assert_allclose([sample.z.mean(), sample.z.std(ddof=1)], [0.0, 1.0], atol=1e-12)
    assert "its own mean and spread" in caption("normality", results, summary)


def test_a_tail_without_estimates_has_an_error_all_the_same():
    results = made(1, (40,))
    results.tables[40]["theta[shape]"] = 1.0 + np.linspace(0.0, 0.05, 300)
    said = caption("normality", results)
    assert re.search(r"0 % ± 0\.9 % lie below −1\.96", said)


def test_a_handful_of_estimates_has_no_quantiles():
    results = made(1, (40,), replicates=3)
    assert caption("normality", results) == "Quantiles take at least 10 estimates that differ."
    assert "too few estimates that differ" in [text for text, _ in texts(render(drawn("normality", results)))]


# ---- paths -------------------------------------------------------------------------------------------------------


def test_a_failed_fit_is_a_gap():
    results = made(1)
    table = results.replicates("made", 0)
    wide = followed(table, ("shape", "shape"))
    assert wide.shape == (table["n"].nunique(), 8)
    assert wide.isna().sum().sum() == (table["status"] != "CONVERGED").sum() == 2
    path = table[table["replicate"] == 3].set_index("n")["information[shape,shape]"]
    np.testing.assert_array_equal(wide[3], path)
    assert "2 of 312 fits failed and leave gaps" in caption("paths", results)


def test_only_the_figure_of_paths_follows_them():
    assert [name for name, spec in FIGURES.items() if spec.follows_paths] == ["paths"]
