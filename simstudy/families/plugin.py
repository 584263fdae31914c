"""Families that are not built in: a user's file or an installed module, and what in it is a family."""

from __future__ import annotations

import hashlib
import stat
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import isabstract
from pathlib import Path
from types import ModuleType
from typing import Any

from simstudy.errors import ConfigError, SimstudyError, one_line
from simstudy.families import contained
from simstudy.families.base import Family
from simstudy.families.sample_space import SampleSpace, VectorSpace
from simstudy.parameters import Domain, Parameter

_ATTRIBUTES = ("name", "parameters", "sample_space")
_LISTS = ("FAMILIES", "families")
_MODULE = "simstudy_plugin_"
"""What the names of modules made from files begin with."""


@dataclass(frozen=True)
class Origin:
    """Where a family comes from that is not built in.

    Attributes
    ----------
    file
        Name of the file in which it is defined.
    sha256
        Of that file's bytes, in hexadecimal digits.
    package
        The installed distribution that brought it; none for a file that the user named.
    """

    file: str
    sha256: str
    package: str = ""

    @property
    def remedy(self) -> str:
        """What to do to have the family."""
        if self.package:
            return f"install {self.package} again"
        return f"give --plugin {self.file}, or in Python simstudy.load_plugin('{self.file}')"


@dataclass(frozen=True)
class Source:
    """A plug-in file as it was read; plain data, from which worker processes make the same families.

    Attributes
    ----------
    name
        The path as the user gave it, for messages.
    path
        The path in full.
    content
        The bytes of the file.
    """

    name: str
    path: str
    content: bytes

    @property
    def origin(self) -> Origin:
        """Where its families come from."""
        return Origin(Path(self.path).name, hashlib.sha256(self.content).hexdigest())


def read(path: str | Path) -> Source:
    """Read a plug-in file (ConfigError where that cannot be done)."""
    place = Path(path)
    try:
        place = place.expanduser().resolve()
        regular = stat.S_ISREG(place.stat().st_mode)  # a pipe or a device can be endless, or never begin
        content = place.read_bytes() if regular else b""
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(getattr(error, "strerror", None) or error).lower()
        message = f"{path}: the plug-in cannot be read, {reason}: give the path of a Python file"
        raise ConfigError(message) from error
    if not regular or place.suffix != ".py":
        message = f"{path}: a plug-in is a file whose name ends in .py: give the path of one"
        raise ConfigError(message)
    return Source(str(path), str(place), content)


def families_of(source: Source, builtin: Mapping[str, Family]) -> list[Family]:
    """Run a plug-in file and return its families.

    The module can be found under its name in `sys.modules`, as dataclasses and type hints need, and its folder is not
    on the path.

    Raises
    ------
    ConfigError
        If the file raises an exception, defines no family, or one that is incomplete.
    """
    module = ModuleType(f"{_MODULE}{Path(source.path).stem}_{source.origin.sha256[:12]}")
    module.__file__ = source.path
    sys.modules[module.__name__] = module
    try:
        with contained.loaded():
            exec(compile(source.content, source.path, "exec", dont_inherit=True), vars(module))
            found = collect(module, source.name, builtin)
    except BaseException as error:
        del sys.modules[module.__name__]
        if isinstance(error, ConfigError) or contained.asked_to_stop(error):
            raise
        line = _line(error, {source.path})[1]
        message = f"{source.name}{f':{line}' if line else ''}: {_said(error)}: mend the plug-in"
        raise ConfigError(message) from error
    for kind in [value for value in vars(module).values() if isinstance(value, type)]:
        if kind.__module__ == module.__name__:
            contained.contain(kind)
    return found


def _line(error: BaseException, files: set[str]) -> tuple[str, int | None]:
    """Return the last line of one of the files that an exception passed through."""
    if isinstance(error, SyntaxError) and error.filename in files:
        return error.filename, error.lineno
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return next((place for place in reversed(places) if place[0] in files), ("", None))


def _said(error: BaseException) -> str:
    return f"SyntaxError: {one_line(str(error.msg))}" if isinstance(error, SyntaxError) else one_line(error)


def told(error: BaseException) -> str:
    """Say in one line what an exception is, with the line of the plug-in file where it happened, if it did in one."""
    if isinstance(error, SimstudyError):
        return one_line(str(error))
    files = {str(module.__file__) for name, module in list(sys.modules.items()) if name.startswith(_MODULE)}
    file, line = _line(error, files)
    return f"{Path(file).name}:{line}: {one_line(error)}" if file else one_line(error)


