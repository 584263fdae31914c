"""Reads YAML into plain data and remembers the line of everything; nothing in a file can run code.

Only events are taken from the YAML library. What plain scalars mean is decided here, by the core schema of
YAML 1.2, and what a config has no use for (tags, anchors, several documents, deep nesting) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    StreamEndEvent,
)

from simstudy.study import text_source
from simstudy.study.faults import BROKEN, Faults, Path, printable, quoted

MAX_VALUES = 20_000
MAX_DEPTH = 20
MAX_DIGITS = 100

EMPTY = "is empty: give study, seed, replicates, sample_sizes and scenarios"

# The core schema of YAML 1.2, section 10.3.2.
_CONSTANTS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **{sign + text: float(sign + "inf") for sign in ("", "+", "-") for text in (".inf", ".Inf", ".INF")},
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def parse(text: str, name: str) -> tuple[Any, Faults]:
    """Turn YAML text into mappings, lists, text and numbers.

    Parameters
    ----------
    text
        One YAML document.
    name
        What messages call it.

    Returns
    -------
    data
        Plain data; `BROKEN` stands where a value could not be read.
    faults
        The line of every value, and the faults after which reading could go on.

    Raises
    ------
    ConfigError
        The text is no YAML that a config may hold.
    """
    faults = Faults(name, {(): 1})
    text_source.admit(text, faults)
    reader = _Reader(text, faults)
    try:
        return reader.document(), faults
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else reader.line
        raise faults.fatal((), _syntax(error), line) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the escape "\UFFFFFFFF", for one
        what = "not valid YAML, an escape or a version out of range: write the character itself"
        raise faults.fatal((), what, reader.line) from error


def scalar(text: str) -> str | int | float | bool | None:
    """Return what a plain scalar of at most `MAX_DIGITS` characters means in YAML 1.2.

    >>> [scalar(text) for text in ("1e-8", "010", "0x1F", "12:30", "no", "true", "~")]
    [1e-08, 10, 31, '12:30', 'no', True, None]
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    return float(text) if _FLOAT.fullmatch(text) else text


class _Reader:
    """Walks over the events of a document, once, and builds plain data."""

    def __init__(self, text: str, faults: Faults) -> None:
        self.events: Iterator[Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self.faults = faults
        self.values = 0
        self.line = 1

    def document(self) -> Any:
        """Read the only document of the text."""
        next(self.events)
        if isinstance(next(self.events), StreamEndEvent):
            raise self.faults.fatal((), EMPTY)
        data = self._value(next(self.events), ())
        if data is None:
            raise self.faults.fatal((), EMPTY)
        next(self.events)
        after = next(self.events)
        if not isinstance(after, StreamEndEvent):
            self.faults.add((), "a second document begins here: keep one per file", _line(after))
        return data

    def _value(self, event: Event, path: Path, line: int = 0) -> Any:
        self._check(event, path)
        self.faults.lines.setdefault(path, line or self.line)
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, CollectionStartEvent):
            return [self._value(item, (*path, index)) for index, item in enumerate(self._items())]
        return self._scalar(event, path) if isinstance(event, ScalarEvent) else BROKEN

    def _mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self._items():
            line = _line(event)
            key = self._key(event, path)
            if key in found:
                first = self.faults.lines[(*path, key)]
                what = f"the key is written twice, first on line {first}: keep one"
                self.faults.add((*path, key), what, line)
            value = next(self.events)
            # A block below its key is found at the key, a number at itself.
            line = _line(value) if isinstance(value, ScalarEvent) else line
            found.setdefault(key, self._value(value, (*path, key), line))
        return found

    def _key(self, event: Event, path: Path) -> str:
        """Return a key as it is written: that of ``no: 1`` is the text no."""
        if not isinstance(event, ScalarEvent):
            what = "a key is a list, a mapping or an alias: write a name"
            raise self.faults.fatal(path, what, _line(event))
        self._check(event, path)
        return str(event.value)

    def _scalar(self, event: ScalarEvent, path: Path) -> Any:
        text = str(event.value)
        if event.tag is not None:
            return BROKEN
        if not event.implicit[0]:
            return text
        if len(text) > MAX_DIGITS:
            if not (_INTEGER.fullmatch(text) or _FLOAT.fullmatch(text)):
                return text
            what = f"a number of {len(text):,} characters: write it with at most {MAX_DIGITS}"
            self.faults.add(path, what, self.line)
            return BROKEN
        return scalar(text)

    def _items(self) -> Iterator[Event]:
        """Iterate over the events that start an item of the list or mapping being read."""
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                return
            yield event

    def _check(self, event: Event, path: Path) -> None:
        """Refuse what a config has no use for, before anything is built from it."""
        self.line = line = _line(event)
        self.values += 1
        if self.values > MAX_VALUES:
            what = f"more than {MAX_VALUES:,} values: let lists of parameter values cross"
            raise self.faults.fatal((), what, line)
        if len(path) > MAX_DEPTH:
            what = f"nested deeper than {MAX_DEPTH} levels: a config needs four"
            raise self.faults.fatal((), what, line)
        if isinstance(event, AliasEvent):
            self.faults.add(path, f"the alias {quoted(str(event.anchor))}: write the value out", line)
        elif isinstance(event, NodeEvent) and event.anchor is not None:
            self.faults.add(path, f"the anchor {quoted(event.anchor)}: write values out instead", line)
        if isinstance(event, (ScalarEvent, CollectionStartEvent)) and event.tag is not None:
            self.faults.add(path, f"the tag {quoted(event.tag)}: leave it out", line)


def _syntax(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "unreadable"
    if "\\t" in problem:
        return "a tab where YAML wants spaces: indent and separate with spaces"
    if error.context and error.context_mark:
        problem += f" {error.context} that begins on line {error.context_mark.line + 1}"
    return f"not valid YAML, {printable(problem)}: check indentation, quotes and brackets"


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 1
