"""The import of matplotlib, which by itself makes folders in the user's home and writes a list of fonts there.

Figures look the same whatever the user's settings and lie in the results folder alone, so that nothing of this is
needed. A list of fonts that is there is read, as it saves time where there are many.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_WRITERS = ("matplotlib.font_manager", "matplotlib.style", "matplotlib.texmanager")
"""Modules that ask for the folders as they are imported."""


def import_matplotlib() -> None:
    """Import matplotlib without writing anything, unless this process has it already; settings of the user are read."""
    if "matplotlib" in sys.modules or (found := find_spec("matplotlib")) is None:
        return
    packaged = Path(*found.submodule_search_locations or (), "mpl-data", "matplotlibrc")
    own = Path(_folder("XDG_CONFIG_HOME", ".config"), "matplotlibrc")
    settings = os.environ.get("MATPLOTLIBRC") or str(own if os.path.exists(own) else packaged)  # noqa: PTH110 - never raises
    # A search by `fc-list` may write its own list of fonts.
    with _environment({"MATPLOTLIBRC": settings, "PATH": os.devnull}), _quiet("matplotlib"):
        matplotlib: Any = importlib.import_module("matplotlib")
        cbook: Any = importlib.import_module("matplotlib.cbook")
        folders = {
            "get_configdir": lambda: _folder("XDG_CONFIG_HOME", ".config"),
            "get_cachedir": lambda: _folder("XDG_CACHE_HOME", ".cache"),
        }
        with _replaced(matplotlib, folders), _replaced(cbook, {"_lock_path": _refuse}):
            for name in _WRITERS:
                importlib.import_module(name)


def _folder(variable: str, usual: str) -> str:
    """Return the folder of matplotlib that the user has or might have; a path that leads nowhere without a home."""
    if given := os.environ.get("MPLCONFIGDIR"):
        return given
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(os.devnull)
    if sys.platform.startswith(("linux", "freebsd")):
        return str(Path(os.environ.get(variable) or home / usual, "matplotlib"))
    return str(home / ".matplotlib")


def _refuse(path: object) -> None:
    """Stand for the lock that is taken before the list of fonts is written."""
    message = f"{path} is not to be written"
    raise OSError(message)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Hide what is logged below errors, such as that the list of fonts was not written."""
    found = logging.getLogger(logger)
    level = found.level
    found.setLevel(logging.ERROR)
    try:
        yield
    finally:
        found.setLevel(level)


@contextmanager
def _replaced(module: Any, members: Mapping[str, Any]) -> Iterator[None]:
    before = {name: getattr(module, name) for name in members}
    for name, member in members.items():
        setattr(module, name, member)
    try:
        yield
    finally:
        for name, member in before.items():
            setattr(module, name, member)
