"""What theory says at a point of a family: its information, and the bias of maximum likelihood in small samples."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simstudy.errors import ConfigError, nearest
from simstudy.families import family as find_family
from simstudy.families.censoring import censored, censoring_time
from simstudy.families.covariates import named as covariates_by_name
from simstudy.parameters import Domain
from simstudy.study import models
from simstudy.study.higher_order import higher_order
from simstudy.study.limits import limits
from simstudy.study.scenario import Covariate, Scenario

if TYPE_CHECKING:
    import pandas as pd


def expected_information(
    family: str,
    parameters: Mapping[str, float],
    known: Iterable[str] = (),
    *,
    censoring: Mapping[str, float] | None = None,
    covariates: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """Return the expected (Fisher) information I(θ) of one observation.

    Parameters
    ----------
    family
        Name of a family.
    parameters
        Values of all parameters and constants of the family; their names choose the parametrisation.
    known
        Names of the parameters that are not estimated; constants never are.
    censoring
        {"time": c} where observations are cut at c.
    covariates
        How the covariates of a regression are drawn, {"family": …, "parameters": …} for all or a list with one for
        each; by default standard normal.

    Returns
    -------
    DataFrame (p, p)
        Rows and columns are the free parameters, in the order given.

    Raises
    ------
    ConfigError
        If there is no such family or parametrisation, a value lies outside its domain, or the family cannot be censored
        or has no covariates.

    Examples
    --------
    >>> expected_information("normal", {"mean": 0, "sd": 2})
          mean   sd
    mean  0.25  0.0
    sd    0.00  0.5
    """
    import pandas as pd

    scenario = _scenario_at(family, dict(parameters), tuple(known))
    scenario = _observed(scenario, censoring, covariates)
    matrix = pd.DataFrame(limits(scenario).information, scenario.free, scenario.free)
    order = [name for name in parameters if name in scenario.free]
    return matrix.loc[order, order]


def cox_snell_bias(
    family: str, parameters: Mapping[str, float], known: Iterable[str] = (), *, n: int | None = None
) -> pd.Series[float]:
    """Return the first-order bias of the maximum likelihood estimates.

    The bias of θ̂ᵣ from n observations is b_r/n + O(n⁻²) with

        b_r = Σ Iʳⁱ Iʲᵏ (E[∂ᵢⱼℓ ∂ₖℓ] + ½ E[∂ᵢⱼₖℓ]),

    summed over the free parameters i, j, k, where ℓ is the log-density of one observation and Iⁱʲ the inverse of its
    information (Cox & Snell 1968, J. R. Statist. Soc. B 30, 248–275, eq. 20).

    Parameters
    ----------
    family
        Name of a family.
    parameters
        Values of all parameters and constants of the family; their names choose the parametrisation.
    known
        Names of the parameters that are not estimated; constants never are.
    n
        Sample size; without it the coefficient b, the limit of n times the bias.

    Returns
    -------
    Series
        b/n, or b, by free parameter in the order given. NaN where the family is not regular enough, or an expectation
        does not exist or cannot be computed to six digits.

    Raises
    ------
    ConfigError
        If there is no such family or parametrisation, a value lies outside its domain, or n is no sample size.

    Examples
    --------
    >>> cox_snell_bias("normal", {"mean": 0, "variance": 4}, n=10)
    mean        0.0
    variance   -0.4
    dtype: float64
    """
    import pandas as pd

    if n is not None and not _is_size(n):
        message = f"{family}: n must be a whole number of at least 1, got {n!r}"
        raise ConfigError(message)
    scenario = _scenario_at(family, dict(parameters), tuple(known))
    # Adding 0 makes the sign of −0 that of 0.
    values = higher_order(scenario).bias / (1 if n is None else n) + 0.0
    found = pd.Series(values, scenario.free, dtype=float)
    return found[[name for name in parameters if name in scenario.free]]


def _scenario_at(name: str, parameters: Mapping[str, float], known: Sequence[str]) -> Scenario:
    """Return the scenario at a point of a family, all faults of which are told at once."""
    chosen = find_family(name).member(dict.fromkeys(parameters))
    form = next((form for form in chosen.forms if {p.name for p in form} == set(parameters)), None)
    if form is None:
        given = "{" + ", ".join(sorted(parameters)) + "}"
        message = f"{name} has no parametrisation {given}; it has {chosen.choices}"
        raise ConfigError(message)
    names, constants = [p.name for p in form], [c.name for c in chosen.constants]
    faults = [
        f"{name}: {p.name} must be a number in {p.domain}, got {parameters[p.name]!r}"
        for p in form
        if not _inside(parameters[p.name], p.domain)
    ]
    faults += [f"{name}: known: no parameter '{k}'{nearest(k, names)}" for k in known if k not in names]
    if set(names) <= {*known, *constants}:
        faults.append(f"{name}: all parameters are known; leave at least one to be estimated")
    if faults:
        raise ConfigError(faults)
    values = tuple(float(parameters[key]) for key in names)
    held = tuple(key for key in names if key in known or key in constants)
    scenario = Scenario(name, name, tuple(names), values, name, held, n=1, replicates=1, level=0.95)
    model = models.drawn(scenario)
    if wrong := model.family.constraint([float(value) for value in model.base]):
        message = f"{name}: {wrong} must hold, got {', '.join(f'{k} = {v!r}' for k, v in parameters.items())}"
        raise ConfigError(message)
    return scenario


def _observed(scenario: Scenario, censoring: Any, covariates: Any) -> Scenario:
    """Return the scenario with its observations cut, or its covariates drawn, as given."""
    drawn = models.drawn(scenario).family
    if censoring is not None:
        scenario = replace(scenario, censoring=censored(drawn, censoring_time(censoring)).time)
    if covariates is not None:
        named = tuple(Covariate(*each) for each in covariates_by_name(drawn, covariates))
        scenario = replace(scenario, covariates=named)
    return scenario


def _inside(value: object, domain: Domain) -> bool:
    try:
        return bool(domain.contains(float(value)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _is_size(n: object) -> bool:
    """Tell whether n is a whole number of at least 1, of Python's or numpy's, which True is not."""
    return not isinstance(n, bool) and hasattr(n, "__index__") and operator.index(n) >= 1
