"""The errors that a user can cause, each with its exit code and a message of one line per fault."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

MAX_COMPARED = 100
"""Characters of a name that is compared with known ones."""


class SimstudyError(Exception):
    """Base of every error that is told to the user without a traceback."""

    exit_code: ClassVar[int] = 1


class ConfigError(SimstudyError):
    """A config, an argument or a family that cannot be used; holds all faults found at once.

    Parameters
    ----------
    faults
        One line each: ``where: what is wrong, what was got, what to do``.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, faults: str | Iterable[str]) -> None:
        self.faults = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))


class FamilyError(SimstudyError):
    """A family of a user's own returned what no family may, such as complex numbers or an array of another shape."""

    exit_code: ClassVar[int] = 3


class ForeignResultsError(SimstudyError):
    """The results folder is locked by another run, or was made by another study."""

    exit_code: ClassVar[int] = 4


class UnusableResultsError(SimstudyError):
    """The results cannot be read or written: damaged block, missing folder, no space."""

    exit_code: ClassVar[int] = 5


class UnusableFileError(UnusableResultsError):
    """A file of the results is not what it should be; the next run puts it into quarantine and makes it again.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(f"{path}: {message}")

    def __reduce__(self) -> tuple[type[UnusableFileError], tuple[Path, str]]:
        """Pickle it as it was made, so that it can come from a worker."""
        return type(self), (self.path, str(self).removeprefix(f"{self.path}: "))


class ForeignFileError(UnusableFileError):
    """A whole file, but of another scenario, seed or version than its place says."""


class Stopped(SystemExit):
    """A signal asked the process to end; passes through code that catches errors."""


class TimeoutReached(BaseException):
    """The time of a task is over; passes through code that catches errors."""


MOST_SAID = 500
"""Characters of a text from elsewhere that are shown."""


def one_line(error: BaseException | str) -> str:
    r"""Say in one line what an exception is, or write a text in one: no control characters, and not for ever.

    >>> one_line(ValueError("two\nlines"))
    'ValueError: two lines'
    >>> one_line("\x1b[31mred")
    '\\x1b[31mred'
    """
    text = error if isinstance(error, str) else f"{type(error).__name__}: {_said(error)}"
    shown = " ".join(text[: 2 * MOST_SAID].split())
    shown = shown if len(text) <= 2 * MOST_SAID and len(shown) <= MOST_SAID else f"{shown[:MOST_SAID]}…"
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in shown)


def _said(error: BaseException) -> str:
    """Return the message of an exception, which may be of a kind that cannot even say it."""
    try:
        return str(error)
    except Stopped:
        raise
    except (Exception, SystemExit):
        return "its message cannot be read"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known name, or an empty string.

    >>> nearest("gama", ["gamma", "beta"])
    "; did you mean 'gamma'?"
    >>> nearest("zzz", ["gamma", "beta"])
    ''
    """
    # Comparing costs the product of the lengths, and no valid name is long.
    found = difflib.get_close_matches(name, list(known), n=1) if len(name) <= MAX_COMPARED else []
    return f"; did you mean '{found[0]}'?" if found else ""
