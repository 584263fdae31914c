"""What must hold of every text: it loads as a study that can be written and read again, or every fault has its line."""

from __future__ import annotations

import re
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

SECONDS = 2.0
"""Of processor time that one input may take; the program is to refuse within one, and counting blocks costs as much."""
SLOW = f"more than {SECONDS:g} s"
TRIES = 3
MEGABYTES = 100
"""That one input may add to the peak of memory."""
MAX_CELLS = 200
"""Cells of a study that is written and read again."""


class BrokenPromiseError(Exception):
    """What must hold of every input does not."""


class Oracle:
    """Loads texts as a file of a folder, and says what is wrong with what comes of it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "x.yaml"
        self.line = re.compile(rf"{re.escape(str(self.path))}:([1-9][0-9]*): \S")

    def broken(self, text: str) -> str:
        """Return what is broken, in one line that is the same for the same mistake, or nothing."""
        found = self._once(text)
        # A busy machine charges a process for what others did: only what is slow every time is slow.
        return next((again for _ in range(TRIES) if not (again := self._once(text))), found) if found == SLOW else found

    def _once(self, text: str) -> str:
        before = _peak()
        try:
            with _limited():
                self._check(text)
        except BrokenPromiseError as error:
            return str(error)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        return f"more than {MEGABYTES} MB" if _peak() - before > MEGABYTES else ""

    def _check(self, text: str) -> None:
        from simstudy.errors import ConfigError
        from simstudy.study import config

        content = text.encode("utf-8", "surrogatepass")
        self.path.write_bytes(content)
        try:
            study = config.load(self.path)
        except ConfigError as error:
            self._check_faults(error.faults, 2 + len(re.findall(rb"\r\n|\r|\n", content)))
        else:
            _check_study(study)

    def _check_faults(self, faults: tuple[str, ...], lines: int) -> None:
        if not faults:
            _break("refused without a fault")
        for fault in faults:
            found = self.line.match(fault)
            if found is None or int(found[1]) > lines:
                _break("a fault does not begin with file and line")
            if not fault.isprintable():
                _break("a fault is more than one printable line")


def _check_study(study: Any) -> None:
    from simstudy.study import config, names

    for name in (study.name, *study.names):
        if names.fault(name):
            _break("a name is none that a folder can have")
    if len({name.casefold() for name in study.names}) < len(study.names):
        _break("two names are the same but for case")
    if len(study.scenarios) <= MAX_CELLS and config.loads(config.to_yaml(study)) != study:
        _break("a study is not what it was once written and read")


def _break(promise: str) -> None:
    raise BrokenPromiseError(promise)


@contextmanager
def _limited() -> Iterator[None]:
    """Interrupt what takes too much processor time."""

    def stop(number: int, frame: FrameType | None) -> None:
        _break(SLOW)

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _peak() -> float:
    """Return the most memory that this process ever held, in megabytes."""
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
