"""Plug-in files for the tests, and the command line called in this process."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from simstudy.cli import app
from simstudy.cli_process import guarded
from simstudy.families import REGISTRY

IMPORTS = """
import numpy as np
from simstudy.families.base import Family
from simstudy.families.sample_space import POSITIVE_NUMBERS
from simstudy.parameters import POSITIVE, Parameter

"""
BASE = (
    IMPORTS
    + '''
class _Rayleigh(Family):
    """What the families below share."""

    parameters = (Parameter("scale", POSITIVE, (0.2, 5.0)),)
    sample_space = POSITIVE_NUMBERS

    def log_density(self, x, theta):
        return np.log(x) - 2.0 * np.log(theta[0]) - 0.5 * (x / theta[0]) ** 2

    def sample(self, rng, theta, size):
        return rng.rayleigh(theta[0], size)

    def start(self, x):
        return (np.sqrt((x * x).mean(axis=-1) / 2.0),)

'''
)
OWN = (
    BASE
    + '''
class Own(_Rayleigh):
    """A family that is no other's."""

    name = "own"
    formula = "log p(x) = log x − 2 log scale − x²/(2 scale²)"
'''
)


def family(name: str, *members: str) -> str:
    """Return the text of a class of that name, a copy of the Rayleigh family but for some members."""
    title = name.title().replace("_", "")
    body = "\n".join(f"    {line}" for member in members for line in member.splitlines())
    return f"\nclass {title}(_Rayleigh):\n    name = {name!r}\n{body}\n"


def study(*families: str, replicates: int = 40) -> str:
    """Return a config with one small scenario of each family."""
    scenarios = "".join(f"  - {{name: {name}, family: {name}, parameters: {{scale: 2}}}}\n" for name in families)
    return f"study: s\nseed: 1\nreplicates: {replicates}\nsample_sizes: [3000]\nscenarios:\n{scenarios}"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the plug-ins of a test end with it, and installed packages be looked for anew."""
    for attribute, empty in (("_plugins", {}), ("_sources", {}), ("_waiting", []), ("_looked", False)):
        monkeypatch.setattr(REGISTRY, attribute, empty)


@pytest.fixture
def here(registry: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> int:
    """Run the command line in this process, signals and all, and return its exit code."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return guarded(lambda: app(arguments, prog_name="simstudy"), arguments)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
