"""Fits to every kind of data: at 50 digits the score is zero at the estimate, or the status says why it is not."""

import numpy as np
import pytest

from simstudy.contract.points import base_points
from simstudy.families.status import Status
from simstudy.inference import fit
from tests.core_families import FAMILIES
from tests.inference.exactness import KINDS, ROWS, SIZES, assert_exact, draws, misses


def expected_status(family, row):
    """Return how the fit of all parameters to data in the sample space ends, by theory (FACTS §1; Copas 1975)."""
    row = np.asarray(row)
    if family == "poisson":
        return Status.CONVERGED if row.max() > 0 else Status.BOUNDARY
    if family == "exponential":
        return Status.CONVERGED if row.max() > 0 else Status.NO_MAXIMUM
    if family == "cauchy" and len(row) > 2:
        most = np.unique(row, return_counts=True)[1].max()
        return Status.CONVERGED if 2 * most < len(row) else Status.NO_MAXIMUM
    return Status.CONVERGED if row.max() > row.min() else Status.NO_MAXIMUM


def assert_expected_status(family, x, found):
    for row, status in zip(x, found.status, strict=True):
        if family == "cauchy" and len(row) == 2 and row[0] != row[1]:
            # The likelihood is largest, and the same, on a whole arc.
            assert status in (Status.NOT_CONCAVE, Status.NO_MAXIMUM)
        else:
            assert status is expected_status(family, row), f"{row[:10]}: {status.name}"


def assert_nothing_without_maximum(found):
    """Estimates and their log-likelihood are NaN where there is none."""
    for row, status in enumerate(found.status):
        assert np.isfinite(found.theta[row]).all() == (status not in (Status.NO_MAXIMUM, Status.NOT_FINITE))


BETA_KINDS = ["random", "tiny", "ties", "constant"]
COUNT_KINDS = ["random", "ties", "constant", "an outlier"]
CASES = [
    (family, kind) for family in FAMILIES for kind in {"beta": BETA_KINDS, "poisson": COUNT_KINDS}.get(family, KINDS)
]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("family", "kind"), CASES)
def test_the_score_is_zero_or_there_is_no_maximum(family, kind, n):
    names = FAMILIES[family].parametrisations[0].names
    for point in base_points(FAMILIES[family]):
        x = KINDS[kind](family, draws(family, point, n))
        found = fit(family, x)
        assert_expected_status(family, x, found)
        assert_nothing_without_maximum(found)
        assert_exact(family, names, x, found)


DEGENERATE = {
    "far from zero": lambda family, x: 1e8 + x,
    "relative spread of 1e-6": lambda family, x: 1.0 + 1e-6 * x,
    "relative spread of 1e-14": lambda family, x: 1.0 + 1e-14 * x,
}


@pytest.mark.parametrize("kind", DEGENERATE)
@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in ("beta", "poisson")])
def test_data_that_are_nearly_constant(family, kind):
    """Where floats tell neither score nor information any more the status may say so; an estimate must be right."""
    names = FAMILIES[family].parametrisations[0].names
    for n in (2, 3, 10):
        for point in base_points(FAMILIES[family]):
            x = DEGENERATE[kind](family, draws(family, point, n))
            found = fit(family, x)
            assert Status.NOT_FINITE not in found.status
            assert_exact(family, names, x, found)


@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-12])
@pytest.mark.parametrize("centre", [0.3, 0.999])
def test_a_beta_that_is_nearly_constant(centre, spread):
    for n in (2, 3, 10):
        x = centre + spread * (1.0 - centre) * np.random.default_rng(n).uniform(-1.0, 1.0, (ROWS, n))
        found = fit("beta", x)
        assert_exact("beta", ("alpha", "beta"), x, found)


@pytest.mark.parametrize("family", ["gamma", "weibull", "lognormal"])
def test_data_over_many_decades(family):
    x = 10.0 ** np.random.default_rng(1).uniform(-40.0, 10.0, (ROWS, 10))
    found = fit(family, x)
    assert set(found.status) == {Status.CONVERGED}
    assert_exact(family, FAMILIES[family].parametrisations[0].names, x, found)


@pytest.mark.parametrize("outlier", [1e4, 1e9, -1e9])
@pytest.mark.parametrize("family", ["normal", "logistic", "cauchy"])
def test_one_outlier_among_many(family, outlier):
    """With two thousand observations an outlier lies a thousand scales out."""
    x = np.append(np.random.default_rng(2).standard_normal(1999), outlier)
    found = fit(family, x)
    assert found.status is Status.CONVERGED
    error, bound = misses(family, ("mean", "sd") if family == "normal" else ("loc", "scale"), x, found.theta, [0, 1])
    assert error <= bound


OUTSIDE = {
    "exponential": [-1.0, -1e-300], "gamma": [-1.0, 0.0], "weibull": [-1.0, 0.0], "lognormal": [-1.0, 0.0],
    "beta": [-0.5, 0.0, 1.0, 1.5], "poisson": [-1.0, 0.5, 1e-9],
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_unusable_data_are_not_finite(family):
    good = draws(family, base_points(FAMILIES[family])[0], 6)[0]
    alone = fit(family, good)
    assert alone.status is Status.CONVERGED
    for value in [np.nan, np.inf, -np.inf, *OUTSIDE.get(family, [])]:
        for position in (0, 5):
            bad = good.copy()
            bad[position] = value
            found = fit(family, np.stack([good, bad, good]))
            assert found.status.tolist() == [Status.CONVERGED, Status.NOT_FINITE, Status.CONVERGED], value
            assert np.isnan(found.theta[1]).all()
            np.testing.assert_array_equal(found.theta[[0, 2]], [alone.theta, alone.theta])
            assert fit(family, bad).status is Status.NOT_FINITE
        for n in SIZES:
            assert fit(family, np.full(n, value)).status is Status.NOT_FINITE


def test_zeros():
    assert fit("exponential", [0.0, 0.0]).status is Status.NO_MAXIMUM
    assert fit("exponential", [0.0, 1.0]).status is Status.CONVERGED
    found = fit("poisson", [0, 0, 0])
    assert found.status is Status.BOUNDARY
    assert found.theta.tolist() == [0.0]
