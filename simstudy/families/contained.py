"""Methods of a user's family, kept from harm: what they return is checked, and what they change is put back."""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import locale
import math
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from simstudy.errors import FamilyError, Stopped, TimeoutReached, one_line
from simstudy.families.base import Family
from simstudy.families.returned import CHECKS

_BUILTIN = "simstudy."
_STATELESS = ("log_density", "sample")
"""Methods called twice now and then: where the data are new, or at the first, second, fourth, eighth … draw."""
_BEFORE = "_attributes_before"
_SMALL = 2**20
"""Most numbers of data for that."""
_CLOSE = 1e-8
"""Relative difference of two calls beyond rounding."""
_inside = threading.local()


class _Aside(io.TextIOBase):
    """Standard output while a plug-in runs: what it prints is no part of the program's, and goes to standard error."""

    def write(self, text: str) -> int:
        """Write to standard error, if that can be done."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(text)
        return len(text)

    def close(self) -> None:
        """Stay open."""


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Put back what a plug-in may change for the whole process: folder, handlers of signals, and the like."""
    if getattr(_inside, "depth", 0):
        yield
        return
    before, output, folder = _settings(), sys.stdout, _folder()
    _inside.depth = 1
    sys.stdout = _Aside()
    try:
        yield
    finally:
        _inside.depth = 0
        sys.stdout = output
        if folder and _folder() != folder:
            os.chdir(folder)
        _put_back(before)


def _folder() -> str:
    with contextlib.suppress(OSError):
        return str(Path.cwd())
    return ""


def _settings() -> tuple[Any, ...]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    return handlers, np.geterr(), locale.setlocale(locale.LC_ALL), sys.getrecursionlimit()


def _put_back(before: tuple[Any, ...]) -> None:
    handlers, errors, region, depth = before
    np.seterr(**errors)
    sys.setrecursionlimit(depth)
    if locale.setlocale(locale.LC_ALL) != region:
        locale.setlocale(locale.LC_ALL, region)
    for number, handler in handlers.items():
        if signal.getsignal(number) is not handler and threading.current_thread() is threading.main_thread():
            signal.signal(number, handler)


@contextlib.contextmanager
def loaded() -> Iterator[None]:
    """Run a plug-in's file: nothing that it sets outlives it, and modules that it imports are not written compiled."""
    compiled, mask = sys.dont_write_bytecode, os.umask(0o077)
    os.umask(mask)
    sys.dont_write_bytecode = True
    try:
        with warnings.catch_warnings(), restored():
            yield
    finally:
        sys.dont_write_bytecode = compiled
        os.umask(mask)


def asked_to_stop(error: BaseException) -> bool:
    """Tell whether an exception is a signal's and not a plug-in's own."""
    interrupted = isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return interrupted or isinstance(error, (Stopped, TimeoutReached, GeneratorExit))


def contain(kind: type) -> None:
    """Contain all methods of a class and of its bases, but those of built-in classes and those contained before."""
    for owner in kind.__mro__:
        if owner.__module__ == "builtins" or owner.__module__.startswith(_BUILTIN):
            continue
        for name, member in list(vars(owner).items()):
            if not name.startswith("__") and (replacement := _replacement(member)) is not None:
                with contextlib.suppress(TypeError, AttributeError):
                    setattr(owner, name, replacement)


def _replacement(member: Any) -> Any:
    """Return a method or property contained; None for all else and for what is contained already."""
    if isinstance(member, functools.cached_property):
        if type(member.func) is FunctionType and not hasattr(member.func, "contained"):
            member.func = _contained(member.func)
        return None
    if isinstance(member, property) and type(member.fget) is FunctionType:
        return None if hasattr(member.fget, "contained") else property(_contained(member.fget))
    return _contained(member) if type(member) is FunctionType and not hasattr(member, "contained") else None


