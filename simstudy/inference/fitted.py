"""Fit a family to data of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from simstudy.errors import ConfigError, nearest
from simstudy.families import family as find_family
from simstudy.families.base import Family
from simstudy.families.censoring import censored, censoring_time
from simstudy.families.covariates import designed
from simstudy.families.status import Status
from simstudy.inference import mle
from simstudy.inference.data import check_width, read
from simstudy.inference.fit_intervals import Fitted, interval
from simstudy.inference.likelihood import Likelihood, expected_information
from simstudy.numerics.symmetric import Entry, fill, unpack
from simstudy.parameters import Array, Parametrisation

KINDS = ("observed", "expected", "sandwich", "opg")


@dataclass(frozen=True)
class Fit:
    """Maximum likelihood estimates of one data set, or of R of them.

    For one data set (data of shape (n,)) every attribute lacks the leading axis R.

    Attributes
    ----------
    names
        Names of the p free parameters.
    theta : (R, p)
        Estimates; NaN where there are none.
    status : Status, or (R,) object array of Status
        How each fit ended.
    iterations : (R,)
        Iterations of the optimiser, 0 for closed forms.
    log_likelihood : (R,)
        Log-likelihood at the estimate.
    observed_information, expected_information, score_products : (R, p, p)
        −(1/n)∂²ℓ, I(θ̂) and (1/n)Σ sᵢsᵢᵀ at the estimate, per observation.
    size
        Number n of observations in a data set.
    """

    names: tuple[str, ...]
    theta: Array
    status: Any
    iterations: Any
    log_likelihood: Any
    observed_information: Array
    expected_information: Array
    score_products: Array
    size: int
    _fitted: Fitted | None = field(repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the likelihood, whose functions cannot be pickled."""
        return self.__dict__ | {"_fitted": None}

    def covariance(self, kind: str = "observed") -> Array:
        """Return an estimate (R, p, p) of Cov(θ̂); NaN where the matrix cannot be inverted.

        Parameters
        ----------
        kind
            "observed": (nJ)⁻¹. "expected": (nI(θ̂))⁻¹. "opg": inverse of the sum of score products. "sandwich":
            J⁻¹KJ⁻¹/n with K the mean score products (Huber 1967; White 1982).
        """
        if kind == "sandwich":
            bread = _inverse(self.observed_information)
            return bread @ self.score_products @ bread / self.size
        matrices = {
            "observed": self.observed_information,
            "expected": self.expected_information,
            "opg": self.score_products,
        }
        if kind not in matrices:
            message = f"covariance: there is no kind '{kind}'{nearest(kind, KINDS)}; choose one of {', '.join(KINDS)}"
            raise ConfigError(message)
        return _inverse(matrices[kind]) / self.size

    def interval(self, method: str = "wald-observed", level: float = 0.95) -> tuple[Array, Array]:
        """Return the lower and the upper ends of confidence intervals, in the shape of ``theta``.

        Parameters
        ----------
        method
            One of "wald-observed", "wald-expected", "wald-sandwich", "wald-opg" (θ̂ ∓ z·se with the variances of
            `covariance`), "wald-log" (Wald on the unconstrained scale of each parameter, such as the logarithm of a
            positive one, with the observed information), "score" and "likelihood-ratio" (of the profile).
        level
            Nominal coverage.

        Returns
        -------
        lower, upper : (R, p)
            NaN where a fit has not converged and where there is no such interval; an end of the parameter's domain
            where the statistic stays below its quantile up to there.

        Raises
        ------
        ConfigError
            If there is no such method, or the level is not between 0 and 1; or this is a copy, or was pickled, which
            keeps no data.

        Examples
        --------
        >>> found = fit("binomial", [8.0], {"trials": 10})
        >>> lower, upper = found.interval("score")  # Wilson's
        >>> print(lower.round(4), upper.round(4))
        [0.4902] [0.9433]
        """
        return interval(self, self._fitted, method, level)


def fit(
    family: str | Family,
    x: ArrayLike,
    known: Mapping[str, float] | None = None,
    parametrisation: Iterable[str] | None = None,
    *,
    censoring: Mapping[str, float] | None = None,
    covariates: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
) -> Fit:
    """Fit a family by maximum likelihood to one data set (n,) or to R data sets (R, n) at once.

    Parameters
    ----------
    family
        Name of a family, or a family; one given as an object has values of its constants already.
    x
        Data; with a last axis more for families of vectors. Values that are not finite or lie outside the sample space
        give the status NOT_FINITE, never an exception.
    known
        Values of parameters that are not estimated, and of a family's constants, by name.
    parametrisation
        Names of the parameters, in any order; by default the first parametrisation listed that has the known
        parameters.
    censoring
        {"time": c} where observations are lifetimes cut at c. Data are then either times alone, (n,) or (R, n), of
        which those at or beyond c count as cut; or pairs of a time and 1 where it was seen, 0 where it was cut. An
        array of three axes (R, n, 2) holds pairs, and so does one of two axes (n, 2) whose second column has zeros and
        ones only.
    covariates
        How the covariates of a regression are drawn, as in a config, for the expected information; by default standard
        normal. The estimates do not depend on it.

    Raises
    ------
    ConfigError
        If there is no such family, parametrisation or parameter, a known value lies outside its domain, or the family
        cannot be censored or has no covariates.

    Examples
    --------
    >>> found = fit("exponential", [1.0, 2.0, 3.0])
    >>> found.theta
    array([0.5])
    >>> found.status
    <Status.CONVERGED: 0>
    """
    chosen = find_family(family) if isinstance(family, str) else family
    chosen = chosen if censoring is None else censored(chosen, censoring_time(censoring))
    block, single = read(x, chosen)
    held = dict(known or {})
    names = None if parametrisation is None else _listed(parametrisation)
    chosen = chosen.suited(block) if names is None else chosen.member(dict.fromkeys(names))
    chosen, held = _bind(chosen, held, complete=not isinstance(family, str))
    chosen = chosen if covariates is None else designed(chosen, covariates)
    check_width(chosen, block)
    form = _parametrisation(chosen, names, held)
    with np.errstate(all="ignore"):
        likelihood = Likelihood(chosen, block, form, held)
        estimates = mle.fit(likelihood)
        return describe(likelihood, estimates, expected_at(likelihood, estimates), single)


