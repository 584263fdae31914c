"""The checks of a scenario that need its family: parameters, what is held known, fit and sample sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simstudy.families.base import Family
from simstudy.study import fit_checks, parameter_checks
from simstudy.study.design import Design, Entry
from simstudy.study.faults import Faults, where
from simstudy.study.schema import EXPECTED


def design(entry: Entry, faults: Faults) -> Design | None:
    """Check one entry; return its design where nothing is wrong with family, parameters, fit and known."""
    family, _ = (parameter_checks.family(entry, key, faults) for key in ("family", "fit"))
    if family is None or not isinstance(entry.own.get("parameters"), dict):
        return None
    given: Mapping[str, Any] = entry.own["parameters"]
    family = family.member(dict.fromkeys(given))
    form = parameter_checks.form(entry, family, faults)
    if form is None or not faults.clean(*entry.path, "known"):
        return None
    parameter_checks.check_constraint(entry, family, form, faults)
    model = fit_checks.fitted(entry, family, form, faults)
    if model is None or not faults.clean(*entry.path, "known"):
        return None
    fit, fitted, known = model
    _check_minimum(entry, fit, [name for name in fitted if name not in known], faults)
    censoring = fit_checks.censoring(entry, (family, fit), form, faults)
    covariates = fit_checks.covariates(entry, family, faults)
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


def _check_minimum(entry: Entry, family: Family, free: Sequence[str], faults: Faults) -> None:
    place, least = entry.place("sample_sizes"), family.minimum_size(free)
    small = [str(size) for size in entry.sizes(faults) if size < least]
    if small:
        what = f"n = {', '.join(small)} is too small for {where(entry.path)}"
        need = f"to estimate {' and '.join(free)} of {family.name} takes n of at least {least}"
        faults.add(place, f"{what}: {need}")
