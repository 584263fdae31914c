"""Plug-ins that return, raise or change what no family may, in runs of the real program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import simstudy
from tests.plugins import BASE, family

ROOT = Path(__file__).resolve().parents[2]
DENSITY = "def log_density(self, x, theta):\n    {}\n    return super().log_density(x, theta)"
SAMPLE = "def sample(self, rng, theta, size):\n    {}"
START = "def start(self, x):\n    {}"
RETURNED = "def log_density(self, x, theta):\n    found = super().log_density(x, theta)\n    return {}"
SOLVE = """def solve(self, likelihood, known):
    from simstudy.families.likelihood import Solution
    one = np.ones(likelihood.rows)
    return Solution([one], 256 * one.astype(int), one.astype(int))"""
KEEPS = """kept = None
def log_density(self, x, theta):
    if self.kept is None or self.kept.shape != x.shape:
        self.kept = np.log(x)
    return self.kept - 2 * np.log(theta[0]) - (x / theta[0]) ** 2 / 2"""

REFUSED = {
    "nothing": ("def log_density(self, x, theta):\n    pass", "log_density returned None, not real numbers of shape"),
    "float32": (RETURNED.format("found.astype(np.float32)"), "log_density returned float32 .* not numbers of double"),
    "objects": (RETURNED.format("found.astype(object)"), "log_density returned object of shape"),
    "masked": (RETURNED.format("np.ma.masked_less(found, -3)"), "log_density returned a masked array"),
    "one_row": (RETURNED.format("found[0]"), r"log_density returned float64 of shape \(2,\), not"),
    "no_sample": (SAMPLE.format("pass"), "sample returned None"),
    "own_random": (SAMPLE.format("return np.random.rayleigh(2.0, size)"), "sample returned something else at a second"),
    "complex_start": (START.format("return (np.full(len(x), 1j),)"), "start returned complex128"),
    "a_generator": ("def score(self, x, theta):\n    yield x", "score returned a value of type generator"),
    "exits": (SAMPLE.format("raise SystemExit(0)"), "SystemExit: 0"),
    "interrupts": (START.format("raise KeyboardInterrupt"), "KeyboardInterrupt:"),
    "own_exception": (START.format("raise type('Mine', (BaseException,), {})('a\\x1b[31m')"), r"Mine: a\\x1b\[31m"),
    "stops": (START.format("raise StopIteration"), "StopIteration:"),
    "long": (START.format("raise ValueError('y' * 10_000_000)"), "ValueError: y{488}…"),
    "mute": (
        START.format("raise type('M', (Exception,), {'__str__': lambda self: 1 / 0})"),
        "M: its message cannot be read",
    ),
    "recursive": (START.format("return self.start(x)"), "RecursionError: maximum recursion depth"),
    "property": ("@property\ndef faces(self):\n    raise SystemExit(0)", "SystemExit: 0"),
    "counts": (
        "calls = 0\ndef log_density(self, x, theta):\n    type(self).calls += 1\n    return x * self.calls * theta[0]",
        "log_density returned something else at a second call",
    ),
    "keeps": (KEEPS, "log_density returned something else at a second call"),
    "status": (
        SOLVE,
        "solve returned a status that there is not",
    ),
}
HARMLESS = {
    "prints": DENSITY.format("print('printed')"),
    "moves": DENSITY.format("import os; os.chdir('/')"),
    "deaf": DENSITY.format("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"),
    "closes": DENSITY.format("import sys; sys.stdout.close()"),
    "list_sample": SAMPLE.format("return rng.rayleigh(theta[0], size).tolist()"),
    "one_buffer": (
        "buffer = {}\ndef sample(self, rng, theta, size):\n    x = self.buffer.setdefault(size, np.empty(size))\n"
        "    x[...] = rng.rayleigh(theta[0], size)\n    return x"
    ),
}
FLAGGED = {
    "outside": (SAMPLE.format("return -rng.rayleigh(theta[0], size)"), "NOT_FINITE"),
    "infinite": (RETURNED.format("found + np.inf"), "NOT_FINITE"),
    "no_domain": (START.format("return (-np.ones(len(x)),)"), "NOT_FINITE"),
}
MEMBERS = {name: member for name, (member, _) in (REFUSED | FLAGGED).items()} | HARMLESS


def program(folder, *arguments):
    """Run the real program in a folder."""
    words = [sys.executable, "-m", "simstudy", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(words, cwd=folder, env=environment, text=True, capture_output=True, check=False)


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A folder with blocks of all these families, and the process that made them."""
    folder = tmp_path_factory.mktemp("harmful")
    (folder / "mine.py").write_text(BASE + family("own") + "".join(family(*item) for item in MEMBERS.items()))
    scenarios = "".join(f"  - {{name: {n}, family: {n}, parameters: {{scale: 2}}}}\n" for n in [*MEMBERS, "own"])
    config = f"study: s\nseed: 1\nreplicates: 8000\nsample_sizes: [2]\nscenarios:\n{scenarios}"
    (folder / "s.yaml").write_text(config)
    return folder, program(folder, "run", "s.yaml", "--plugin", "mine.py", "--jobs", "1", "--quiet")


