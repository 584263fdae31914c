"""Files that are whole or absent: written beside their place, flushed, then moved there in one step."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from simstudy.errors import UnusableFileError, UnusableResultsError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class StrangeFileError(OSError):
    """What has the name of a file is none that can be read to its end, such as a folder, a pipe or a device."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EINVAL, reason)


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
    UnusableFileError
        If what has the name of a file is none.
    """
    try:
        yield
    except StrangeFileError as error:
        message = f"cannot be {action}: {error.strerror}; move it elsewhere and run the study again"
        raise UnusableFileError(path, message) from error
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        message = f"{path}: cannot be {action}: {reason}; mend this and run the same command again"
        raise UnusableResultsError(message) from error


def read_file(path: Path, most: int) -> bytes:
    """Return the bytes of a file; no pipe is waited for, no device read, and no more memory taken than allowed.

    Raises
    ------
    StrangeFileError
        If it is no regular file, or larger than ``most`` bytes.
    """
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP} and path.is_symlink():
            raise StrangeFileError("a link that leads nowhere") from error  # noqa: EM101
        raise
    if kind != stat.S_IFREG:
        raise StrangeFileError(_KINDS.get(kind, "no file") + ", not a file")
    # Should a pipe take its place now, it would not be waited for.
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:  # noqa: PTH123
        size = os.fstat(file.fileno()).st_size
        content = b"" if size > most else file.read(size + 1)
    if max(size, len(content)) > most:
        reason = f"{max(size, len(content)):,} bytes, where {most:,} are the most there can be"
        raise StrangeFileError(reason)
    return content


def make_below(root: Path, folder: Path) -> None:
    """Make a folder below another one, which must be there and be left where it is.

    Raises
    ------
    UnusableResultsError
        If it cannot be made, or ``root`` has vanished, such as while a run was at work in it.
    """
    with told(root, "used"):
        os.stat(root)  # noqa: PTH116 - Path.exists would hide why it cannot be reached
    for path in [*reversed(folder.relative_to(root).parents), folder.relative_to(root)][1:]:
        with told(root / path, "made"):
            (root / path).mkdir(exist_ok=True)


def refuse_links(root: Path, names: Iterable[str]) -> None:
    """Refuse links to folders below a results folder, through which files would be written elsewhere.

    Parameters
    ----------
    names
        The folders in ``root`` that are written into.

    Raises
    ------
    UnusableResultsError
        That names the first of them.
    """
    for name in names:
        if (root / name).is_symlink():
            raise _link(root / name)
        for folder, inner, _ in os.walk(root / name):
            for path in (Path(folder, each) for each in sorted(inner)):
                if path.is_symlink():
                    raise _link(path)


def _link(path: Path) -> UnusableResultsError:
    where = "to another folder" if path.exists() else "that leads nowhere"
    return UnusableResultsError(f"{path}: a link {where}; nothing is written through links: give the folder itself")


def refuse_link(folder: Path) -> None:
    """Refuse a results folder that is a link itself; raises as `refuse_links` does."""
    if folder.is_symlink():
        raise _link(folder)


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


@contextlib.contextmanager
def without_leftovers(folder: Path) -> Iterator[None]:
    """Leave no temporary files below a folder where the block raises, as writers that were ended might."""
    try:
        yield
    except Exception:
        with contextlib.suppress(UnusableResultsError):
            remove_leftovers(folder)
        raise


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders that killed runs left in a folder; call it under the folder's lock."""
    with told(folder, "cleaned"):
        for temporary in list(folder.rglob(".*.tmp")):
            if temporary.is_dir() and not temporary.is_symlink():
                shutil.rmtree(temporary)
            else:
                temporary.unlink(missing_ok=True)
