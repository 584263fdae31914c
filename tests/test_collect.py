"""Shards of a study, in one folder or in several, joined into what one undisturbed run makes."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import simstudy
from simstudy import collection
from simstudy.errors import ConfigError, ForeignResultsError, Stopped, UnusableResultsError

ROOT = Path(__file__).parents[1]
PROGRAM = [sys.executable, "-m", "simstudy"]

CONFIG = """
study: small
seed: 3
replicates: 66000
sample_sizes: [2, 3]
scenarios:
  - {family: exponential, parameters: {rate: 1}, paths: true}
"""
"""Two tasks of either n, the second a few blocks long."""


def start(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(folder, *arguments):
    """Run the program in a folder: exit code, standard output and standard error."""
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in err
    return process.returncode, out, err


def tree(folder):
    """Relative paths and bytes of all results but the manifest, which holds times, and locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json" and not path.name.startswith(".lock")
    }


def bare(manifest):
    """A manifest without what was when."""
    return {key: value for key, value in manifest.items() if key not in {"runs", "sha256"}}


def write_config(folder, **changes):
    text = CONFIG
    for old, new in changes.items():
        text, count = re.subn(rf"{old}: .*", f"{old}: {new}", text, count=1)
        assert count
    (folder / "small.yaml").write_text(text)
    return folder / "small.yaml"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of one undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    study = simstudy.load(write_config(folder))
    return simstudy.run(study, 1, folder, command="simstudy run small.yaml").folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder that holds the folders 1, 2 and 3, each with one shard."""
    folder = tmp_path_factory.mktemp("made")
    study = simstudy.load(write_config(folder))
    for number in (1, 2, 3):
        command = "simstudy run small.yaml"
        simstudy.run(study, 1, folder / str(number), command=command, shard=(number, 3))
    return folder


@pytest.fixture
def shards(made, tmp_path):
    """A copy of these that a test may spoil."""
    for number in "123":
        shutil.copytree(made / number, tmp_path / number)
    return [tmp_path / number / "small" for number in "123"]


@pytest.fixture
def hasty(monkeypatch):
    """Without summary, figures and pages, which take most of the time."""
    monkeypatch.setattr(collection, "report", lambda *_, **__: [])


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*.npz"))


# ---- the whole of it ---------------------------------------------------------------------------------------------


def test_shards_of_an_array_in_one_folder(whole, tmp_path, hasty):
    """Three at once, then collected."""
    write_config(tmp_path)
    array = [start(tmp_path, "run", "small.yaml", "--shard", f"{k}/3", "--jobs", 1) for k in (1, 2, 3)]
    for number, process in enumerate(array, start=1):
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        end = r" tasks?, [\d,]+ replicates stored in results/small; join with: simstudy collect results/small\n"
        assert re.fullmatch(rf"shard {number}/3: [12]{end}", out)
    folder = tmp_path / "results" / "small"
    assert {entry["shard"] for entry in simstudy.Results(folder).manifest["runs"]} == {"1/3", "2/3", "3/3"}
    assert not (folder / "report.html").exists()
    done = collection.collected([folder], None)
    assert (done.results.folder, done.new, done.tasks) == (folder, 0, 4)
    assert tree(folder) == {name: content for name, content in tree(whole).items() if name.endswith(".npz")}
    one, other = (simstudy.Results(each).manifest for each in (folder, whole))
    assert bare(one) == bare(other)


@pytest.mark.slow
def test_shards_in_folders_of_their_own(whole, shards, tmp_path):
    before = [tree(folder) for folder in shards]
    code, out, _ = call(tmp_path, "collect", "1", "2/small", "3", "--into", "all")
    assert code == 0
    assert out.startswith("joined: 4 files new in all/small, 4 tasks in all\n")
    assert tree(tmp_path / "all" / "small") == tree(whole)
    assert [tree(folder) for folder in shards] == before
    everything = {path: path.read_bytes() for path in (tmp_path / "all").rglob("*") if path.is_file()}
    again = simstudy.collect(shards, tmp_path / "all" / "small")
    assert everything == {path: path.read_bytes() for path in (tmp_path / "all").rglob("*") if path.is_file()}
    assert again.summary().equals(simstudy.Results(whole).summary())
    assert len(again.manifest["runs"]) == 3


# ---- where it goes, in one process and without a report ----------------------------------------------------------


def test_all_goes_into_the_first(shards, whole, hasty):
    own = len(files(shards[0]))
    done = collection.collected(shards, None)
    assert done.results.folder == shards[0]
    assert tree(shards[0]) == {name: content for name, content in tree(whole).items() if name.endswith(".npz")}
    assert done.new == 4 - own
    again = collection.collected(shards, None)
    assert (again.new, again.tasks) == (0, 4)


def test_a_folder_given_twice_and_by_a_link_counts_once(shards, tmp_path, hasty):
    (tmp_path / "link").symlink_to(shards[0])
    done = collection.collected([*shards, shards[1], tmp_path / "link"], tmp_path / "all")
    assert (done.new, done.tasks, done.passed) == (4, 4, ())


def test_damage_to_a_shard_does_not_reach_what_was_collected(shards, tmp_path, hasty):
    folder = simstudy.collect(shards, tmp_path / "all").folder
    before, path = tree(folder), next(shards[0].rglob("*.npz"))
    with path.open("r+b") as file:
        file.truncate(100)
    done = collection.collected(shards, tmp_path / "all")
    assert (done.new, [line.partition(": ")[0] for line in done.passed]) == (0, [str(path)])
    assert tree(folder) == before


def test_a_run_on_what_was_collected_goes_on(shards, tmp_path, hasty):
    """Grown by a shard of another N, by a whole run, and collected once more."""
    simstudy.collect(shards, tmp_path / "all")
    config = write_config(tmp_path, replicates=140_000)
    study = simstudy.load(config)
    for number in (1, 2):
        simstudy.run(study, 1, tmp_path / "all", shard=(number, 2))
    done = collection.collected([tmp_path / "all" / "small", *shards], None)
    assert (done.new, done.tasks) == (0, 6)
    assert done.results.study.scenarios[0].replicates == 140_000
    undisturbed = simstudy.run(study, 1, tmp_path / "undisturbed", shard=(1, 1)).folder
    assert tree(done.results.folder / "blocks") == tree(undisturbed / "blocks")


def test_longer_files_take_the_place_of_shorter_ones(shards, tmp_path, hasty):
    """Shards that have grown, collected into a folder with what they had before."""
    simstudy.collect(shards, tmp_path / "all")
    study = simstudy.load(write_config(tmp_path, replicates=100_000))
    for number in (1, 2, 3):
        simstudy.run(study, 1, tmp_path / str(number), shard=(number, 3))
    assert collection.collected(shards, tmp_path / "all").new == 2
    undisturbed = simstudy.run(study, 1, tmp_path / "undisturbed", shard=(1, 1)).folder
    assert tree(tmp_path / "all" / "small" / "blocks") == tree(undisturbed / "blocks")


# ---- what is refused ---------------------------------------------------------------------------------------------


def test_a_missing_shard_is_named_with_its_command(shards, tmp_path, hasty):
    lost = [re.search(r"n=\d", str(path))[0] for path in files(shards[1])]
    code, _, err = call(tmp_path, "collect", "1", "3", "--into", "all")
    assert code == 5
    assert [re.search(r"n=\d", line)[0] for line in err.splitlines()] == sorted(lost)
    for line in err.splitlines():
        assert re.fullmatch(
            r"error: all/small/blocks/exponential/n=\d: unfinished: [\d,]+ of 66,000 replicates are missing; "
            r"make them with: simstudy run small\.yaml --results all --shard 2/3",
            line,
        )
    assert not list((tmp_path / "all").rglob("*.npz"))
    write_config(tmp_path)
    assert call(tmp_path, *line.partition("simstudy ")[2].split(), "--quiet") == (0, "", "")
    assert collection.collected([tmp_path / "1", tmp_path / "3"], tmp_path / "all").tasks == 4


def test_several_missing_shards(shards, tmp_path):
    with pytest.raises(UnusableResultsError, match=r"--shard k/3, k = 2, 3$|--shard [23]/3$"):
        simstudy.collect(shards[0])


def test_a_damaged_file_is_named(shards, tmp_path):
    path = next(shards[1].rglob("*.npz"))
    path.write_bytes(path.read_bytes()[:-1])
    before = tree(tmp_path)
    with pytest.raises(UnusableResultsError, match=rf"^{path}: damaged: .*\n.*--shard 3/3$"):
        simstudy.collect(shards[:2])  # what is missing is named beside it
    assert tree(tmp_path) == before


def test_a_damaged_file_is_passed_over_where_another_shard_has_it(shards, tmp_path, whole, hasty):
    spare, name = tmp_path / "spare", files(shards[0])[0]
    shutil.copytree(shards[0], spare / "small")
    (shards[0] / name).write_bytes(b"")
    done = collection.collected([*shards, spare], None)  # the one that gets all has the damaged one
    assert [line.partition(": ")[0] for line in done.passed] == [str(shards[0] / name)]
    assert tree(shards[0] / "blocks") == tree(whole / "blocks")


def test_two_whole_files_of_the_same_task_that_differ(shards, tmp_path):
    """As from machines whose arithmetic differs in the last bit."""
    from simstudy.running.record import encode, record_identity
    from simstudy.running.store import Store

    spare, name = tmp_path / "spare" / "small", files(shards[0])[0]
    shutil.copytree(shards[0], spare)
    (cell,) = (cell for cell in simstudy.Results(spare).study.scenarios if f"n={cell.n}" in name.parts)
    store = Store(spare, 3)
    ((first, last),) = store.stored(cell).items()
    records = store.read_blocks(cell, first, last)
    records = replace(records, theta=records.theta * (1.0 + 2.0**-52))
    (spare / name).write_bytes(encode(records, record_identity(cell, 3, first, last)))
    with pytest.raises(ForeignResultsError, match=rf"^{shards[0] / name}, {spare / name}: .* differ; delete the wrong"):
        simstudy.collect([*shards, spare])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seed": "4"}, "made by another study: seed was 4, is now 3; .* as in "),
        ({"parameters": "{rate: 2}, paths: true}"}, "parameter rate was 2.0, is now 1.0"),
        (
            {"sample_sizes": "[2]\nlevel: 0.9", "replicates": "100000"},
            "each asks for what the other does not, of which ",
        ),
        ({"sample_sizes": "[2, 3]\nlevel: 0.9"}, "their configs differ in more than replicates, such as in level"),
    ],
)
def test_a_foreign_shard(shards, tmp_path, changes, says):
    study = simstudy.load(write_config(tmp_path, **changes))
    simstudy.run(study, 1, tmp_path / "foreign", shard=(50, 50))
    with pytest.raises(ForeignResultsError, match=says):
        simstudy.collect([*shards, tmp_path / "foreign"])


def test_a_file_of_another_study(shards, tmp_path):
    study = simstudy.load(write_config(tmp_path, seed=4))
    other = simstudy.run(study, 1, tmp_path / "other", shard=(1, 3)).folder
    name = files(other)[0]
    shutil.copyfile(other / name, shards[0] / name)
    with pytest.raises(UnusableResultsError, match=rf"^{shards[0] / name}: made by another study: "):
        simstudy.collect(shards)


def test_folders_that_hold_none_or_several(shards, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for name in ("empty", "file", "nowhere"):
        with pytest.raises(UnusableResultsError, match=rf"{name}: no manifest.json in it"):
            simstudy.collect(tmp_path / name)
    shutil.copytree(shards[0], tmp_path / "1" / "more")
    with pytest.raises(ConfigError, match="1: holds the results of several studies: more, small; give one of them"):
        simstudy.collect([tmp_path / "1"])
    with pytest.raises(ConfigError, match="no folder to collect from"):
        simstudy.collect([])


def test_a_folder_of_other_things_is_not_collected_into(shards, tmp_path):
    (tmp_path / "all" / "small").mkdir(parents=True)
    (tmp_path / "all" / "small" / "letters").write_text("dear")
    with pytest.raises(ForeignResultsError, match=r"holds 'letters' and no manifest\.json"):
        simstudy.collect(shards, tmp_path / "all")
    assert [path.name for path in (tmp_path / "all" / "small").iterdir()] == ["letters"]


def test_nothing_is_collected_into_a_folder_where_a_shard_is_at_work(shards, hasty):
    from simstudy.running.lock import shard_locked

    with shard_locked(shards[0], "1/3"), pytest.raises(ForeignResultsError, match="locked by shard 1/3"):
        simstudy.collect(shards)
    simstudy.collect(shards)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--shard", "0/3"], "error: --shard: k/N with whole numbers 1 ≤ k ≤ N ≤ 1,000,000,000 is wanted, such as"),
        (["--shard", "1/2", "--backend", "lokey"], "error: --backend: "),
    ],
)
def test_bad_usage(tmp_path, arguments, says):
    write_config(tmp_path)
    code, out, err = call(tmp_path, "run", "small.yaml", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(says)
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


def test_a_shard_without_tasks_says_so(tmp_path):
    write_config(tmp_path)
    code, out, _ = call(tmp_path, "run", "small.yaml", "--shard", "50/50")
    assert (code, out) == (0, "shard 50/50: nothing to do, there are fewer tasks than shards\n")


# ---- kills -------------------------------------------------------------------------------------------------------


def kill_after(process, seconds):
    """Kill a process after a time, unless it has ended by then; tell whether it was killed."""
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def wait_for(path, process):
    deadline = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_shard_that_was_stopped_or_killed_is_taken_up_again(whole, tmp_path):
    write_config(tmp_path)
    folder = tmp_path / "results" / "small"
    arguments = ("run", "small.yaml", "--shard", "1/1", "--jobs", 2)
    process = start(tmp_path, *arguments)
    wait_for(folder / "manifest.json", process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert err.endswith("To resume: simstudy run small.yaml --shard 1/1 --jobs 2\n")
    assert not (folder / ".lock-shard-1-of-1-holder").exists()
    process = start(tmp_path, *arguments)
    wait_for(folder / ".lock-shard-1-of-1-holder", process)
    kill_after(process, 0.2)
    study = simstudy.load(tmp_path / "small.yaml")
    simstudy.run(study, 1, tmp_path / "results", shard=(1, 1))
    assert tree(folder) == {name: content for name, content in tree(whole).items() if name.startswith("blocks")}


@pytest.mark.parametrize("copied", range(4))
def test_a_collect_that_was_stopped_between_files_is_taken_up_again(
    shards, whole, tmp_path, hasty, monkeypatch, copied
):
    copy, made = shutil.copyfile, []

    def stop(source, target):
        if len(made) == copied:
            target.write_bytes(b"half")
            raise Stopped(137)
        made.append(copy(source, target))

    monkeypatch.setattr(shutil, "copyfile", stop)
    with pytest.raises(Stopped):
        simstudy.collect(shards, tmp_path / "all")
    monkeypatch.setattr(shutil, "copyfile", copy)
    assert len(files(tmp_path / "all")) == copied
    done = collection.collected(shards, tmp_path / "all")
    assert (done.new, done.tasks) == (4 - copied, 4)
    assert tree(done.results.folder) == {name: each for name, each in tree(whole).items() if name.endswith(".npz")}


@pytest.mark.slow
def test_killed_shards_and_collects_end_in_the_same_bytes(whole, tmp_path):
    """Kills at random times over the life of three shards at once, and of collecting them in two steps."""
    write_config(tmp_path)
    moments = random.Random(1)
    for _ in range(6):
        array = [start(tmp_path, "run", "small.yaml", "--shard", f"{k}/3", "--jobs", k) for k in (1, 2, 3)]
        for process in array:
            kill_after(process, moments.uniform(0.0, 1.0))
    for k in (1, 2, 3):
        place = "b" if k == 3 else "results"
        assert call(tmp_path, "run", "small.yaml", "--shard", f"{k}/3", "-q", "--results", place) == (0, "", "")
    killed = 0
    for seconds in (0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 4.0):
        killed += kill_after(start(tmp_path, "collect", "results", "b", "--into", "all"), seconds)
    assert killed
    assert call(tmp_path, "collect", "results", "b", "--into", "all", "-q")[0] == 0
    assert tree(tmp_path / "all" / "small") == tree(whole)
    assert not list((tmp_path / "all").rglob("*.tmp"))
