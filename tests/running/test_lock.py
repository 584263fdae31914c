from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from simstudy.errors import ForeignResultsError, UnusableResultsError
from simstudy.running.lock import HOLDER, locked

HOLD = """
import sys, time, pathlib
from simstudy.running.lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_refused_and_told_who_holds_it(tmp_path, holder):
    with (
        pytest.raises(ForeignResultsError, match=rf"^{tmp_path}: locked by process {holder.pid} on "),
        locked(tmp_path),
    ):
        pytest.fail("locked twice")


def test_the_lock_is_free_when_its_holder_was_killed(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with locked(tmp_path):
        assert str(os.getpid()) in (tmp_path / HOLDER).read_text()
    assert not (tmp_path / HOLDER).exists()


def test_a_holder_that_cannot_be_named(tmp_path, holder):
    (tmp_path / HOLDER).write_bytes(b"\xff\xfe")
    with (
        pytest.raises(ForeignResultsError, match=r": locked: another run is writing there"),
        locked(tmp_path),
    ):
        pytest.fail("locked twice")


def test_the_folder_is_made(tmp_path):
    with locked(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(UnusableResultsError, match="file: cannot be made: File exists"),
        locked(tmp_path / "file"),
    ):
        pytest.fail("locked a file")


def test_an_error_inside_frees_it(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass
