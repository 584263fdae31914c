"""What a run finds around it: no home, no terminal, odd clocks; it writes in its results folder alone."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins import OWN

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """study: s
seed: 1
replicates: 30
sample_sizes: [3000]
scenarios:
  - {family: own, parameters: {scale: 2}}
"""
CLOCK = """
import itertools, time
ticks = itertools.count(4e9, -1000.0)
time.time = lambda: next(ticks)
time.time_ns = lambda: int(1e9 * next(ticks))
"""


def simstudy(folder, *words, shell="", umask=-1, **environment):
    """Run the real program, in a shell where streams are to be redirected."""
    command = [sys.executable, "-m", "simstudy", *words]
    if shell:
        command = ["bash", "-c", f'"$@" {shell}', "bash", *command]
    paths = os.pathsep.join(filter(None, (str(ROOT), environment.pop("PYTHONPATH", ""))))
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths} | environment,
        text=True,
        errors="replace",
        capture_output=True,
        check=False,
        umask=umask,
    )


def tree(*folders):
    return sorted(str(path) for folder in folders for path in folder.rglob("*"))


def hashes(folder):
    """Return what all files hold but the manifest, which tells times."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a config and a plug-in that imports its neighbour."""
    folder = tmp_path_factory.mktemp("place")
    for name in ("home", "tmp", "config", "work"):
        (folder / name).mkdir()
    (folder / "config" / "neighbour.py").write_text("x = 1\n")
    beside = "import sys\nsys.path.insert(0, __file__.rpartition('/')[0])\nimport neighbour\n"
    (folder / "config" / "mine.py").write_text(beside + OWN)
    (folder / "config" / "s.yaml").write_text(CONFIG)
    return folder


def run(place, results, *words, **environment):
    arguments = ["run", "../config/s.yaml", "--plugin", "../config/mine.py", "--results", results, *words]
    return simstudy(place / "work", *arguments, **environment)


@pytest.fixture(scope="module")
def outside(place):
    return [place / name for name in ("home", "tmp", "config", "work")]


@pytest.fixture(scope="module")
def plain(place, outside):
    """Results of a run in a home of its own, which is as it was."""
    before = tree(*outside)
    home = {"HOME": str(place / "home"), "TMPDIR": str(place / "tmp"), "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": ""}
    done = run(place, "../results", "--jobs", "2", "--quiet", **home)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert tree(*outside) == before
    return place / "results" / "s"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("report", "--only", "coverage", "--format", "svg,pdf"), marks=pytest.mark.slow),
        ("export", "--to", "csv"),
        pytest.param(("compare",), marks=pytest.mark.slow),
    ],
)
def test_other_verbs_write_nothing_outside(place, outside, plain, words):
    before = tree(*outside)
    verb, *options = words
    folders = [str(plain)] * (2 if verb == "compare" else 1)
    done = simstudy(
        place / "work",
        verb,
        *folders,
        *options,
        "--plugin",
        "../config/mine.py",
        HOME=str(place / "home"),
        TMPDIR=str(place / "tmp"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(*outside) == before


def test_what_is_around_does_not_change_results(place, plain):
    """No home, no folder for temporary files, a clock that runs backwards, odd settings of drawing: the same bytes."""
    (place / "clock").mkdir()
    (place / "clock" / "sitecustomize.py").write_text(CLOCK)
    odd = {
        "HOME": "/dev/null",
        "TMPDIR": "/nowhere",
        "MPLCONFIGDIR": "/nowhere",
        "MPLBACKEND": "nonsense",
        "SOURCE_DATE_EPOCH": "abc",
        "LC_ALL": "C",
        "TZ": "nonsense",
        "PYTHONPATH": str(place / "clock"),
    }
    done = run(place, "../odd", "--jobs", "1", "--quiet", umask=0o077, **odd)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    made = place / "odd" / "s"
    common = hashes(made).keys() & hashes(plain).keys()
    assert {"summary.csv", "report.html"} < common
    assert {name: hashes(made)[name] for name in common} == {name: hashes(plain)[name] for name in common}
    assert {path.stat().st_mode & 0o077 for path in made.rglob("*")} == {0}


@pytest.mark.parametrize("shell", [">&-", "2>&-", "<&-", ">&- 2>&-", ">&- 2>&- <&-", "2>/dev/full", "| true"])
def test_streams_that_lead_nowhere(place, shell):
    done = simstudy(place / "config", "families", shell=shell)
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize("shell", [">/dev/full", ">/dev/full 2>/dev/full"])
def test_a_full_disk_behind_standard_output(place, shell):
    done = simstudy(place / "config", "families", shell=shell)
    assert done.returncode == 5
    assert re.fullmatch(r"|error: <stdout>: No space left on device\n", done.stderr)


@pytest.mark.parametrize(
    "settings",
    [
        {"NO_COLOR": "1"},
        {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"},
        {"TERM": "dumb", "COLUMNS": "20"},
        {"COLUMNS": "0"},
        {"COLUMNS": "abc", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:strict"},
    ],
)
@pytest.mark.parametrize("words", [("--help",), ("check", "none.yaml")])
def test_no_control_characters_without_a_terminal(place, settings, words):
    done = simstudy(place / "work", *words, **settings)
    assert done.returncode == (2 if "check" in words else 0)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]|Traceback", done.stdout + done.stderr)


def test_a_narrow_terminal(place):
    """Of 20 columns; what is wrong is told all the same."""
    leader, follower = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "20"}
    words = [sys.executable, "-m", "simstudy", "check", "none.yaml"]
    done = subprocess.run(words, cwd=place, env=environment, stdout=follower, stderr=follower, check=False)
    os.close(follower)
    said = os.read(leader, 10_000).decode()
    os.close(leader)
    assert done.returncode == 2
    assert said.startswith("error: none.yaml")
    assert "Traceback" not in said
