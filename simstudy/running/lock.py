"""One run at a time in a results folder, or shards of one; the system frees a lock the moment its holder dies."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from simstudy.errors import ForeignResultsError
from simstudy.files import told
from simstudy.running.gate import forget_holder, gate, name_holder, refuse_shards, shard_lock, shards_at_work

LOCK = ".lock"
HOLDER = ".lock-holder"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a results folder, which is made where it is missing.

    Raises
    ------
    ForeignResultsError
        If another run holds it, or a shard is at work there; the line names that run where it can.
    """
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
        with told(folder / HOLDER, "written"):
            (folder / HOLDER).write_text(f"process {os.getpid()} on {platform.node()}\n", encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / HOLDER).unlink(missing_ok=True)
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
    try:
        holder = (folder / HOLDER).read_text(encoding="utf-8").strip()[:100]
    except (OSError, ValueError):
        holder = ""
    by = f" by {holder}" if holder.isprintable() and holder else ""
    return f"{folder}: locked{by}: another run is writing there; wait for it or use another results folder"
