"""The real program in processes of its own, watched and disturbed from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "simstudy"]
PATIENCE = 120.0
"""Seconds after which a program that has not ended is taken to hang, on a machine that has much else to do."""


def environment(**changes: str | None) -> dict[str, str]:
    """Environment of a program; None removes a variable."""
    found = {**os.environ, "PYTHONPATH": str(ROOT), **changes}
    return {name: value for name, value in found.items() if value is not None}


def start(folder: Path, *words: object, **env: str | None) -> subprocess.Popen[str]:
    """Start the program in a folder."""
    pipe = subprocess.PIPE
    command = [*PROGRAM, *map(str, words)]
    return subprocess.Popen(command, cwd=folder, env=environment(**env), stdout=pipe, stderr=pipe, text=True)


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for the end of a program, which leaves nothing that holds its streams open."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def call(folder: Path, *words: object, **env: str | None) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return ended(start(folder, *words, **env))


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes that a program has started."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def until(happened: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something has happened; AssertionError where it does not."""
    limit = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.02)


def blocks(folder: Path) -> dict[str, bytes]:
    """Return the stored blocks below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.npz"))}


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder but the manifest, which holds times, and locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json" and not path.name.startswith(".lock")
    }
