"""Slips planted in copies of families: each is caught by the law that it breaks."""

from dataclasses import replace

import numpy as np
import pytest

from simstudy.contract import LAWS, check
from simstudy.families import FAMILIES
from simstudy.families.base import Family
from simstudy.families.sample_space import POSITIVE_NUMBERS, REAL_LINE
from simstudy.parameters import POSITIVE, REAL, Parameter
from tests.contract.user_families import Gumbel, Rayleigh


def copy(name, **members):
    """Return a copy of a family with some members replaced."""
    original = type(KINDS[name])
    return type(original.__name__, (original,), members)()


KINDS = {**FAMILIES, "rayleigh": Rayleigh(), "gumbel": Gumbel()}


def scaled(name, member, factor):
    """Return a copy of a family in which the entries that a method returns are multiplied."""
    method = getattr(type(KINDS[name]), member)

    def slip(self, *args):
        return [f * entry for f, entry in zip(factor, method(self, *args), strict=True)]

    return copy(name, **{member: slip})


def drawn(name, change):
    """Return a copy of a family whose draws are changed."""
    sample = type(KINDS[name]).sample
    return copy(name, sample=lambda self, rng, theta, size: change(sample(self, rng, theta, size)))


def evaluated(name, change):
    """Return a copy of a family whose evaluations of the likelihood are changed."""
    reduce = type(KINDS[name]).likelihood

    def likelihood(self, x):
        found = reduce(self, x)
        evaluate = found.evaluate
        found.evaluate = lambda theta, *, products=False: change(evaluate(theta, products=products))
        return found

    return copy(name, likelihood=likelihood)


def solved(name, change):
    """Return a copy of a family whose own algorithm ends elsewhere."""
    solve = type(KINDS[name]).solve

    def slip(self, likelihood, known):
        found = solve(self, likelihood, known)
        return found._replace(theta=change(found.theta))

    return copy(name, solve=slip)


def named(name, **changes):
    """Return a copy of a family with parts of its second parametrisation replaced."""
    family = KINDS[name]
    return copy(name, alternatives=(replace(family.alternatives[0], **changes), *family.alternatives[1:]))


def log_density_plus(name, change):
    log_density = type(KINDS[name]).log_density
    return copy(name, log_density=lambda self, x, theta: log_density(self, x, theta) + change(x, theta))


def first_row_rules(self, rng, theta, size):
    return rng.gumbel(np.ravel(theta[0])[0], np.ravel(theta[1])[0], size)


def sorted_in_place(self, x):
    x.sort(axis=-1)
    return Rayleigh.start(self, x)


def pooled(self, x):
    return type(KINDS["normal"]).likelihood(self, x - 0.01 * x.mean())


def reversed_rows(self, x):
    found = type(KINDS["weibull"]).likelihood(self, x)
    select = found.select
    found.select = lambda rows: select(rows[::-1])
    return found


def without_its_sample_space(self, x):
    return replace(type(KINDS["poisson"]).statistics(self, np.floor(x)), mean=(x.mean(axis=-1),))


def deaf_to_known(self, likelihood, known):
    return type(KINDS["normal"]).solve(self, likelihood, {})


class Laplace(Family):
    """Its Hessian in the location is 0 wherever there is one, yet its information is 1/scale²."""

    name = "laplace"
    parameters = (Parameter("loc", REAL, (-5.0, 5.0)), Parameter("scale", POSITIVE, (0.2, 5.0)))
    sample_space = REAL_LINE

    def log_density(self, x, theta):
        return -np.abs(x - theta[0]) / theta[1] - np.log(2.0 * theta[1])

    def score(self, x, theta):
        return np.sign(x - theta[0]) / theta[1], (np.abs(x - theta[0]) / theta[1] - 1.0) / theta[1]

    def sample(self, rng, theta, size):
        return rng.laplace(theta[0], theta[1], size)

    def start(self, x):
        return np.median(x, axis=-1), np.abs(x - np.median(x, axis=-1, keepdims=True)).mean(axis=-1)


