import dataclasses
import weakref

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from simstudy.analysis import summary
from simstudy.analysis.measures import MEASURES
from simstudy.errors import UnusableResultsError
from simstudy.families.status import Status
from simstudy.study import higher_order, models
from simstudy.study import limits as theory
from simstudy.study.higher_order import HigherOrder
from simstudy.study.limits import regular
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario

COLUMNS = [
    "study", "scenario", "family", "n", "measure", "estimator", "row", "column", "value", "mcse", "limit",
    "replicates", "failed",
]  # fmt: skip


@pytest.fixture
def cells(simulated):
    records = [
        simulated["normal"](1, 300, 10),
        simulated["exponential"](2, 200, 20),
        simulated["normal"](3, 300, 40),
    ]
    return [(r.scenario, r.replicates, r.limits) for r in records]


@pytest.fixture
def frame(cells):
    return summary.summarise("demo", cells)


def test_columns_and_their_types(frame):
    assert list(frame.columns) == COLUMNS
    assert all(frame[name].dtype == "int64" for name in ("n", "replicates", "failed"))
    assert all(frame[name].dtype == "float64" for name in ("value", "mcse", "limit"))
    assert set(frame["study"]) == {"demo"}
    assert not frame.duplicated(["scenario", "n", "measure", "estimator", "row", "column"]).any()


def test_rows_come_by_cell_measure_estimator_and_entry(frame):
    assert list(dict.fromkeys(zip(frame["scenario"], frame["n"], strict=True))) == [
        ("normal", 10), ("exponential", 20), ("normal", 40),
    ]  # fmt: skip
    cell = frame[(frame["scenario"] == "normal") & (frame["n"] == 10)]
    # a regular family has no rates of its own, and 300 replicates are too few for deciles
    absent = {"rate_covariance", "conditional_mse", "conditional_variance", "conditional_coverage"}
    published = [measure.published or name for name, measure in MEASURES.items() if name not in absent]
    assert list(dict.fromkeys(cell["measure"])) == list(dict.fromkeys(published))
    positive = frame[frame["scenario"] == "exponential"]
    assert "rejection_rate" not in set(positive["measure"])  # a rate cannot be 0
    covariance = cell[cell["measure"] == "scaled_covariance"]
    assert covariance[["estimator", "row", "column"]].to_numpy().tolist() == [
        [estimator, *entry]
        for estimator in ("raw", "control-variate")
        for entry in (("mean", "mean"), ("mean", "sd"), ("sd", "sd"))
    ]
    assert cell[cell["measure"] == "bias"]["row"].tolist() == ["mean", "sd"] * 3
    assert set(cell[cell["measure"].isin(["bias", "noise_floor"])]["column"]) == {""}
    assert set(cell[cell["measure"] == "noise_floor"]["row"]) == {""}


def test_limits_stand_beside_the_values(frame):
    cell = frame[(frame["scenario"] == "exponential")].set_index(["measure", "estimator"])
    assert cell.loc[("scaled_covariance", "raw"), "limit"] == 4.0
    assert cell.loc[("coverage", "wald-observed"), "limit"] == 0.95
    assert np.isnan(cell.loc[("noise_floor", "covariance-raw"), "limit"])


def test_known_parameters_leave_no_rows(simulated):
    record = simulated["exponential"](2, 200, 20)
    scenario = dataclasses.replace(
        record.scenario,
        family="gamma",
        fit="gamma",
        names=("shape", "rate"),
        values=(1.0, 2.0),
        known=("shape",),
    )
    found = summary.summarise("demo", [(scenario, record.replicates, record.limits)])
    assert set(found["row"]) == {"rate", ""}


def test_only_the_replicates_asked_for_count(simulated):
    record = simulated["exponential"](2, 200, 20)
    scenario = dataclasses.replace(record.scenario, replicates=150)
    found, expected = (
        summary.summarise("demo", [(scenario, rows, record.limits)])
        for rows in (record.replicates, record.replicates.head(150))
    )
    pd.testing.assert_frame_equal(found, expected)
    assert set(found["replicates"]) == {150}


