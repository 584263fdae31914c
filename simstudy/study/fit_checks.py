"""The checks of what is fitted: another family, what is known, what is cut, and covariates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice

import numpy as np

from simstudy.families import covariates as drawn_covariates
from simstudy.families.base import Family
from simstudy.families.censoring import uncensorable
from simstudy.families.regression import Regression
from simstudy.families.sample_space import SampleSpace
from simstudy.study import names, parameter_checks, sizes
from simstudy.study.design import Entry
from simstudy.study.faults import Faults, hint, quoted
from simstudy.study.parameter_checks import check_domain, crossed
from simstudy.study.scenario import Covariate


def fitted(
    entry: Entry, family: Family, form: tuple[str, ...], faults: Faults
) -> tuple[Family, tuple[str, ...], dict[str, float]] | None:
    """Return the fitted family, its parameters and constants, and what is known of them with its values."""
    if entry.own.get("fit", family.name) == family.name:
        known = _known_names(entry, family, form, faults)
        values = entry.own["parameters"]
        return family, form, {name: values[name] for name in known}
    fit = parameter_checks.family(entry, "fit", faults)
    if fit is None:
        return None
    given = entry.own.get("known", {})
    if not isinstance(given, dict):
        what = f"another family is fitted than drawn, so give values: a mapping such as {{{fit.forms[0][-1].name}: 1}}"
        faults.add((*entry.path, "known"), what)
        return None
    width = family.sample_space.width
    fit = fit if width is None else fit.suited(np.zeros((1, 1, width)))
    _check_same_space(entry, family, fit, faults)
    # With all of its names, since one of numbered parameters has as many as are named.
    fit = fit.member({parameter.name: given.get(parameter.name) for parameter in fit.forms[0]})
    names = [parameter.name for parameter in fit.forms[0]]
    for name, value in given.items():
        place = (*entry.path, "known", name)
        if name not in names:
            faults.add(place, partial(_unknown, name, f"the fitted {fit.name}", names))
        else:
            check_domain(place, value, fit.forms[0][names.index(name)].domain, faults)
    for constant in fit.constants:
        if constant.name not in given:
            what = f"the fitted {fit.name} needs a value of {constant.name}: give known: {{{constant.name}: …}}"
            faults.add((*entry.path, "known"), what)
    _check_one_left(entry, fit, names, given, faults)
    return fit, tuple(names), {name: given[name] for name in names if name in given}


def _known_names(entry: Entry, family: Family, form: tuple[str, ...], faults: Faults) -> tuple[str, ...]:
    """Return what is known in the order of the form, the family's constants always; note what is wrong."""
    known = entry.own.get("known", [])
    place = (*entry.path, "known")
    if isinstance(known, dict):
        what = f"{family.name} is fitted at its own values: list the names alone, such as [{form[-1]}]"
        faults.add(place, what)
        return ()
    seen: set[str] = set()
    for index, name in enumerate(known):
        if name not in form:
            faults.add((*place, index), partial(_unknown, name, "this scenario", form))
        elif name in seen:
            faults.add((*place, index), f"{name} is listed twice: list it once")
        seen.add(name)
    _check_one_left(entry, family, form, known, faults)
    constants = [constant.name for constant in family.constants]
    return tuple(name for name in form if name in known or name in constants)


def _unknown(name: str, of: str, known: Sequence[str]) -> str:
    return f"{quoted(name)} is no parameter of {of}{hint(name, list(known))}"


def _check_one_left(entry: Entry, family: Family, form: Sequence[str], known: Iterable[str], faults: Faults) -> None:
    constants = {constant.name for constant in family.constants}
    if {*known, *constants} >= set(form):
        what = f"all parameters of {family.name} are known, so nothing is left to estimate: leave one out"
        faults.add((*entry.path, "known"), what)


def _check_same_space(entry: Entry, family: Family, fit: Family, faults: Faults) -> None:
    """Refuse a fit of numbers to vectors, or of vectors to numbers."""
    if family.sample_space.width != fit.sample_space.width:
        what = f"{fit.name} has observations of another length than {family.name}: fit a family of the same kind"
        faults.add((*entry.path, "fit"), what)


def censoring(entry: Entry, families: Sequence[Family], form: Sequence[str], faults: Faults) -> float | None:
    """Return the censoring time, or None; note families that cannot be censored, and a time before all lifetimes."""
    place = (*entry.path, "censoring")
    if "censoring" not in entry.own or not faults.clean(*place):
        return None
    time = float(entry.own["censoring"]["time"])
    reasons = dict.fromkeys(reason for family in families if (reason := uncensorable(family)))
    for reason in reasons:
        faults.add(place, f"{reason}: leave censoring out, or choose a family of lifetimes such as weibull")
    if reasons or not faults.clean(*entry.path, "parameters"):
        return None
    for found in islice(crossed(entry.own["parameters"], form), sizes.MAX_CELLS):
        space = families[0].member(found).sample_space
        if isinstance(space, SampleSpace) and time <= space.lower:
            what = f"must be above {names.number(space.lower)}, where lifetimes begin, got {names.number(time)}"
            faults.add((*place, "time"), what)
            break
    return time


def covariates(entry: Entry, family: Family, faults: Faults) -> tuple[Covariate, ...]:
    """Return how the covariates are drawn; note what is wrong with that."""
    place = (*entry.path, "covariates")
    if "covariates" not in entry.own or not faults.clean(*place):
        return ()
    if not isinstance(family, Regression):
        faults.add(place, drawn_covariates.no_regression(family))
        return ()
    given = entry.own["covariates"]
    found = drawn_covariates.read(given, family.slopes, lambda at, what: faults.add((*place, *at), what))
    return tuple(Covariate(*covariate) for covariate in found)
