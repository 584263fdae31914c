"""The real command line in a process of its own, forked from one that has imported everything, so that it is cheap."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

WARM = ("api", "cli_comparison", "cli_messages", "interchange", "verification", "analysis.precision", "report.page")
"""Modules of every verb, imported once."""


class Done(NamedTuple):
    code: int
    out: str
    err: str


def nothing() -> None:
    pass


def call(folder: Path, *arguments: object, before: Callable[[], object] = nothing, timeout: float = 120.0) -> Done:
    """Run ``simstudy`` with arguments in a folder; ``before`` runs in the child first, to arm its faults."""
    for name in WARM:
        import_module(f"simstudy.{name}")
    out, err = folder.parent / f"{folder.name}.out", folder.parent / f"{folder.name}.err"
    child = os.fork()
    if not child:
        _become(folder, [str(each) for each in arguments], before, out, err)
    return Done(_waited(child, timeout), out.read_text(errors="replace"), err.read_text(errors="replace"))


def _become(folder: Path, arguments: list[str], before: Callable[[], object], out: Path, err: Path) -> None:
    from simstudy import cli

    code = 99
    try:
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        os.chdir(folder)
        sys.argv = ["simstudy", *arguments]
        before()
        cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _waited(child: int, timeout: float) -> int:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    message = f"it hangs: nothing came of it in {timeout:g} s"
    raise AssertionError(message)


def refused(done: Done, code: int, *parts: str) -> None:
    """Assert that it ended with a code and one line, without a traceback, that has all these parts."""
    assert done.code == code, done
    assert "Traceback" not in done.err
    lines = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.err
    assert [part for part in parts if part not in lines[0]] == [], lines[0]
