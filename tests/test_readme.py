"""The README: its snippets run, its tables are those of the code, its links lead somewhere, its claims hold."""

from __future__ import annotations

import doctest
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import simstudy
from simstudy import errors
from simstudy.analysis.measures import MEASURES
from simstudy.analysis.summary import summarise
from simstudy.families import FAMILIES
from simstudy.families.status import Status
from simstudy.figures import FIGURES
from simstudy.running.block import draw, simulate
from simstudy.study import config
from simstudy.study.limits import limits
from simstudy.study.streams import block_size

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def snippets(mark: str) -> list[str]:
    """Return the fenced blocks that stand under a mark."""
    pattern = rf"<!-- readme:{re.escape(mark)} -->\n```\w*\n(.*?)```"
    return re.findall(pattern, README, re.DOTALL)


def between(name: str) -> str:
    """Return what stands between a pair of marks."""
    return README.split(f"<!-- {name}:begin -->\n")[1].split(f"\n<!-- {name}:end -->")[0]


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder whose own simstudy, if it has one, comes first."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Write the config of the README where a reader would have it."""
    path = tmp_path / "my-study.yaml"
    path.write_text(*snippets(path.name))
    return path


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert len(targets) >= 8
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_scripts_it_names_are_there() -> None:
    named = set(re.findall(r"scripts/[\w/]+\.\w+", README))
    assert named >= {"scripts/quickstart.sh", "scripts/test.sh", "scripts/benchmark.py"}
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_table_of_families_is_current() -> None:
    rows = ["| family | parameters | sample space | log-density |", "|---|---|---|---|"]
    for name, family in FAMILIES.items():
        named = "<br>".join(f"`{', '.join(parameter.name for parameter in form)}`" for form in family.forms)
        named += ", …" if family.numbered else ""
        formula = family.formula.replace("|", "\\|")
        rows.append(f"| `{name}` | {named} | {family.sample_space.name} | {formula} |")
    assert between("families") == "\n".join(rows)


def test_table_of_statuses_is_current() -> None:
    for status in Status:
        assert f"| `{status.name}` | {status.sentence} |" in README


def test_every_measure_and_every_figure_is_named() -> None:
    section = README.split("\n## Measures\n")[1].split("\n## ")[0]
    named = {measure.published or name for name, measure in MEASURES.items()} | {"rate"}
    assert [name for name in sorted(named) if f"`{name}`" not in section] == []
    shown = README.split("\n## What is shown\n")[1].split("\n## ")[0]
    assert [name for name in FIGURES if f"`{name}`" not in shown] == []


def test_every_config_is_named() -> None:
    table = README.split("| config | what it shows |")[1].split("\n\n")[0]
    assert [path.stem for path in (ROOT / "configs").glob("*.yaml") if f"`{path.stem}`" not in table] == []


def test_every_verb_is_named() -> None:
    names = [
        name
        for name in simstudy.__all__
        if not name.startswith("_") and name not in ("Results", "Status", "families", "family")
    ]
    assert [name for name in names if f"simstudy.{name}" not in README] == []


def test_plan_runs_as_shown(study: Path) -> None:
    [line] = snippets("plan")
    done = command(study.parent, "-m", *line.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert "weibull-scale-known" in done.stdout


def test_every_exit_code_is_explained() -> None:
    section = README.split("## Exit codes")[1].split("\n## ")[0]
    codes = {0, 3, 130, 143} | {
        kind.exit_code for kind in [errors.SimstudyError, *errors.SimstudyError.__subclasses__()]
    }
    assert {int(code) for row in re.findall(r"\n\| ([\d, ]+) \|", section) for code in row.split(",")} == codes


def test_config_is_valid(study: Path) -> None:
    checked = command(study.parent, "-m", "simstudy", "check", study.name)
    assert (checked.returncode, checked.stderr) == (0, "")
    loaded = config.load(study)
    assert loaded.names == ("gamma-shape=0.5", "gamma-shape=2", "weibull-scale-known")
    assert {cell.replicates for cell in loaded.scenarios if cell.known} == {40000}


def test_range_is_the_list_beside_it(study: Path) -> None:
    line = next(line for line in study.read_text().splitlines() if line.startswith("sample_sizes"))
    listed, other = line.removeprefix("sample_sizes: ").split("# or ")
    changed = study.with_name("changed.yaml")
    changed.write_text(study.read_text().replace(listed.strip(), other))
    assert config.load(changed) == config.load(study)


def test_faults_are_told_as_shown(study: Path) -> None:
    study.write_text(study.read_text().replace("10000 ", "ten ").replace("mean:", "men:"))
    checked = command(study.parent, "-m", "simstudy", "check", study.name)
    assert checked.returncode == 2
    assert [checked.stderr] == snippets("faults")


def test_python_runs_as_shown(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study.parent)
    test = doctest.DocTestParser().get_doctest("\n".join(snippets("python")), {}, "README.md", None, 0)
    assert len(test.examples) >= 8
    told: list[str] = []
    found = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=told.append)
    assert found.failed == 0, "".join(told)


def test_blocks_have_the_size_that_is_said() -> None:
    assert "B(n) = min(4096, max(1, ⌊65536/n⌋))" in README
    for n in (1, 15, 16, 17, 50, 1000, 65536, 65537, 10**7):
        assert block_size(n) == min(4096, max(1, 65536 // n))


def test_control_variates_gain_what_is_said() -> None:
    covariance, bias = map(int, re.findall(r"at least (\d+)", README.split("Why control variates")[1])[:2])
    cells = [cell for cell in config.load(ROOT / "configs" / "quickstart.yaml").scenarios if cell.n == 640]
    records = [(cell, simulate(cell, 20240611, 0, 39), limits(cell)) for cell in cells]
    summary = summarise("quickstart", records).set_index(["measure", "estimator"])["mcse"].groupby(level=[0, 1])
    errors_of = summary.apply(list)
    for measure, least in (("scaled_covariance", covariance), ("bias", bias)):
        pairs = zip(errors_of[measure]["raw"], errors_of[measure]["control-variate"], strict=True)
        assert min((raw / sharpened) ** 2 for raw, sharpened in pairs) >= least


def test_blocks_are_drawn_from_the_streams_that_are_said() -> None:
    assert "`[stream version, seed, family, parameter names, values, n, b]`" in README
    cell = config.load(ROOT / "configs" / "quickstart.yaml").cell("gamma", 640)
    text = json.dumps([1, 20240611, "gamma", ["shape", "scale"], [2.0, 1.0], 640, 5], separators=(",", ":"))
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    generator = np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(seed)))
    assert_array_equal(draw(cell, 20240611, 5), generator.gamma(2.0, 1.0, (65536 // 640, 640)))
