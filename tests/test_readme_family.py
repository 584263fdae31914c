"""A family added by following the README alone, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILE = "simstudy/families/loglogistic.py"


def snippet(mark: str) -> str:
    """Return the fenced block that stands under a mark."""
    (found,) = re.findall(rf"<!-- readme:{re.escape(mark)} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    return str(found)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder whose own simstudy comes first."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do what the README says, in a copy."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("simstudy", "tests/contract"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / FILE).write_text(snippet(FILE), encoding="utf-8")
    table = folder / "simstudy" / "families" / "__init__.py"
    text = after(table.read_text(encoding="utf-8"), r"^from simstudy\.families\.\w+ import .*\n", snippet("import"))
    table.write_text(after(text, r"^FAMILIES: .*\n", snippet("entry")), encoding="utf-8")
    return folder


def after(text: str, pattern: str, line: str) -> str:
    """Put a line after the first that fits a pattern."""
    found = re.search(pattern, text, re.MULTILINE)
    assert found
    return text[: found.end()] + line + text[found.end() :]


def test_family_is_one_file_of_at_most_forty_lines() -> None:
    assert len(snippet(FILE).splitlines()) <= 40


def test_family_is_listed(copy: Path) -> None:
    listed = run(copy, "-m", "simstudy", "families")
    assert listed.returncode == 0
    assert "loglogistic  shape, scale" in listed.stdout
    assert "shape" in run(copy, "-m", "simstudy", "families", "loglogistic").stdout


def test_family_runs_in_a_config(copy: Path) -> None:
    (copy / "study.yaml").write_text(
        "study: own\nseed: 1\nreplicates: 300\nsample_sizes: [25, 100]\n"
        "scenarios:\n  - family: loglogistic\n    parameters: {shape: 2.0, scale: 1.0}\n"
    )
    ended = run(copy, "-m", "simstudy", "run", "study.yaml", "--jobs", "1", "--quiet")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (copy / "results" / "own" / "report.html").is_file()


def test_family_keeps_the_laws(copy: Path) -> None:
    (words,) = re.findall(r"\.venv/bin/python (-m pytest .*)\n", README)
    checked = run(copy, *words.split(), "-p", "no:cacheprovider")
    assert checked.returncode == 0, checked.stdout
    assert re.search(r"\d+ passed", checked.stdout)
