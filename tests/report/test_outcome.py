"""Failures and the line of each scenario."""

import pandas as pd

from simstudy.report.outcome import SHOWN, failures, glance
from simstudy.study.scenario import Study
from tests.figures.made import COLUMNS, made


def rates(failed):
    head = ("study", "s", "family")
    lines = [
        (*head, n, "failure_rate", "wilson", "", "", count / 100, 0.01, None, 100, count) for n, count in failed.items()
    ]
    return pd.DataFrame(lines, columns=COLUMNS)


def table(counts):
    status = [name for name, count in counts.items() for _ in range(count)]
    return pd.DataFrame({"status": status})


def test_only_cells_with_failures_are_read_and_counted():
    read = []

    def replicates(scenario, n):
        read.append((scenario, n))
        return table({"CONVERGED": 97, "NO_MAXIMUM": 2, "BOUNDARY": 1})

    found = failures(Study("s", 1, ()), rates({10: 3, 20: 0}), replicates)
    assert read == [("s", 10)]
    assert [name for name, _ in found.statuses] == ["boundary", "no maximum"]
    [cell] = found.cells
    assert (cell.n, cell.failed, cell.share, cell.counts) == ("10", "3", "3 % ± 2 %", ("1", "2"))
    assert found.sentence.startswith("3 of 200 maximisations failed (1.5 %), in 1 of 2 cells.")


def test_worst_cells_come_first_and_are_few():
    counts = {n: 1 + n % 7 for n in range(1, 31)}
    found = failures(Study("s", 1, ()), rates(counts), lambda s, n: table({"BOUNDARY": counts[n]}))
    assert len(found.cells) == 30
    assert [int(cell.failed) for cell in found.worst] == sorted(counts.values(), reverse=True)[:SHOWN]


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