def _listed(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _bind(family: Family, known: dict[str, float], *, complete: bool) -> tuple[Family, dict[str, float]]:
    """Return the family with its constants bound, and the known parameters that are left.

    A complete family keeps the values of the constants that are not given.
    """
    faults = [
        f"known: {family.name} needs {c.name}, a number in {c.domain}, got {known[c.name]!r}"
        if c.name in known
        else f"known: {family.name} needs the value of {c.name}: give it as known={{'{c.name}': …}}"
        for c in family.constants
        if not c.domain.contains(_number(known.get(c.name))) and not (complete and c.name not in known)
    ]
    if faults:
        raise ConfigError(faults)
    names = [constant.name for constant in family.constants]
    given = {name: _number(known[name]) if name in known else None for name in names}
    bound = family.member(given) if names else family
    return bound, {name: value for name, value in known.items() if name not in names}


def expected_at(likelihood: Likelihood, estimates: mle.Estimates) -> list[Entry]:
    """Return I(θ̂) per observation, packed."""
    phi = likelihood.full(list(estimates.theta.T))
    return expected_information(likelihood.family, likelihood.parametrisation, phi, likelihood.kept)


def describe(likelihood: Likelihood, estimates: mle.Estimates, expected: Sequence[Entry], single: bool) -> Fit:
    """Return what a fit tells; of the first data set alone where a single one was given."""
    rows, evaluation, size = likelihood.rows, estimates.evaluation, likelihood.reduced.size

    def shaped(values: Any) -> Any:
        return values[0] if single else values

    return Fit(
        names=likelihood.free,
        theta=shaped(estimates.theta),
        status=shaped(np.array([Status(s) for s in estimates.status], dtype=object)),
        iterations=shaped(estimates.iterations),
        log_likelihood=shaped(size * np.asarray(evaluation.value)),
        observed_information=shaped(unpack(fill(evaluation.information, rows))),
        expected_information=shaped(unpack(fill(expected, rows))),
        score_products=shaped(unpack(fill(evaluation.products, rows))),
        size=size,
        _fitted=Fitted(likelihood, estimates, single),
    )


def _parametrisation(family: Family, names: Sequence[str] | None, known: Mapping[str, float]) -> Parametrisation:
    try:
        form = _choose(family, names, known)
    except KeyError as error:
        raise ConfigError(str(error.args[0])) from None
    faults = []
    for name, value in known.items():
        if name not in form.names:
            faults.append(f"known: {family.name} has no parameter '{name}'{nearest(name, form.names)}")
            continue
        domain = form.domains[form.names.index(name)]
        if not domain.contains(_number(value)):
            faults.append(f"known: {name} must be a number in {domain}, got {value!r}")
    if set(form.names) <= set(known):
        faults.append("known: all parameters are known; leave at least one to be estimated")
    if faults:
        raise ConfigError(faults)
    return form


def _number(value: object) -> float:
    """Return a known value as a float, NaN where it is no number."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _choose(family: Family, names: Sequence[str] | None, known: Mapping[str, float]) -> Parametrisation:
    if names is not None:
        return family.find_parametrisation([*names, *(c.name for c in family.constants if c.name not in names)])
    fitting = (form for form in family.listed if set(known) <= set(form.names))
    return next(fitting, family.listed[0])


def _inverse(matrices: Array) -> Array:
    """Invert (…, p, p), NaN where a matrix is not finite or singular."""
    sound = np.asarray(np.isfinite(matrices).all(axis=(-2, -1)))
    identity = np.eye(matrices.shape[-1])
    safe = np.where(sound[..., np.newaxis, np.newaxis], matrices, identity)
    with np.errstate(all="ignore"):
        scale = 1.0 / np.sqrt(np.abs(np.einsum("...ii->...i", safe)))
        outer = scale[..., :, np.newaxis] * scale[..., np.newaxis, :]
        correlation = safe * outer
        sound = np.asarray(sound & np.isfinite(correlation).all(axis=(-2, -1)))
        safe = np.where(sound[..., np.newaxis, np.newaxis], correlation, identity)
        sound = np.asarray(sound & (np.abs(np.linalg.det(safe)) > 0.0))
        safe = np.where(sound[..., np.newaxis, np.newaxis], safe, identity)
        return np.where(sound[..., np.newaxis, np.newaxis], np.linalg.inv(safe) * outer, np.nan)
