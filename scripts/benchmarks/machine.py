"""What the figures were measured on, and how much memory a process took."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("numpy", "scipy", "joblib", "statsmodels")


def describe() -> str:
    """Return processor, cores, system and versions in one line."""
    system = f"{platform.system()} {platform.machine()}"
    versions = [f"Python {platform.python_version()}", f"simstudy {_version('simstudy')}"]
    versions += [f"{name} {_version(name)}" for name in PACKAGES if _version(name)]
    return f"{processor()}, {cores()} cores, {system}; {', '.join(versions)}."


def processor() -> str:
    """Return the model of the processor, as the system calls it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown processor"


def cores() -> int:
    """Return the number of processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(package: str) -> str:
    if package == "simstudy":
        from simstudy import __version__

        return __version__
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def peak_bytes(process: int | None = None) -> int | None:
    """Return the most memory a process has held so far; None where the system does not say.

    On Linux the process's own high-water mark. That of `resource`, used elsewhere and only for this process, may
    include its parent's at the time of the fork.
    """
    status = Path(f"/proc/{process or 'self'}/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        found = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
        return found[0] * 1024 if found else None
    if process is not None:
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
