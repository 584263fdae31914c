"""One run at a time in a results folder, or shards of one; the system frees a lock the moment its holder dies."""

from __future__ import annotations

import contextlib
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from simstudy.errors import ForeignResultsError
from simstudy.files import refuse_link, told
from simstudy.running.gate import (
    forget_holder,
    gate,
    name_holder,
    refuse_shards,
    said_holder,
    shard_lock,
    shards_at_work,
)

LOCK = ".lock"
HOLDER = ".lock-holder"
_HOLDER = re.compile(r"process ([1-9]\d{0,9}) on (.*)")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a results folder, which is made where it is missing.

    Raises
    ------
    ForeignResultsError
        If another run holds it, or a shard is at work there; the line names that run where it can.
    """
    refuse_link(folder)
    with told(folder, "made"):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0)
    with gate(folder):
        _acquire(folder, lock)
        try:
            refuse_shards(folder)
        except BaseException:
            lock.release()
            raise
    try:
        name_holder(lock)
        yield
    finally:
        forget_holder(lock)
        lock.release()


def _acquire(folder: Path, lock: FileLock) -> None:
    with told(folder / LOCK, "locked"):
        try:
            lock.acquire()
        except Timeout:
            raise ForeignResultsError(_busy(folder)) from None


@contextlib.contextmanager
def shard_locked(folder: Path, shard: str) -> Iterator[None]:
    """Hold the lock of the shard k/N in a results folder, which is made where it is missing.

    Raises
    ------
    ForeignResultsError
        If a whole run, the same shard or one of another N is at work there.
    """
    refuse_link(folder)
    with told(folder, "made"):
        folder.mkdir(parents=True, exist_ok=True)
    lock = shard_lock(folder, shard)
    with gate(folder):
        whole = FileLock(folder / LOCK, timeout=0)
        _acquire(folder, whole)
        whole.release()
        for other, by in shards_at_work(folder).items():
            if other == shard or other.split("/")[1] != shard.split("/")[1]:
                message = f"{folder}: shard {other} is at work there{by}: wait for it or use another results folder"
                raise ForeignResultsError(message)
        with told(Path(lock.lock_file), "locked"):
            lock.acquire()
    try:
        name_holder(lock)
        yield
    finally:
        forget_holder(lock)
        lock.release()


def _busy(folder: Path) -> str:
    by = f" by {holder}" if (holder := said_holder(folder / HOLDER)) else ""
    return f"{folder}: locked{by}: another run is writing there; wait for it or use another results folder"


def holder_at_work(folder: Path) -> str:
    """Return who is writing in a folder, nothing where none is; the lock itself is not touched, so no run is refused.

    Of another machine it cannot be known whether a run that named itself there is still at work; it is taken to be.
    """
    found = _HOLDER.fullmatch(said_holder(folder / HOLDER))
    if found and found[2] == platform.node():
        try:
            os.kill(int(found[1]), 0)
        except PermissionError:
            pass
        except (OSError, OverflowError):
            return ""
    return found[0] if found else ""
