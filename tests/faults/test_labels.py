"""Texts of a user in reports, figures and tables: markup, mathematics, other scripts, formulas of spreadsheets."""

from __future__ import annotations

import csv
import os
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from simstudy.study.names import fault
from tests.plugins import BASE, family

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = (
    "</script></style><script>alert(1)</script><img src=x onerror=alert(2)> & ]]> \" ' javascript:alert(3) "
    "{{ 7*7 }} {% raise %} $x^2$ $\\frac$ _ \\ 漢字 עברית 😀 e\u0301 \u202e =1+1"
)
PLUGIN = "mine & <b onclick=x>'$x$.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of a plug-in whose every text is hostile, drawn with warnings as errors."""
    folder = tmp_path_factory.mktemp("labels")
    members = (f"formula = {HOSTILE!r}", f"def irregularity(self, theta):\n    return {HOSTILE!r}")
    documented = family("own", *members).replace(":\n", f":\n    {HOSTILE!r}\n", 1)
    (folder / PLUGIN).write_text(BASE + documented)
    (folder / "s.yaml").write_text(
        "study: _s=1+1\nseed: 1\nreplicates: 20\nsample_sizes: [3000]\n"
        "scenarios:\n  - {name: '_a=1+1,-1_', family: own, parameters: {scale: 2}}\n"
    )
    words = [sys.executable, "-W", "error", "-m", "simstudy", "run", "s.yaml", "--plugin", PLUGIN, "--jobs", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([*words, "--quiet"], cwd=folder, env=environment, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder / "results/_s=1+1"


class Inert(HTMLParser):
    """Collects what may run, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.active: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "form", "base", "foreignobject"}:
            self.active.append(tag)
        self.active += [name for name, _ in attrs if name.startswith("on")]
        self.active += [value for _, value in attrs if value and value.strip().lower().startswith("javascript:")]
        self.active += [value for name, value in attrs if tag == "img" and name == "src" and value == "x"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_page_is_inert_and_shows_the_text(folder):
    pages = [folder / "report.html", *(folder / "pages").iterdir()]
    assert len(pages) == 2
    for path in pages:
        parser = Inert()
        parser.feed(path.read_text())
        assert parser.active == []
        assert HOSTILE in parser.text


def test_the_command_is_told_as_it_was(folder):
    parser = Inert()
    parser.feed((folder / "report.html").read_text())
    assert f"simstudy run s.yaml --plugin {shlex.quote(PLUGIN)}" in parser.text


def test_cells_of_tables_are_no_formulas(folder):
    tables = [folder / "summary.csv", *(folder / "data").iterdir()]
    assert len(tables) > 5
    for path in tables:
        with path.open() as file:
            header, *lines = csv.reader(file)
        for line in lines:
            for name, cell in zip(header, line, strict=True):
                if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
                    assert name in {"value", "mcse", "limit"}
                    float(cell)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "<", "$", "'", '"', "漢", "א", "😀"])
def test_no_name_begins_a_formula_or_markup(start):
    assert fault(f"{start}1+1") is not None
