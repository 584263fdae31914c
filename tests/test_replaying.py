"""Replicates redrawn and refitted: the same bits as stored, the data as CSV, and the iterations of the optimiser."""

from __future__ import annotations

import csv
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import simstudy
from simstudy.analysis.precision import precise
from simstudy.cli_replay import lines
from simstudy.errors import ConfigError, FamilyError
from simstudy.families import FAMILIES
from simstudy.families.normal_mixture import FLOOR
from simstudy.families.status import Status
from simstudy.inference import mle
from simstudy.numerics import trace
from simstudy.redrawn import chosen, column_names
from simstudy.replaying import replay
from simstudy.running import manifest, redraw
from simstudy.running.backends import engine
from simstudy.running.block import simulate
from simstudy.running.complete import complete
from simstudy.running.execute import UnfinishedTasksError
from simstudy.running.lock import locked
from simstudy.running.plan import missing_tasks
from simstudy.running.progress import Silent
from simstudy.running.record import encode, record_identity
from simstudy.running.store import Store
from simstudy.study.config import loads
from simstudy.study.scenario import Study
from simstudy.study.streams import block_size
from tests import plugins
from tests.plugins import call, here, registry

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from benchmarks.cases import CASES

__all__ = ["here", "registry"]

N, LAST = 400, 199
VARIOUS = """
study: various
seed: 7
replicates: 40
sample_sizes: [60]
scenarios:
  - {name: censored, family: weibull, parameters: {shape: 2, scale: 1}, censoring: {time: 1.2}}
  - {name: censored-gamma, family: gamma, parameters: {shape: 2, scale: 1}, censoring: {time: 3}}
  - {name: known, family: gamma, parameters: {shape: 2, mean: 3}, known: [shape]}
  - name: intervals
    family: gamma
    parameters: {shape: 2, rate: 3}
    intervals: [wald-observed, score, likelihood-ratio]
  - {name: wrong, family: student_t, parameters: {loc: 0, scale: 1, df: 5}, fit: normal}
  - name: regression
    family: linear_regression
    parameters: {intercept: 0, slope1: 1, slope2: -1, sd: 1}
    covariates: [{family: normal, parameters: {mean: 0, sd: 1}}, {family: bernoulli, parameters: {prob: 0.5}}]
  - {name: separated, family: logistic_regression, parameters: {intercept: 0, slope1: 4}, sample_sizes: [12]}
  - {name: vectors, family: dirichlet, parameters: {alpha1: 2, alpha2: 3, alpha3: 4}}
  - {name: alone, family: gumbel, parameters: {loc: 0, scale: 1}, sample_sizes: [70000], replicates: 2}
"""
STOPPED = """
study: stopped
seed: 7
replicates: 60000
sample_sizes: [60]
scenarios:
  - {name: precise, family: exponential, parameters: {rate: 1}, precision: {coverage: 0.02}}
"""


def run(folder, study):
    """Simulate what is missing of a study, without a report."""
    folder.mkdir(parents=True, exist_ok=True)
    complete(folder, study, engine(1), "simstudy run", Silent(), precise)
    return folder


def stored(folder, study):
    """Simulate a study without the probes of a run, which would take most of the time."""
    manifest.write(folder, manifest.make(study, "simstudy run", []))
    for cell in study.scenarios:
        for task in missing_tasks(cell, {}):
            Store(folder, study.seed).write(task, simulate(cell, study.seed, task.first_block, task.last_block))
    return folder


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """Results of all families."""
    study = Study("every", 5, tuple(replace(case.scenario(N), replicates=LAST + 1) for case in CASES.values()))
    return stored(tmp_path_factory.mktemp("every"), study)


@pytest.fixture(scope="module")
def various(tmp_path_factory):
    """Results of scenarios of every kind."""
    return stored(tmp_path_factory.mktemp("various"), loads(VARIOUS))


def check(found):
    """What holds of every replay of a stored row."""
    assert found.equal is True, (found.differing, found.notes)
    assert not found.notes
    names, last = list(found.fit.names), found.trace.iloc[-1]
    assert last["solver"] == mle.ESTIMATE
    theta = last[names].to_numpy(dtype=float)
    assert theta.tobytes() == found.fit.theta.tobytes() == found.record.theta.tobytes()
    assert_array_equal(last["log_likelihood"], found.record.value[0])
    assert last["iteration"] == found.record.iterations[0]
    check_ascent(found)


