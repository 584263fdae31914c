from __future__ import annotations

import json
from dataclasses import replace

import pytest

from simstudy.errors import ForeignResultsError, UnusableResultsError
from simstudy.running import manifest
from simstudy.study.config import loads
from simstudy.study.scenario import Covariate

STUDY = loads("""
study: s
seed: 1
replicates: 10
sample_sizes: [20, 50]
scenarios:
  - {name: a, family: normal, parameters: {mean: 0, sd: 1}}
  - {name: b, family: gamma, parameters: {shape: 2, mean: 3}}
""")
"""Two scenarios at two sample sizes."""
COVARIATES = (Covariate("gamma", ("shape", "scale"), (2.0, 0.5)),)


def altered(**changes):
    return replace(STUDY, scenarios=tuple(replace(cell, **changes) for cell in STUDY.scenarios))


@pytest.fixture
def folder(tmp_path):
    manifest.write(tmp_path, manifest.make(STUDY, "simstudy run s.yaml", []))
    return tmp_path


def test_round_trip(folder):
    found = manifest.read(folder)
    assert manifest.study_of(folder, found) == STUDY
    assert found["command"] == "simstudy run s.yaml"
    assert {"simstudy", "python", "numpy", "scipy", "pandas"} <= found["versions"].keys()


@pytest.mark.parametrize(
    "study",
    [
        STUDY,
        altered(replicates=99),
        altered(level=0.5),
        altered(intervals=("wald-opg", "wald-log")),
        replace(STUDY, scenarios=STUDY.scenarios[:1]),
        replace(STUDY, scenarios=STUDY.scenarios[::-1]),
        replace(STUDY, scenarios=(*STUDY.scenarios, replace(STUDY.scenarios[0], n=99))),
        replace(STUDY, scenarios=(*STUDY.scenarios, replace(STUDY.scenarios[0], name="c", values=(1.0, 1.0)))),
    ],
)
def test_extensions_and_cuts_are_the_same_study(folder, study):
    manifest.check_same(folder, manifest.read(folder), study)


@pytest.mark.parametrize(
    ("study", "lines"),
    [
        (replace(STUDY, seed=2), ["seed was 1, is now 2"]),
        (replace(STUDY, name="t"), ["study was s, is now t"]),
        (
            altered(known=("mean",)),
            ["scenario 'a', known was none, is now mean", "scenario 'b', known was none, is now mean"],
        ),
        (
            replace(STUDY, scenarios=(replace(STUDY.scenarios[0], values=(0.0, 2.0)),)),
            ["scenario 'a', parameter sd was 1.0, is now 2.0"],
        ),
        (
            replace(STUDY, scenarios=(replace(STUDY.scenarios[2], censoring=2.5),)),
            ["scenario 'b', censoring was absent, is now 2.5"],
        ),
        (
            replace(STUDY, scenarios=(replace(STUDY.scenarios[0], covariates=COVARIATES),)),
            ["scenario 'a', covariate 1 was absent, is now gamma(shape = 2, scale = 0.5)"],
        ),
        (
            replace(STUDY, scenarios=(replace(STUDY.scenarios[2], intervals=("wald-log", "score")),)),
            ["scenario 'b', intervals was absent, is now score at level 0.95, stored with the fits"],
        ),
        (
            replace(STUDY, scenarios=(replace(STUDY.scenarios[2], names=("shape", "rate")),)),
            [
                "scenario 'b', parameter mean was 3.0, is now absent",
                "scenario 'b', parameter rate was absent, is now 3.0",
            ],
        ),
    ],
)
def test_what_differs_is_told_line_by_line(folder, study, lines):
    with pytest.raises(ForeignResultsError) as caught:
        manifest.check_same(folder, manifest.read(folder), study)
    assert str(caught.value).splitlines() == [
        f"{folder}: made by another study: {line}; use another results folder or study name" for line in lines
    ]


def test_stored_intervals_are_those_of_their_level(tmp_path):
    stored = altered(intervals=("wald-observed", "score", "likelihood-ratio"))
    manifest.write(tmp_path, manifest.make(stored, "simstudy run s.yaml", []))
    found = manifest.read(tmp_path)
    manifest.check_same(tmp_path, found, altered(intervals=("score", "likelihood-ratio"), replicates=20))
    for changed in (altered(intervals=("score",)), altered(intervals=stored.scenarios[0].intervals, level=0.9), STUDY):
        with pytest.raises(ForeignResultsError, match=r"'a', intervals was score, likelihood-ratio at level 0\.95"):
            manifest.check_same(tmp_path, found, changed)


def test_another_version_of_the_numbers(folder, monkeypatch):
    monkeypatch.setattr(manifest, "NUMBERS_VERSION", 99)
    with pytest.raises(ForeignResultsError, match="numbers version was 2, is now 99"):
        manifest.check_same(folder, manifest.read(folder), STUDY)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b'{"format": 1}',
        b"[" * 100_000,
        b"null",
        b'{"format": 1, "runs": [], "config": []}',
    ],
)
def test_a_damaged_manifest_is_one_line(tmp_path, content):
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(UnusableResultsError, match=r"manifest\.json: damaged: ") as caught:
        manifest.study_of(tmp_path, manifest.read(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", [{"seed": "x"}, {"scenarios": []}, {"scenarios": [{"family": "nosuch"}]}])
def test_a_manifest_with_a_damaged_config(folder, change):
    found = manifest.read(folder)
    found["config"] |= change
    with pytest.raises(UnusableResultsError, match=r"manifest\.json: damaged: its config: ") as caught:
        manifest.study_of(folder, found)
    assert "\n" not in str(caught.value)


def test_a_manifest_of_the_future(folder):
    found = manifest.read(folder) | {"format": 2}
    (folder / "manifest.json").write_text(json.dumps(found))
    with pytest.raises(UnusableResultsError, match="format 2, this simstudy reads 1"):
        manifest.read(folder)


def test_a_folder_without_manifest(tmp_path):
    with pytest.raises(
        UnusableResultsError, match=rf"^{tmp_path}: no manifest\.json in it; give the folder that a run wrote"
    ):
        manifest.read(tmp_path)


@pytest.mark.parametrize("names", [[], [".lock", ".lock-holder"], [".manifest.json.77.tmp"]])
def test_an_empty_folder_may_be_written_into(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()
    assert manifest.existing(tmp_path) is None
    assert manifest.existing(tmp_path / "missing") is None


def test_a_folder_of_other_things_may_not(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ForeignResultsError, match=r"holds 'thesis\.tex' and no manifest\.json"):
        manifest.existing(tmp_path)
