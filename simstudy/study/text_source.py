"""Reads the text of a config file; what is no text, or too much of it, is refused before it is parsed."""

from __future__ import annotations

import codecs
import re
import stat
from pathlib import Path

from simstudy.study.faults import Faults

MAX_BYTES = 250_000
"""Parsed in half a second at worst; a config of this size has thousands of scenarios written out."""

_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
# YAML 1.1 begins a new line at these, YAML 1.2 and editors do not: a comment could hide a key.
_LINE_ENDS = "\x85\u2028\u2029"
# What turns the order of the characters that follow, so that a line means something else than it shows.
_TURNS = "\u202a-\u202e\u2066-\u2069"
_FORBIDDEN = re.compile(
    f"(?P<end>[{_LINE_ENDS}])|(?P<turn>[{_TURNS}])|[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_KINDS = {"end": "line end, which YAML 1.2 does not know,", "turn": "character that turns the direction of writing,"}
_LINE_END = re.compile("\r\n|[\n\r]")


def read(path: str | Path) -> str:
    """Return the text of a file.

    Raises
    ------
    ConfigError
        The file cannot be read, is no regular file, too large, or no UTF-8 text.
    """
    faults = Faults(str(path))
    try:
        raw = _bytes(Path(path), faults)
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "strerror", None) or error).lower()
        raise faults.fatal((), f"the file cannot be read, {reason}: give the path of a YAML file") from error
    return _decode(raw, faults)


def admit(text: str, faults: Faults) -> None:
    """Refuse text that is too long to parse in no time, and characters that YAML forbids."""
    if len(text) > MAX_BYTES:
        raise _too_large(len(text), faults)
    if text.startswith("\ufeff"):
        raise faults.fatal((), "the text begins with a byte order mark: leave it out")
    found = _FORBIDDEN.search(text)
    if found:
        line = len(_LINE_END.findall(text, 0, found.start())) + 1
        raise faults.fatal((), f"the {_kind(found)} U+{ord(found[0]):04X}: delete it", line)


def _kind(found: re.Match[str]) -> str:
    return _KINDS.get(found.lastgroup or "", "control character")


def _bytes(path: Path, faults: Faults) -> bytes:
    # Only regular files: a pipe or a device can be endless, or never begin.
    if not stat.S_ISREG(path.stat().st_mode):
        raise faults.fatal((), "not a regular file: give the path of a YAML file")
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise _too_large(path.stat().st_size, faults)
    return raw


def _decode(raw: bytes, faults: Faults) -> str:
    if raw.startswith(_BYTE_ORDER_MARKS):
        raise faults.fatal((), "the file begins with a byte order mark: save it as UTF-8 without one", 1)
    if b"\0" in raw:
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        raise faults.fatal((), "a NUL byte, so this is no text: give a YAML file saved as UTF-8", line)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        what = f"byte 0x{raw[error.start]:02x} is no UTF-8: save the file as UTF-8"
        raise faults.fatal((), what, line) from error


def _too_large(size: int, faults: Faults) -> Exception:
    return faults.fatal((), f"too large, {size:,} bytes: a config has at most {MAX_BYTES:,}", 1)
