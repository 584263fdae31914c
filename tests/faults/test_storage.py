"""Stored files that are damaged or foreign: named, put into quarantine, made again byte for byte."""

from __future__ import annotations

import json
import os
import shutil

import pytest

import simstudy
from tests.faults.study import content, run, written
from tests.forked import call, refused

BLOCK, SMALL, OTHER = "blocks/a/n=20/0-3275.npz", "blocks/a/n=9000/0-41.npz", "blocks/b/n=9000/0-41.npz"
PATHS = "paths/a.npz"


def truncated(path, root):
    path.write_bytes(path.read_bytes()[:-1000])


def flipped(path, root):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 4
    path.write_bytes(raw)


def flipped_in_no_member(path, root):
    """The time of a member, of which no checksum of the archive knows."""
    raw = bytearray(path.read_bytes())
    raw[10] ^= 1
    path.write_bytes(raw)


def emptied(path, root):
    path.write_bytes(b"")


def foreign(path, root):
    path.write_bytes((root / (OTHER if path.name != "0-3275.npz" else SMALL)).read_bytes())


def a_folder(path, root):
    path.unlink()
    path.mkdir()
    (path / "kept.txt").write_text("mine")


def a_pipe(path, root):
    path.unlink()
    os.mkfifo(path)


def a_device(path, root):
    path.unlink()
    path.symlink_to("/dev/zero")


def a_dangling_link(path, root):
    path.unlink()
    path.symlink_to("nowhere")


def a_loop(path, root):
    path.unlink()
    path.symlink_to(path.name)


def endless(path, root):
    os.truncate(path, 2**42)


DAMAGES = (foreign, flipped_in_no_member, a_folder, a_pipe, a_loop)
RARER = (truncated, flipped, emptied, a_device, a_dangling_link, endless)


def some(common, rarer):
    """Cases, the rarer of them slow ones."""
    return [*common, *(pytest.param(case, marks=pytest.mark.slow) for case in rarer)]


@pytest.mark.parametrize("damage", some(DAMAGES, RARER))
def test_what_is_not_what_it_should_be_is_put_away_and_made_again(copy, finished, damage):
    root = copy / "results/s"
    spoilt = (BLOCK, PATHS) if damage in {truncated, flipped, foreign} else (SMALL,)
    for name in spoilt:
        damage(root / name, root)
    checked = call(copy, "verify", "results/s")
    assert checked.code == 5
    assert [line.split(": ")[0] for line in checked.out.splitlines()[:-1]] == [f"results/s/{name}" for name in spoilt]
    refused(call(copy, "report", "results/s"), 5, f"results/s/{spoilt[0]}: ", "run the study again")
    refused(call(copy, "export", "results/s", "--to", "csv"), 5, f"results/s/{spoilt[0]}: ")
    assert not (root / "quarantine").exists()
    done = run(copy)
    assert done.code == 0, done.err
    for line, name in zip(done.err.splitlines(), spoilt, strict=True):
        assert line.startswith(f"results/s/{name}: ")
        assert line.endswith(f"; moved to quarantine/{name}, and made again")
    assert content(copy) == content(finished)
    assert all(os.path.lexists(root / "quarantine" / name) for name in spoilt)
    again = call(copy, "verify", "results/s")
    assert (again.code, again.out.split(",")[0]) == (0, "0 faults")


def test_a_second_one_gets_a_number(copy, finished):
    root = copy / "results/s"
    for count in range(3):
        (root / SMALL).write_bytes(bytes([count]))
        assert run(copy).code == 0
    kept = sorted((root / "quarantine" / SMALL).parent.iterdir())
    assert [(path.name, path.read_bytes()) for path in kept] == [
        ("0-41.npz", b"\0"),
        ("0-41.npz.1", b"\1"),
        ("0-41.npz.2", b"\2"),
    ]
    assert content(copy) == content(finished)
    assert "3 files in quarantine" in call(copy, "verify", "results/s").out