def check_ascent(found):
    """The general optimiser goes up, but for steps whose gain drowns in the rounding of the mean log-likelihood."""
    for _, course in of_solver(found, "Levenberg–Newton"):
        values = course["log_likelihood"].to_numpy()
        slack = 1e-10 * (found.scenario.n + np.abs(values[:-1]))
        assert (values[1:] >= values[:-1] - slack).all()
    for _, course in of_solver(found, "Levenberg–Newton in the family's coordinates"):
        assert rises(course["objective"].to_numpy())
    for _, course in of_solver(found, "EM on data made coarse"):
        scales = np.sort(course[["coarse sd1", "coarse sd2"]].to_numpy(), axis=-1)
        if (scales[:, 0] > 1.001 * FLOOR * scales[:, 1]).all():  # on the floor an iteration may lose a little
            assert rises(course["objective"].to_numpy())


def of_solver(found, name):
    return found.trace[found.trace["solver"] == name].groupby("start")


def rises(values):
    return bool((values[1:] >= values[:-1] - 1e-12 * (1.0 + np.abs(values[:-1]))).all())


# ---- equality ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_a_replay_is_the_stored_row_bit_for_bit(every, family):
    for replicate in (0, block_size(N), LAST):
        found = replay(every, family, N, replicate)
        check(found)
        solvers = set(found.trace["solver"]) - {mle.ESTIMATE}
        assert solvers or found.fit.iterations == 0
        assert found.fit.log_likelihood == found.stored.value[0]
        assert list(lines(found))[-1].startswith("equal to the stored row: yes, bit for bit (theta, ")


@pytest.mark.parametrize(
    "name", ["censored", "censored-gamma", "known", "intervals", "wrong", "regression", "separated", "vectors", "alone"]
)
def test_scenarios_of_every_kind(various, name):
    for replicate in (0, 1):
        check(replay(various, name, replicate=replicate))


def test_intervals_are_those_of_the_results(various):
    found, table = replay(various, "intervals", 60, 5), simstudy.Results(various).replicates("intervals", 60)
    assert found.stored.intervals.shape == (1, 8)
    for method in found.scenario.intervals:
        for ends, side in zip(found.fit.interval(method, found.scenario.level), ("lower", "upper"), strict=True):
            assert_allclose(ends, [table[f"{side}[{method},{name}]"][5] for name in found.fit.names], rtol=1e-12)


def test_a_study_that_stopped_at_its_precision(tmp_path):
    folder = run(tmp_path, loads(STOPPED))
    reached = simstudy.Results(folder).study.cell("precise", 60)
    assert reached.stop.precise
    check(replay(folder, "precise", 60, reached.replicates - 1))
    beyond = replay(folder, "precise", 60, reached.replicates + 10**7)
    assert (beyond.equal, beyond.stored) == (None, None)
    assert beyond.notes == (f"no stored row: the study has {reached.replicates:,} replicates",)


def test_replicates_before_and_after_a_study_has_grown(tmp_path):
    text = VARIOUS[: VARIOUS.index("  - {name: censored-gamma")]
    run(tmp_path, loads(text))
    early, later = (replay(tmp_path, replicate=r) for r in (7, 1500))
    check(early)
    assert later.equal is None
    run(tmp_path, loads(text.replace("replicates: 40", "replicates: 2000")))
    again, stored = (replay(tmp_path, replicate=r) for r in (7, 1500))
    check(again)
    check(stored)
    assert redraw.differing(early.record, again.record) == redraw.differing(later.record, stored.record) == ()
    assert early.data.tobytes() == again.data.tobytes()


def test_a_row_of_the_last_block_beyond_the_study_is_stored_all_the_same(various):
    found = replay(various, "known", 60, 41)
    assert found.equal is True
    assert found.notes == ("stored with its block, but beyond the 40 replicates of the study",)


STATUSES = """
def solve(self, likelihood, known):
    from simstudy.families.solution import solution
    kind = (likelihood.x[:, 0] * 1000.0).astype(int) % 6
    right = np.sqrt((likelihood.x ** 2).mean(axis=-1) / 2.0)
    theta = np.where(kind == 3, 0.9 * right, right)  # no zero of the score, whatever it says
    return solution((theta,), likelihood, np.where(kind == 3, 0, kind), 0)
"""


def test_every_status(here):
    Path("own.py").write_text(plugins.BASE + plugins.family("moody", STATUSES))
    simstudy.load_plugin("own.py")
    folder = run(here / "s", loads(plugins.study("moody", replicates=42)))
    status = simstudy.Results(folder).records(simstudy.Results(folder).study.cell("moody", 3000)).status
    assert set(status) == set(Status)
    for each in Status:
        found = replay(folder, replicate=int(np.flatnonzero(status == each)[-1]))
        check(found)
        assert found.fit.status is each
        assert f"status: {each.name}: {each.sentence}" in list(lines(found))


