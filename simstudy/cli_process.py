"""The command line as a process: signals, closed streams, and one line and an exit code for every error."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TextIO

from simstudy.errors import SimstudyError, Stopped, one_line

TRACEBACK = "SIMSTUDY_TRACEBACK"


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def guarded(work: Callable[[], None], arguments: Sequence[str]) -> int:
    """Do the work of the command line and return the exit code; what goes wrong is told in one line each.

    Parameters
    ----------
    arguments
        What the user typed, to say how to resume.
    """
    _prepare_streams()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        return _told(work, arguments)
    finally:
        _flush()


def _told(work: Callable[[], None], arguments: Sequence[str]) -> int:
    try:
        work()
    except Stopped as stop:
        complain(_stopped(arguments))
        return _code(stop)
    except KeyboardInterrupt:
        complain(_stopped(arguments))
        return 130
    except SystemExit as exit_:
        if place := _plugin_line(exit_):
            return _tell(exit_, 2, f"{place}: mend the plug-in")
        return _code(exit_)
    except SimstudyError as error:
        return _tell(error, error.exit_code, str(error))
    except MemoryError as error:
        return _tell(error, 5, "out of memory: use fewer jobs, or smaller sample sizes")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _tell(error, 5, f"{where}{error.strerror or error}")
    except BaseException as error:
        if place := _plugin_line(error):
            return _tell(error, 2, f"{place}: mend the plug-in")
        return _tell(error, 1, f"unexpected {one_line(error)}; set {TRACEBACK}=1 to see where, and please report it")
    return 0


def _plugin_line(error: BaseException) -> str:
    """Say what happened in a plug-in file and at which line of it; nothing where it happened elsewhere."""
    if "simstudy.families.plugin" not in sys.modules:
        return ""
    from simstudy.families.plugin import told

    line = told(error)
    return line if line != one_line(error) else ""


def _stop(number: int, _: FrameType | None) -> None:
    """End in order at the first signal, at once at the second."""
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, lambda second, _: os._exit(128 + second))
    raise Stopped(128 + number)


def _stopped(arguments: Sequence[str]) -> str:
    if arguments[:1] not in (["run"], ["collect"]):
        return "stopped"
    return f"stopped; finished tasks are kept. To resume: {shlex.join(['simstudy', *arguments])}"


def _code(exit_: SystemExit) -> int:
    return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)


def _tell(error: BaseException, code: int, lines: str) -> int:
    if os.environ.get(TRACEBACK):
        complain("".join(traceback.format_exception(error)).rstrip())
    for line in lines.splitlines():
        complain(f"error: {line}")
    return code


def say(text: str) -> None:
    """Print to standard output; a reader that went away, as in ``| head``, is no error."""
    _write(sys.stdout, text)


def complain(text: str) -> None:
    """Print to standard error; where that cannot be done, there is nobody to tell."""
    with contextlib.suppress(OSError):
        _write(sys.stderr, text)


def _inert(text: str) -> str:
    """Write out what would move the cursor, colour or turn the text of a terminal."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None or stream.closed:
        return
    try:
        print(_inert(text), file=stream, flush=True)
    except BrokenPipeError:
        _silence(stream)
    except OSError as error:
        _silence(stream)
        raise OSError(error.errno, error.strerror, stream.name) from error


def _silence(stream: TextIO) -> None:
    """Send what is still to be flushed nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _prepare_streams() -> None:
    """Let a character that the terminal's encoding lacks be shown as an escape, and what is closed lead nowhere.

    Else the next file opened would be taken for standard output, by workers that inherit it as well.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - as long as the process lasts
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            try:
                stream.flush()
            except OSError:
                _silence(stream)