def _contained(function: FunctionType) -> Any:
    name, calls, seen = function.__name__, 0, math.nan

    @functools.wraps(function)
    def method(*arguments: Any, **named: Any) -> Any:
        nonlocal calls, seen
        if name not in CHECKS or named or not isinstance(arguments[0], Family):
            with _told(function), restored():
                return function(*arguments, **named)
        calls += 1
        first = _first(arguments[1]) if name == "log_density" else math.nan
        due = calls & (calls - 1) == 0 if name == "sample" else first != seen
        twice, seen = name in _STATELESS and due and _small(arguments[1:]), first
        with _told(function), restored():
            return _checked(function, arguments, twice=twice)

    vars(method)["contained"] = True
    return method


def _checked(function: FunctionType, arguments: tuple[Any, ...], *, twice: bool) -> Any:
    """Return what a method of a family returns, if it is sound, and the same at a second call where there is one."""
    family, given, check = arguments[0], arguments[1:], CHECKS[function.__name__]
    spare = [copy.deepcopy(each) if isinstance(each, np.random.Generator) else each for each in given] if twice else []
    fresh = _as_it_was(family)
    found = check(family, given, function(family, *map(_frozen, given)))
    if twice:
        again = check(family, given, function(fresh, *map(_frozen, spare)))
        _check_same(function.__name__, found, again)
    return found


def _as_it_was(family: Family) -> Family:
    """Return a copy of the family with the attributes that it had at the first call, without what it kept since."""
    own = vars(family)
    before = own.setdefault(_BEFORE, dict(own))
    fresh = copy.copy(family)
    vars(fresh).clear()
    vars(fresh).update(before)
    return fresh


def _first(x: Any) -> float:
    """Return the first number of the data, which tells them from others; NaN where there is none."""
    with contextlib.suppress(TypeError, ValueError, IndexError):
        return float(np.asarray(x).flat[0])
    return math.nan


def _small(arguments: Sequence[Any]) -> bool:
    """Tell whether a second call costs little memory."""
    shapes = [np.shape(each) for each in arguments if isinstance(each, np.ndarray)]
    sizes = [each for each in arguments if isinstance(each, tuple) and all(isinstance(side, int) for side in each)]
    return all(math.prod(shape) <= _SMALL for shape in (*shapes, *sizes))


def _frozen(argument: Any) -> Any:
    """Return an argument that cannot be written into; of a list of parameters, a list of one's own."""
    if isinstance(argument, list):
        return [_frozen(each) for each in argument]
    if isinstance(argument, tuple):
        return tuple(_frozen(each) for each in argument)
    if type(argument) is not np.ndarray:
        return argument
    view = argument.view()
    view.flags.writeable = False
    return view


@contextlib.contextmanager
def _told(function: FunctionType) -> Iterator[None]:
    """Say where it happened that a method returned what it may not, or raised what would end the process."""
    try:
        yield
    except FamilyError as error:
        raise _placed(function, error) from error
    except BaseException as error:
        if asked_to_stop(error) or (isinstance(error, Exception) and not isinstance(error, StopIteration)):
            raise
        message = f"{_place(function, error)}: {one_line(error)}"
        raise FamilyError(message) from error


def _check_same(name: str, first: Any, second: Any) -> None:
    with np.errstate(all="ignore"):
        near = (first == second) | (np.isnan(first) & np.isnan(second))
        if name != "sample":
            near |= np.abs(first - second) <= _CLOSE * (1.0 + np.abs(first))
    if not near.all():
        message = (
            f"{name} returned something else at a second call with the same arguments: a family keeps no state, "
            "and draws from the generator that it is given"
        )
        raise FamilyError(message)


def _placed(function: FunctionType, error: FamilyError) -> FamilyError:
    """Return the error with the place of the method, once."""
    if getattr(error, "placed", False):
        return error
    placed = FamilyError(f"{_place(function)}: {error}")
    vars(placed)["placed"] = True
    return placed


def _place(function: FunctionType, error: BaseException | None = None) -> str:
    """Return file and line: of the method, or the last one in its file that an exception passed through."""
    code = function.__code__
    trace = traceback.walk_tb(error.__traceback__) if error else ()
    lines = [line for frame, line in trace if frame.f_code.co_filename == code.co_filename]
    return f"{Path(code.co_filename).name}:{lines[-1] if lines else code.co_firstlineno}"
