"""The list of failed replicates and unfinished tasks: whole, in order, with commands that can be pasted."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import simstudy
from simstudy.errors import UnusableResultsError
from simstudy.families.status import Status
from simstudy.results import Results
from simstudy.running.backends import engine
from simstudy.running.complete import complete
from simstudy.running.execute import UnfinishedTasksError
from simstudy.running.progress import Silent
from simstudy.study.config import loads
from tests import plugins
from tests.plugins import call, here, registry

__all__ = ["here", "registry"]

ROOT = Path(__file__).parents[1]
CONFIG = """
study: some
seed: 3
replicates: 40
sample_sizes: [8, 12]
scenarios:
  - {name: sep, family: logistic_regression, parameters: {intercept: 0, slope1: 4}}
  - {name: sound, family: normal, parameters: {mean: 0, sd: 1}}
  - {name: zeros, family: poisson, parameters: {mean: 0.1}}
"""


def run(folder, study):
    folder.mkdir(parents=True, exist_ok=True)
    complete(folder, study, engine(1), "simstudy run", Silent())
    return folder


def program(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "simstudy", *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder whose name has to be quoted, and results there with failures in two scenarios."""
    home = tmp_path_factory.mktemp("finished")
    run(home / "my results/some", loads(CONFIG))
    return home


def expected(folder):
    """All rows that did not converge, as the results say."""
    results = Results(folder)
    return [
        (cell.name, cell.n, replicate, status)
        for cell in results.study.scenarios
        for replicate, status in enumerate(results.replicates(cell.name, cell.n)["status"])
        if status != "CONVERGED"
    ]


def test_exactly_the_rows_that_did_not_converge(finished):
    found = simstudy.failures(finished / "my results/some")
    assert list(found.columns) == ["scenario", "n", "replicate", "status", "message", "command"]
    rows = list(found[["scenario", "n", "replicate", "status"]].itertuples(index=False, name=None))
    assert rows == expected(finished / "my results/some")
    assert {row[0] for row in rows} == {"sep", "zeros"}
    assert all(found["message"] == [Status[status].sentence for status in found["status"]])


def test_the_command_line_lists_them_and_its_commands_work(finished):
    done = program(finished, "failures", "my results/some", "--limit", 0)
    rows = expected(finished / "my results/some")
    assert (done.returncode, done.stderr) == (0, "")
    head, *counts = done.stdout.split("\n\n")[0].splitlines()
    assert head == f"{len(rows)} of 240 replicates did not converge"
    assert (
        f"  zeros, n = 8: {sum(row[:2] == ('zeros', 8) for row in rows)} of 40 BOUNDARY: the likelihood is "
        in counts[2]
    )
    listed = done.stdout.split("\n\n")[1].splitlines()
    assert listed[::2] == [f"{name}, n = {n}, replicate {r}: {status}" for name, n, r, status in rows]
    words = shlex.split(listed[1])
    assert words[:3] == ["simstudy", "replay", "my results/some"]
    replayed = program(finished, *words[1:])
    assert replayed.returncode == 0, replayed.stderr
    assert f"replicate {rows[0][2]}\n" in replayed.stdout
    assert f"status: {rows[0][3]}: {Status[rows[0][3]].sentence}" in replayed.stdout
    assert "equal to the stored row: yes, bit for bit" in replayed.stdout


def test_the_list_is_limited_and_may_be_of_one_cell(finished, capsys):
    folder = finished / "my results/some"
    rows = [row for row in expected(folder) if row[:2] == ("zeros", 12)]
    assert call("failures", str(folder), "--scenario", "zeros", "--n", "12", "--limit", "2") == 0
    printed = capsys.readouterr().out
    assert printed.count("simstudy replay") == 2
    assert printed.startswith(f"{len(rows)} of 40 replicates did not converge\n")
    assert printed.endswith(f"… and {len(rows) - 2:,} more; --limit 0 lists all\n")
    assert call("failures", str(folder), "--scenario", "zero") == 2
    assert capsys.readouterr().err.startswith(
        "error: scenario: the study has no 'zero'; did you mean 'zeros'?; it has "
    )


def test_a_study_without_failures_says_so(finished, capsys):
    assert call("failures", str(finished / "my results/some"), "--scenario", "sound") == 0
    assert capsys.readouterr().out == "0 of 80 replicates did not converge\n"


