"""Every law on every family, and on families that give only what is compulsory."""

from typing import ClassVar

import pytest

from simstudy.contract import LAWS, Finding, check
from simstudy.errors import ConfigError
from simstudy.families import FAMILIES
from simstudy.families.censoring import censored
from tests.contract.user_families import Gumbel, Rayleigh

TIMES = {"exponential": 1.0, "weibull": 10.0, "gamma": 300.0}
# Times within the typical ranges' reach, so that nowhere nothing is seen.
CENSORED = {f"censored_{name}": censored(FAMILIES[name], time) for name, time in TIMES.items()}
VARIANTS = {f"{name} {variant.choices}": variant for name, f in FAMILIES.items() for variant in f.variants}
KEPT = {**FAMILIES, **VARIANTS, **CENSORED, "a user's rayleigh": Rayleigh(), "a user's gumbel": Gumbel()}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("family", KEPT)
def test_every_family_keeps_every_law(family, law):
    findings = LAWS[law].check(KEPT[family])
    assert findings or (law == "known_parameters" and len(KEPT[family].parameters) == 1)
    assert all(finding.law == law and finding.where for finding in findings)
    failed = [str(finding) for finding in findings if not finding.passed]
    assert not failed, "\n".join(failed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
@pytest.mark.parametrize("family", KEPT)
def test_laws_hold_whatever_the_seed(family, seed):
    failed = [str(finding) for finding in check(KEPT[family], seed) if not finding.passed]
    assert not failed, "\n".join(failed)


def test_laws_are_named_and_stated():
    for name, law in LAWS.items():
        assert law.name == name == law.measure.__name__
        assert law.statement.endswith(".")


def test_equal_seeds_find_equal_things():
    first, second, other = (check(Rayleigh(), seed, ["sampler_score", "start"]) for seed in (3, 3, 4))
    assert first == second != other
    assert [finding.law for finding in first] == ["sampler_score"] * 3 + ["start"] * 6


def test_what_one_law_finds_does_not_depend_on_the_others():
    alone = check(Rayleigh(), 0, ["sampler_score"])
    beside = check(Rayleigh(), 0, ["sampler_distribution", "sampler_score"])
    assert alone == [finding for finding in beside if finding.law == "sampler_score"]


def test_an_exception_is_a_finding():
    class Broken(Rayleigh):
        def score(self, x, theta):
            message = "no score here"
            raise RuntimeError(message)

    (first, *_) = check(Broken(), laws=["score"])
    assert not first.passed
    assert first.where == "scale=1"
    assert first.detail == "raised RuntimeError: no score here"


def test_parametrisations_that_cannot_be_read_are_a_finding():
    class Broken(Rayleigh):
        alternatives: ClassVar = (None,)

    (finding,) = check(Broken(), laws=["jacobian"])
    assert not finding.passed
    assert (finding.where, finding.detail[:22]) == ("rayleigh", "raised AttributeError:")


def test_a_declared_exception_is_told_not_checked():
    class Declared(Rayleigh):
        irregular: ClassVar = {"score": "the density has a kink at its location"}

        def score(self, x, theta):
            raise NotImplementedError

    (finding,) = check(Declared(), laws=["score"])
    assert finding.passed
    assert str(finding) == "score holds at rayleigh: excepted: the density has a kink at its location"


def test_unknown_laws_are_refused():
    class Declared(Rayleigh):
        irregular: ClassVar = {"hessain": "a slip of the pen"}

    with pytest.raises(ConfigError) as caught:
        check(Declared(), laws=["scor"])
    assert caught.value.faults == (
        "laws: there is no law 'scor'; did you mean 'score'?",
        "rayleigh: irregular: there is no law 'hessain'; did you mean 'hessian'?",
    )


def test_a_finding_tells_where_and_by_how_much():
    finding = Finding("score", "scale=2", 0.25, 1e-9, False, "score in scale against a stencil")
    expected = "score FAILS at scale=2: error 0.25, tolerance 1e-09: score in scale against a stencil"
    assert str(finding) == expected