def test_one_cell_is_in_memory_at_a_time(simulated):
    alive = []

    class Once:
        """Hands over each cell and forgets it, as a reader of files does."""

        def __init__(self):
            self.seed = -1

        def __iter__(self):
            return self

        def __next__(self):
            assert not any(reference() for reference in alive)
            self.seed += 1
            if self.seed == 3:
                raise StopIteration
            record = simulated["normal"](self.seed, 100, 10)
            alive.append(weakref.ref(record.replicates))
            return record.scenario, record.replicates, record.limits

    summary.summarise("demo", Once())
    assert len(alive) == 3


@pytest.mark.parametrize("converged", [0, 1])
def test_fewer_than_two_converged_replicates_leave_nothing_but_the_failure_rate(simulated, converged):
    record = simulated["normal"](1, 50, 10, fails=lambda sd: np.arange(50) >= converged)
    found = summary.summarise("demo", [(record.scenario, record.replicates, record.limits)])
    unconditional = ["failure_rate", "mean_score", "score_covariance", "second_bartlett", "third_bartlett"]
    conditional = found[~found["measure"].isin(unconditional)]
    assert conditional[["value", "mcse"]].isna().all(axis=None)
    rate = found[(found["measure"] == "failure_rate") & (found["estimator"] == "wilson")].iloc[0]
    assert rate["value"] == 1.0 - converged / 50
    assert rate["mcse"] > 0.0
    assert set(found["failed"]) == {50 - converged}


@pytest.mark.parametrize("replicates", [1, 2, 3])
def test_a_handful_of_replicates_is_summarised_without_warnings(simulated, replicates):
    record = simulated["normal"](1, replicates, 10)
    found = summary.summarise("demo", [(record.scenario, record.replicates, record.limits)])
    assert found[found["measure"] == "bias"]["value"].isna().all() == (replicates == 1)


def test_no_status_but_converged_counts(simulated):
    record = simulated["exponential"](2, 60, 20)
    status = np.arange(60, dtype=np.int8) % 6
    replicates = dataclasses.replace(record.replicates, status=status)
    found = summary.summarise("demo", [(record.scenario, replicates, record.limits)])
    assert set(found["failed"]) == {50}
    bias = found[(found["measure"] == "bias") & (found["estimator"] == "raw")]["value"].item()
    assert bias == pytest.approx(record.replicates.theta[status == Status.CONVERGED].mean() - 2.0)


def test_overflow_is_told_by_the_numbers_not_by_warnings(simulated):
    record = simulated["exponential"](2, 60, 20)
    huge = dataclasses.replace(record.replicates, theta=record.replicates.theta * 1e200)
    found = summary.summarise("demo", [(record.scenario, huge, record.limits)])
    assert not np.isfinite(found[found["measure"] == "mse"]["value"]).any()


def test_ten_parameters(monkeypatch):
    p, q, replicates, n = 10, 55, 2000, 100
    rng = np.random.default_rng(0)
    score = rng.standard_normal((replicates, p)) / np.sqrt(n)
    unit = np.eye(p)[np.triu_indices(p)]
    information = unit + 0.01 * rng.standard_normal((replicates, q))
    nothing = np.zeros(replicates)
    record = Replicates(
        score + score**2, information, information, score, information, information, nothing, nothing,
        nothing.astype(np.int8), nothing.astype(np.int16),
    )  # fmt: skip
    names = tuple("abcdefghij")
    scenario = Scenario("ten", "ten", names, (0.0,) * p, "ten", (), n, replicates, 0.95)
    monkeypatch.setattr(
        theory,
        "expected_information",
        lambda _, theta: np.broadcast_to(np.eye(p), (len(theta), p, p)),
    )
    monkeypatch.setattr(models, "null_values", lambda _: np.ones(p))
    nothing = HigherOrder(np.full(p, np.nan), np.full((p, p, p), np.nan))
    monkeypatch.setattr(higher_order, "higher_order", lambda _: nothing)
    found = summary.summarise("demo", [(scenario, record, regular(np.zeros(p), np.eye(p)))])
    bias = found[(found["measure"] == "bias") & (found["estimator"] == "control-variate")]
    assert bias["row"].tolist() == list(names)
    assert (abs(bias["value"] - 1 / n) <= 4.0 * bias["mcse"]).all()
    assert (found[found["measure"] == "scaled_covariance"].groupby("estimator").size() == q).all()
    relative = found["measure"] == "relative_bias"
    assert found[relative]["value"].isna().all()  # every θ* is 0
    # J is a control here, and the estimate a function of others: that saves all replicates
    exact = found["estimator"].isin(["bias", "mean_observed_information"]) & (found["measure"] == "replicates_saved")
    assert (found[exact]["value"] == np.inf).all()
    assert np.isfinite(found[~exact & ~relative][["value", "mcse"]]).all(axis=None)


