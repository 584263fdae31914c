"""The justification of R, from the numbers of a summary."""

from dataclasses import replace

import pandas as pd
import pytest

from simstudy.report.precision import reached, sentence
from simstudy.study.scenario import Scenario, Stop, Study, Target
from tests.figures.made import COLUMNS

CELL = Scenario("s", "gamma", ("shape", "scale"), (2.0, 1.0), "gamma", (), 10, 400, 0.95)
STUDY = Study("study", 1, (CELL, replace(CELL, n=20)))


def summary(n, *lines, replicates=400, failed=0):
    rates = ("failure_rate", "wilson", "", "", failed / replicates, 0.001)
    head = ("study", "s", "gamma", n)
    rows = [(*head, *line, None, replicates, failed) for line in (rates, *lines)]
    return pd.DataFrame(rows, columns=COLUMNS)


def cell(n, bias, **options):
    return summary(
        n,
        ("bias", "raw", "shape", "", 0.0, bias),
        ("bias", "control-variate", "shape", "", 0.0, bias / 10),
        ("empirical_se", "raw", "shape", "", 2.0, 0.1),
        ("scaled_covariance", "raw", "shape", "shape", -4.0, 0.2),
        ("scaled_covariance", "raw", "shape", "scale", 0.0, 9.0),
        ("mean_observed_information", "raw", "shape", "shape", 0.5, 0.01),
        ("coverage", "wald-observed", "shape", "", 0.9, bias / 4),
        **options,
    )


def test_the_worst_over_sizes_and_parameters_in_their_units():
    [line] = reached(STUDY, pd.concat([cell(10, 0.04), cell(20, 0.02, failed=20)]))
    assert line.replicates == "380 – 400"
    assert line.bias == ("2", "0.2")
    assert line.covariance == ("5", "–")
    assert line.information == ("2", "–")
    assert line.coverage == "1"
    assert (line.targets, line.verdict) == ("", "")


@pytest.mark.parametrize(
    ("precise", "verdict"),
    [
        ((True, True), "reached at every n"),
        ((False, True), "capped at n = 10"),
        ((False, False), "capped at every n"),
    ],
)
def test_targets_and_the_cap(precise, verdict):
    target = (Target("coverage", 0.002, False), Target("bias", 0.01, True))
    cells = zip(STUDY.scenarios, precise, strict=True)
    cells = tuple(replace(each, precision=target, stop=Stop(400, enough)) for each, enough in cells)
    table = pd.concat([cell(n, 0.04) for n in (10, 20)])
    [line] = reached(replace(STUDY, scenarios=cells), table)
    assert (line.targets, line.verdict) == ("coverage 0.002, bias 1%", verdict)


def test_the_sentence_by_coverage():
    told = sentence(STUDY, pd.concat([cell(10, 0.04), cell(20, 0.02, failed=20)]))
    assert told == (
        "With 380 replicates in the cell with the fewest that converged, the MCSE of coverage is at most 1 percentage "
        "points; at a coverage of 95 % it is √(0.95 · 0.05 / 380) = 1.1 percentage points."
    )
    assert "With 400 replicates in every cell" in sentence(STUDY, pd.concat([cell(10, 0.04), cell(20, 0.02)]))


def test_nothing_is_claimed_without_coverage():
    assert sentence(STUDY, summary(10)) == ""
    assert sentence(STUDY, summary(10, failed=400)) == ""
    [line] = reached(STUDY, summary(10))
    assert line.bias == ("–", "–")
