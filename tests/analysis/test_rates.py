"""Slopes of log error on log n."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import curve_fit

from simstudy.analysis import summary
from simstudy.analysis.rates import ABOVE, LEAST, RATED, slope

SIZES = np.array([10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0])


@pytest.mark.parametrize(("power", "sign"), [(-1.0, 1), (-0.5, -1), (-2.0, 1)])
def test_a_power_of_n_has_its_exponent(power, sign):
    errors = sign * 3.0 * SIZES**power
    found = slope(SIZES, errors, 0.01 * np.abs(errors))
    assert_allclose(found.value, power, atol=1e-12)
    # weights 10⁴ each: 0.01/√Σ(x − x̄)²
    x = np.log(SIZES)
    assert_allclose(found.error, 0.01 / np.sqrt(np.sum((x - x.mean()) ** 2)), rtol=1e-9)
    assert found.used.all()


def test_slope_is_that_of_nonlinear_least_squares():
    rng = np.random.default_rng(1)
    mcse = 0.02 / np.sqrt(SIZES)
    errors = 1.0 / SIZES + mcse * rng.standard_normal(len(SIZES))
    found = slope(SIZES, errors, mcse)
    used = found.used
    (_, power), covariance = curve_fit(
        lambda n, c, b: c * n**b, SIZES[used], errors[used], (1.0, -1.0), mcse[used], absolute_sigma=True
    )
    assert LEAST <= used.sum() < len(SIZES)
    assert_allclose(found.value, power, rtol=1e-5)
    scatter = np.sum(((errors[used] - errors_at(found, errors, mcse)) / mcse[used]) ** 2) / (used.sum() - 2)
    assert_allclose(found.error, np.sqrt(covariance[1, 1] * max(1.0, scatter)), rtol=1e-3)


def errors_at(found, errors, mcse):
    """The fitted errors at the points used: for a given slope the factor is a linear fit."""
    shape, used = SIZES**found.value, found.used
    factor = np.sum((shape * errors / mcse**2)[used]) / np.sum((shape**2 / mcse**2)[used])
    return (factor * shape)[used]


@pytest.mark.parametrize("leading", [3.0, 10.0])
def test_standard_errors_are_calibrated_where_noise_rules_the_largest_sizes(leading):
    rng = np.random.default_rng(2)
    studies, mcse = 1000, np.full(len(SIZES), 0.01)
    found = [slope(SIZES, leading / SIZES + mcse * rng.standard_normal(len(SIZES)), mcse) for _ in range(studies)]
    assert all(found)
    pulls = np.array([(each.value + 1.0) / each.error for each in found])
    # two-sided 5 % tails; √(χ²/df) only widens intervals, by some 1 %
    assert abs(np.mean(np.abs(pulls) < 1.96) - 0.955) < 4 * np.sqrt(0.05 * 0.95 / studies) + 0.005
    assert abs(np.median(pulls)) < 4 * 1.2533 / np.sqrt(studies) + 0.05


def test_a_bent_line_has_a_larger_error():
    mcse = 1e-4 / SIZES
    straight, bent = (slope(SIZES, 1.0 / SIZES + bend / SIZES**2, mcse) for bend in (0.0, 3.0))
    assert bent.error > 20 * straight.error
    assert bent.value < -1.0


@pytest.mark.parametrize(
    ("errors", "mcse"),
    [
        (1.0 / SIZES[:2], [1e-3] * 2),
        (1.0 / SIZES, [1.0] * 7),
        (0.0 * SIZES, [0.0] * 7),
        (np.nan * SIZES, [0.1] * 7),
        (np.inf * SIZES, [0.1] * 7),
        (1.0 / SIZES, [np.nan] * 7),
        ([1.0, -1.0, 1.0, -1.0, 0.0, 0.0, 0.0], [0.1] * 7),
        ([], []),
    ],
)
def test_what_noise_hides_has_no_slope(errors, mcse):
    errors, mcse = np.asarray(errors, float), np.asarray(mcse, float)
    with np.errstate(all="ignore"):
        assert slope(SIZES[: len(errors)], errors, mcse) is None


def test_only_points_above_the_noise_count():
    mcse = np.where(SIZES < 100, 1e-4, 1.0)
    errors = np.where(SIZES < 100, 2.0 / SIZES, 0.7)
    found = slope(SIZES, errors, mcse)
    assert found.used.tolist() == [True] * 4 + [False] * 3
    assert_allclose(found.value, -1.0, atol=1e-9)
    assert ABOVE == 2.0


# ---- rows of the summary -----------------------------------------------------------------------------------------


@pytest.fixture
def cells(simulated):
    """Cells of two scenarios, in turn."""
    records = []
    for place, n in enumerate((20, 40, 80, 160)):
        records += [simulated["exponential"](place, 20_000, n), simulated["normal"](10 + place, 2000, n)]
    return [(r.scenario, r.replicates, r.limits) for r in records]


def rates_of(frame, scenario):
    found = frame[(frame["measure"] == "rate") & (frame["scenario"] == scenario)]
    return found.set_index(["estimator", "row"])


def test_rates_of_the_exponential(cells):
    """Bias λ/(n − 1); mean J and n·Var have relative errors of order 1/n; sd(J) is of order n^-½."""
    frame = summary.summarise("demo", cells)
    found = rates_of(frame, "exponential")
    assert [name for name, _ in found.index] == list(RATED)
    assert found["limit"].tolist() == [-1.0, -1.0, -1.0, -0.5]
    # terms of the next order: from 20 to 160 a factor 1 + c/n with c ≤ 6 tilts the slope by some 6·(1/20)/log 8
    assert (abs(found["value"] - found["limit"]) < 4 * found["mcse"] + 6 / 20 / np.log(8)).all()
    assert (found["mcse"] < 0.2).all()
    # exactly λ/(n − 1)
    n = np.array([20.0, 40.0, 80.0, 160.0])
    tilt = np.polyfit(np.log(n), np.log(1 / (n - 1)), 1)[0]
    assert abs(found.loc[("bias", "rate"), "value"] - tilt) < 4 * found.loc[("bias", "rate"), "mcse"]


def test_rates_stand_after_the_last_cell_of_their_scenario(cells):
    frame = summary.summarise("demo", cells)
    blocks = frame.loc[(frame["measure"] == "rate") != (frame["measure"] == "rate").shift(fill_value=False)]
    assert blocks[["scenario", "n"]].to_numpy().tolist() == [["exponential", 0], ["normal", 160], ["normal", 0]]
    assert (frame.loc[frame["measure"] == "rate", "n"] == 0).all()
    assert not (frame.loc[frame["measure"] != "rate", "n"] == 0).any()
    exponential = rates_of(frame, "exponential")
    assert exponential.loc[("bias", "rate"), ["replicates", "failed"]].tolist() == [80_000, 0]
    # the sample mean is unbiased, and rounding is no bias
    assert ("bias", "mean") not in rates_of(frame, "normal").index


def test_too_few_sizes_have_no_rates(cells):
    assert summary.summarise("demo", cells[:4])["measure"].ne("rate").all()


@pytest.mark.parametrize(
    "change", [{"irregularity": "an end of the sample space"}, {"rates": np.array([1.0])}, {"right": False}]
)
def test_without_the_usual_theory_rates_have_no_limits(cells, change):
    odd = [(scenario, rows, dataclasses.replace(limits, **change)) for scenario, rows, limits in cells[::2]]
    found = rates_of(summary.summarise("demo", odd), "exponential")
    assert len(found) == len(RATED)
    assert found["limit"].isna().all()