def test_textbook_errors_are_a_choice_of_the_scenario(cells):
    scenario, replicates, limits = cells[1]
    chosen = dataclasses.replace(scenario, mcse="table6")
    frames = [summary.summarise("demo", [(each, replicates, limits)]) for each in (scenario, chosen)]
    influence, textbook = (f.set_index(["measure", "estimator", "row", "column"]) for f in frames)
    pd.testing.assert_series_equal(influence["value"], textbook["value"])
    p = textbook.loc[("coverage", "wald-observed", "rate", ""), "value"]
    assert textbook.loc[("coverage", "wald-observed", "rate", ""), "mcse"] == np.sqrt(p * (1 - p) / 200)
    changed = (influence["mcse"] != textbook["mcse"]) & influence["mcse"].notna()
    assert {name for name, *_ in changed[changed].index} == {
        "empirical_se", "relative_error_model_se", "coverage", "bias_eliminated_coverage",
    }  # fmt: skip


def test_intervals_are_those_of_the_scenario(cells):
    scenario, replicates, limits = cells[0]
    chosen = dataclasses.replace(scenario, intervals=("wald-expected",))
    found = summary.summarise("demo", [(chosen, replicates, limits)])
    for measure in ("coverage", "bias_eliminated_coverage", "interval_width", "rejection_rate"):
        assert set(found[(found["measure"] == measure) & (found["row"] != "")]["estimator"]) == {"wald-expected"}
    rejected = found[found["measure"] == "rejection_rate"].set_index("row")
    assert rejected.loc["mean", "value"] > 0.1
    assert np.isnan(rejected.loc["sd", "value"])  # a standard deviation cannot be 0


def test_a_file_reads_back_to_the_same_bits(frame, tmp_path):
    path = tmp_path / "summary.csv"
    summary.write(frame, path)
    back = summary.read(path)
    pd.testing.assert_frame_equal(back, frame, check_exact=True)
    for name in ("value", "mcse", "limit"):
        assert_array_equal(back[name].to_numpy().view("int64"), frame[name].to_numpy().view("int64"))


def test_bytes_are_the_same_every_time_and_plain(cells, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    for path in (first, second):
        summary.write(summary.summarise("demo", cells), path)
    content = first.read_bytes()
    assert content == second.read_bytes()
    assert content.startswith(",".join(COLUMNS).encode() + b"\n")
    assert b"\r" not in content
    assert content.endswith(b"\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.csv", "second.csv"]


def test_pandas_reads_the_file_too(frame, tmp_path):
    path = tmp_path / "summary.csv"
    summary.write(frame, path)
    found = pd.read_csv(path)
    # its default parser may be off by the last bit
    assert_allclose(found["value"], frame["value"], rtol=1e-15)
    assert_array_equal(found["limit"].isna(), frame["limit"].isna())


def test_names_with_separators_quotes_and_breaks_survive(frame, tmp_path):
    path = tmp_path / "summary.csv"
    odd = frame.assign(study='a, "b"\nc – θ')
    summary.write(odd, path)
    assert set(summary.read(path)["study"]) == {'a, "b"\nc – θ'}


def test_the_old_file_stays_where_the_new_one_cannot_be_written(frame, tmp_path):
    with pytest.raises(UnusableResultsError, match="cannot be written"):
        summary.write(frame, tmp_path / "absent" / "summary.csv")


HEADER = ",".join(COLUMNS).encode()


@pytest.mark.parametrize(
    "content",
    [b"", b"a,b\n1,2\n", b"\xff\xfe", HEADER + b"\ns,s,f,ten,m,e,,,1,1,1,1,1\n", HEADER + b"\ns,s,f\n"],
)
def test_what_is_not_a_summary_is_told_in_one_line(tmp_path, content):
    path = tmp_path / "summary.csv"
    path.write_bytes(content)
    with pytest.raises(UnusableResultsError, match=r"^.*summary\.csv: not a summary, .*write it again with .*$"):
        summary.read(path)


def test_a_missing_file_is_told_in_one_line(tmp_path):
    with pytest.raises(UnusableResultsError, match=r"summary\.csv: cannot be read: "):
        summary.read(tmp_path / "summary.csv")