@pytest.mark.slow
def test_each_is_refused_in_one_line_with_its_place(ended):
    done = ended[1]
    assert done.returncode == 3
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: scenario")]
    assert len(lines) == len(REFUSED)
    for name, (_, says) in REFUSED.items():
        (line,) = [line for line in lines if f"'{name}'" in line]
        assert re.match(rf"error: scenario '{name}', n = 2, replicates 0-8191: mine\.py:\d+: {says}", line), line


@pytest.mark.slow
def test_all_others_are_stored(ended):
    stored = {path.name for path in (ended[0] / "results/s/blocks").iterdir()}
    assert stored == {*HARMLESS, *FLAGGED, "own"}


@pytest.mark.slow
def test_what_is_stored_is_right_or_flagged(ended, monkeypatch):
    for attribute, empty in (("_plugins", {}), ("_sources", {}), ("_waiting", []), ("_looked", False)):
        monkeypatch.setattr(simstudy.families.REGISTRY, attribute, empty)
    simstudy.load_plugin(ended[0] / "mine.py")
    results = simstudy.Results(ended[0] / "results/s")
    own = results.replicates("own", 2)
    for name in HARMLESS:
        found = results.replicates(name, 2)
        assert (found["status"] == "CONVERGED").mean() > 0.99  # of two observations a few are hard
        assert abs(found["theta[scale]"].median() - own["theta[scale]"].median()) < 0.08  # more than 5 standard errors
    for name, (_, status) in FLAGGED.items():
        assert set(results.replicates(name, 2)["status"]) == {status}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt:"),
        ("class E(BaseException): pass\nraise E('a\\nb')", "E: a b"),
        ("raise ValueError('\\x1b[2J')", r"ValueError: \\x1b\[2J"),
    ],
)
def test_a_file_that_ends_the_process_is_refused(tmp_path, line, says):
    (tmp_path / "mine.py").write_text(line + "\n")
    done = program(tmp_path, "families", "--plugin", "mine.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"error: mine\.py:\d: {says}: mend the plug-in\n", done.stderr)


def test_what_a_file_changes_is_put_back(tmp_path):
    """Standard output has the program's own words, files lie where they were asked for."""
    changes = (
        "import os, sys, warnings, signal\nprint('{')\nos.chdir('/')\nos.umask(0o777)\nsys.setrecursionlimit(60)\n"
    )
    changes += "warnings.simplefilter('error')\nnp.seterr(all='raise')\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    (tmp_path / "mine.py").write_text(BASE + family("own") + changes)
    done = program(tmp_path, "schema", "--plugin", "mine.py")
    assert done.returncode == 0
    assert done.stdout.startswith('{\n  "')
    assert done.stderr == "{\n"
