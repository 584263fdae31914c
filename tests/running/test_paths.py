"""Nested samples: stored once, checked when read, ending at the stored replicates."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

import simstudy
from simstudy.errors import FamilyError, ForeignFileError, UnusableFileError, UnusableResultsError
from simstudy.results import Results
from simstudy.running import paths
from simstudy.running.backends import engine
from simstudy.running.block import draw, simulate
from simstudy.running.complete import complete
from simstudy.running.progress import Silent
from simstudy.study.config import loads
from simstudy.study.streams import block_size

CONFIG = """
study: s
seed: 3
replicates: 8
sample_sizes: [12, 9000]
scenarios:
  - {name: a, family: weibull, parameters: {shape: 2, scale: 1}, paths: true}
  - {name: b, family: normal, parameters: {mean: 0, sd: 1}, sample_sizes: [50]}
  - {name: c, family: logistic_regression, parameters: {intercept: 0, slope1: 1}, sample_sizes: [60], paths: true}
"""
LONG = loads(CONFIG)
"""Seven rows to a block at the largest n, so that the eighth path is in another."""
STUDY = loads(CONFIG.replace("9000", "100"))


def run(folder, study=STUDY):
    folder.mkdir(exist_ok=True)
    complete(folder, study, engine(1), "simstudy run s.yaml", Silent())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.npz")}


def shortened(study, largest):
    return replace(study, scenarios=tuple(cell for cell in study.scenarios if cell.n <= largest))


@pytest.mark.parametrize("name", ["a", "c"])
def test_a_path_ends_at_its_stored_replicate_bit_for_bit(name):
    nested = paths.nested(LONG, name)
    found, scenario = paths.simulate(nested), nested.scenario
    stored = simulate(scenario, 3, 0, -(-paths.PATHS // block_size(scenario.n)))
    last = slice(len(nested.sizes) - 1, None, len(nested.sizes))
    for field in fields(found):
        ends = getattr(found, field.name)[last]
        np.testing.assert_array_equal(ends, getattr(stored, field.name)[: paths.PATHS], field.name, strict=True)


def test_on_the_way_it_is_the_fit_to_the_first_observations():
    nested = paths.nested(LONG, "a")
    found = paths.simulate(nested)
    assert block_size(9000) == 7
    for replicate, place in ((0, 0), (2, 20), (4, 30), (7, 5)):
        n = nested.sizes[place]
        x = draw(nested.scenario, 3, replicate // 7)[replicate % 7, :n]
        expected = simstudy.fit("weibull", x)
        row = replicate * len(nested.sizes) + place
        np.testing.assert_allclose(found.theta[row], expected.theta, rtol=1e-9)
        information = expected.observed_information[np.triu_indices(2)]
        np.testing.assert_allclose(found.information[row], information, rtol=1e-8)


def test_sizes_are_nested_and_end_at_the_largest():
    assert paths.sizes(2, 10, 640)[0] == 5
    assert paths.sizes(7, 10, 640)[0] == 7
    assert paths.sizes(5, 5, 5) == (5,)
    found = paths.sizes(2, 10, 10**6)
    assert found[-1] == 10**6
    assert len(found) == paths.POINTS
    assert (np.diff(found) > 0).all()


def test_only_scenarios_that_ask_have_paths(tmp_path):
    stored = run(tmp_path)
    assert sorted(name for name in stored if name.startswith("paths")) == ["paths/a.npz", "paths/c.npz"]
    results = Results(tmp_path)
    for name in ("b", "unheard-of"):
        with pytest.raises(KeyError, match=f"no scenario '{name}' with paths: true"):
            results.paths(name)


def test_a_table_of_paths(tmp_path):
    run(tmp_path)
    table = Results(tmp_path).paths("a")
    theta, information = ["theta[shape]", "theta[scale]"], ["shape,shape", "shape,scale", "scale,scale"]
    assert list(table) == ["replicate", "n", *theta, *(f"information[{pair}]" for pair in information), "status"]
    assert table["replicate"].unique().tolist() == list(range(paths.PATHS))
    ends = table[table["n"] == 100]
    stored = Results(tmp_path).replicates("a", 100).head(paths.PATHS)
    np.testing.assert_array_equal(ends[theta].to_numpy(), stored[theta].to_numpy())


def test_running_again_computes_nothing_and_the_same(tmp_path, monkeypatch):
    first = run(tmp_path / "one")
    assert run(tmp_path / "two") == first
    monkeypatch.setattr(paths, "simulate", lambda _: pytest.fail("computed again"))
    assert run(tmp_path / "one") == first


def test_paths_can_be_asked_for_later_and_computed_alone(tmp_path):
    without = replace(STUDY, scenarios=tuple(replace(cell, paths=False) for cell in STUDY.scenarios))
    assert not [name for name in run(tmp_path / "one", without) if name.startswith("paths")]
    assert run(tmp_path / "one") == run(tmp_path / "two")


def test_paths_to_another_size_are_superseded(tmp_path):
    short = shortened(STUDY, 60)
    run(tmp_path / "one", short)
    with pytest.raises(UnusableResultsError, match=r"a\.npz: its sample sizes are not those of the study; run "):
        paths.read(tmp_path / "one", paths.nested(STUDY, "a"))
    assert run(tmp_path / "one")["paths/a.npz"] == run(tmp_path / "two")["paths/a.npz"]


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (lambda content, _: content[:-7], UnusableFileError, r"paths/a\.npz: damaged: .*; run the study again"),
        (lambda _, other: other, ForeignFileError, r"paths/a\.npz: made by another study: .*data is"),
    ],
)
def test_what_is_wrong_is_told_and_made_again_by_the_next_run(tmp_path, spoil, error, says):
    whole = run(tmp_path)
    file, other = tmp_path / "paths/a.npz", tmp_path / "paths/c.npz"
    file.write_bytes(spoil(file.read_bytes(), other.read_bytes()))
    spoilt = file.read_bytes()
    with pytest.raises(error, match=says):
        Results(tmp_path).paths("a")
    assert {name: raw for name, raw in run(tmp_path).items() if not name.startswith("quarantine")} == whole
    assert (tmp_path / "quarantine/paths/a.npz").read_bytes() == spoilt


def test_missing_paths_are_told(tmp_path):
    run(tmp_path)
    (tmp_path / "paths/a.npz").unlink()
    with pytest.raises(UnusableResultsError, match=r"paths/a\.npz: missing: run the study again"):
        Results(tmp_path).paths("a")


def test_a_family_that_raises_is_told_in_one_line(monkeypatch):
    def broken(*_):
        message = "no\nway"
        raise ValueError(message)

    monkeypatch.setattr(paths, "estimate", broken)
    with pytest.raises(FamilyError, match=r"^scenario 'a', paths: ValueError: no way$"):
        paths.simulate(paths.nested(STUDY, "a"))