def test_what_differs_is_named(various, tmp_path, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(various, folder)
    results = simstudy.Results(folder)
    store, cell = Store(folder, 7), results.study.cell("known", 60)
    ((first, last),) = store.stored(cell).items()
    whole = store.read_blocks(cell, first, last)
    theta, value = whole.theta.copy(), whole.value.copy()
    theta[3], value[3] = np.nextafter(theta[3], 9.0), 1.0
    forged = replace(whole, theta=theta, value=value)
    store.path(cell, first, last).write_bytes(encode(forged, record_identity(cell, 7, first, last)))
    found = replay(folder, "known", 60, 3)
    assert (found.equal, found.differing) == (False, ("theta", "value"))
    assert replay(folder, "known", 60, 4).equal is True
    assert call("replay", str(folder), "--scenario", "known", "--replicate", "3") == 3
    printed = capsys.readouterr().out
    assert "equal to the stored row: no, these fields differ: theta, value" in printed
    assert "the same bit for bit: information, information_limit, score_limit" in printed
    assert "value: stored 1.0, redrawn " in printed


# ---- trouble -----------------------------------------------------------------------------------------------------


def test_a_damaged_file_is_told_and_the_data_are_redrawn(various, tmp_path, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(various, folder)
    (file,) = (folder / "blocks/wrong/n=60").glob("*.npz")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert call("replay", str(folder), "--scenario", "wrong", "--replicate", "3") == 0
    printed = capsys.readouterr().out
    assert f"the stored row cannot be read: {file}: damaged: " in printed
    assert "equal to the stored row: unknown" in printed
    found, sound = (replay(each, "wrong", 60, 3) for each in (folder, various))
    assert found.equal is None
    assert redraw.differing(found.record, sound.record) == ()


def test_a_folder_in_use_is_read_all_the_same(various):
    before = {path: path.stat().st_mtime_ns for path in various.rglob("*") if path.is_file()}
    with locked(various):
        check(replay(various, "known", 60, 2))
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scenario", "knwon"], "scenario: the study has no 'knwon'; did you mean 'known'?; it has censored, "),
        ([], "scenario: the study has 9: give one of censored, "),
        (["--scenario", "known", "--n", "61"], "n: scenario 'known' has no sample size 61; it has 60"),
        (["--n", "61"], "n: the study has no sample size 61; it has 60, 12, 70000"),
        (["--scenario", "known", "--replicate", "-1"], "replicate: replicates are counted from 0, got -1: "),
    ],
)
def test_bad_arguments_are_one_line(various, capsys, options, said):
    rest = [] if "--replicate" in options else ["--replicate", "1"]
    assert call("replay", str(various), *options, *rest) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {said}")
    assert err.count("\n") == 1


def test_a_sample_size_that_is_missing_is_asked_for(every):
    study = simstudy.Results(every).study
    two = replace(study, scenarios=(study.scenarios[0], replace(study.scenarios[0], n=9)))
    with pytest.raises(ConfigError, match=r"^n: the scenario has 2 sample sizes: give one of 400, 9$"):
        chosen(two, None, None)
    assert chosen(two, None, 9) is two.scenarios[1]


TOUCHY = """
def log_density(self, x, theta):
    if (x.max(axis=-1) > 9.2).any():
        raise ArithmeticError("too far")
    return super().log_density(x, theta)
"""


def test_an_exception_of_a_plug_in_is_one_line_and_the_data_are_written(here, capsys, monkeypatch):
    Path("own.py").write_text(plugins.BASE + plugins.family("touchy", TOUCHY))
    simstudy.load_plugin("own.py")
    text = plugins.study("touchy").replace("[3000]", "[20]")
    with pytest.raises(UnfinishedTasksError, match="too far"):
        run(here / "s", loads(text))
    arguments = ["replay", "s", "--plugin", "own.py", "--replicate", "1646"]
    assert call(*arguments, "--csv", "x.csv") == 3
    out, err = capsys.readouterr()
    assert out == "data: x.csv\n"
    line = plugins.BASE.count("\n") + 7
    said = f"error: scenario 'touchy', n = 20, replicate 1646: own.py:{line}: ArithmeticError: too far\n"
    assert err == said
    assert max(map(float, Path("x.csv").read_text().splitlines()[1:])) > 9.2
    monkeypatch.setenv("SIMSTUDY_TRACEBACK", "1")
    assert call(*arguments) == 3
    assert "Traceback" in capsys.readouterr().err
    with pytest.raises(FamilyError, match="too far"):
        replay("s", replicate=1646)
    sound = replay("s", replicate=1645)  # of the same block
    assert sound.equal is None
    assert sound.notes[0].startswith(
        "its block cannot be fitted as a whole, so that no row of it can be stored: own.py:"
    )
    assert sound.fit.status is Status.CONVERGED


