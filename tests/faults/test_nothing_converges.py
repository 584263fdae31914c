"""Studies of which no replicate can be used, of one observation, and of constant samples."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins import BASE, family

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = (
    BASE
    + family("hopeless", "def log_density(self, x, theta):\n    return np.full(x.shape, np.nan) * theta[0]")
    + family("constant", "def sample(self, rng, theta, size):\n    return np.full(size, 2.0)")
)
CONFIG = """study: s
seed: 1
replicates: 20
sample_sizes: [1, 3000]
scenarios:
  - {name: bad, family: hopeless, parameters: {scale: 2}}
  - {name: same, family: constant, parameters: {scale: 2}}
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The folder and the process of such a study, run with warnings as errors."""
    folder = tmp_path_factory.mktemp("nothing")
    (folder / "mine.py").write_text(FAMILIES)
    (folder / "s.yaml").write_text(CONFIG)
    words = [sys.executable, "-W", "error", "-m", "simstudy", "run", "s.yaml", "--plugin", "mine.py", "--jobs", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return folder, subprocess.run(words, cwd=folder, env=environment, text=True, capture_output=True, check=False)


def test_it_ends_in_order_and_says_so(ended):
    folder, done = ended
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    lines = done.stdout.splitlines()
    assert lines[1:3] == [
        (
            "failures: 40 of 80 replicates did not converge; most in bad, n = 1: 100.0%; "
            "to list them: simstudy failures results/s --plugin mine.py"
        ),
        "no usable replicate in bad, n = 1 and 1 more cell",
    ]
    assert {path.name for path in (folder / "results/s/pages").iterdir()} == {"bad.html", "same.html"}


def test_rates_have_errors_and_estimates_are_missing(ended):
    with (ended[0] / "results/s/summary.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["scenario"] == "bad" and row["n"] != "0"]
    assert {row["failed"] for row in rows} == {"20"}
    failed = [row for row in rows if (row["measure"], row["estimator"]) == ("failure_rate", "not_finite")]
    assert [float(row["value"]) for row in failed] == [1.0, 1.0]
    assert all(0.0 < float(row["mcse"]) < 0.1 for row in failed)
    assert {row["value"] for row in rows if row["measure"] in ("bias", "coverage", "empirical_se")} == {""}


def test_the_report_says_so_and_prints_no_nan(ended):
    results = ended[0] / "results/s"
    front = (results / "report.html").read_text()
    assert "no usable replicate" in front[front.index('id="failures"') : front.index('id="glance"')]
    for path in (results / "report.html", results / "pages/bad.html", results / "pages/same.html"):
        page = path.read_text()
        assert not any(f">{text}<" in page for text in ("nan", "NaN", "inf", "None"))
