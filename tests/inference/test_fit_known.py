"""Fits with parameters held known, in every parametrisation."""

import numpy as np
import pytest

from simstudy.contract.points import all_points, middle_points
from simstudy.families.status import Status
from simstudy.inference import fit
from tests.core_families import FAMILIES
from tests.inference.exactness import EPS, KINDS, SIZES, assert_exact, draws

KNOWN = [
    (family.name, form.names, known)
    for family in FAMILIES.values()
    for form in family.parametrisations
    for known in form.names
    if len(form.names) > 1
]
LABELS = [f"{known} of {family} ({', '.join(names)})" for family, names, known in KNOWN]


@pytest.mark.parametrize("kind", ["random", "constant", "a thousand times larger", "a thousand times smaller"])
@pytest.mark.parametrize(("family", "names", "held"), KNOWN, ids=LABELS)
def test_known_parameters(family, names, held, kind):
    """With a parameter known there is always an estimate of the other, unless all observations equal a known centre."""
    change = KINDS.get(kind, lambda _, x: x * (1e-3 if family == "beta" or kind.endswith("smaller") else 1e3))
    points = [p for p in all_points(FAMILIES[family]) if p.parametrisation.names == names]
    for point in points:
        known = {held: dict(zip(names, point.phi, strict=True))[held]}
        for n in SIZES:
            x = change(family, draws(family, point, n, seed=1))
            x = x[FAMILIES[family].sample_space.holds_all(x)]  # a beta of small shape may round to 0 or 1
            found = fit(family, x, known, names)
            wrong = [(row[:4], status.name) for row, status in zip(x, found.status, strict=True) if status]
            if family == "logistic" and held == "scale" and kind.endswith("larger"):
                # Between two observations thousands of scales apart the likelihood is level to hundreds of digits.
                assert not set(found.status) & {Status.NOT_FINITE, Status.NO_MAXIMUM}
                continue
            assert not wrong, f"{point}, n = {n}: {wrong[:3]}"
            assert_exact(family, names, x, found, known, every=5)


@pytest.mark.parametrize("factor", [1e-8, 1e8])
@pytest.mark.parametrize(("family", "names", "held"), KNOWN, ids=LABELS)
def test_known_parameters_at_odds_with_the_data(family, names, held, factor):
    """Then an estimate is right or the status honest: such data and log-likelihoods are finite."""
    if family == "beta" and factor > 1.0:
        return
    for point in middle_points(FAMILIES[family]):
        if point.parametrisation.names == names:
            known = {held: dict(zip(names, point.phi, strict=True))[held]}
            x = factor * draws(family, point, 10)
            found = fit(family, x, known, names)
            assert Status.NOT_FINITE not in found.status
            assert_exact(family, names, x, found, known)


@pytest.mark.parametrize(
    ("family", "known", "value"),
    [
        ("normal", {"mean": 2.0}, 2.0), ("lognormal", {"mu": 0.0}, 1.0), ("gamma", {"mean": 3.0}, 3.0),
        ("beta", {"mean": 0.5}, 0.5), ("logistic", {"loc": 2.0}, 2.0), ("cauchy", {"loc": 2.0}, 2.0),
        ("weibull", {"scale": 2.0}, 2.0),
    ],
)  # fmt: skip
def test_all_observations_at_a_known_centre(family, known, value):
    """Then the likelihood grows without bound as the distribution shrinks to the centre, and nothing is CONVERGED."""
    for names in [form.names for form in FAMILIES[family].parametrisations if set(known) <= set(form.names)]:
        for n in (1, 2, 5):
            found = fit(family, np.full(n, value), known, names)
            assert found.status not in (Status.CONVERGED, Status.NOT_FINITE), f"{names}, n = {n}"


def highest_on_a_grid(x, scale):
    """Return the largest mean log-likelihood (R,) of a location found on grids around all observations and over all.

    No maximum is higher than the best of the first grid for small scales, where it is within a scale of an
    observation, nor than that of the second for large ones.
    """
    best = np.full(len(x), -np.inf)
    near = np.linspace(-2.0, 2.0, 81) * scale
    for i, row in enumerate(x):
        places = np.concatenate([(row[:, np.newaxis] + near).ravel(), np.linspace(row.min(), row.max(), 4001)])
        z = (row - places[:, np.newaxis]) / scale
        best[i] = -np.log1p(z * z).mean(axis=-1).min()
    return best - np.log(np.pi * scale)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 20, 60])
@pytest.mark.parametrize("scale", [0.03, 0.3, 1.0, 10.0])
def test_a_cauchy_location_is_the_highest_of_all_maxima(n, scale):
    """The known scale is right, too large, or so small that every observation has a maximum of its own."""
    x = np.random.default_rng([n, 3]).standard_cauchy((40, n))
    found = fit("cauchy", x, known={"scale": scale})
    assert set(found.status) == {Status.CONVERGED}
    lower = highest_on_a_grid(x, scale)
    # The log-likelihood is a sum of n terms that round by ε of their size each.
    assert (found.log_likelihood / n >= lower - 8 * EPS * (10.0 + np.abs(lower))).all()
