"""The checks of a scenario that need its family: parameters, what is held known, fit and sample sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from simstudy.families import FAMILIES
from simstudy.families.base import Family
from simstudy.parameters import Domain, Parametrisation
from simstudy.study import names, sizes
from simstudy.study.faults import Faults, Path, hint, near, quoted, where
from simstudy.study.schema import EXPECTED


@dataclass(frozen=True)
class Entry:
    """One item of the list of scenarios, as written, beside what the top of the config gives to all."""

    index: int
    own: Mapping[str, Any]
    common: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """Where the entry stands."""
        return ("scenarios", self.index)

    def place(self, key: str) -> Path:
        """Return where the value of a key stands: in the entry, or else at the top."""
        return (*self.path, key) if key in self.own or key not in self.common else (key,)

    def value(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, of the entry or else of the top."""
        return self.own.get(key, self.common.get(key, default))

    def sizes(self, faults: Faults) -> tuple[int, ...]:
        """Return the sample sizes that have no fault so far, ascending."""
        return sizes.expand(sizes.usable(self.value("sample_sizes"), self.place("sample_sizes"), faults))


@dataclass(frozen=True)
class Design:
    """A scenario whose mechanisms are free of faults; its lists are not yet crossed."""

    entry: Entry
    family: str
    names: tuple[str, ...]
    known: tuple[str, ...]

    @property
    def parameters(self) -> Mapping[str, float | list[float]]:
        """Parameters as written: a list crosses."""
        parameters: Mapping[str, float | list[float]] = self.entry.own["parameters"]
        return parameters

    @property
    def count(self) -> int:
        """Number of mechanisms after crossing."""
        return prod(len(values) for values in self.parameters.values() if isinstance(values, list))


def design(entry: Entry, faults: Faults) -> Design | None:
    """Check one entry; return its design where nothing is wrong with family, parameters and known."""
    family = _family(entry, faults)
    if family is None or not isinstance(entry.own.get("parameters"), dict):
        return None
    parametrisation = _parametrisation(entry, family, faults)
    if parametrisation is None or not faults.clean(*entry.path, "known"):
        return None
    _check_known(entry, family.name, parametrisation, faults)
    if not faults.clean(*entry.path, "known"):
        return None
    known = tuple(name for name in parametrisation.names if name in entry.own.get("known", ()))
    _check_minimum(entry, family, [name for name in parametrisation.names if name not in known], faults)
    usable = faults.clean(*entry.path, "parameters")
    return Design(entry, family.name, parametrisation.names, known) if usable else None


def require(key: str, data: Mapping[str, Any], entries: Sequence[Entry], faults: Faults) -> None:
    """Note a key that stands neither at the top nor in every scenario."""
    if key in data:
        return
    if not any(key in entry.own for entry in entries):
        faults.add((key,), f"is missing: give {EXPECTED[key]}")
        return
    for entry in entries:
        if key not in entry.own:
            faults.add((*entry.path, key), f"is missing, here and at the top: give {EXPECTED[key]}")


def _family(entry: Entry, faults: Faults) -> Family | None:
    for key in ("family", "fit"):
        given = entry.own.get(key)
        if isinstance(given, str) and given not in FAMILIES:
            what = f"there is no family {quoted(given)}{hint(given, list(FAMILIES))}"
            faults.add((*entry.path, key), what)
    name, fit = entry.own.get("family"), entry.own.get("fit")
    if fit in FAMILIES and name in FAMILIES and fit != name:
        what = f"{fit} cannot be fitted to data of {name} in this release: leave fit out to fit {name}"
        faults.add((*entry.path, "fit"), what)
    return FAMILIES.get(name) if isinstance(name, str) else None


def _parametrisation(entry: Entry, family: Family, faults: Faults) -> Parametrisation | None:
    """Return the parametrisation that the keys choose, or None; note what is wrong with keys and values."""
    given: Mapping[str, Any] = entry.own["parameters"]
    try:
        found = family.find_parametrisation(given)
    except KeyError:
        found = None
        _check_names(entry, given, family, faults)
    for form in (found,) if found else family.parametrisations:
        for parameter in form.parameters:
            place = (*entry.path, "parameters", parameter.name)
            if parameter.name in given and faults.clean(*place):
                _check_domain(place, given[parameter.name], parameter.domain, faults)
    return found


def _check_names(entry: Entry, given: Mapping[str, Any], family: Family, faults: Faults) -> None:
    """Say why the keys choose no parametrisation: a name is unknown, missing, or one too many."""
    forms = [form.names for form in family.parametrisations]
    choices = " or ".join("{" + ", ".join(names) + "}" for names in forms)
    known = list(dict.fromkeys(name for names in forms for name in names))
    unknown = [name for name in given if name not in known]
    for name in unknown:
        what = f"no parameter of {family.name}, which takes {choices}{near(name, known)}"
        faults.add((*entry.path, "parameters", name), what)
    if not unknown:
        lacking = any(set(given) < set(names) for names in forms)
        got = "{" + ", ".join(given) + "}"
        what = "lacks a parameter" if lacking else "is no parametrisation"
        faults.add((*entry.path, "parameters"), f"{got} {what} of {family.name}: give {choices}")


def _check_domain(place: Path, value: float | list[float], domain: Domain, faults: Faults) -> None:
    listed = value if isinstance(value, list) else [value]
    for index, one in enumerate(listed):
        if not domain.contains(one):
            path = (*place, index) if isinstance(value, list) else place
            faults.add(path, f"must lie in its domain, {domain}, got {one!r}")
    for one, times in Counter(map(float, listed)).items():
        if times > 1:
            faults.add(place, f"{names.number(one)} is listed {times} times: list each value once")


def _check_known(entry: Entry, family: str, parametrisation: Parametrisation, faults: Faults) -> None:
    known: list[str] = entry.own.get("known", [])
    place = (*entry.path, "known")
    for index, name in enumerate(known):
        if name not in parametrisation.names:
            what = f"{quoted(name)} is no parameter of this scenario{hint(name, list(parametrisation.names))}"
            faults.add((*place, index), what)
        elif name in known[:index]:
            faults.add((*place, index), f"{name} is listed twice: list it once")
    if set(known) >= set(parametrisation.names):
        what = f"all parameters of {family} are known, so nothing is left to estimate: leave one out"
        faults.add(place, what)


def _check_minimum(entry: Entry, family: Family, free: Sequence[str], faults: Faults) -> None:
    place, least = entry.place("sample_sizes"), family.minimum_size(free)
    small = [str(size) for size in entry.sizes(faults) if size < least]
    if small:
        what = f"n = {', '.join(small)} is too small for {where(entry.path)}"
        need = f"to estimate {' and '.join(free)} of {family.name} takes n of at least {least}"
        faults.add(place, f"{what}: {need}")
