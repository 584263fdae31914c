"""The checks of a scenario that need its family: parameters, what is held known, fit and sample sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import Any

import numpy as np

from simstudy.families import REGISTRY
from simstudy.families import covariates as drawn_covariates
from simstudy.families.base import Family
from simstudy.families.censoring import uncensorable
from simstudy.families.regression import Regression
from simstudy.families.sample_space import SampleSpace
from simstudy.parameters import Domain
from simstudy.study import names, sizes
from simstudy.study.faults import Faults, Path, hint, near, quoted, where
from simstudy.study.scenario import Covariate
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
    """A scenario whose mechanisms are free of faults; its lists are not yet crossed.

    Attributes
    ----------
    family, names
        What draws the data: its parameters and constants.
    fit, fitted
        What is fitted, and its parameters and constants.
    known
        What is not estimated, in the order of ``fitted``.
    held
        Values of ``known`` where another family is fitted than the one that draws.
    censoring
        Time at which observations are cut, if they are.
    covariates
        How the covariates of a regression are drawn, where that is said.
    """

    entry: Entry
    family: str
    names: tuple[str, ...]
    fit: str
    fitted: tuple[str, ...]
    known: tuple[str, ...]
    held: tuple[float, ...]
    censoring: float | None = None
    covariates: tuple[Covariate, ...] = ()

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
    """Check one entry; return its design where nothing is wrong with family, parameters, fit and known."""
    family, _ = _family(entry, "family", faults), _family(entry, "fit", faults)
    if family is None or not isinstance(entry.own.get("parameters"), dict):
        return None
    given: Mapping[str, Any] = entry.own["parameters"]
    family = family.member(dict.fromkeys(given))
    form = _form(entry, family, faults)
    if form is None or not faults.clean(*entry.path, "known"):
        return None
    _check_constraint(entry, family, form, faults)
    model = _fitted(entry, family, form, faults)
    if model is None or not faults.clean(*entry.path, "known"):
        return None
    fit, fitted, known = model
    _check_minimum(entry, fit, [name for name in fitted if name not in known], faults)
    censoring = _censoring(entry, (family, fit), form, faults)
    covariates = _covariates(entry, family, faults)
    usable = all(faults.clean(*entry.path, key) for key in ("parameters", "censoring", "covariates"))
    same = fit.name == family.name
    held = () if same else tuple(float(value) for value in known.values())
    found = Design(entry, family.name, form, fit.name, fitted, tuple(known), held, censoring, covariates)
    return found if usable else None


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


def _family(entry: Entry, key: str, faults: Faults) -> Family | None:
    given = entry.own.get(key)
    if not isinstance(given, str):
        return None
    found = REGISTRY.get(given)
    if found is None:
        what = f"there is no family {quoted(given)}{hint(given, REGISTRY.names())}"
        faults.add((*entry.path, key), what)
    return found


def _form(entry: Entry, family: Family, faults: Faults) -> tuple[str, ...] | None:
    """Return the parameters and constants that the keys choose, or None; note what is wrong with keys and values."""
    given: Mapping[str, Any] = entry.own["parameters"]
    found = next((form for form in family.forms if {p.name for p in form} == set(given)), None)
    if found is None:
        _check_names(entry, given, family, faults)
    for form in (found,) if found else family.forms:
        for parameter in form:
            place = (*entry.path, "parameters", parameter.name)
            if parameter.name in given and faults.clean(*place):
                _check_domain(place, given[parameter.name], parameter.domain, faults)
    return tuple(parameter.name for parameter in found) if found else None


def _check_names(entry: Entry, given: Mapping[str, Any], family: Family, faults: Faults) -> None:
    """Say why the keys choose no parametrisation: a name is unknown, missing, or one too many."""
    forms = [tuple(parameter.name for parameter in form) for form in family.forms]
    known = list(dict.fromkeys(name for names in forms for name in names))
    unknown = [name for name in given if name not in known]
    for name in unknown:
        what = f"no parameter of {family.name}, which takes {family.choices}{near(name, known)}"
        faults.add((*entry.path, "parameters", name), what)
    if not unknown:
        lacking = any(set(given) < set(names) for names in forms)
        got = "{" + ", ".join(given) + "}"
        what = "lacks a parameter" if lacking else "is no parametrisation"
        faults.add((*entry.path, "parameters"), f"{got} {what} of {family.name}: give {family.choices}")


def _check_domain(place: Path, value: float | list[float], domain: Domain, faults: Faults) -> None:
    listed = value if isinstance(value, list) else [value]
    for index, one in enumerate(listed):
        if not domain.contains(one):
            path = (*place, index) if isinstance(value, list) else place
            faults.add(path, f"must lie in its domain, {domain}, got {one!r}")
    for one, times in Counter(map(float, listed)).items():
        if times > 1:
            faults.add(place, f"{names.number(one)} is listed {times} times: list each value once")


def _check_constraint(entry: Entry, family: Family, form: Sequence[str], faults: Faults) -> None:
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


def _fitted(
    entry: Entry, family: Family, form: tuple[str, ...], faults: Faults
) -> tuple[Family, tuple[str, ...], dict[str, float]] | None:
    """Return the fitted family, its parameters and constants, and what is known of them with its values."""
    if entry.own.get("fit", family.name) == family.name:
        known = _known_names(entry, family, form, faults)
        values = entry.own["parameters"]
        return family, form, {name: values[name] for name in known}
    fit = _family(entry, "fit", faults)
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
            faults.add(place, f"{quoted(name)} is no parameter of the fitted {fit.name}{hint(name, names)}")
        else:
            _check_domain(place, value, fit.forms[0][names.index(name)].domain, faults)
    for constant in fit.constants:
        if constant.name not in given:
            what = f"the fitted {fit.name} needs a value of {constant.name}: give known: {{{constant.name}: …}}"
            faults.add((*entry.path, "known"), what)
    _check_one_left(entry, fit, names, given, faults)
    return fit, tuple(names), {name: given[name] for name in names if name in given}


def _censoring(entry: Entry, families: Sequence[Family], form: Sequence[str], faults: Faults) -> float | None:
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


def _covariates(entry: Entry, family: Family, faults: Faults) -> tuple[Covariate, ...]:
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


def _check_same_space(entry: Entry, family: Family, fit: Family, faults: Faults) -> None:
    """Refuse a fit of numbers to vectors, or of vectors to numbers."""
    if family.sample_space.width != fit.sample_space.width:
        what = f"{fit.name} has observations of another length than {family.name}: fit a family of the same kind"
        faults.add((*entry.path, "fit"), what)


def _known_names(entry: Entry, family: Family, form: tuple[str, ...], faults: Faults) -> tuple[str, ...]:
    """Return what is known in the order of the form, the family's constants always; note what is wrong."""
    known = entry.own.get("known", [])
    place = (*entry.path, "known")
    if isinstance(known, dict):
        what = f"{family.name} is fitted at its own values: list the names alone, such as [{form[-1]}]"
        faults.add(place, what)
        return ()
    for index, name in enumerate(known):
        if name not in form:
            what = f"{quoted(name)} is no parameter of this scenario{hint(name, list(form))}"
            faults.add((*place, index), what)
        elif name in known[:index]:
            faults.add((*place, index), f"{name} is listed twice: list it once")
    _check_one_left(entry, family, form, known, faults)
    constants = [constant.name for constant in family.constants]
    return tuple(name for name in form if name in known or name in constants)


def _check_one_left(entry: Entry, family: Family, form: Sequence[str], known: Iterable[str], faults: Faults) -> None:
    constants = {constant.name for constant in family.constants}
    if {*known, *constants} >= set(form):
        what = f"all parameters of {family.name} are known, so nothing is left to estimate: leave one out"
        faults.add((*entry.path, "known"), what)


def _check_minimum(entry: Entry, family: Family, free: Sequence[str], faults: Faults) -> None:
    place, least = entry.place("sample_sizes"), family.minimum_size(free)
    small = [str(size) for size in entry.sizes(faults) if size < least]
    if small:
        what = f"n = {', '.join(small)} is too small for {where(entry.path)}"
        need = f"to estimate {' and '.join(free)} of {family.name} takes n of at least {least}"
        faults.add(place, f"{what}: {need}")