def collect(module: ModuleType, label: str, builtin: Mapping[str, Family]) -> list[Family]:
    """Return the families that a module defines.

    These are the entries of its table or list ``FAMILIES`` (or ``families``), if it has one; else all families at its
    top level and all families whose class it defines, but those whose names begin with an underscore.

    Parameters
    ----------
    label
        What messages call the module.
    builtin
        The table of built-in families, members of which may be imported into the module.

    Raises
    ------
    ConfigError
        All faults at once: no family, one that is incomplete, two of one name.
    """
    faults: list[str] = []
    found = [made for each in _defined(module, builtin, faults) if (made := _make(each, faults))]
    names = [family.name for family in found]
    faults += [f"two families are called '{name}': rename one" for name in names if names.count(name) > 1]
    if not found and not faults:
        faults.append("defines no family: give it a class derived from simstudy.families.base.Family")
    if faults:
        raise ConfigError(f"{label}: {fault}" for fault in dict.fromkeys(faults))
    return found


def _defined(module: ModuleType, builtin: Mapping[str, Family], faults: list[str]) -> Sequence[Any]:
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    for key in _LISTS:
        listed = public.get(key)
        if isinstance(listed, Mapping) and listed is not builtin:
            faults += [
                f"{key} has the key {key_!r} for the family '{each.name}': write it as its name"
                for key_, each in listed.items()
                if key_ != getattr(each, "name", key_)
            ]
            return list(listed.values())
        if isinstance(listed, (list, tuple)):
            return listed
    # One object may have two names, and built-in families are there to be used.
    own = {id(value): value for value in public.values() if isinstance(value, Family)}
    instances = [each for each in own.values() if type(each) is not type(builtin.get(getattr(each, "name", "")))]
    made = {type(each) for each in instances}
    classes = [value for value in public.values() if _is_class(value) and value.__module__ == module.__name__]
    return [*instances, *_not_made(dict.fromkeys(classes), made)]


def _is_class(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Family)


def _not_made(classes: Mapping[type[Family], None], made: set[type[Family]]) -> Iterator[type[Family]]:
    """Yield the classes of which there is no instance yet, without those that are but bases of others."""
    for kind in classes:
        base = any(other is not kind and issubclass(other, kind) for other in classes)
        if kind not in made and not (base and _lacking(kind)):
            yield kind


def _lacking(kind: type[Family]) -> list[str]:
    """Return what a class does not give."""
    attributes = [name for name in _ATTRIBUTES if getattr(kind, name, None) is None]
    return [*attributes, *sorted(kind.__abstractmethods__)] if isabstract(kind) else attributes


def _make(found: Any, faults: list[str]) -> Family | None:
    """Return the family that is meant, or None and note why there is none."""
    if not isinstance(found, Family) and not _is_class(found):
        faults.append(f"lists {one_line(repr(found))}, which is no family: list families only")
        return None
    label = f"class {found.__name__}" if isinstance(found, type) else f"family of class {type(found).__name__}"
    if isinstance(found, type) and isabstract(found):
        faults.append(f"{label} lacks {', '.join(_lacking(found))}: every family gives these")
        return None
    try:
        family: Family = found() if isinstance(found, type) else found
        wrong = list(_wrong(family))
    except Exception as error:
        faults.append(f"{label} cannot be made: {one_line(error)}: mend it, or make a family of it at the top level")
        return None
    faults += [f"{label} {what}" for what in wrong]
    return None if wrong else family


def _wrong(family: Family) -> Iterator[str]:
    """Yield what is wrong with a family's attributes."""
    lacking = [name for name in _ATTRIBUTES if getattr(family, name, None) is None]
    if lacking:
        yield f"lacks {', '.join(lacking)}: every family gives these"
        return
    if not _is_name(family.name):
        yield f"has the name {one_line(repr(family.name))}: give one of letters, digits and _, such as log_logistic"
    given: Any = family.parameters
    if not isinstance(given, (tuple, list)) or not given or not all(map(_is_parameter, given)):
        yield "has no sound parameters: give a tuple of Parameter(name, domain, (low, high))"
    elif len({parameter.name for parameter in given}) < len(given):
        yield "has two parameters of one name: rename one"
    else:
        _ = family.choices  # reads all parametrisations; what they raise is told as a fault
    if not isinstance(family.sample_space, (SampleSpace, VectorSpace)):
        yield "has no sound sample_space: take one of simstudy.families.sample_space"


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isascii() and name.isidentifier()


def _is_parameter(value: object) -> bool:
    if not isinstance(value, Parameter) or not _is_name(value.name):
        return False
    domain: object = value.domain
    low, high = value.typical
    return isinstance(domain, Domain) and low < high
