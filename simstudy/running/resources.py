"""What this machine has to give: memory and disk, as its limits leave them to this process."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_GROUPS = Path("/sys/fs/cgroup")
_NO_LIMIT = 2**62
_PAGE_CACHE = ("file", "total_cache")


def available_memory() -> int:
    """Return the bytes that this process and its workers can take together: what is free, or what a group may still."""
    return min([_free_memory(), *_left_to_groups()])


def own_memory() -> int:
    """Return the bytes that a single process may still map: by RLIMIT_AS, beyond what this one has mapped already."""
    try:
        import resource
    except ImportError:  # not POSIX
        return _NO_LIMIT
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return _NO_LIMIT if soft == resource.RLIM_INFINITY else max(0, soft - _mapped())


def free_disk(folder: Path) -> int:
    """Return the bytes free where a folder is, or will be made."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def _free_memory() -> int:
    """Return MemAvailable, which counts what the page cache can give back; elsewhere free pages, or all."""
    fields = _fields(_PROC / "meminfo")
    if "MemAvailable" in fields:
        return fields["MemAvailable"] * 1024
    for pages in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        with contextlib.suppress(ValueError, OSError, AttributeError):
            return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")
    return _NO_LIMIT


def _mapped() -> int:
    return _fields(_PROC / "self" / "status").get("VmSize", 0) * 1024


def _left_to_groups() -> Iterator[int]:
    """Yield the bytes left to each control group of this process that has a limit (Linux, versions 1 and 2)."""
    for line in _lines(_PROC / "self" / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers in {"", "memory"}:
            top = _GROUPS / controllers
            limit, usage = _FILES[controllers]
            inner = top / path.lstrip("/")
            for group in [inner, *(outer for outer in inner.parents if outer == top or top in outer.parents)]:
                most, used = _number(group / limit), _number(group / usage)
                if most is not None and used is not None and most < _NO_LIMIT:
                    cache = _fields(group / "memory.stat")
                    yield max(0, most - used + next((cache[key] for key in _PAGE_CACHE if key in cache), 0))


_FILES = {"": ("memory.max", "memory.current"), "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes")}
"""Files of a group that hold its limit and what it uses, by the name of the controller: version 2 has none."""


def _lines(path: Path) -> list[str]:
    """Return the lines of a file of the system, none where it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []


def _number(path: Path) -> int | None:
    """Return the number that a file holds; None where there is none, such as ``max``."""
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdigit() else None


def _fields(path: Path) -> dict[str, int]:
    """Return the whole numbers of a file of lines such as ``MemAvailable:  1024 kB`` or ``file 4096``."""
    words = (line.replace(":", " ").split() for line in _lines(path))
    return {each[0]: int(each[1]) for each in words if len(each) > 1 and each[1].isdigit()}
