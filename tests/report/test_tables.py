"""Tables of the page."""

import numpy as np
import pandas as pd

from simstudy.analysis.measures import MEASURES
from simstudy.figures.wording import number
from simstudy.report.tables import LONG, OTHER, below, table
from simstudy.report.titles import GROUPS, HEADLINE, TITLES
from tests.figures.made import COLUMNS, made


def rows(*lines):
    head = ("study", "s", "family")
    return pd.DataFrame([(*head, *line, 100, 0) for line in lines], columns=COLUMNS)


def test_measures_have_a_title_and_one_table():
    placed = [*HEADLINE, *(measure for group in GROUPS.values() for measure in group)]
    assert sorted(placed) == sorted(TITLES)
    assert {measure.published or name for name, measure in MEASURES.items()} | {"rate"} == set(TITLES)


def test_a_measure_without_a_title_is_shown_all_the_same():
    summary = rows((10, "unheard_of", "raw", "", "", 1.0, 0.1, np.nan))
    [other] = below(summary, "s")
    assert (other.title, other.blocks[0].title) == (OTHER, "unheard_of")


def test_what_speaks_of_all_sizes_has_a_column_of_its_own():
    summary = rows((0, "rate", "raw", "", "", -1.0, 0.1, -1.0), (10, "noise_floor", "raw", "", "", 1.0, 0.1, np.nan))
    [found] = below(summary, "s")
    assert found.heads == ("all n", "n = 10")


def test_regions_of_all_parameters_have_a_name():
    summary = rows(
        (10, "coverage", "wald-observed", "a", "", 0.94, 0.003, 0.95),
        (10, "coverage", "wald", "", "", 0.93, 0.003, 0.95),
    )
    lines = table(summary, "s", "Title", ("coverage",)).blocks[0].lines
    assert [line.entry for line in lines] == ["a", "all parameters"]


def test_long_tables_are_told():
    lines = [(10, "bias", "raw", f"slope{i}", "", 0.1, 0.01, 0.0) for i in range(LONG)]
    assert table(rows(*lines), "s", "Title", ("bias",)).long
    assert not table(rows(*lines[1:]), "s", "Title", ("bias",)).long


def test_values_limits_and_errors():
    summary = rows(
        (10, "scaled_covariance", "raw", "a", "a", 4.4, 0.1, 4.0),
        (20, "scaled_covariance", "raw", "a", "a", 4.25, 0.02, 4.0),
    )
    [block] = table(summary, "s", "Title", ("scaled_covariance",)).blocks
    [line] = block.lines
    assert [(cell.value, cell.error) for cell in line.cells] == [("4.4", "0.2"), ("4.25", "0.04")]
    assert (line.entry, line.estimator, line.limit) == ("a", "raw", "4")


def test_limits_that_depend_on_n_have_a_line():
    summary = rows(
        (10, "empirical_se", "raw", "a", "", 0.3, 0.01, np.sqrt(1 / 10)),
        (20, "empirical_se", "raw", "a", "", 0.2, 0.01, np.sqrt(1 / 20)),
    )
    line, limits = table(summary, "s", "Title", ("empirical_se",)).blocks[0].lines
    assert line.limit == ""
    assert limits.estimator == "limit at this n"
    assert [cell.value for cell in limits.cells] == [number(np.sqrt(1 / 10)), number(np.sqrt(1 / 20))]


def test_fractions_are_shown_in_per_cent():
    summary = rows((10, "coverage", "wald-observed", "a", "", 0.9461, 0.003, 0.95))
    [line] = table(summary, "s", "Title", ("coverage",)).blocks[0].lines
    assert (line.cells[0].value, line.cells[0].error, line.limit) == ("94.6", "0.6", "95")


def test_rounding_errors_of_an_entry_that_is_zero_are_zero():
    summary = rows(
        (10, "scaled_covariance", "raw", "a", "a", 1.0, 0.1, 1.0),
        (10, "scaled_covariance", "raw", "a", "b", 1e-17, 3e-17, 0.0),
        (10, "scaled_covariance", "raw", "b", "b", 2.0, 0.1, 2.0),
    )
    lines = table(summary, "s", "Title", ("scaled_covariance",)).blocks[0].lines
    assert [(line.entry, line.cells[0].value, line.cells[0].error) for line in lines][1] == ("a × b", "0", "0")


def test_measures_that_a_summary_lacks_are_left_out():
    summary = rows((10, "coverage", "wald-observed", "a", "", 0.9461, 0.003, 0.95))
    assert [b.title for b in table(summary, "s", "Title", HEADLINE).blocks] == ["Coverage, %"]


def test_order_is_by_measure_entry_and_estimator():
    results = made(2, (10, 20))
    found = table(results.summary, "made", "Title", HEADLINE)
    assert found.sizes == (10, 20)
    assert [(line.entry, line.estimator) for line in found.blocks[0].lines] == [
        (entry, estimator) for entry in ("shape", "shape × scale", "scale") for estimator in ("raw", "control variate")
    ]


def test_what_is_infinite_says_so():
    lines = [(20, "replicates_saved", "bias", "a", "", np.inf, np.nan, np.nan)]
    lines += [(10, "replicates_saved", "bias", "a", "", 3.0, 0.1, np.nan)]
    lines += [(10, "bias", "with-boundary", "a", "", -np.inf, np.nan, np.nan)]
    saved = table(rows(*lines), "s", "Saved", ("replicates_saved", "bias")).blocks
    assert [cell.value for block in saved for line in block.lines for cell in line.cells] == ["3.0", "∞", "−∞", ""]
