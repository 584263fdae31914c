"""The fuzz of the config loader runs, is the same for the same seed, and finds and shrinks what is broken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PLANTED = """
import sys
sys.path.insert(0, "scripts")
import fuzz
from fuzzing.oracle import Oracle

class Planted(Oracle):
    def _check(self, text):
        super()._check(text)
        if "seed" in text and {wrong!r} in text:
            {action}

fuzz.Oracle = Planted
sys.argv[1:] = ["--seconds", "60", "--seed", "1"]
sys.exit(fuzz.main())
"""


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_it_searches_for_two_seconds_and_finds_nothing() -> None:
    done = call("scripts/fuzz.py", "--seconds", "2")
    assert (done.returncode, done.stderr) == (0, "")
    found = re.fullmatch(r"executions: ([\d,]+), texts kept: (\d+)\ncoverage: (\d+) of (\d+) blocks\n", done.stdout)
    assert found
    executions, kept, reached, blocks = (int(number.replace(",", "")) for number in found.groups())
    assert executions > kept > 20
    assert 0.5 * blocks < reached < blocks


def test_the_same_seed_searches_the_same() -> None:
    one, two = (call("scripts/fuzz.py", "--seconds", "60", "--executions", "80").stdout for _ in range(2))
    assert one.startswith("executions: 80,")
    assert one == two


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("raise KeyError(text)", "broken: KeyError at <string>:"),
        # Each time that it hangs takes two seconds.
        pytest.param("exec('while True: pass')", "broken: more than 2 s", marks=pytest.mark.slow),
    ],
)
def test_what_is_broken_is_found_and_made_as_small_as_can_be(action: str, said: str) -> None:
    done = call("-c", PLANTED.format(wrong="~", action=action))
    assert (done.returncode, done.stderr) == (1, "")
    assert said in done.stdout
    assert re.search(r"smallest failing text, \d+ characters: '", done.stdout)
    assert "seed" in done.stdout.splitlines()[-1]