def test_a_damaged_file_is_told_beside_the_others(finished, tmp_path, capsys):
    folder = tmp_path / "some"
    shutil.copytree(finished / "my results/some", folder)
    (file,) = (folder / "blocks/sep/n=8").glob("*.npz")
    file.write_bytes(file.read_bytes()[:1000])
    assert call("failures", str(folder), "--limit", "1") == 5
    out, err = capsys.readouterr()
    assert "  sep, n = 8: 0 of 40 replicates are stored and readable" in out
    assert "simstudy replay" in out
    assert err.startswith(f"error: {file}: damaged: ")
    with pytest.raises(UnusableResultsError, match="damaged"):
        simstudy.failures(folder)


def test_a_study_that_is_unfinished(finished, tmp_path, capsys):
    folder = tmp_path / "some"
    shutil.copytree(finished / "my results/some", folder)
    shutil.rmtree(folder / "blocks/zeros/n=8")
    assert call("failures", str(folder), "--scenario", "zeros") == 0
    assert "  zeros, n = 8: 0 of 40 replicates are stored and readable" in capsys.readouterr().out
    assert len(simstudy.failures(folder)) == len(
        [row for row in expected(finished / "my results/some") if row[:2] != ("zeros", 8)]
    )


SLIP = """
def log_density(self, x, theta):
    if (x.max(axis=-1) > 9.2).any():
        raise ArithmeticError("too far")
    return super().log_density(x, theta)
"""


def test_tasks_that_raised_are_listed_with_the_plug_in(here, capsys):
    Path("own.py").write_text(plugins.BASE + plugins.family("touchy", SLIP) + plugins.family("plain"))
    simstudy.load_plugin("own.py")
    study = loads(plugins.study("touchy", "plain").replace("[3000]", "[20]"))
    with pytest.raises(UnfinishedTasksError):
        run(here / "s", study)
    assert call("failures", "s", "--plugin", "own.py") == 0
    printed = capsys.readouterr().out
    assert "1 tasks could not be done; run the study again to try them once more\n" in printed
    assert re.search(
        r"^touchy, n = 20, replicates 0-3275.*: raised: own.py:\d+: ArithmeticError: too far$", printed, re.M
    )
    assert re.search(r"^  simstudy replay s --scenario touchy --n 20 --replicate \d+ --plugin own.py$", printed, re.M)
    (row,) = simstudy.failures("s").itertuples()
    assert (row.scenario, row.n, row.status) == ("touchy", 20, "raised")
    assert re.fullmatch(r"replicates 0-3275: own.py:\d+: ArithmeticError: too far", row.message)
    manifest = Path("s/manifest.json")
    content = json.loads(manifest.read_text())
    del content["sha256"]
    content["unfinished"][0]["kind"] = 3
    manifest.write_text(json.dumps(content))
    assert call("failures", "s", "--plugin", "own.py") == 0
    assert (
        capsys.readouterr().err
        == f"{manifest}: unfinished, entry 1: damaged: its keys or their values are not those of a task\n"
    )


def test_bad_arguments_are_one_line_of_the_program(finished):
    cell = ["--scenario", "sep", "--n", 8]
    for arguments, said in (
        (["replay", "my results/some", *cell, "--replicate", -2], "replicate: replicates are counted from 0, got -2: "),
        (
            ["replay", "my results/some", "--scenario", "seb", "--replicate", 0],
            "scenario: the study has no 'seb'; did you",
        ),
        (["replay", "my results", *cell, "--replicate", 0], "my results: no manifest.json in it; "),
        (["failures", "my results/some", "--n", 9], "n: the study has no sample size 9; it has 8, 12"),
    ):
        done = program(finished, *arguments)
        assert (done.returncode, done.stdout) == (5 if "manifest" in said else 2, "")
        assert done.stderr.startswith(f"error: {said}")
        assert done.stderr.count("\n") == 1


def test_a_smaller_number_of_replicates_shortens_the_list(finished, tmp_path):
    folder = tmp_path / "some"
    shutil.copytree(finished / "my results/some", folder)
    study = loads(CONFIG)
    run(folder, replace(study, scenarios=tuple(replace(cell, replicates=10) for cell in study.scenarios)))
    rows = [row for row in expected(finished / "my results/some") if row[2] < 10]
    assert len(simstudy.failures(folder)) == len(rows)