def test_names_of_no_task_and_files_of_another_seed(copy, finished, tmp_path):
    root, other = copy / "results/s", written(tmp_path / "other", seed="4")
    assert run(other).code == 0
    shutil.copy(root / SMALL, root / "blocks/a/n=9000/7-9.npz")
    shutil.copy(other / "results/s" / OTHER, root / OTHER)
    done = run(copy)
    assert done.code == 0
    assert "a/n=9000/7-9.npz: its name is not that of a stored task; moved to " in done.err
    assert "b/n=9000/0-41.npz: made by another study: data is " in done.err
    assert content(copy) == content(finished)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: b"",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"\xff" + raw,
        lambda raw: raw.replace(b'"replicates": 40', b'"replicates": 41'),
        lambda raw: raw.replace(b'"seed": 3', b'"seed": 2'),
        lambda raw: raw.replace(b'"family": "normal"', b'"family": "norman"'),
        None,
    ],
)
def test_a_damaged_manifest_of_a_folder_whose_files_are_this_study_s(copy, finished, spoil):
    path = copy / "results/s/manifest.json"
    raw = path.read_bytes()
    path.unlink()
    if spoil:
        path.write_bytes(spoil(raw))
        assert path.read_bytes() != raw
    refused(call(copy, "report", "results/s"), 5, "manifest.json")
    checked = call(copy, "verify", "results/s")
    assert (checked.code, len(checked.out.splitlines())) == (5, 2)
    done = run(copy)
    assert done.code == 0, done.err
    assert ("manifest.json: damaged: " in done.err) == bool(spoil)
    assert content(copy) == content(finished)
    assert json.loads(path.read_text())["config"] == json.loads(raw)["config"]
    assert (copy / "results/s/quarantine/manifest.json").exists() == bool(spoil)


@pytest.mark.parametrize("spoil", [b"", None])
def test_a_damaged_manifest_of_a_folder_with_files_of_another_study(copy, tmp_path, spoil):
    path = copy / "results/s/manifest.json"
    path.unlink()
    if spoil is not None:
        path.write_bytes(spoil)
    written(copy, seed="4")
    before = content(copy)
    done = run(copy)
    assert done.code == 4
    assert {line.split(": ")[1] for line in done.err.splitlines()} == {
        f"results/s/{name}" for name in (BLOCK, SMALL, OTHER, PATHS)
    }
    assert content(copy) == before
    assert path.exists() == (spoil is not None)
    assert not (copy / "results/s/quarantine").exists()


def test_verify_names_all_that_does_not_belong(copy):
    root = copy / "results/s"
    for name in ("blocks/notes.txt", "blocks/a/n=20/0-9.npz~", "blocks/a/n=20/.x.tmp", "paths/b.npz", "blocks/c/x.npz"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x")
    (root / OTHER).unlink()
    with (root / "summary.csv").open("a") as file:
        file.write("more\n")
    found = simstudy.verify(root)
    assert sorted(line.removeprefix(f"{root}/").split(": ")[0] for line in found) == sorted(
        [
            *("blocks/notes.txt", "blocks/a/n=20/0-9.npz~", "blocks/a/n=20/.x.tmp", "paths/b.npz", "blocks/c/x.npz"),
            *("blocks/b/n=9000", "summary.csv"),
        ]
    )
    assert [line for line in found if "40 of 40 replicates are missing, the first of them 0; run" in line]


def test_verify_knows_other_studies_summaries_and_what_the_study_no_longer_asks_for(copy):
    root = copy / "results/s"
    text = (root / "summary.csv").read_text()
    (root / "summary.csv").write_text(text.replace("\ns,", "\nt,"))
    assert simstudy.verify(root) == [f"{root}/summary.csv: of another study: write it again with `simstudy report`"]
    (root / "summary.csv").write_text("\n".join(line for line in text.split("\n") if not line.startswith("s,b")))
    assert ["summary.csv: of other scenarios" in line for line in simstudy.verify(root)] == [True]
    config = (copy / "s.yaml").read_text()
    (copy / "s.yaml").write_text(config[: config.index("  - {name: b")])
    assert run(copy).code == 0
    done = call(copy, "verify", "results/s")
    assert (done.code, "1 whole file that the study does not ask for" in done.out) == (0, True)


def test_verify_of_nothing(tmp_path):
    done = call(tmp_path, "verify", "nowhere")
    assert done.code == 5
    assert done.out.startswith("nowhere: no manifest.json in it; ")


def test_what_a_kill_left_is_named_and_the_next_run_removes_it(copy, finished):
    root = copy / "results/s"
    short = (root / SMALL).read_bytes()
    assert run(copy, "--replicates", 60).code == 0
    (root / SMALL).write_bytes(short)
    (root / ".lock-holder").write_text("process 1 on elsewhere\n")
    assert simstudy.verify(root) == []  # for all that can be known, that run is at work
    (root / ".lock-holder").unlink()
    (line,) = simstudy.verify(root)
    assert line.startswith(f"{root}/{SMALL}: a longer file has taken its place; ")
    assert run(copy, "--replicates", 60).code == 0
    assert simstudy.verify(root) == []
