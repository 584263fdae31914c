"""Configs that are hostile or broken, given to the real program: one line per fault, quickly, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "simstudy"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

HEAD = "study: s\nseed: 1\nreplicates: 100\nsample_sizes: [10, 20]\nscenarios:\n"
GAMMA = "  - {family: gamma, parameters: {shape: 2, scale: 1}}\n"

FAULT = re.compile(r"error: x\.yaml:[1-9]\d*: \S.*")
SECONDS = 2.0
"""Of processor time; a refusal took 0.2 to 0.8 when this was written, the rest is room for a busy machine."""
MEGABYTES = 100


@dataclass(frozen=True)
class Done:
    """What became of a call: exit code, what it printed, processor time in seconds, and peak of memory in MB."""

    code: int
    out: str
    err: str
    seconds: float
    megabytes: float

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()


# In between, since the peak of a process begins at that of the process it is forked from.
MEASURE = """
import os, resource, signal, subprocess, sys
child = subprocess.Popen(sys.argv[2:], preexec_fn=lambda: signal.alarm(60))
_, status, used = os.wait4(child.pid, 0)
with open(sys.argv[1], "w") as file:
    print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss, file=file)
"""


def call(folder: Path, *arguments: str) -> Done:
    """Run the program, which is stopped if it hangs."""
    figures = folder.parent / f"{folder.name}.figures"
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(figures), *PROGRAM, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    code, seconds, peak = figures.read_text().split()
    megabytes = int(peak) / (1024**2 if sys.platform == "darwin" else 1024)
    return Done(int(code), done.stdout.decode(), done.stderr.decode(), float(seconds), megabytes)


def assert_refused(done: Done, pattern: str = "") -> None:
    """Check that a config was refused as it must be."""
    assert done.code == 2, done.err
    assert done.out == ""
    assert done.lines
    for line in done.lines:
        assert FAULT.fullmatch(line), line
        assert line.isprintable()
    assert re.search(pattern, done.err), done.err
    assert done.megabytes < MEGABYTES
    assert done.seconds < SECONDS


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder to work in, in which nothing but the config may stand afterwards."""
    work = tmp_path / "work"
    work.mkdir()
    yield work
    assert [path.name for path in work.iterdir()] == ["x.yaml"]


def bomb(levels: int) -> str:
    """Aliases of aliases, 10 to the power of so many values when expanded."""
    rows = (f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, levels))
    return "a0: &a0 [x, x]\n" + "".join(rows)


