"""Files that are whole or absent: written beside their place, flushed, then moved there in one step."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from simstudy.errors import UnusableResultsError


@contextlib.contextmanager
def told(path: Path, action: str) -> Iterator[None]:
    """Turn what the operating system refuses into one line.

    Parameters
    ----------
    path
        The file or folder in hand.
    action
        What could not be done with it: ``read``, ``written``.

    Raises
    ------
    UnusableResultsError
        In place of any OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        message = f"{path}: cannot be {action}: {reason}; mend this and run the same command again"
        raise UnusableResultsError(message) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a kill or a crash at any time leaves the old file or the new one, never a part.

    Raises
    ------
    UnusableResultsError
        If it cannot be written, such as for want of space; the old file then stays as it was.
    """
    with replaced(path, f"written ({len(content):,} bytes)") as temporary:
        _write_through(temporary, content)


@contextlib.contextmanager
def replaced(path: Path, action: str = "written") -> Iterator[Path]:
    """Give a path to write a new file at, which is flushed and takes the place of the old one at the end.

    Raises
    ------
    UnusableResultsError
        If it cannot be written; the old file then stays as it was, as it does where the block raises.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with told(path, action):
        try:
            yield temporary
            _flush(temporary)
            temporary.replace(path)
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a power cut, where the system can (POSIX)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders that killed runs left in a folder; call it under the folder's lock."""
    with told(folder, "cleaned"):
        for temporary in list(folder.rglob(".*.tmp")):
            if temporary.is_dir() and not temporary.is_symlink():
                shutil.rmtree(temporary)
            else:
                temporary.unlink(missing_ok=True)
