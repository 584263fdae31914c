"""Collects the faults of a config, each at its place in the file, so that all can be told at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simstudy.errors import ConfigError, nearest

Path = tuple[str | int, ...]
"""Where a value stands: keys of mappings and indices of lists, from the top; the top itself is ``()``."""

MAX_FAULTS = 100
"""More are counted, not listed: a page that nobody reads helps nobody."""

MAX_LINE = 2_000
"""Characters of a message."""

BROKEN = object()
"""Stands for a value whose fault is told already, so that nothing else is said of it."""


class Faults:
    """The faults found so far in one config.

    Parameters
    ----------
    name
        Name of the config in messages, mostly its file name.
    lines
        Line of each path, counted from 1; empty for a config that is no text.
    """

    def __init__(self, name: str, lines: dict[Path, int] | None = None) -> None:
        self.name = printable(name)
        self.lines = {} if lines is None else lines
        self._found: dict[tuple[int, str], None] = {}
        self._marked: set[Path] = set()
        self._omitted: list[int] = []

    def add(self, path: Path, what: str | Callable[[], str], line: int | None = None) -> None:
        """Note a fault; ``line`` overrides the one that the path has, and a function is called only if it is listed."""
        self._marked.update(path[:length] for length in range(len(path) + 1))
        if len(self._found) < MAX_FAULTS:
            self._note(path, what if isinstance(what, str) else what(), line)
        else:
            self._omitted.append(self._line(path) if line is None else line)

    def fatal(self, path: Path, what: str, line: int | None = None) -> ConfigError:
        """Note a fault after which reading on has no use, and return the error to raise."""
        self._note(path, what, line)
        return self.error()

    def clean(self, *path: str | int) -> bool:
        """Tell whether no fault was found at this path or below it."""
        return path not in self._marked

    def check(self) -> None:
        """Raise ConfigError with all faults, in the order of the file, if there are any."""
        if self._found:
            raise self.error()

    def error(self) -> ConfigError:
        """Return the error that holds all faults, in the order of the file."""
        listed = [text for _, text in sorted(self._found, key=lambda found: found[0])]
        if self._omitted:
            more = f"config: {len(self._omitted):,} more faults, not listed: mend these first"
            listed.append(f"{self._place(min(self._omitted))}: {more}")
        return ConfigError(listed)

    def _note(self, path: Path, what: str, line: int | None) -> None:
        line = self._line(path) if line is None else line
        self._found[line, f"{self._place(line)}: {where(path)}: {_line(what)}"] = None

    def _place(self, line: int) -> str:
        return f"{self.name}:{line}" if line else self.name

    def _line(self, path: Path) -> int:
        """Return the line of a path or of what holds it; 0 where the config is no text."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 0


def where(path: Path) -> str:
    """Write a path as a reader would.

    >>> where(("scenarios", 0, "parameters", "shape"))
    'scenarios[0].parameters.shape'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{_short(printable(step))}" for step in path)
    return text.removeprefix(".") or "config"


def show(value: Any) -> str:
    """Describe a value of a config in a few printable characters.

    >>> show("ten"), show(None), show(1e-8), show([1, 2])
    ("the text 'ten'", 'nothing', '1e-08', 'a list')
    """
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**40:
        return f"a number of {value.bit_length():,} bits"
    return "nothing" if value is None else _short(repr(value))


def quoted(text: str) -> str:
    """Quote text of a config, shortened and with everything unprintable escaped."""
    return _short(repr(text))


def hint(name: str, known: list[str]) -> str:
    """Return what to do about a name that is not known: the nearest one, or all that are."""
    return nearest(name, known) or f"; known: {', '.join(known)}"


def printable(text: str) -> str:
    r"""Escape what a terminal would not print as itself, so that a message stays one line.

    >>> print(printable("two\nlines"))
    two\nlines
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _line(what: str) -> str:
    """Return what is said as one printable line that can be read: it may quote keys of a config at length."""
    text = printable(what[:MAX_LINE])
    return text if len(what) <= MAX_LINE else f"{text}... and {len(what) - MAX_LINE:,} characters more"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]}...{text[-10:]}"
