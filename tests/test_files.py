from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys

import pytest

from simstudy.errors import UnusableResultsError
from simstudy.files import remove_leftovers, told, write_atomically


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "a.csv"
    for content in (b"old", b"new", b""):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["a.csv"]  # noqa: PTH208


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_a_call_that_fails_leaves_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / "a.csv"
    write_atomically(path, b"old")

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    target = {"open": "pathlib.Path.open", "fsync": "os.fsync", "replace": "pathlib.Path.replace"}
    monkeypatch.setattr(target.get(call, "simstudy.files._write_through"), fail)
    with pytest.raises(UnusableResultsError, match=r"a\.csv: cannot be written \(3 bytes\): No space left on device"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a.csv": b"old"}


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    """A limit on the size of files is met in the middle of a write, as the end of a disk is."""
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(UnusableResultsError, match=r"a\.bin: cannot be written \(5,000 bytes\): File too large"):
            write_atomically(path, b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a.bin": b"old"}


def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")
    code = (
        "import os, pathlib, sys; from simstudy import files;"
        "os.fsync = lambda _: os.kill(os.getpid(), 9);"
        "files.write_atomically(pathlib.Path(sys.argv[1]), b'new')"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    assert path.read_bytes() == b"old"
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["a.bin"]  # noqa: PTH208


def test_leftovers_are_removed_in_every_folder_and_other_files_are_not(tmp_path):
    for name in (".a.npz.7.tmp", "b.npz", ".hidden", "c.tmp", "x/y/.d.7.tmp", "x/y/e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert found == [".hidden", "b.npz", "c.tmp", "x/y/e"]


def test_told_says_what_the_system_said(tmp_path):
    path = tmp_path / "no"
    with (
        pytest.raises(UnusableResultsError, match=f"^{path}: cannot be read: No such") as caught,
        told(path, "read"),
    ):
        path.read_bytes()
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_told_lets_other_errors_pass(tmp_path):
    with pytest.raises(ValueError, match="mine"), told(tmp_path, "read"):
        raise ValueError("mine")  # noqa: EM101
