"""Make the allocator keep freed memory, so that arrays of a block do not fault their pages in anew each time."""

from __future__ import annotations

import ctypes
import sys

# Parameters of glibc's mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_KEPT = 256 * 2**20
_LARGE = 64 * 2**20


def keep_freed_memory() -> None:
    """Raise glibc's thresholds for giving memory back; elsewhere do nothing.

    By default an array of half a megabyte is mapped and unmapped at every use, and faulting its pages in costs more
    than the arithmetic on it.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
