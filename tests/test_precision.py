"""Studies that stop at a wanted precision, run as a user does: the same bytes whatever the jobs, kills and restarts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import simstudy
from simstudy.analysis.summary import summarise_cell
from simstudy.running.stopping import stages
from simstudy.study.limits import limits

ROOT = Path(__file__).parents[1]
CONFIG = """
study: exact
seed: 11
replicates: 9000
sample_sizes: [40, 400, 4000]
precision: {coverage: 0.004, mean_observed_information: 0.4%}
scenarios:
  - {name: few, family: poisson, parameters: {mean: 0.05}}
"""
NOT_COMPARED = {"manifest.json", ".lock", ".lock-holder"}


def start(folder, jobs, config=CONFIG):
    (folder / "exact.yaml").write_text(config)
    return subprocess.Popen(
        [sys.executable, "-m", "simstudy", "run", "exact.yaml", "--jobs", str(jobs)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(folder, jobs, config=CONFIG):
    run = start(folder, jobs, config)
    stdout, stderr = run.communicate(timeout=120)
    assert run.returncode == 0, stderr
    return stdout, stderr


def made(folder):
    """All that a run makes but times and locks, and of the manifest what was reached."""
    reached = json.loads((folder / "results/exact/manifest.json").read_text())["reached"]
    return {"reached": reached, **_files(folder)}


def _files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in (folder / "results").rglob("*")
        if path.is_file() and path.name not in NOT_COMPARED
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, *finish(folder, 2)


def test_the_cap_is_told(undisturbed):
    folder, stdout, stderr = undisturbed
    said = "1 of 3 cells reached 9,000 replicates, the cap, before its precision: few, n = 40"
    assert stdout.splitlines()[-1] == said
    assert said in (folder / "results/exact/report.html").read_text()
    assert "at most" in stderr or "100%: " in stderr


def test_the_targets_are_met_and_were_not_at_the_checkpoint_before(undisturbed):
    """By the summary itself, whose every row of a measure a target speaks of."""
    results = simstudy.Results(undisturbed[0] / "results/exact")
    summary = results.summary()
    for cell in results.study.scenarios:
        assert set(summary.loc[(summary["scenario"] == cell.name) & (summary["n"] == cell.n), "replicates"]) == {
            cell.replicates
        }
    for n in (400, 4000):
        cell = results.study.cell("few", n)
        *_, before, last = [rows for rows in stages(cell.asked) if rows <= cell.replicates]
        assert last == cell.replicates < 9000
        record = results.records(cell)
        assert met(cell, record)
        assert not met(replace(cell, replicates=before), record.head(before))


def met(cell, record):
    """Whether both targets are met, from all rows of the summary: coverage by every method, information by control."""
    rows = summarise_cell(cell, record, limits(cell))
    information = limits(cell).hessian[0, 0]
    coverage = [row.mcse for row in rows if row.measure == "coverage" and row.row]
    mean = [
        row.mcse for row in rows if (row.measure, row.estimator) == ("mean_observed_information", "control-variate")
    ]
    assert len(coverage) == 3
    return max(coverage) <= 0.004 and max(mean) <= 0.004 * information


def test_a_killed_run_is_finished_by_the_next_with_other_jobs(tmp_path, undisturbed):
    kill_after(tmp_path, 2, files=1)
    finish(tmp_path, 1)
    assert made(tmp_path) == made(undisturbed[0])


@pytest.mark.slow
@pytest.mark.parametrize("files", range(2, 16, 2))
@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_after_any_number_of_files(tmp_path, undisturbed, files, jobs):
    kill_after(tmp_path, jobs, files)
    finish(tmp_path, 3 - jobs)
    assert made(tmp_path) == made(undisturbed[0])


def kill_after(folder, jobs, files):
    """Kill a run when it has written so many files, longer ones in the place of shorter ones among them."""
    seen: set[Path] = set()
    with start(folder, jobs) as run:
        deadline = time.monotonic() + 60
        while len(seen) < files:
            assert run.poll() is None
            assert time.monotonic() < deadline
            seen.update(folder.rglob("[0-9]*.npz"))
        run.kill()
        run.communicate()
