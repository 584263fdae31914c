"""Covariates of a regression as configs and callers give them: a family and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from simstudy.errors import ConfigError, nearest
from simstudy.families import FAMILIES
from simstudy.families.base import Family
from simstudy.families.design import Margin
from simstudy.families.regression import Regression
from simstudy.families.sample_space import SampleSpace

Place = tuple[str | int, ...]
Note = Callable[[Place, str], None]
"""Takes what is wrong, and where it stands below `covariates`."""


class Named(NamedTuple):
    """A covariate by names: its family, the parameters and constants of the chosen form, and their values."""

    family: str
    names: tuple[str, ...]
    values: tuple[float, ...]


def read(given: Any, slopes: int, note: Note) -> tuple[Named, ...]:
    """Return one covariate for each slope; note what is wrong.

    Parameters
    ----------
    given
        A mapping {family, parameters} for all covariates, or a list with one such mapping for each.
    slopes
        Number of covariates.
    """
    if isinstance(given, Mapping):
        found = _covariate(given, (), note)
        return (found,) * slopes if found else ()
    if not isinstance(given, Sequence) or isinstance(given, str):
        note((), f"must be a mapping with family and parameters, or a list with one for each covariate, got {given!r}")
        return ()
    if len(given) != slopes:
        note((), f"lists {len(given)} for {slopes} in the model: list one for each slope, or give one mapping for all")
        return ()
    each = [_covariate(one, (index,), note) for index, one in enumerate(given)]
    return tuple(one for one in each if one)


def margin(covariate: Named) -> Margin:
    """Return how a covariate is drawn."""
    values = dict(zip(covariate.names, covariate.values, strict=True))
    family = FAMILIES[covariate.family].member(values)
    form = family.find_parametrisation(values)
    theta = form.to_base([np.asarray(values[name]) for name in form.names])
    return Margin(family, tuple(float(value) for value in theta))


def designed(family: Family, given: Any) -> Family:
    """Return the regression whose covariates are drawn as given (ConfigError where they cannot be)."""
    found = named(family, given)
    return family.designed([margin(each) for each in found]) if isinstance(family, Regression) else family


def named(family: Family, given: Any) -> tuple[Named, ...]:
    """Return the covariates of a regression by names (ConfigError with all that is wrong)."""
    if not isinstance(family, Regression):
        message = f"covariates: {no_regression(family)}"
        raise ConfigError(message)
    faults: list[str] = []

    def note(at: Place, what: str) -> None:
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at)
        faults.append(f"covariates{steps}: {what}")

    found = read(given, family.slopes, note)
    if faults:
        raise ConfigError(faults)
    return found


def no_regression(family: Family) -> str:
    """Say that a family has no covariates, and which have."""
    regressions = [name for name, known in FAMILIES.items() if isinstance(known, Regression)]
    return f"{family.name} has no covariates: leave them out, or choose one of {', '.join(regressions)}"


def _covariate(given: Any, at: Place, note: Note) -> Named | None:
    if not isinstance(given, Mapping) or set(given) != {"family", "parameters"}:
        note(at, f"must be a mapping with family and parameters, got {given!r}")
        return None
    name, parameters = given["family"], given["parameters"]
    if not isinstance(name, str) or name not in FAMILIES:
        hint = nearest(str(name), FAMILIES) or f"; known: {', '.join(FAMILIES)}"
        note((*at, "family"), f"there is no family {name!r}{hint}")
        return None
    family = FAMILIES[name].member(dict.fromkeys(parameters))
    if not isinstance(family.sample_space, SampleSpace):
        note((*at, "family"), f"{name} has observations that are vectors: a covariate is a number")
        return None
    return _valued(family, parameters, (*at, "parameters"), note)


def _valued(family: Family, given: Mapping[str, Any], at: Place, note: Note) -> Named | None:
    form = next((form for form in family.forms if {p.name for p in form} == set(given)), None)
    if form is None:
        note(at, f"{{{', '.join(given)}}} is no parametrisation of {family.name}: give {family.choices}")
        return None
    wrong = [p for p in form if not _inside(given[p.name], p.domain.contains)]
    for parameter in wrong:
        note((*at, parameter.name), f"must lie in its domain, {parameter.domain}, got {given[parameter.name]!r}")
    if wrong:
        return None
    found = Named(family.name, tuple(p.name for p in form), tuple(float(given[p.name]) + 0.0 for p in form))
    member, theta = margin(found)
    if lacking := member.constraint(theta):
        note(at, f"{lacking} must hold for {family.name}")
        return None
    return found


def _inside(value: Any, contains: Callable[[float], Any]) -> bool:
    try:
        return bool(contains(float(value)))
    except (TypeError, ValueError):
        return False
