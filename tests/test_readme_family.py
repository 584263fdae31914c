"""A family added by following the README alone: a plug-in file, its study, and the commands for both."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = ("my_families.py", "study.yaml")


def snippet(mark: str) -> str:
    """Return the fenced block that stands under a mark."""
    (found,) = re.findall(rf"<!-- readme:{re.escape(mark)} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    return str(found)


def run(folder: Path, verb: str) -> subprocess.CompletedProcess[str]:
    """Give the command of the README that has this verb."""
    (line,) = (line for line in snippet("plugin-commands").splitlines() if line.startswith(f"simstudy {verb} "))
    return subprocess.run(
        [sys.executable, "-m", *line.partition("#")[0].split()],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write what the README shows."""
    made = tmp_path_factory.mktemp("own")
    for name in FILES:
        (made / name).write_text(snippet(name), encoding="utf-8")
    return made


def test_family_is_one_file_of_at_most_forty_lines() -> None:
    assert len(snippet("my_families.py").splitlines()) <= 40


def test_family_is_listed_last(folder: Path) -> None:
    listed = run(folder, "families")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.splitlines()[-1].split() == ["hyperbolic_secant", "loc,", "scale"]


def test_family_keeps_the_laws(folder: Path) -> None:
    checked = run(folder, "check-family")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert re.fullmatch(r"hyperbolic_secant: all \d\d laws hold", checked.stdout.splitlines()[-1])


def test_family_runs_in_a_config(folder: Path) -> None:
    ended = run(folder, "run")
    assert ended.returncode == 0, ended.stderr
    page = (folder / "results" / "own" / "report.html").read_text(encoding="utf-8")
    assert "simstudy run study.yaml --plugin my_families.py" in page
