"""The checks of a scenario's family and of its parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, product
from typing import Any

import numpy as np

from simstudy.errors import nearest
from simstudy.families import REGISTRY
from simstudy.families.base import Family
from simstudy.parameters import Domain
from simstudy.study import names, sizes
from simstudy.study.design import Entry
from simstudy.study.faults import Faults, Path, hint, quoted


def family(entry: Entry, key: str, faults: Faults) -> Family | None:
    """Return the family that a key names, or None; note a name that is unknown."""
    given = entry.own.get(key)
    if not isinstance(given, str):
        return None
    found = REGISTRY.get(given)
    if found is None:
        faults.add((*entry.path, key), lambda: f"there is no family {quoted(given)}{hint(given, REGISTRY.names())}")
    return found


def form(entry: Entry, family: Family, faults: Faults) -> tuple[str, ...] | None:
    """Return the parameters and constants that the keys choose, or None; note what is wrong with keys and values."""
    given: Mapping[str, Any] = entry.own["parameters"]
    found = next((form for form in family.forms if {p.name for p in form} == set(given)), None)
    if found is None:
        _check_names(entry, given, family, faults)
    for form in (found,) if found else family.forms:
        for parameter in form:
            place = (*entry.path, "parameters", parameter.name)
            if parameter.name in given and faults.clean(*place):
                check_domain(place, given[parameter.name], parameter.domain, faults)
    return tuple(parameter.name for parameter in found) if found else None


def _check_names(entry: Entry, given: Mapping[str, Any], family: Family, faults: Faults) -> None:
    """Say why the keys choose no parametrisation: a name is unknown, missing, or one too many."""
    forms = [tuple(parameter.name for parameter in form) for form in family.forms]
    known = list(dict.fromkeys(name for names in forms for name in names))
    unknown = [name for name in given if name not in known]
    choices = f"no parameter of {family.name}, which takes {family.choices}"
    for name in unknown:
        faults.add((*entry.path, "parameters", name), partial(_with_nearest, choices, name, known))
    if not unknown:
        lacking = any(set(given) < set(names) for names in forms)
        got = "{" + ", ".join(given) + "}"
        what = "lacks a parameter" if lacking else "is no parametrisation"
        faults.add((*entry.path, "parameters"), f"{got} {what} of {family.name}: give {family.choices}")


def _with_nearest(what: str, name: str, known: list[str]) -> str:
    return what + nearest(name, known)


def check_domain(place: Path, value: float | list[float], domain: Domain, faults: Faults) -> None:
    """Note values outside a domain, and those that are listed twice."""
    listed = value if isinstance(value, list) else [value]
    for index, one in enumerate(listed):
        if not domain.contains(one):
            path = (*place, index) if isinstance(value, list) else place
            faults.add(path, f"must lie in its domain, {domain}, got {one!r}")
    for one, times in Counter(map(float, listed)).items():
        if times > 1:
            faults.add(place, f"{names.number(one)} is listed {times} times: list each value once")


def check_constraint(entry: Entry, family: Family, form: Sequence[str], faults: Faults) -> None:
    """Note values that no member of the family has together, though each lies in its domain."""
    place = (*entry.path, "parameters")
    if type(family).constraint is Family.constraint or not faults.clean(*place):
        return
    for found in islice(crossed(entry.own["parameters"], form), sizes.MAX_CELLS):
        member = family.member(found)
        chosen = member.find_parametrisation(form)
        wrong = member.constraint([float(v) for v in chosen.to_base([np.asarray(found[n]) for n in chosen.names])])
        if wrong:
            got = ", ".join(f"{name} = {names.number(found[name])}" for name in form)
            faults.add(place, f"{wrong} must hold for {family.name}, got {got}")
            return


def crossed(parameters: Mapping[str, float | list[float]], form: Sequence[str]) -> Iterator[dict[str, float]]:
    """Cross the lists in the order written, the first slowest; yield values in the order of the form."""
    lists = [values if isinstance(values, list) else [values] for values in parameters.values()]
    for values in product(*lists):
        found = dict(zip(parameters, values, strict=True))
        # Adding zero turns −0 into 0, so that one mechanism is not written in two ways.
        yield {name: float(found[name]) + 0.0 for name in form}
