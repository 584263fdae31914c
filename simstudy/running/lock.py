"""One run at a time in a results folder; the system frees the lock the moment its holder dies."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from simstudy.errors import ForeignResultsError
from simstudy.files import told

LOCK = ".lock"
HOLDER = ".lock-holder"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a results folder, which is made where it is missing.

    Raises
    ------
    ForeignResultsError
        If another run holds it; the line names that run where it can.
    """
    with told(folder, "made"):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0)
    with told(folder / LOCK, "locked"):
        try:
            lock.acquire()
        except Timeout:
            raise ForeignResultsError(_busy(folder)) from None
    try:
        with told(folder / HOLDER, "written"):
            (folder / HOLDER).write_text(f"process {os.getpid()} on {platform.node()}\n", encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _busy(folder: Path) -> str:
    try:
        holder = (folder / HOLDER).read_text(encoding="utf-8").strip()[:100]
    except (OSError, ValueError):
        holder = ""
    by = f" by {holder}" if holder.isprintable() and holder else ""
    return f"{folder}: locked{by}: another run is writing there; wait for it or use another results folder"
