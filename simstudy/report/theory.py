"""What theory says of a scenario where it is not the usual: a wrong model, an irregular family, a singular I(θ)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simstudy.families import REGISTRY
from simstudy.figures.wording import listed, number, percent
from simstudy.study.limits import Limits, errors, invert, limits
from simstudy.study.scenario import Scenario

_ROUNDING = 1e-9
OTHER = "The fitted family, {fit}, is not the one that draws the data, {family}."
PSEUDO_TRUE = (
    "The estimates tend to the pseudo-true value θ* = ({theta}), which maximises the expected log-likelihood "
    "(White 1982)."
)
EQUAL = "Here the information equality holds all the same: at θ* the covariance B of the score is A = −E[Hessian]."
FAILS = (
    "The information equality fails: the covariance B of the score at θ* is not A = −E[Hessian]. The eigenvalues of "
    "A⁻¹B, all 1 for a right model, are {eigenvalues}. So n · Cov(θ̂) tends to A⁻¹BA⁻¹, not to A⁻¹."
)
ASTRAY = "As n grows, standard errors by the observed information become {ratios}; those of the sandwich become right."
SINGULAR = "I(θ) is singular here: it is reported, not inverted, and the usual theory knows no limit of n · Cov(θ̂)."
SAMPLED = (
    "I(θ) is a mean over designs drawn at random; the standard error of its entries is at most {share} of their size."
)
RATES = "The error of {names} is of order {orders}, not 1/√n."


def notes(scenario: Scenario) -> tuple[str, ...]:
    """Return sentences about the limits of a scenario, none for a right and regular model."""
    if not _usable(scenario):
        return ()
    found = limits(scenario)
    with np.errstate(all="ignore"):
        told = [_sentence(found.irregularity)] if found.irregularity else []
        if not found.right:
            return (*_wrong(scenario, found), *told)
        if not told and np.isfinite(found.information).all() and not np.isfinite(found.covariance).all():
            told.append(SINGULAR)
        return (*told, *_rates(scenario, found), *_sampled(found))


def _sampled(found: Limits) -> list[str]:
    """Say how exact an information is that was computed by Monte Carlo."""
    unit = np.sqrt(np.outer(np.diag(found.information), np.diag(found.information)))
    share = float((found.information_error / unit).max())
    return [SAMPLED.format(share=percent(share))] if share > 0.0 else []


def _usable(scenario: Scenario) -> bool:
    """Tell whether all families are known; a plug-in may not have been given."""
    return all(REGISTRY.get(name) is not None for name in scenario.families)


def unwrapped(table: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Return replicates with every angle on the turn around its limit, so that it can be drawn as a number."""
    if not _usable(scenario):
        return table
    found = limits(scenario)
    if not np.isfinite(found.periods).any():
        return table
    places = [place for place, name in enumerate(scenario.free) if f"theta[{name}]" in table]
    columns = [f"theta[{scenario.free[place]}]" for place in places]
    theta = np.tile(found.theta, (len(table), 1))
    theta[:, places] = table[columns].to_numpy(dtype=float)
    theta = found.theta + errors(theta, found)
    return table.assign(**dict(zip(columns, theta.T[places], strict=True)))


def truth(scenario: Scenario) -> dict[str, float]:
    """Return θ* by name of the parameter, NaN where it is not known."""
    values = limits(scenario).theta if _usable(scenario) else np.full(len(scenario.free), np.nan)
    return dict(zip(scenario.free, values.tolist(), strict=True))


def limiting_value(scenario: Scenario) -> str:
    """Return θ* in words."""
    values = limits(scenario).theta if _usable(scenario) else np.array([np.nan])
    if not np.isfinite(values).all():
        return "not known"
    return ", ".join(f"{name} = {number(float(v))}" for name, v in zip(scenario.free, values, strict=True))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _wrong(scenario: Scenario, found: Limits) -> list[str]:
    told = [OTHER.format(fit=scenario.fit, family=scenario.family)]
    if not np.isfinite(found.theta).all():
        return told
    theta = ", ".join(f"{name} = {number(value)}" for name, value in zip(scenario.free, found.theta, strict=True))
    told.append(PSEUDO_TRUE.format(theta=theta))
    if not np.isfinite(found.covariance).all():
        return told
    eigenvalues = np.sort(np.linalg.eigvals(invert(found.hessian) @ found.score_covariance).real)
    if np.abs(eigenvalues - 1.0).max() < _ROUNDING:
        return [*told, EQUAL]
    told.append(FAILS.format(eigenvalues=listed([number(float(value), 3) for value in eigenvalues])))
    return [*told, ASTRAY.format(ratios=_ratios(scenario.free, found))]


def _ratios(names: tuple[str, ...], found: Limits) -> str:
    """Say by how much each standard error from A⁻¹ misses that from A⁻¹BA⁻¹."""
    claimed, true = (np.sqrt(np.diag(matrix)) for matrix in (invert(found.hessian), found.covariance))
    return listed([_ratio(name, float(ratio)) for name, ratio in zip(names, claimed / true, strict=True)])


def _ratio(name: str, ratio: float) -> str:
    if abs(ratio - 1.0) < _ROUNDING:
        return f"right for {name}"
    return f"{percent(ratio - 1.0)} too {'small' if ratio < 1.0 else 'large'} for {name}"


def _rates(scenario: Scenario, found: Limits) -> list[str]:
    odd = [name for name, rate in zip(scenario.free, found.rates, strict=True) if rate != 0.5]
    orders = dict.fromkeys("1/n" if rate == 1.0 else f"n^−{rate:g}" for rate in found.rates if rate != 0.5)
    return [RATES.format(names=listed(odd), orders=listed(list(orders)))] if odd else []
