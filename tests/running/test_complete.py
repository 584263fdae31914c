from __future__ import annotations

from dataclasses import replace

import pytest

from simstudy.errors import Stopped, UnusableResultsError
from simstudy.running import backends, manifest, preflight
from simstudy.running.backends import engine
from simstudy.running.complete import complete
from simstudy.running.progress import Silent
from simstudy.running.store import Store
from simstudy.study.config import loads

STUDY = loads("""
study: s
seed: 1
replicates: 10
sample_sizes: [20, 9000]
scenarios:
  - {name: a, family: normal, parameters: {mean: 0, sd: 1}}
""")


def run(folder, study=STUDY):
    complete(folder, study, engine(1), "simstudy run s.yaml", Silent())
    return manifest.read(folder)


def grown(replicates):
    return replace(STUDY, scenarios=tuple(replace(cell, replicates=replicates) for cell in STUDY.scenarios))


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_is_recorded(tmp_path):
    found = run(tmp_path)
    (entry,) = found["runs"]
    assert {key: entry[key] for key in ("jobs", "tasks", "replicates", "failed")} == {
        "jobs": 1,
        "tasks": 2,
        "replicates": 3276 + 14,
        "failed": 0,
    }
    assert entry["versions"] == found["versions"]
    assert entry["seconds"] > 0


def test_runs_add_up_and_one_that_does_nothing_is_none(tmp_path):
    run(tmp_path)
    run(tmp_path)
    found = run(tmp_path, grown(20))
    assert [entry["replicates"] for entry in found["runs"]] == [3290, 7]
    assert manifest.study_of(tmp_path, found) == grown(20)


def test_versions_are_those_that_made_the_numbers(tmp_path, monkeypatch):
    made = run(tmp_path)["versions"]
    monkeypatch.setattr(manifest, "versions", lambda: {"simstudy": "99"})
    assert run(tmp_path)["versions"] == made
    assert run(tmp_path, grown(20))["versions"] == {"simstudy": "99"}


def test_an_interrupted_run_leaves_a_folder_that_is_known(tmp_path, monkeypatch):
    def stop(*_):
        raise Stopped(130)

    monkeypatch.setattr(backends, "do", stop)
    with pytest.raises(Stopped):
        run(tmp_path)
    monkeypatch.undo()
    assert manifest.read(tmp_path)["runs"] == []
    assert len(run(tmp_path)["runs"]) == 1


def test_leftovers_of_a_killed_run_are_removed(tmp_path):
    run(tmp_path)
    undisturbed = files(tmp_path / "blocks")
    cell = Store(tmp_path, 1).cell(STUDY.scenarios[1])
    (whole,) = cell.iterdir()
    (cell / ".0-20.npz.7.tmp").write_bytes(b"part")
    run(tmp_path, grown(8))
    assert files(tmp_path / "blocks") == undisturbed
    short = whole.read_bytes()
    run(tmp_path, grown(20))
    whole.write_bytes(short)  # as if it had been killed before the shorter file was removed
    run(tmp_path, grown(20))
    assert [path.name for path in cell.iterdir()] == ["0-20.npz"]


def test_nothing_is_written_where_there_is_no_space(tmp_path, monkeypatch):
    run(tmp_path)
    monkeypatch.setattr(preflight, "free_disk", lambda _: 1000)
    before = files(tmp_path)
    with pytest.raises(UnusableResultsError):
        run(tmp_path, grown(10**6))
    assert files(tmp_path) == before


@pytest.mark.parametrize("foreign", [False, True])
def test_what_is_wrong_is_put_away_and_made_again(tmp_path, capsys, foreign):
    run(tmp_path)
    path, other = sorted(tmp_path.rglob("*.npz"))
    whole, spoilt = path.read_bytes(), other.read_bytes() if foreign else path.read_bytes()[:-1]
    path.write_bytes(spoilt)
    run(tmp_path)
    assert path.read_bytes() == whole
    assert (tmp_path / "quarantine" / path.relative_to(tmp_path)).read_bytes() == spoilt
    assert capsys.readouterr().err.startswith(f"{path}: {'made by another study' if foreign else 'damaged'}: ")


def test_what_is_stored_counts_as_space(tmp_path, monkeypatch):
    run(tmp_path)
    monkeypatch.setattr(preflight, "free_disk", lambda _: 10_000)
    run(tmp_path)
