"""All families by name: the built-in ones, those of plug-in files, and those of installed packages."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from simstudy.errors import ConfigError, one_line
from simstudy.families import plugin
from simstudy.families.base import Family, unknown_family
from simstudy.families.plugin import Origin, Source

GROUP = "simstudy.families"
"""Entry points under which installed packages bring families."""


class _Entry(NamedTuple):
    family: Family
    origin: Origin
    label: str  # what messages call the plug-in
    path: str  # of its file, none for an installed package


class Registry:
    """Families by name, each name once.

    Files are loaded only when named by the user; installed packages are looked for when a name is not known otherwise,
    and when all names are asked for.

    Parameters
    ----------
    builtin
        The table of built-in families.
    """

    def __init__(self, builtin: Mapping[str, Family]) -> None:
        self._builtin = builtin
        self._plugins: dict[str, _Entry] = {}
        self._sources: dict[str, Source] = {}
        self._waiting: list[Source] = []
        self._looked = False

    @property
    def sources(self) -> tuple[Source, ...]:
        """The plug-in files loaded, as plain data."""
        return tuple(self._sources.values())

    def load(self, path: str | Path) -> list[str]:
        """Load a plug-in file, or load it again if it was edited; return the names of its families.

        Raises
        ------
        ConfigError
            If the file cannot be used, or a name is that of another family.
        """
        source = plugin.read(path)
        if self._sources.get(source.path) != source:
            self._look()
            self._run(source)
        return [name for name, entry in self._plugins.items() if entry.path == source.path]

    def restore(self, sources: Sequence[Source]) -> None:
        """Take over plug-in files that another process has loaded.

        Those that are new here run when a name is first not known, those that have changed at once.
        """
        new = [source for source in sources if self._sources.get(source.path) != source]
        self._waiting = [source for source in new if source.path not in self._sources]
        for source in new:
            if source.path in self._sources:
                self._run(source)

    def get(self, name: str) -> Family | None:
        """Return the family of that name, or None."""
        if name in self._builtin:
            return self._builtin[name]
        while name not in self._plugins and self._waiting:
            self._run(self._waiting.pop(0))
        if name not in self._plugins:
            self._look()
        return self._plugins[name].family if name in self._plugins else None

    def find(self, name: str) -> Family:
        """Return the family of that name (ConfigError, with the nearest name, where there is none)."""
        found = self.get(name)
        if found is None:
            raise unknown_family(name, self.names())
        return found

    def names(self) -> list[str]:
        """Return all names, those of the built-in families first."""
        self._look()
        return [*self._builtin, *self._plugins]

    def origin(self, name: str) -> Origin | None:
        """Return where a family comes from that is not built in; None for all others."""
        return self._plugins[name].origin if self.get(name) and name in self._plugins else None

    def origins(self, names: Iterable[str]) -> dict[str, Origin]:
        """Return the origins of those of the families that are not built in."""
        return {name: origin for name in sorted(set(names)) if (origin := self.origin(name))}

    def files(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the files that define those of the families that were loaded from one, as the user named them."""
        paths = [self._plugins[name].path for name in names if self.get(name) and name in self._plugins]
        return tuple(self._sources[path].name for path in dict.fromkeys(paths) if path)

    def _run(self, source: Source) -> None:
        found = plugin.families_of(source, self._builtin)
        before = {name: entry for name, entry in self._plugins.items() if entry.path != source.path}
        entries = [_Entry(family, source.origin, source.name, source.path) for family in found]
        self._plugins = self._joined(before, entries)
        self._sources[source.path] = source

    def _look(self) -> None:
        """Load the families of installed packages, once."""
        if self._looked:
            return
        entries = [entry for point in metadata.entry_points(group=GROUP) for entry in _installed(point, self._builtin)]
        self._plugins = self._joined(self._plugins, entries)
        self._looked = True

    def _joined(self, before: Mapping[str, _Entry], entries: Iterable[_Entry]) -> dict[str, _Entry]:
        """Return entries with others added, or refuse names that are taken."""
        joined, faults = dict(before), []
        for entry in entries:
            name = entry.family.name
            if name in self._builtin:
                faults.append(f"{entry.label}: the family '{name}' is built in: give yours another name")
            elif name in joined:
                other = joined[name].label
                faults.append(f"{entry.label}: {other} has a family '{name}' as well: rename one, or leave one out")
            joined[name] = entry
        if faults:
            raise ConfigError(faults)
        return joined


def _installed(point: metadata.EntryPoint, builtin: Mapping[str, Family]) -> list[_Entry]:
    """Return the families of one entry point: a module, a family, or a class of families."""
    package = point.dist.name if point.dist else point.value
    label = f"installed package {package}: {point.value}"
    try:
        found = point.load()
    except Exception as error:
        message = f"{label}: cannot be loaded, {one_line(error)}: mend or uninstall it"
        raise ConfigError(message) from error
    if not isinstance(found, ModuleType):
        holder = ModuleType(point.name)
        vars(holder)["families"] = [found]
        found = holder
    return [_Entry(each, _origin(each, package, label), label, "") for each in plugin.collect(found, label, builtin)]


def _origin(family: Family, package: str, label: str) -> Origin:
    """Return the file in which the class of an installed family is defined."""
    try:
        path = Path(inspect.getfile(type(family)))
        return Origin(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), package)
    except (OSError, TypeError) as error:
        message = f"{label}: the source of '{family.name}' cannot be read, so a change of it would go unseen"
        raise ConfigError(message) from error
