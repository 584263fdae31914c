"""Categorical: density, information, estimates with known subsets, and the number of categories."""

from itertools import combinations

import numpy as np
import pytest

import simstudy
from simstudy.errors import ConfigError
from simstudy.families.categorical import Categorical
from simstudy.families.status import Status
from simstudy.inference import fit
from tests.families.counting import SIZES, assert_score_zero, assert_share

PROBS = np.array([0.2, 0.1, 0.4, 0.3])


def columns(values):
    return [np.asarray(value) for value in values]


def test_density_score_and_hessian():
    family, x = Categorical(4), np.arange(4)
    np.testing.assert_allclose(family.log_density(x, columns(PROBS[:-1])), np.log(PROBS), rtol=1e-15)
    score = np.stack(family.score(x, columns(PROBS[:-1])))
    expected = np.vstack([np.diag(1.0 / PROBS[:-1]), np.full(3, -1.0 / PROBS[-1])]).T
    np.testing.assert_allclose(score, expected, atol=1e-14)
    hessian = np.stack(family.hessian(x, columns(PROBS[:-1])))
    outer = [-expected[i] * expected[j] for i in range(3) for j in range(i, 3)]
    np.testing.assert_allclose(hessian, outer, atol=2e-13)
    assert (family.log_density(np.array([-1.0, 4.0, 0.5]), columns(PROBS[:-1])) == -np.inf).all()


@pytest.mark.parametrize("categories", [2, 3, 10])
def test_expected_information(categories):
    probs = np.arange(1.0, categories + 1.0) / np.arange(1.0, categories + 1.0).sum()
    given = {f"prob{k + 1}": p for k, p in enumerate(probs[:-1])}
    score = np.vstack([np.diag(1.0 / probs[:-1]), np.full(categories - 1, -1.0 / probs[-1])])
    expected = (score * probs[:, np.newaxis]).T @ score
    np.testing.assert_allclose(simstudy.expected_information("categorical", given), expected, rtol=1e-13)
    names = list(given)
    if categories > 2:
        kept = simstudy.expected_information("categorical", given, known=names[:1])
        np.testing.assert_allclose(kept, expected[1:, 1:], rtol=1e-13)


def test_fits_over_wide_ranges():
    rng = np.random.default_rng(1)
    for n in SIZES:
        for _ in range(6):
            categories = int(rng.integers(2, 11))
            family = Categorical(categories)
            probs = rng.dirichlet(np.full(categories, 2.0))
            x = family.sample(rng, columns(probs[:-1]), (8, n))
            found = fit(family, x, None, [p.name for p in family.parameters])
            shares = np.stack([(x == k).mean(axis=-1) for k in range(categories)], axis=-1)
            np.testing.assert_allclose(found.theta, shares[:, :-1], rtol=1e-14)
            unseen = (shares == 0.0).any(axis=-1)
            np.testing.assert_array_equal(found.status, np.where(unseen, Status.BOUNDARY, Status.CONVERGED))
            assert_score_zero(family, x, found)


@pytest.mark.parametrize("known", [k for size in (1, 2) for k in combinations((0, 1, 2), size)])
def test_known_probabilities(known):
    """The free categories share what the known ones leave."""
    family = Categorical(4)
    x = family.sample(np.random.default_rng(2), columns(PROBS[:-1]), (30, 40))
    held = {f"prob{k + 1}": 0.15 for k in known}
    found = fit(family, x, held, [p.name for p in family.parameters])
    shares = np.stack([(x == k).mean(axis=-1) for k in range(4) if k not in known], axis=-1)
    expected = shares / shares.sum(axis=-1, keepdims=True) * (1.0 - 0.15 * len(known))
    np.testing.assert_allclose(found.theta, expected[:, :-1], rtol=1e-13)
    unseen = (shares == 0.0).any(axis=-1)
    np.testing.assert_array_equal(found.status, np.where(unseen, Status.BOUNDARY, Status.CONVERGED))
    assert_score_zero(family, x, found, known=held)


def test_known_probabilities_that_leave_nothing():
    found = fit("categorical", [0, 1, 2, 3], {"prob1": 0.6, "prob2": 0.6})
    assert found.status is Status.NOT_FINITE


def test_the_number_of_categories():
    assert fit("categorical", [0, 1, 1]).names == ("prob1",)
    assert fit("categorical", [0, 3, 1]).names == ("prob1", "prob2", "prob3")
    assert fit("categorical", [0, 0]).names == ("prob1",)
    assert fit("categorical", [[0, 2], [0, np.nan], [0, 40]]).names == ("prob1", "prob2")
    found = fit("categorical", [0, 1, 1], parametrisation=("prob1", "prob2"))
    assert (found.names, found.status) == (("prob1", "prob2"), Status.BOUNDARY)
    found = fit("categorical", [[0, 1], [0, 2], [0, 12]])
    assert list(found.status) == [Status.BOUNDARY, Status.BOUNDARY, Status.NOT_FINITE]
    with pytest.raises(ConfigError, match="categorical has no parametrisation"):
        fit("categorical", [0, 1], parametrisation=("prob2",))


def test_probabilities_must_leave_some_for_the_last():
    with pytest.raises(ConfigError, match=r"prob1 \+ prob2 < 1 must hold"):
        simstudy.expected_information("categorical", {"prob1": 0.6, "prob2": 0.4})


def test_share_on_the_boundary():
    n, probs = 6, np.array([0.5, 0.3, 0.2])
    x = Categorical(3).sample(np.random.default_rng(3), columns(probs[:-1]), (20_000, n))
    unseen = ((1 - probs) ** n).sum() - (probs**n).sum()
    assert_share(fit("categorical", x).status == Status.BOUNDARY, unseen)
