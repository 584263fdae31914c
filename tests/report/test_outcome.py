"""Failures and the line of each scenario."""

import pandas as pd

from simstudy.report.outcome import SHOWN, failures, glance, treatments
from tests.figures.made import COLUMNS, made


def ended(counts, n=10):
    """Return the rates of one cell of 100 replicates by how they ended."""
    failed = sum(counts.values())
    head = ("study", "s", "family", n, "failure_rate")
    shares = {"wilson": failed, **dict.fromkeys(("boundary", "no_maximum", "not_finite"), 0), **counts}
    lines = [(*head, name, "", "", count / 100, 0.01, None, 100, failed) for name, count in shares.items()]
    return pd.DataFrame(lines, columns=COLUMNS)


def test_failures_are_counted_by_status():
    found = failures(pd.concat([ended({"no_maximum": 2, "boundary": 1}), ended({}, n=20)]))
    assert [name for name, _ in found.statuses] == ["boundary", "no maximum"]
    [cell] = found.cells
    assert (cell.n, cell.failed, cell.share, cell.counts) == ("10", "3", "3 % ± 2 %", ("1", "2"))
    assert found.sentence.startswith("3 of 200 maximisations failed (1.5 %), in 1 of 2 cells.")


def test_worst_cells_come_first_and_are_few():
    found = failures(pd.concat([ended({"boundary": 1 + n % 7}, n) for n in range(1, 31)]))
    assert len(found.cells) == 30
    highest = sorted((1 + n % 7 for n in range(1, 31)), reverse=True)[:SHOWN]
    assert [int(cell.failed) for cell in found.worst] == highest


def test_both_treatments_of_the_boundary_stand_side_by_side():
    lines = [
        ("study", "s", "family", 10, measure, estimator, "shape", "", value, 0.01, 0.0, 100, 30)
        for measure, values in {"bias": (0.1, 0.3), "mse": (0.5, 0.9), "rmse": (0.7,)}.items()
        for estimator, value in zip(("raw", "with-boundary"), values, strict=False)
    ]
    found = treatments(pd.DataFrame(lines, columns=COLUMNS))
    assert [(line.measure, line.dropped, line.kept) for line in found] == [
        ("Bias", "0.10 ± 0.02", "0.30 ± 0.02"),
        ("Mean squared error", "0.50 ± 0.02", "0.90 ± 0.02"),
    ]
    assert treatments(made(1, (10,)).summary) == ()


def test_glance_has_both_ends():
    line = glance(made(2, (10, 20, 1000)).summary, "made")
    assert line.sizes == ("10", "1,000")
    assert all("±" in text for text in (*line.information, *line.covariance))
    assert all(text.endswith("%") for text in line.coverage)


def test_glance_has_the_coverage_of_single_parameters_alone():
    summary = made(1, (10,)).summary
    own = summary[(summary["measure"] == "coverage")].iloc[[0]]
    together = own.assign(row="", estimator="score", value=0.5)
    assert glance(pd.concat([summary, together]), "made") == glance(summary, "made")


def test_glance_of_one_size_and_of_nothing():
    assert glance(made(1, (10,)).summary, "made").sizes == ("10",)
    dead = glance(made(1, (10, 20), dead=(10, 20)).summary, "made")
    assert dead.information == dead.coverage == ("–", "–")
    assert dead.failed == "600"


def test_errors_of_rounding_are_called_exact():
    summary = made(1, (10,)).summary
    error = summary["measure"] == "information_error"
    exact = summary.assign(value=summary["value"].mask(error, 1e-15), mcse=summary["mcse"].mask(error, 1e-16))
    assert glance(exact, "made").information == ("exact",)
