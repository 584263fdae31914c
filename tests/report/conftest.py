"""Results as `simstudy.report.build` takes them, made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from simstudy.report import build
from simstudy.study.scenario import Scenario, Study
from tests.figures.made import LEVEL, Made, made

FAMILIES = {1: ("exponential", ("rate",)), 2: ("gamma", ("shape", "scale")), 3: ("unheard-of", ("a", "b", "c"))}
VERSIONS = {"simstudy": "0.1.0", "numpy": "2.0.0"}


@dataclass
class FakeResults:
    """What `simstudy.Results` offers to a report."""

    folder: Path
    study: Study
    parts: dict[str, Made]
    read: list[tuple[str, int]] = field(default_factory=list)

    @property
    def manifest(self) -> dict:
        command = f"simstudy run configs/{self.study.name}.yaml"
        return {"seed": self.study.seed, "versions": VERSIONS, "command": command}

    def summary(self) -> pd.DataFrame:
        return pd.concat([part.summary for part in self.parts.values()], ignore_index=True)

    def replicates(self, scenario: str, n: int, rows: range | None = None) -> pd.DataFrame:
        self.read.append((scenario, n))
        table = self.parts[scenario].replicates(scenario, n)
        return table if rows is None else table.iloc[rows.start : rows.stop]

    def paths(self, scenario: str) -> pd.DataFrame:
        return self.replicates(scenario, 0)


def fake_results(folder: Path, scenarios: dict[str, int], sizes=(10, 40), study="a-study", **options) -> FakeResults:
    """Return results of scenarios given as name → number of parameters."""
    cells, parts = [], {}
    for name, parameters in scenarios.items():
        family, names = FAMILIES[parameters]
        parts[name] = made(parameters, sizes, name, names, **options)
        value = (1.0,) * parameters
        cells += [Scenario(name, family, names, value, family, (), n, 300, LEVEL) for n in sizes]
    return FakeResults(folder, Study(study, 7, tuple(cells)), parts)


@pytest.fixture
def results_of(tmp_path) -> Callable[..., FakeResults]:
    """Return `fake_results` in a folder of the test's own."""
    return partial(fake_results, tmp_path)


@pytest.fixture(scope="package")
def built(tmp_path_factory) -> FakeResults:
    """Return results whose report is built, for tests that only look."""
    results = fake_results(tmp_path_factory.mktemp("built"), {"one": 1, "two": 2, "three": 3})
    build(results)
    return results