# ---- data as CSV -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("known", ["x"]),
        ("censored", ["time", "seen"]),
        ("regression", ["y", "x1", "x2"]),
        ("vectors", ["x1", "x2", "x3"]),
        ("wrong", ["x"]),
    ],
)
def test_the_data_read_back_are_the_same_bits(various, tmp_path, capsys, name, header):
    path = tmp_path / "data.csv"
    path.write_text("something else")
    assert call("replay", str(various), "--scenario", name, "--replicate", "9", "--csv", str(path)) == 0
    with path.open(newline="") as file:
        first, *rows = csv.reader(file)
    data = replay(various, name, replicate=9).data
    assert first == header
    assert np.array(rows, dtype=float).tobytes() == np.atleast_2d(data.T).T.astype(float).tobytes()
    assert [file.name for file in tmp_path.iterdir()] == ["data.csv"]
    assert capsys.readouterr().out.startswith(f"data: {path}\n")


def test_counts_are_written_as_integers(every, tmp_path):
    found = replay(every, "poisson", N, 3)
    found.write_csv(tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text().split() == ["x", *map(str, found.data.tolist())]
    assert found.data.dtype == np.int64


def test_a_file_that_cannot_be_written_is_told(every, tmp_path, capsys):
    path = tmp_path / "no" / "x.csv"
    assert call("replay", str(every), "--scenario", "poisson", "--replicate", "3", "--csv", str(path)) == 5
    assert capsys.readouterr().err.startswith(f"error: {path}: cannot be written: ")


def test_columns_are_named_as_the_family_has_them():
    assert column_names(FAMILIES["multivariate_normal"], True)[:2] == ("x1", "x2")
    assert column_names(FAMILIES["normal"], False) == ("x",)


# ---- iterations --------------------------------------------------------------------------------------------------


def test_nothing_is_noted_where_nobody_listens():
    assert trace.begin("solver") is None
    with trace.recording() as runs:
        assert trace.begin("solver") is runs[0]
    assert trace.begin("solver") is None


def test_numbers_do_not_depend_on_who_listens():
    x = np.random.default_rng(1).gamma(2.0, size=(3, 50))
    silent = simstudy.fit("kumaraswamy", x / (x + 1.0))
    with trace.recording() as runs:
        watched = simstudy.fit("kumaraswamy", x / (x + 1.0))
    assert silent.theta.tobytes() == watched.theta.tobytes()
    assert [run.solver for run in runs] == ["Newton on the profile", "estimate"]
    assert len(runs[0].courses) == 3


def test_a_profile_solver_ends_where_the_estimate_is(every):
    """Newton's method converges quadratically: what the last decrement says of the distance to the estimate."""
    for family, name in (("gamma", "shape"), ("weibull", "shape"), ("kumaraswamy", "alpha"), ("von_mises", "kappa")):
        table = replay(every, family, N, 1).trace
        solver, estimate = table.iloc[:-1], table.iloc[-1]
        coordinate = name if name in solver else "concentration"
        assert solver["decrement"].is_monotonic_decreasing
        assert_allclose(solver[coordinate].iloc[-1], estimate[coordinate], rtol=1e-3)
        values = table["log_likelihood"].to_numpy()
        assert (np.diff(values) >= -1e-12 * np.abs(values[1:])).all()


def test_a_closed_form_says_so(every, capsys):
    assert call("replay", str(every), "--scenario", "normal", "--replicate", "3") == 0
    printed = capsys.readouterr().out
    assert "iterations of the optimiser: closed form" in printed
    assert "equal to the stored row: yes, bit for bit (theta, information, " in printed
    assert "status: CONVERGED: the score is zero at the estimate" in printed


def test_what_is_printed(various, capsys):
    assert call("replay", str(various), "--scenario", "separated", "--replicate", "0") == 0
    printed = capsys.readouterr().out
    found = replay(various, "separated", replicate=0)
    for said in (
        "scenario 'separated', n = 12, replicate 0",
        f"x1    12  {found.data[:, 1].min()!r}".replace("np.float64(", "").replace(")", ""),
        f"log-likelihood: {float(found.record.value[0])!r} at the estimate",
        "observed information per observation",
        "expected information per observation",
        "intervals at level 0.95:",
        "iterations of Newton, iteratively reweighted least squares:",
        f"iterations: {found.fit.iterations}",
    ):
        assert said in printed
