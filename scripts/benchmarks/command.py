"""Run `simstudy run` in a process of its own, and watch the memory of its workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.machine import peak_bytes

_WATCH_SECONDS = 0.02


@dataclass(frozen=True)
class Run:
    """How a run of the command went.

    Attributes
    ----------
    simulation
        Seconds of simulating and storing, from before the workers start to the last file written, as the manifest says.
    whole
        Seconds of the whole command: also start, summary, figures and report.
    worker_bytes, main_bytes
        Largest memory of any worker and of the main process; None where it was not watched.
    """

    simulation: float
    whole: float
    worker_bytes: int | None
    main_bytes: int | None


def run(config: Path, jobs: int, replicates: int, *, backend: str | None = None, watch: bool = False) -> Run:
    """Run a config in a fresh results folder, which is removed again."""
    with tempfile.TemporaryDirectory(prefix="simstudy-benchmark-") as folder:
        words = [sys.executable, "-m", "simstudy", "run", str(config), "--jobs", str(jobs), "--quiet"]
        words += ["--replicates", str(replicates), "--results", folder]
        words += ["--backend", backend] if backend else []
        start = time.perf_counter()
        with subprocess.Popen(words, env=_environment()) as process:
            worker, main = _peaks(process) if watch else (None, None)
        whole = time.perf_counter() - start
        if process.returncode:
            message = f"simstudy run {config.name} ended with exit code {process.returncode}"
            raise RuntimeError(message)
        manifest = json.loads(next(Path(folder).glob("*/manifest.json")).read_text(encoding="utf-8"))
    return Run(manifest["runs"][-1]["seconds"], whole, worker, main)


def can_watch() -> bool:
    """Tell whether the memory of other processes can be read here."""
    return find_spec("psutil") is not None and peak_bytes(os.getpid()) is not None


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _peaks(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Watch a command until it ends; high-water marks never fall, so only a process's last moments can be missed."""
    import psutil

    command, workers, main = psutil.Process(process.pid), 0, 0
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess, OSError):
            main = max(main, peak_bytes(process.pid) or 0)
            for child in command.children(recursive=True):
                workers = max(workers, peak_bytes(child.pid) or 0)
        time.sleep(_WATCH_SECONDS)
    return workers, main