HOSTILE: dict[str, tuple[str | bytes, str]] = {
    "tab": ("study: s\nscenarios:\n\t- a\n", ":3: config: a tab where YAML wants spaces"),
    "NUL": (b"study: s\n\0\n", ":2: config: a NUL byte"),
    "UTF-8 mark": (b"\xef\xbb\xbf" + HEAD.encode(), ":1: config: the file begins with a byte order mark"),
    "UTF-16": (HEAD.encode("utf-16"), ":1: config: the file begins with a byte order mark"),
    "UTF-16 without a mark": (HEAD.encode("utf-16-le"), ":1: config: a NUL byte"),
    "UTF-32": (HEAD.encode("utf-32"), ":1: config: the file begins with a byte order mark"),
    "bad UTF-8": (b"study: s\nseed: \xff\xfe\n", ":2: config: byte 0xff is no UTF-8"),
    "surrogate": (b"study: s\nseed: \xed\xa0\x80\n", ":2: config: byte 0xed is no UTF-8"),
    "overlong": (b"study: \xc0\xaf\n", ":1: config: byte 0xc0 is no UTF-8"),
    "escape": ("study: \x1b[31m\n", r":1: config: the control character U\+001B"),
    "escaped escape": (HEAD.replace("study: s", '"\\e[31m": 1\nstudy: "\\e[2J\\a"') + GAMMA, r"\\x1b\[31m"),
    "escape in a covariate": (
        HEAD + "  - family: linear_regression\n    parameters: {intercept: 0, slope1: 1, sd: 1}\n"
        '    covariates: {family: normal, parameters: {"\\e[31m\\n\\u202e": 1}}\n',
        r":8: .*\\x1b\[31m",
    ),
    "turned": ("# \u202e\nstudy: s\n", r":1: config: the character that turns the direction of writing, U\+202E"),
    "line end of a comment": (f"# \u2028{HEAD}{GAMMA}", r":1: config: the line end, .* U\+2028"),
    "next line": (f"{HEAD}{GAMMA}# \x85", r":7: config: the line end, .* U\+0085"),
    "zero width": (HEAD.replace("seed", "se\u200bed") + GAMMA, r":2: se\\u200bed: unknown key; did you mean 'seed'"),
    "two documents": (HEAD + GAMMA + "---\n" + HEAD + GAMMA, ":7: config: a second document begins here"),
    "python tag": ("a: !!python/object/apply:os.system ['touch hacked']\n", ":1: a: the tag .*os.system"),
    "python name": ("a: !!python/name:os.system\n", ":1: a: the tag"),
    "binary": (HEAD.replace("study: s", "study: !!binary aGVsbG8=") + GAMMA, ":1: study: the tag"),
    "own tag": ("%TAG !e! tag:example.com,2000:\n---\na: !e!b 1\n", ":3: a: the tag 'tag:example.com,2000:b'"),
    "local tag": (HEAD.replace("seed: 1", "seed: !x 1") + GAMMA, ":2: seed: the tag '!x'"),
    "version": ("%YAML 9.9\n---\na: 1\n", ":1: config: not valid YAML"),
    "bomb": (bomb(9), ":1: a0: the anchor 'a0'"),
    "cycle": ("a: &a [*a]\nb: &b {c: *b}\n", ":2: b.c: the alias 'b'"),
    "merge": (HEAD + "  - &a {family: gamma, parameters: {shape: 2, scale: 1}}\n  - <<: *a\n", ":7: .*alias 'a'"),
    "anchors used again": ("a: &x 1\nb: &x 2\nc: *x\n", ":3: c: the alias 'x'"),
    "brackets": ("[" * 100_000, "nested deeper than 20 levels"),
    "pairs of brackets": ("[" * 100_000 + "]" * 100_000, "nested deeper than 20 levels"),
    "braces": ("{a: " * 60_000, "nested deeper than 20 levels"),
    "dashes": ("- " * 100_000 + "1", "nested deeper than 20 levels"),
    "questions": ("? " * 100_000 + "1", ":1: config: "),
    "steps": ("".join(f"{' ' * k}a:\n" for k in range(600)), "nested deeper than 20 levels"),
    "quote": ('"' * 100_001, ":1: config: not valid YAML"),
    "digits": (HEAD.replace("seed: 1", f"seed: {'9' * 5_000}") + GAMMA, ":2: seed: a number of 5,000 characters"),
    "hexadecimal digits": (HEAD.replace("seed: 1", f"seed: 0x{'f' * 5_000}") + GAMMA, ":2: seed: a number of 5,002"),
    "huge float": (HEAD.replace("seed: 1", "seed: 1e999999") + GAMMA, ":2: seed: must be a whole number"),
    "nan": (HEAD.replace("[10, 20]", "[.nan, .inf, -.inf]") + GAMMA, ":4: sample_sizes"),
    "sexagesimal": (HEAD.replace("100", "12:30:45") + GAMMA, ":3: replicates: .*the text '12:30:45'"),
    "underscores": (HEAD.replace("100", "1_000") + GAMMA, ":3: replicates: .*the text '1_000'"),
    "octal": (HEAD.replace("100", "0o0") + GAMMA, ":3: replicates: .*got 0"),
    "twice the same": (HEAD + GAMMA + "seed: 2\n", ":7: seed: the key is written twice, first on line 2"),
    "twice below": (HEAD + GAMMA.replace("shape: 2", "shape: 2, shape: 3"), ":6: .*shape: the key is written twice"),
    "list as a key": ("? [a, b]\n: 1\n", ":1: config: a key is a list"),
    "empty": ("", ":1: config: is empty"),
    "comments": ("# nothing\n# at all\n", ":1: config: is empty"),
    "directive alone": ("%YAML 1.2\n", "x.yaml:"),
    "nothing but null": ("~\n", ":1: config: is empty"),
    "a word": ("study\n", ":1: config: must be a mapping"),
    "many keys": ("".join(f"k{i}: 1\n" for i in range(1_000_000)), ":1: config: too large"),
    "keys within the limit": ("".join(f"k{i}: 1\n" for i in range(9_000)), ":1: k0: unknown key"),
    "long key": (f"{'k' * 200_000}: 1\n", "x.yaml:1"),
    "long scalar": (HEAD.replace("study: s", f"study: {'s' * 200_000}") + GAMMA, ":1: study: must have 1 to 100"),
    "one line": (b"#" * 50_000_000, r":1: config: too large, 50,000,000 bytes"),
}


# Each costs a start of the program; the others differ only in the text, which the tests of the parser vary as well.
FAST = {
    *("tab", "NUL", "UTF-16", "bad UTF-8", "escaped escape", "escape in a covariate", "line end of a comment"),
    *("two documents", "python tag", "bomb", "cycle", "brackets", "dashes", "digits", "twice below", "empty"),
    *("keys within the limit", "one line"),
}


