"""Names and paths that would lead elsewhere, given to the real program: refused, and nothing is written anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simstudy.errors import ConfigError
from simstudy.study import config

ROOT = Path(__file__).parents[2]
HEAD = "study: {}\nseed: 1\nreplicates: 20\nsample_sizes: [10]\nscenarios:\n"
SCENARIO = "  - {{family: gamma, parameters: {{shape: 2, scale: 1}}, name: {}}}\n"

BAD = (
    *("", " ", ".", "..", "../x", "../../etc/passwd", "/", "/tmp/x", "//x", "a/b", "a/../../x", "~", "~/x"),
    *("\\", "a\\b", "..\\x", "C:\\x", "C:x", "\\\\server\\share", "a\0b", "a\nb", "a\r", "\t", "\x1b[31m", "\x7f"),
    *("-rf", "--help", "-", ".hidden", "a.", "a..", "a ", " a", "x" * 101, "x" * 300, "é" * 150, "研" * 100),
    *("CON", "con", "nul.txt", "NUL", "aux.", "prn.tar.gz", "COM1", "com9.x", "lpt1", "COM0", "LPT¹", "COM²", "CONIN$"),
    *("é", "e\u0301", "\u0301", "a\u200b", "\u202ea", "\ufeffa", "\u2028", "Ａ", "ﬁ", "*", "?", "a:b", "a|b", "<b>"),
    *('"', "'", "`x`", "$(x)", "$x$", "%PATH%", "a;b", "a&b", "=1+1", "+1", "@x", "#", "!", "{x}", "[x]", "a\u00a0b"),
)


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return all that is in a folder, with what each file holds."""
    found = (path for path in sorted(folder.rglob("*")) if "__pycache__" not in path.parts)
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in found
    }


class World:
    """A folder with a home, a folder for temporary files, and one to work in, from which results could escape."""

    def __init__(self, root: Path) -> None:
        self.root, self.work = root, root / "outer" / "work"
        for folder in (self.work / "results", root / "home", root / "tmp"):
            folder.mkdir(parents=True)

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        places = {"HOME": str(self.root / "home"), "TMPDIR": str(self.root / "tmp"), "PYTHONPATH": str(ROOT)}
        cache = {"MPLCONFIGDIR": str(self.root / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, "-m", "simstudy", *arguments],
            cwd=self.work,
            env={**os.environ, **places, **cache},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def untouched(world: World) -> Iterator[World]:
    """A world that must be afterwards what it was, but for the config in it."""
    before = tree(world.root)
    yield world
    after = tree(world.root)
    assert {name: what for name, what in after.items() if not name.endswith(("x.yaml", "x.py"))} == before


def assert_one_line(done: subprocess.CompletedProcess[str], code: int = 2) -> None:
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (code, "")
    assert line.startswith("error: ")
    assert line.isprintable()


def test_bad_names_of_scenarios_each_have_their_line_and_nothing_is_written(untouched: World) -> None:
    rows = [SCENARIO.format(json.dumps(name)) for name in BAD]
    (untouched.work / "x.yaml").write_text(HEAD.format("s") + "".join(rows), encoding="utf-8")
    done = untouched.call("run", "x.yaml", "--results", "results")
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    expected = [f"error: x.yaml:{6 + number}: scenarios[{number}].name" for number in range(len(BAD))]
    assert [line[: len(start)] for line, start in zip(lines, expected, strict=True)] == expected
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_name_of_a_study_is_refused(name: str) -> None:
    text = HEAD.format(json.dumps(name)) + SCENARIO.format("a")
    with pytest.raises(ConfigError) as raised:
        config.loads(text, "x.yaml")
    (fault,) = raised.value.faults
    assert fault.startswith("x.yaml:1: study: ")
    assert fault.isprintable()


@pytest.mark.parametrize("name", ["../x", "/tmp/simstudy-x", "a\0b"])
def test_a_bad_name_of_a_study_writes_nothing(untouched: World, name: str) -> None:
    (untouched.work / "x.yaml").write_text(HEAD.format(json.dumps(name)) + SCENARIO.format("a"))
    assert_one_line(untouched.call("run", "x.yaml", "--results", "results"))


def test_names_that_one_file_system_takes_for_the_same_are_refused(untouched: World) -> None:
    (untouched.work / "x.yaml").write_text(HEAD.format("s") + SCENARIO.format("Case") + SCENARIO.format("cASE"))
    done = untouched.call("run", "x.yaml", "--results", "results")
    assert_one_line(done)
    assert "x.yaml:7: scenarios[1].name: the name cASE is also that of scenarios[0], but for case" in done.stderr


@pytest.mark.parametrize("path", ["", "a\nb", "\x1b[31m", os.fsdecode(b"caf\xe9")])
def test_an_odd_folder_of_results_is_refused_in_one_line(untouched: World, path: str) -> None:
    (untouched.work / "x.yaml").write_text(HEAD.format("s") + SCENARIO.format("a"))
    assert_one_line(untouched.call("run", "x.yaml", "--results", path))


def test_a_folder_of_results_whose_name_is_too_long(untouched: World) -> None:
    (untouched.work / "x.yaml").write_text(HEAD.format("s") + SCENARIO.format("a"))
    assert_one_line(untouched.call("run", "x.yaml", "--results", "x" * 5_000), 5)


@pytest.mark.parametrize("path", ["", "../none.py", "-rf", "a\nb.py", "/dev/zero"])
def test_an_odd_path_of_a_plugin_is_refused_in_one_line(untouched: World, path: str) -> None:
    (untouched.work / "x.yaml").write_text(HEAD.format("s") + SCENARIO.format("a"))
    assert_one_line(untouched.call("check", "x.yaml", "--plugin", path))


PLUGIN = """
from simstudy.families import FAMILIES
from simstudy.parameters import POSITIVE, Parameter

class Evil(type(FAMILIES["exponential"])):
    name = {name!r}
    parameters = (Parameter({parameter!r}, POSITIVE, (0.5, 2.0)),)
"""


@pytest.mark.parametrize(("name", "parameter"), [("../../x", "rate"), ("evil", "\x1b[31m")])
def test_names_of_a_plugin_are_refused_as_well(untouched: World, name: str, parameter: str) -> None:
    (untouched.work / "x.py").write_text(PLUGIN.format(name=name, parameter=parameter))
    scenario = f"  - {{family: {json.dumps(name)}, parameters: {{{json.dumps(parameter)}: [1, 2]}}}}\n"
    (untouched.work / "x.yaml").write_text(HEAD.format("s") + scenario)
    done = untouched.call("run", "x.yaml", "--plugin", "x.py", "--results", "results")
    assert done.returncode == 2
    assert done.stderr
    assert all(line.startswith("error: ") and line.isprintable() for line in done.stderr.splitlines())


@pytest.mark.slow
def test_the_longest_names_stay_in_the_folder_of_results(world: World) -> None:
    """Also a folder that could be taken for an option is written to, and nothing beside it."""
    study, scenario = "s" * 100, "n" * 100
    (world.work / "x.yaml").write_text(HEAD.format(study) + SCENARIO.format(scenario))
    before = tree(world.root / "outer") | tree(world.root / "home")
    done = world.call("run", "x.yaml", "--results=-rf", "--jobs", "1", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in (world.work / "-rf").iterdir()] == [study]
    after = tree(world.root / "outer") | tree(world.root / "home")
    assert {name: what for name, what in after.items() if not name.startswith("work/-rf")} == before
    assert (world.work / "-rf" / study / "blocks" / scenario).is_dir()
