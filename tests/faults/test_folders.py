"""Results folders that are in use, of another study, read only, full, gone, or no folders; disks with little space."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

import simstudy
from tests.faults.study import content, run, without_figures, written
from tests.forked import call, refused


def some(common, rarer):
    """Names, the rarer of them slow ones."""
    return [*common.split(), *(pytest.param(name, marks=pytest.mark.slow) for name in rarer.split())]


# ---- in use, and of another study ---------------------------------------------------------------------------------


def test_a_second_run_is_told_who_is_at_work_and_readers_are_not(copy, finished):
    first = os.fork()
    if not first:
        from simstudy.running.lock import locked

        with locked(copy / "results/s"):
            (copy / "ready").touch()
            signal.pause()
        os._exit(0)
    try:
        deadline = time.monotonic() + 60
        while not (copy / "ready").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        node = os.uname().nodename
        refused(run(copy), 4, f"results/s: locked by process {first} on {node}: ")
        verified = call(copy, "verify", "results/s")
        assert (verified.code, f"process {first} on {node} is at work there" in verified.out) == (0, True)
        assert call(copy, "export", "results/s", "--to", "csv", "--output", "x.csv").code == 0
        assert call(copy, "compare", "results/s", "results/s").code == 0
        assert len(simstudy.Results(copy / "results/s").replicates("a", 20)) == 40
    finally:
        os.kill(first, signal.SIGKILL)
        os.waitpid(first, 0)
    assert "at work" not in call(copy, "verify", "results/s").out
    assert run(copy).code == 0
    assert content(copy) == content(finished)


def test_a_changed_config_is_refused_with_every_key_that_differs(copy):
    text = (copy / "s.yaml").read_text()
    changed = (
        text.replace("seed: 3", "seed: 4").replace("mean: 0, sd: 1", "mean: 1, sd: 2").replace("mean: 3", "mean: 5")
    )
    (copy / "s.yaml").write_text(changed)
    before = content(copy)
    done = run(copy)
    assert (done.code, content(copy)) == (4, before)
    told = [line.partition("made by another study: ")[2].partition(" was ")[0] for line in done.err.splitlines()]
    parameters = [("a", "mean"), ("a", "sd"), ("b", "mean")]
    assert told == [*(f"scenario '{name}', parameter {parameter}" for name, parameter in parameters), "seed"]


def test_replicates_sizes_and_scenarios_may_be_added(copy, tmp_path):
    text = (copy / "s.yaml").read_text().replace("replicates: 40", "replicates: 90").replace("[20, ", "[20, 7000, ")
    text += "  - {name: c, family: exponential, parameters: {rate: 2}, sample_sizes: [9000]}\n"
    once = tmp_path / "once"
    once.mkdir()
    for folder in (copy, once):
        (folder / "s.yaml").write_text(text)
        assert run(folder).code == 0
    assert content(copy) == content(once)


# ---- no folders ---------------------------------------------------------------------------------------------------


def test_a_link_in_the_place_of_the_folder(copy):
    shutil.move(copy / "results/s", copy / "elsewhere")
    before = {path: path.stat().st_mtime_ns for path in (copy / "elsewhere").rglob("*")}
    for target in ("../elsewhere", "nowhere", "s"):
        (copy / "results/s").symlink_to(target)
        refused(run(copy), 5, "results/s: a link ", "give the folder itself")
        (copy / "results/s").unlink()
    assert {path: path.stat().st_mtime_ns for path in (copy / "elsewhere").rglob("*")} == before


@pytest.mark.parametrize("name", some("blocks/a quarantine", "blocks blocks/a/n=20 paths"))
def test_nothing_is_written_through_a_link(copy, name):
    path, elsewhere = copy / "results/s" / name, copy / "elsewhere"
    if path.exists():
        shutil.move(path, elsewhere)
    else:
        elsewhere.mkdir()
    path.symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    refused(run(copy, "--replicates", 60), 5, f"results/s/{name}: a link to another folder; ")
    assert sorted(elsewhere.rglob("*")) == before


def test_figures_are_not_written_through_a_link(copy):
    (copy / "elsewhere").mkdir()
    (copy / "results/s/figures").symlink_to("../../elsewhere")
    refused(call(copy, "report", "results/s"), 5, "results/s/figures: a link to another folder; ")
    assert list((copy / "elsewhere").iterdir()) == []


def test_results_may_lie_in_a_folder_that_a_link_leads_to(copy, finished):
    shutil.move(copy / "results", copy / "scratch")
    (copy / "results").symlink_to("scratch")
    assert run(copy).code == 0
    assert content(copy) == content(finished)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "results").write_text("mine"),
        lambda folder: (folder / "results").symlink_to("nowhere"),
        lambda folder: (folder / "results").symlink_to("results"),
        lambda folder: os.mkfifo(folder / "results"),
        lambda folder: ((folder / "results").mkdir(), (folder / "results/s").write_text("mine")),
        lambda folder: ((folder / "results").mkdir(), os.mkfifo(folder / "results/s")),
        lambda folder: (folder / "results/s/blocks").parent.mkdir(parents=True) or (folder / "results/s/.lock").mkdir(),
    ],
    ids=range(7),
)
def test_what_is_no_folder_is_refused(tmp_path, spoil):
    folder = written(tmp_path / "x")
    spoil(folder)
    refused(run(folder), 5, "results")
    assert "Traceback" not in call(folder, "verify", "results/s").err


@pytest.mark.parametrize("name", some("blocks/a", "blocks blocks/b/n=9000 paths quarantine"))
def test_a_file_in_the_place_of_a_folder_inside(copy, name):
    path = copy / "results/s" / name
    shutil.rmtree(path, ignore_errors=True)
    path.write_text("mine")
    (copy / "results/s/blocks/a/n=20/0-3275.npz").write_bytes(b"") if name == "quarantine" else None
    refused(run(copy), 5, f"results/s/{name}")
    assert path.read_text() == "mine"


def vanishing(folder):
    """Remove the folder once the first file is written, as someone else might."""
    from simstudy.running.store import Store

    write = Store.write

    def once(*given):
        done = write(*given)
        shutil.rmtree(folder / "results/s")
        return done

    Store.write = once
    without_figures()


def test_a_folder_that_vanishes_is_not_made_again(tmp_path):
    folder = written(tmp_path / "x")
    refused(run(folder, before=partial(vanishing, folder)), 5, "results/s: cannot be used: No such file or directory; ")
    assert list((folder / "results").iterdir()) == []
    assert run(folder).code == 0


# ---- read only, and full ------------------------------------------------------------------------------------------


@pytest.fixture
def mount(tmp_path):
    """Return a function that mounts a memory disk of a size, or mounts that again."""
    place = tmp_path / "disk"
    place.mkdir()

    def do(options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting is not permitted here")
        return place

    yield do
    subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def test_a_folder_that_is_read_only(copy, finished, mount):
    disk = mount("size=8m")
    shutil.copytree(copy, disk / "x")
    mount("remount,ro")
    folder = disk / "x"
    tmp = disk.parent
    assert call(tmp, "verify", "disk/x/results/s").code == 0
    assert len(simstudy.Results(folder / "results/s").replicates("a", 20)) == 40
    assert call(tmp, "export", "disk/x/results/s", "--to", "csv", "--output", "x.csv").code == 0
    shutil.copy(folder / "s.yaml", tmp)
    for arguments in (("run", "s.yaml", "--results", "disk/x/results"), ("report", "disk/x/results/s")):
        refused(call(tmp, *arguments, before=without_figures), 5, "disk/x/results/s/", "Read-only file system")
    assert content(folder) == content(finished)


@pytest.mark.parametrize("kilobytes", [480, *(pytest.param(size, marks=pytest.mark.slow) for size in (4, 60, 560))])
def test_a_full_disk(tmp_path, mount, finished, kilobytes):
    """Full before anything is written, in the lock, in blocks, in paths, and in the summary."""
    disk, folder = mount("size=4m"), written(tmp_path / "x")
    (folder / "results").symlink_to(disk)
    (disk / "filler").write_bytes(b"\0" * (4096 - kilobytes) * 1024)
    done = run(folder)
    refused(done, 5, "results/s")
    assert "bytes" in done.err or kilobytes == 4
    for name, raw in content(folder).items():
        assert raw == content(finished)[name]
    (disk / "filler").unlink()
    assert run(folder).code == 0
    assert content(folder) == content(finished)


def limited(size):
    """Let no file grow beyond a size, in this process and those it starts."""
    without_figures()
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize(
    ("size", "jobs"),
    [
        (30_000, 1),
        (30_000, 2),
        *(pytest.param(size, 1, marks=pytest.mark.slow) for size in (600, 1000, 100_000)),
    ],
)
def test_a_limit_of_file_sizes(tmp_path, finished, size, jobs):
    folder = written(tmp_path / "x")
    done = run(folder, "--jobs", jobs, before=partial(limited, size))
    refused(done, 5, "results/s/", "bytes)", "File too large")
    assert list(folder.rglob(".*.tmp")) == []
    for name, raw in content(folder).items():
        assert raw == content(finished)[name]
    assert run(folder).code == 0
    assert content(folder) == content(finished)


def test_errors_have_their_names(tmp_path):
    """A quota and a broken disk are told as such."""
    from simstudy.errors import UnusableResultsError
    from simstudy.files import told

    for code, says in ((errno.EDQUOT, "quota"), (errno.EIO, "Input/output error"), (errno.ENOSPC, "No space left")):
        with pytest.raises(UnusableResultsError, match=says), told(Path("x"), "written (9 bytes)"):
            raise OSError(code, os.strerror(code))
