"""Who is at work in a results folder: one whole run, or any number of shards of it, each with a lock of its own.

Whoever comes passes a gate, one at a time and for a moment, in which he looks who is there and takes his lock. So two
that exclude each other never both get in. Files of locks that nobody holds are removed in the gate alone.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from simstudy.errors import ForeignResultsError
from simstudy.files import read_file, told, write_atomically

GATE = ".lock-gate"
WAIT_SECONDS = 60.0
"""Longest time to wait at the gate: many shards of an array may start at once."""
_MOST_BYTES = 4096
_SHARD = re.compile(r"\.lock-shard-([0-9]+)-of-([0-9]+)")


@contextlib.contextmanager
def gate(folder: Path) -> Iterator[None]:
    """Be alone in the gate of a folder for a moment.

    Raises
    ------
    ForeignResultsError
        If somebody has been in there for a minute.
    """
    lock = FileLock(folder / GATE, timeout=WAIT_SECONDS)
    with told(folder / GATE, "locked"):
        try:
            lock.acquire(poll_interval=0.02)
        except Timeout:
            message = f"{folder}: locked: another run has been about to begin for {WAIT_SECONDS:g} s; try again"
            raise ForeignResultsError(message) from None
    try:
        yield
    finally:
        lock.release()


def shard_lock(folder: Path, shard: str) -> FileLock:
    """Return the lock of the shard k/N, not taken yet."""
    number, of = shard.split("/")
    return FileLock(folder / f".lock-shard-{number}-of-{of}", timeout=0)


def shards_at_work(folder: Path, but: str = "") -> dict[str, str]:
    """Return who does which shard, such as ``{"2/8": "process 7 on node3"}``, but one; call it in the gate."""
    found = {}
    with told(folder, "read"):
        shards = [f"{match[1]}/{match[2]}" for path in folder.iterdir() if (match := _SHARD.fullmatch(path.name))]
    for shard in sorted(set(shards) - {but}):
        lock = shard_lock(folder, shard)
        with told(Path(lock.lock_file), "locked"):
            try:
                lock.acquire()
            except Timeout:
                found[shard] = holder(lock)
                continue
            _holder_file(lock).unlink(missing_ok=True)
            Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()
    return found


def refuse_shards(folder: Path) -> None:
    """Refuse to be the only one in a folder while shards are at work there; call it in the gate.

    Raises
    ------
    ForeignResultsError
        If there are any.
    """
    if found := shards_at_work(folder):
        shard, by = next(iter(found.items()))
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        message = f"{folder}: locked by shard {shard}{by}{more}: wait for them or use another results folder"
        raise ForeignResultsError(message)


def name_holder(lock: FileLock) -> None:
    """Write beside a lock who holds it, in the place of whatever has that name, such as a link or a pipe."""
    write_atomically(_holder_file(lock), f"process {os.getpid()} on {platform.node()}\n".encode())


def forget_holder(lock: FileLock) -> None:
    """Remove what `name_holder` wrote."""
    with contextlib.suppress(OSError):
        _holder_file(lock).unlink(missing_ok=True)


def holder(lock: FileLock) -> str:
    """Return who holds a lock, as `` (process 7 on node3)``; nothing where that cannot be told."""
    said = said_holder(_holder_file(lock))
    return f" ({said})" if said else ""


def said_holder(path: Path) -> str:
    """Return what `name_holder` wrote, such as ``process 7 on node3``; nothing where it cannot be read."""
    try:
        said = read_file(path, _MOST_BYTES).decode().strip()[:100]
    except (OSError, ValueError):
        return ""
    return said if said.isprintable() else ""


def _holder_file(lock: FileLock) -> Path:
    return Path(f"{lock.lock_file}-holder")