def with_regular_limits(self, theta):
    return type(KINDS["laplace"]).irregular_limits(self, theta)._replace(hessian=np.eye(2) / theta[1] ** 2)


HALF_UNIT = Parameter("scale", replace(POSITIVE, derivatives=lambda v: (v, 0.5 * v)), (0.2, 5.0))

SLIPS = {
    "score with the wrong sign": (scaled("gamma", "score", (-1.0, -1.0)), "score"),
    "score of the scale for the rate": (
        copy("exponential", score=lambda self, x, theta: [theta[0] * (theta[0] * x - 1.0)]),
        "score",
    ),
    "score off by 1e-6": (scaled("logistic", "score", (1.0, 1.0 + 1e-6)), "score"),
    "score that is not centred": (
        copy("weibull", score=lambda self, x, theta: [s + 1e-6 for s in type(KINDS["weibull"]).score(self, x, theta)]),
        "score_mean",
    ),
    "Hessian without its cross term": (scaled("logistic", "hessian", (1.0, 0.0, 1.0)), "hessian"),
    "information for the Hessian": (scaled("weibull", "hessian", (-1.0, -1.0, -1.0)), "hessian"),
    "Hessian off by 1e-6": (scaled("cauchy", "hessian", (1.0, 1.0, 1.0 + 1e-6)), "information_equality"),
    "a kink in the density": (Laplace(), "information_equality"),
    "information twice as large": (scaled("beta", "expected_information", (2.0, 2.0, 2.0)), "expected_information"),
    "information on a log scale": (
        copy("exponential", expected_information=lambda self, theta: [np.ones_like(theta[0])]),
        "expected_information",
    ),
    "information off by 1e-7": (
        scaled("weibull", "expected_information", (1.0, 1.0, 1.0 + 1e-7)),
        "expected_information",
    ),
    "density that is not normalised": (log_density_plus("rayleigh", lambda x, theta: 1e-9), "total_mass"),
    "density without the scale": (log_density_plus("gumbel", lambda x, theta: np.log(theta[1])), "total_mass"),
    "sample space too small": (copy("gumbel", sample_space=POSITIVE_NUMBERS), "total_mass"),
    "density of the sorted data": (
        copy("rayleigh", log_density=lambda self, x, theta: Rayleigh.log_density(self, np.sort(x, axis=-1), theta)),
        "elementwise",
    ),
    "sampler with a scale 5% too large": (drawn("exponential", lambda x: 1.05 * x), "sampler_distribution"),
    "sampler with a scale 4% too large": (drawn("exponential", lambda x: 1.04 * x), "sampler_score"),
    "sampler shifted by a tenth": (drawn("logistic", lambda x: x + 0.1), "sampler_distribution"),
    "counts from one": (drawn("poisson", lambda x: x + 1), "sampler_distribution"),
    "sampler deaf to the second row": (copy("gumbel", sample=first_row_rules), "sampler_distribution"),
    "sampler outside the sample space": (drawn("gamma", lambda x: x - 0.1), "sampler_space"),
    "sampler of one data set": (drawn("normal", lambda x: x[:1]), "sampler_space"),
    "sampler with its own generator": (
        copy("rayleigh", sample=lambda self, rng, theta, size: np.random.default_rng().rayleigh(theta[0], size)),
        "sampler_space",
    ),
    "sampler of another member": (drawn("lognormal", lambda x: 1.1 * x), "fit_recovers"),
    "Jacobian with the wrong sign": (
        named("gamma", jacobian=lambda phi: ((1.0, 0.0), (0.0, phi[1] ** -2))),
        "jacobian",
    ),
    "Jacobian transposed": (
        named("beta", jacobian=lambda phi: ((phi[1], -phi[1]), (phi[0], 1.0 - phi[0]))),
        "reparametrised_information",
    ),
    "curvature left out": (named("normal", curvature=lambda phi: {}), "second_derivatives"),
    "curvature halved": (named("exponential", curvature=lambda phi: {(0, 0, 0): phi[0] ** -3}), "second_derivatives"),
    "from_base of another parametrisation": (named("gamma", from_base=lambda theta: theta), "round_trip"),
    "to_base out of the domain": (named("exponential", to_base=lambda phi: (-1.0 / phi[0],)), "round_trip"),
    "from_base off by 1e-9": (
        named("normal", from_base=lambda theta: (theta[0], (1.0 + 1e-9) * theta[1] ** 2)),
        "invariance",
    ),
    "information of the parametrisation": (
        named("exponential", expected_information=lambda phi: (1.0 / phi[0],)),
        "reparametrised_information",
    ),
    "typical range outside the domain": (
        copy("rayleigh", parameters=(Parameter("scale", POSITIVE, (0.0, 5.0)),)),
        "domains",
    ),
    "domain with a wrong derivative": (copy("rayleigh", parameters=(HALF_UNIT,)), "domains"),
    "start outside the domain": (copy("rayleigh", start=lambda self, x: (-x.mean(axis=-1),)), "start"),
    "start pooled over data sets": (copy("rayleigh", start=lambda self, x: (x.mean(),)), "start"),
    "start that sorts the data in place": (copy("rayleigh", start=sorted_in_place), "data_untouched"),
    "value without a constant": (evaluated("cauchy", lambda e: e._replace(value=e.value + 1.0)), "likelihood_route"),
    "Hessian for the information": (
        evaluated("weibull", lambda e: e._replace(information=[-entry for entry in e.information])),
        "likelihood_route",
    ),
    "score products that are not centred": (
        evaluated("gamma", lambda e: e._replace(products=[entry + 1e-6 for entry in e.products])),
        "likelihood_route",
    ),
    "likelihood centred over all data sets": (copy("normal", likelihood=pooled), "rows_alone"),
    "rows selected in another order": (copy("weibull", likelihood=reversed_rows), "likelihood_rows"),
    "sample space not looked at": (copy("poisson", statistics=without_its_sample_space), "unusable_data"),
    "variance with divisor n − 1": (solved("normal", lambda t: (t[0], np.sqrt(50 / 49) * t[1])), "fit_ends"),
    "minimum size too small": (copy("normal", minimum_size=lambda self, free: 1), "fit_ends"),
    "limits of the Hessian that are those of a regular family": (
        copy("laplace", irregular_limits=with_regular_limits),
        "irregular_limits",
    ),
    "corner missed": (solved("laplace", lambda t: (t[0] + 0.1 * t[1], t[1])), "score_zero"),
    "corner beyond the data": (solved("uniform", lambda t: (t[0], 1.01 * t[1])), "score_zero"),
    "regular parameter beside a corner off by 1e-6": (
        solved("shifted_exponential", lambda t: (t[0], (1.0 + 1e-6) * t[1])),
        "own_algorithm",
    ),
    "corner missed where the scale is known": (
        solved("laplace", lambda t: (t[0] + 0.1 * t[1], t[1])),
        "known_parameters",
    ),
    "estimate off by 1e-6": (solved("weibull", lambda t: ((1.0 + 1e-6) * t[0], t[1])), "score_zero"),
    "own algorithm off by 1e-6": (solved("gamma", lambda t: ((1.0 + 1e-6) * t[0], t[1])), "own_algorithm"),
    "known parameters not looked at": (copy("normal", solve=deaf_to_known), "known_parameters"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_planted_slip_is_caught(slip):
    family, law = SLIPS[slip]
    findings = check(family, laws=[law])
    assert any(not finding.passed for finding in findings)


def test_every_law_catches_something():
    assert {law for _, law in SLIPS.values()} == set(LAWS)


@pytest.mark.parametrize("name", ["gamma", "normal", "rayleigh"])
def test_a_copy_without_a_slip_is_not_caught(name):
    """What the tests above call a copy keeps the laws that the original keeps."""
    assert all(
        finding.passed for finding in check(copy(name), laws=["score", "total_mass", "round_trip", "invariance"])
    )


def test_a_declared_irregularity_is_excepted():
    reason = "the Hessian in the location is zero almost everywhere"
    family = type("Declared", (Laplace,), {"irregular": {"information_equality": reason}})()
    (finding,) = check(family, laws=["information_equality"])
    assert finding.passed
    assert reason in finding.detail
