"""The families of a scenario with all that is bound: the one that draws the data, and the one that is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simstudy.families import family as find_family
from simstudy.families.base import Family
from simstudy.families.censoring import censored
from simstudy.families.covariates import Named, margin
from simstudy.families.regression import Regression
from simstudy.parameters import Array, Domain, Parametrisation
from simstudy.study.scenario import Scenario


@dataclass(frozen=True)
class Model:
    """A family, the parametrisation in which it is named, and the values of the parameters that are given.

    Attributes
    ----------
    family
        With its constants, its design and its censoring time bound.
    parametrisation
        Of the family.
    given
        Values of parameters by name: of all of them where data are drawn, of the known ones where a model is fitted.
    """

    family: Family
    parametrisation: Parametrisation
    given: Mapping[str, float]

    @property
    def base(self) -> list[Array]:
        """The base parameters, where all are given."""
        return list(self.parametrisation.to_base([np.asarray(self.given[name]) for name in self.parametrisation.names]))


def drawn(scenario: Scenario) -> Model:
    """Return the family that draws the data, at its parameters."""
    return _model(scenario, scenario.family, dict(zip(scenario.names, scenario.values, strict=True)))


def fitted(scenario: Scenario) -> Model:
    """Return the fitted family, with what is known of its parameters."""
    free: dict[str, float | None] = dict.fromkeys(scenario.free)
    return _model(scenario, scenario.fit, free | scenario.known_values)


def free_domains(scenario: Scenario) -> tuple[Domain, ...]:
    """Return the domains of the estimated parameters, in canonical order."""
    form = fitted(scenario).parametrisation
    return tuple(d for name, d in zip(form.names, form.domains, strict=True) if name in scenario.free)


def null_values(scenario: Scenario) -> Array:
    """Return what tests of the free parameters reject, (p,): 0, or NaN for one that cannot be 0, and for an angle."""
    periods, domains = fitted(scenario).family.periods, free_domains(scenario)
    named = zip(scenario.free, domains, strict=True)
    tested = [bool(domain.contains(0.0)) and name not in periods for name, domain in named]
    return np.where(tested, 0.0, np.nan)


def kept(scenario: Scenario, model: Model) -> list[int]:
    """Return the places of the free parameters among those of the parametrisation."""
    return [i for i, name in enumerate(model.parametrisation.names) if name in scenario.free]


def completed(scenario: Scenario, model: Model, theta: Array) -> list[Array]:
    """Return all parameters, arrays (R,), at values (R, p) of the free ones, the known ones at theirs."""
    values = dict(zip(scenario.free, theta.T, strict=True))
    return [
        np.broadcast_to(np.asarray(values[name] if name in values else model.given[name], float), (len(theta),))
        for name in model.parametrisation.names
    ]


def _model(scenario: Scenario, name: str, values: Mapping[str, float | None]) -> Model:
    family = find_family(name).member(values)
    if scenario.covariates and isinstance(family, Regression):
        family = family.designed([margin(Named(c.family, c.names, c.values)) for c in scenario.covariates])
    if scenario.censoring is not None:
        family = censored(family, scenario.censoring)
    parametrisation = family.find_parametrisation(values)
    names = parametrisation.names
    return Model(family, parametrisation, {n: float(v) for n, v in values.items() if v is not None and n in names})