@pytest.mark.parametrize(
    ("content", "pattern"),
    [pytest.param(*case, id=kind, marks=() if kind in FAST else pytest.mark.slow) for kind, case in HOSTILE.items()],
)
def test_hostile_text_is_refused_with_lines(folder: Path, content: str | bytes, pattern: str) -> None:
    (folder / "x.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert_refused(call(folder, "check", "x.yaml"), pattern)


def test_other_verbs_refuse_the_same_and_make_no_folder(folder: Path) -> None:
    (folder / "x.yaml").write_text(HEAD.replace("seed", "sede") + GAMMA + "---\n")
    for verb in ("run", "plan"):
        done = call(folder, verb, "x.yaml")
        assert_refused(done, ":2: sede: unknown key; did you mean 'seed'?")
        assert [line.split(": ")[1] for line in done.lines] == ["x.yaml:1", "x.yaml:2", "x.yaml:7"]


def test_what_is_no_yaml_is_refused_before_anything_heavy_is_imported(folder: Path) -> None:
    (folder / "x.yaml").write_text("study: [\n")
    code = (
        "import atexit, sys; from simstudy.cli import main; sys.argv[1:] = ['run', 'x.yaml'];"
        "atexit.register(lambda: print(*sys.modules)); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert set(done.stdout.split()).isdisjoint({"numpy", "scipy", "pandas", "joblib", "simstudy.families"})


WRONG = ("~", "[]", "{}", "true", "-1", "1.5", ".nan", "1e400", "''", "text", "[[1]]", "[~]", "{a: 1}", "[true]")
KEYS = ("study", "seed", "replicates", "sample_sizes", "level", "intervals", "mcse", "precision", "scenarios")
INNER = ("name", "family", "parameters", "fit", "known", "censoring", "covariates", "sample_sizes", "replicates")
ALLOWED = {("study", "text"), ("name", "text"), ("known", "[]"), ("known", "{}")}


def test_every_wrong_value_of_every_key_has_its_line_in_one_call(folder: Path) -> None:
    """One scenario for every pair of a key and a wrong value, each on a line of its own, all told at once."""
    pairs = [(key, value) for key in INNER for value in WRONG if (key, value) not in ALLOWED]
    for first in range(0, len(pairs), 60):  # a hundred faults are listed, and some values have two
        part = pairs[first : first + 60]
        rows = []
        for number, (key, value) in enumerate(part):
            good = {"name": f"n{number}", "family": "gamma", "parameters": "{shape: 2, scale: 1}"}
            rows.append("  - {" + ", ".join(f"{k}: {v}" for k, v in (good | {key: value}).items()) + "}\n")
        (folder / "x.yaml").write_text(HEAD + "".join(rows))
        done = call(folder, "check", "x.yaml")
        assert_refused(done)
        told = {int(line.split(":")[2]) for line in done.lines}
        assert not {pair for number, pair in enumerate(part) if number + 6 not in told}


@pytest.mark.parametrize("key", KEYS)
def test_a_wrong_value_at_the_top_is_refused(folder: Path, key: str) -> None:
    from simstudy.errors import ConfigError
    from simstudy.study import config

    for value in WRONG:
        lines = [line for line in HEAD.splitlines() if not line.startswith(f"{key}:")]
        text = "\n".join([f"{key}: {value}", *lines]) + "\n" + (GAMMA if key != "scenarios" else "")
        (folder / "x.yaml").write_text(text)
        if (key, value) in ALLOWED:
            continue
        with pytest.raises(ConfigError) as raised:
            config.loads(text, "x.yaml")
        assert any(fault.startswith(f"x.yaml:1: {key}") for fault in raised.value.faults), (key, value)
        assert all(re.match(r"x\.yaml:[1-9]\d*: ", fault) for fault in raised.value.faults)


# ---- files ----


def test_a_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with path.open("wb") as file:
        file.write(HEAD.encode())
        file.truncate(2**30)
    assert_refused(call(tmp_path, "check", "x.yaml"), ":1: config: too large, 1,073,741,824 bytes")


@pytest.mark.slow
def test_a_gigabyte_that_is_written_out_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "x.yaml").open("wb") as file:
        for _ in range(2**10):
            file.write(b"# comment\n" * 104_858)
    assert_refused(call(tmp_path, "check", "x.yaml"), ":1: config: too large")


def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "pipe.yaml")
    for path in ("/dev/zero", "pipe.yaml", "link.yaml", "."):
        done = call(tmp_path, "check", path)
        assert (done.code, done.lines) == (
            2,
            [f"error: {path}: config: not a regular file: give the path of a YAML file"],
        )
        assert done.megabytes < MEGABYTES
        assert done.seconds < SECONDS


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    for path in ("missing.yaml", "loop.yaml", "y" * 300 + ".yaml"):
        done = call(tmp_path, "check", path)
        assert done.code == 2
        assert len(done.lines) == 1
        assert done.err.startswith(f"error: {path}: config: the file cannot be read, ")
    assert call(tmp_path, "check", "z" * 5_000).code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(HEAD + GAMMA)
    (tmp_path / "x.yaml").chmod(0)
    done = call(tmp_path, "check", "x.yaml")
    assert (done.code, len(done.lines)) == (2, 1)
    assert "permission denied" in done.err


@pytest.mark.parametrize(("path", "said"), [("", "is empty"), ("a\nb", r"U\+000A"), ("\x1b[31m", r"U\+001B")])
def test_an_odd_path_of_a_config(tmp_path: Path, path: str, said: str) -> None:
    done = call(tmp_path, "check", path)
    assert (done.code, len(done.lines)) == (2, 1)
    assert done.err.rstrip("\n").isprintable()
    assert re.search(said, done.err)


def test_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes((HEAD + GAMMA).replace("\n", "\r\n").encode())
    assert call(tmp_path, "check", "x.yaml").code == 0
