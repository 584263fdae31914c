"""Every config of the project loads, explains itself, and is valid by the committed JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from simstudy.study import config
from simstudy.study.scenario import Scenario

FOLDER = Path(__file__).parent.parent / "configs"
SCHEMA = FOLDER / "simstudy.schema.json"
CONFIGS = sorted(FOLDER.glob("*.yaml"))


def test_all_are_there() -> None:
    expected = {"quickstart", "normal", "skewed", "heavy_tails", "orthogonality", "counts"}
    assert expected <= {path.stem for path in CONFIGS}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_loads_to_a_study_of_its_own_name(path: Path) -> None:
    assert config.load(path).name == path.stem.replace("_", "-")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_names_its_schema_and_says_what_question_it_answers(path: Path) -> None:
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    assert first == f"# yaml-language-server: $schema={SCHEMA.name}"
    comment = rest[: next(k for k, line in enumerate(rest) if not line.startswith("#"))]
    assert 2 <= len(comment) <= 4
    assert any("?" in line for line in comment)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_is_valid_by_the_schema(path: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_schema_is_current() -> None:
    text = json.dumps(config.json_schema(), indent=2, ensure_ascii=False) + "\n"
    command = f"simstudy schema > configs/{SCHEMA.name}"
    assert SCHEMA.read_text(encoding="utf-8") == text, f"the table of families has changed; run `{command}`"


def test_orthogonality_is_one_law_in_three_parametrisations() -> None:
    cells = {cell.name: dict(zip(cell.names, cell.values, strict=True)) for cell in _cells("orthogonality")}
    assert set(cells) == {"shape-scale", "shape-rate", "shape-mean"}
    shape, scale = cells["shape-scale"].values()
    assert cells["shape-rate"] == {"shape": shape, "rate": pytest.approx(1 / scale, rel=1e-15)}
    assert cells["shape-mean"] == {"shape": shape, "mean": shape * scale}


def test_normal_has_sd_known_and_unknown() -> None:
    assert {cell.known for cell in _cells("normal")} == {("sd",), ()}


def _cells(name: str) -> tuple[Scenario, ...]:
    return config.load(FOLDER / f"{name}.yaml").scenarios
