"""The table of laws, and the check of a family against them."""

from __future__ import annotations

from collections.abc import Iterable

from simstudy.contract import density, derivatives, fitting, information, likelihoods, parametrisations
from simstudy.contract.finding import Finding, Law
from simstudy.contract.points import all_points, base_points, middle_points
from simstudy.errors import ConfigError, nearest
from simstudy.families.base import Family

LAWS: dict[str, Law] = {
    law.name: law
    for law in (
        Law("domains", parametrisations.domains, all_points),
        Law("round_trip", parametrisations.round_trip, all_points),
        Law("jacobian", parametrisations.jacobian, all_points),
        Law("second_derivatives", parametrisations.second_derivatives, all_points),
        Law("total_mass", density.total_mass, base_points),
        Law("sampler_space", density.sampler_space, base_points),
        Law("sampler_distribution", density.sampler_distribution, base_points),
        Law("sampler_score", density.sampler_score, base_points),
        Law("elementwise", derivatives.elementwise, base_points),
        Law("score", derivatives.score, base_points),
        Law("hessian", derivatives.hessian, base_points),
        Law("score_mean", information.score_mean, base_points),
        Law("information_equality", information.information_equality, base_points),
        Law("irregular_limits", information.irregular_limits, base_points),
        Law("expected_information", information.expected_information, base_points),
        Law("reparametrised_information", information.reparametrised_information, all_points),
        Law("likelihood_route", likelihoods.likelihood_route, base_points),
        Law("likelihood_rows", likelihoods.likelihood_rows, middle_points),
        Law("data_untouched", likelihoods.data_untouched, middle_points),
        Law("start", fitting.start, base_points),
        Law("fit_ends", fitting.fit_ends, all_points),
        Law("unusable_data", fitting.unusable_data, middle_points),
        Law("score_zero", fitting.score_zero, base_points),
        Law("fit_recovers", fitting.fit_recovers, base_points),
        Law("invariance", fitting.invariance, all_points),
        Law("own_algorithm", fitting.own_algorithm, base_points),
        Law("known_parameters", fitting.known_parameters, all_points),
        Law("rows_alone", fitting.rows_alone, middle_points),
    )
}


def check(family: Family, seed: int = 0, laws: Iterable[str] | None = None) -> list[Finding]:
    """Check a family against the laws.

    Parameters
    ----------
    family
        The family. Its attribute `irregular`, if any, maps the names of laws that do not hold for it to the reason.
    seed
        Seed of the random numbers; each law and point has its own.
    laws
        Names of laws; by default all.

    Returns
    -------
    list of Finding
        In the order of the table of laws.

    Raises
    ------
    ConfigError
        If there is no law of that name.
    """
    return [finding for law in chosen_laws(family, laws) for finding in law.check(family, seed)]


def chosen_laws(family: Family, laws: Iterable[str] | None = None) -> list[Law]:
    """Return the laws of those names, by default all; raises as `check` does."""
    chosen = list(LAWS) if laws is None else list(laws)
    declared = getattr(family, "irregular", {})
    faults = [f"laws: there is no law '{name}'{nearest(name, LAWS)}" for name in chosen if name not in LAWS]
    faults += [
        f"{family.name}: irregular: there is no law '{name}'{nearest(name, LAWS)}"
        for name in declared
        if name not in LAWS
    ]
    if faults:
        raise ConfigError(faults)
    return [LAWS[name] for name in chosen]
