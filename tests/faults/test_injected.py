"""The k-th call of a kind fails, for every k over the whole life of a run: what is there is old or new, never half."""

from __future__ import annotations

import ast
import errno
import shutil

import pytest

import simstudy
from tests.faults.injector import KINDS, Injector
from tests.faults.study import content, run, without_figures, written
from tests.forked import refused


def armed(kind, at, code=errno.EIO, log=None):
    def arm():
        without_figures()
        Injector(kind, at, code, log).arm()

    return arm


def begun(folder):
    """A folder of which there is something to extend and something to put away, as `undisturbed` is not."""
    assert run(written(folder, replicates=30)).code == 0
    (folder / "results/s/paths/a.npz").write_bytes(b"x")
    return written(folder)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return begun(tmp_path_factory.mktemp("start") / "x")


@pytest.fixture(scope="module")
def counts(start, tmp_path_factory):
    """How often a run from that start calls what of each kind."""
    folder = tmp_path_factory.mktemp("counts")
    shutil.copytree(start, folder / "x")
    assert run(folder / "x", before=armed("none", 0, log=folder / "log")).code == 0
    found = ast.literal_eval((folder / "log").read_text())
    assert set(found) == set(KINDS)
    return found


def suffer(start, finished, folder, kind, at, code):
    """Let one call fail, then look at what it left, and let the run be repeated."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(start, folder)
    before = content(folder)
    done = run(folder, before=armed(kind, at, code))
    where = (kind, at, done)
    if done.code:  # some calls, such as those of tidying up, may fail without harm
        refused(done, 5, "results/s")
    for name, raw in content(folder).items():
        assert raw in {before.get(name), content(finished).get(name)} or name.endswith(".tmp"), (name, where)
    faults = [line for line in simstudy.verify(folder / "results/s") if "missing" not in line]
    allowed = ("paths/a.npz: damaged", "left by a run", "its place; left", "no manifest.json")
    assert [line for line in faults if not any(each in line for each in allowed)] == [], where
    again = run(folder)
    assert again.code == 0, (where, again)
    assert content(folder) == content(finished), where
    assert simstudy.verify(folder / "results/s") == [], where


@pytest.mark.parametrize("kind", ["open", "write", "fsync", "replace"])
def test_some_calls_that_fail(start, finished, counts, tmp_path, kind):
    """One in the middle and the last."""
    for at in ((counts[kind] + 1) // 2, counts[kind]):
        suffer(start, finished, tmp_path / "x", kind, at, errno.EIO)


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES])
@pytest.mark.parametrize("kind", KINDS)
def test_every_call_that_fails(start, finished, counts, tmp_path, kind, code):
    for at in range(1, counts[kind] + 1):
        suffer(start, finished, tmp_path / "x", kind, at, code)


def test_a_file_that_cannot_be_read_is_not_put_away(finished, tmp_path):
    """It may be whole: it is the disk, or a right, that is wrong."""
    shutil.copytree(finished, tmp_path / "x")
    done = run(tmp_path / "x", before=armed("read", 3))
    refused(done, 5, "results/s/blocks/", ".npz: cannot be read: Input/output error")
    assert content(tmp_path / "x") == content(finished)
    assert not (tmp_path / "x/results/s/quarantine").exists()
