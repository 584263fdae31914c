import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from simstudy.analysis import control_variates as cv
from simstudy.analysis.influence import error_of, mean
from simstudy.analysis.measures import MEASURES
from simstudy.analysis.sharpening import adjust
from simstudy.analysis.streaming import run
from simstudy.study.limits import regular
from tests.analysis.rows import Table
from tests.analysis.rows import found as of_rows

CONTROLLED = ("bias", "mse", "scaled_covariance", "mean_observed_information")


def adjusted(values, converged, raw, pieces=1):
    """Return the controlled means and their influences (1, R), given values of the converged and raw controls."""
    every = np.full((1, raw.shape[1]), np.nan)
    every[:, converged] = values
    table = Table(pieces, raw=raw, every=every, converged=converged)
    using = run(table, cv.orthonormal(lambda part: part.raw))
    found = run(table, adjust(lambda part: part.every[:, part.converged], using))
    psi = np.concatenate([found.regression.psi(part) for part in table.parts()], axis=1)
    assert_allclose(found.mcse, np.sqrt((psi**2).sum(axis=1) / (psi.shape[1] * (psi.shape[1] - 1))), rtol=1e-12)
    return found.value, psi


def controls(scores, information, limits, n):
    """Return the controls of mean scores (p, R) and observed information (q, R) at θ*."""
    table = Table(all_scores=scores, all_information=information)
    return run(table, cv.controls(limits, n, scores.shape[1]))


def problem(replicates=40, size=3, seed=0):
    """Controls (k, R) of known mean zero and values (1, R) that depend on them."""
    rng = np.random.default_rng(seed)
    raw = rng.standard_normal((size, replicates)) * 10.0 ** np.arange(-3, size - 3)[:, None]
    values = 5.0 + raw.sum(axis=0) + raw[0] ** 2 * 1e5 + 0.1 * rng.standard_normal(replicates)
    return raw, values[None]


def refit_without(raw, values, i):
    """Return the coefficients of an ordinary regression on all replicates but one."""
    kept = np.arange(raw.shape[1]) != i
    design = np.column_stack([np.ones(kept.sum()), raw[:, kept].T])
    return np.linalg.lstsq(design, values[0, kept], rcond=None)[0]


@pytest.mark.parametrize("pieces", [1, 6])
def test_each_replicate_is_adjusted_by_the_coefficients_of_the_others(pieces):
    raw, values = problem()
    replicates = raw.shape[1]
    found, influence = adjusted(values, np.ones(replicates, bool), raw, pieces)
    refits = [refit_without(raw, values, i) for i in range(replicates)]
    each = [values[0, i] - refits[i][1:] @ raw[:, i] for i in range(replicates)]
    deleted = [values[0, i] - refits[i] @ [1.0, *raw[:, i]] for i in range(replicates)]
    assert_allclose(found[0], np.mean(each), rtol=1e-10)
    assert_allclose(influence[0] / (1.0 - 1.0 / replicates), deleted, rtol=1e-7, atol=1e-9)


def test_collinear_and_constant_controls_change_nothing():
    raw, values = problem()
    converged = np.ones(raw.shape[1], bool)
    twice = np.concatenate([raw, raw[:1] - 2.0 * raw[1:2], np.zeros((1, raw.shape[1]))])
    for found, expected in zip(
        adjusted(values, converged, twice),
        adjusted(values, converged, raw),
        strict=True,
    ):
        assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


def test_controls_that_do_not_vary_give_the_raw_mean():
    _, values = problem()
    found, influence = adjusted(values, np.ones(40, bool), np.zeros((2, 40)))
    raw = of_rows(mean, values)
    assert_allclose(found, raw.value, rtol=1e-14)
    assert_allclose(error_of((influence**2).sum(axis=1), 40), raw.mcse, rtol=1e-12)


def test_failed_replicates_count_as_zeros_of_the_influence():
    raw, values = problem()
    converged = np.arange(40) % 4 != 0
    found, influence = adjusted(values[:, converged], converged, raw)
    psi = np.where(converged, (values - values[:, converged].mean()) * 40 / 30, 0.0)
    expected, expected_influence = adjusted(psi, np.ones(40, bool), raw)
    assert_allclose(found, values[:, converged].mean() + expected, rtol=1e-12)
    assert_allclose(influence, expected_influence, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "replicates", "columns"),
    [(1, 19, 0), (1, 20, 1), (1, 39, 1), (1, 40, 3), (2, 29, 0), (2, 89, 2), (2, 90, 8), (10, 1200, 10)],
)
def test_number_of_controls_is_what_the_replicates_bear(size, replicates, columns):
    rng = np.random.default_rng(0)
    entries = size * (size + 1) // 2
    unit = np.eye(size)
    found = controls(
        0.1 * rng.standard_normal((size, replicates)),
        rng.standard_normal((entries, replicates)),
        regular(np.zeros(size), unit),
        100,
    )
    assert (0 if found is None else len(found.rotation)) == columns


def test_a_control_that_is_not_finite_means_no_controls():
    rng = np.random.default_rng(0)
    scores, information = rng.standard_normal((1, 100)), rng.standard_normal((1, 100))
    limits = regular(np.zeros(1), np.eye(1))
    for part in (scores, information):
        kept, part[0, 5] = part[0, 5], np.nan
        with np.errstate(invalid="ignore"):
            assert controls(scores, information, limits, 10) is None
        part[0, 5] = kept
    assert controls(scores, information, limits, 10) is not None


@pytest.mark.parametrize("name", ["exponential", "normal", "normal_variance"])
@pytest.mark.parametrize("n", [5, 50])
def test_controls_never_do_worse_than_none(simulated, name, n):
    cell = simulated[name](3, 2000, n).cell
    for measure in CONTROLLED:
        found = MEASURES[measure].estimates(cell)
        # rounding alone is left where an estimate is a function of the controls
        slack = 1e-12 * (1.0 + np.abs(found["raw"].value))
        assert (found["control-variate"].mcse <= found["raw"].mcse * (1.0 + 10.0 / 2000) + slack).all()


@pytest.mark.parametrize(("n", "least"), [(20, 4.0), (200, 30.0), (2000, 250.0)])
def test_variance_of_the_scaled_covariance_falls_by_a_factor_of_order_n(simulated, n, least):
    found = MEASURES["scaled_covariance"].estimates(simulated["normal"](4, 100_000, n).cell)
    assert ((found["raw"].mcse / found["control-variate"].mcse) ** 2 >= least).all()


@pytest.mark.parametrize(("n", "least"), [(20, 50.0), (200, 5e3), (2000, 5e5)])
def test_variance_of_the_bias_falls_by_a_factor_of_order_n_squared(simulated, n, least):
    found = MEASURES["bias"].estimates(simulated["exponential"](4, 100_000, n).cell)
    assert ((found["raw"].mcse / found["control-variate"].mcse) ** 2 >= least).all()


def exact_exponential(n, rate):
    """E λ̂ − λ, E (λ̂ − λ)², n·Var λ̂ and E λ̂⁻² of n exponentials with rate λ."""
    variance = n**2 * rate**2 / ((n - 1) ** 2 * (n - 2))
    return {
        "bias": rate / (n - 1),
        "mse": variance + (rate / (n - 1)) ** 2,
        "scaled_covariance": n * variance,
        "mean_observed_information": (1 + 1 / n) / rate**2,
    }


@pytest.mark.parametrize("replicates", [60, 500])
def test_unbiased_over_seeds(simulated, replicates):
    n, rate, seeds = 20, 2.0, 400
    values = {measure: [] for measure in CONTROLLED}
    for seed in range(seeds):
        cell = simulated["exponential"]([5, seed], replicates, n, rate).cell
        for measure in CONTROLLED:
            values[measure].append(MEASURES[measure].estimates(cell)["control-variate"].value[0])
    for measure, exact in exact_exponential(n, rate).items():
        sd = np.std(values[measure], ddof=1)
        assert abs(np.mean(values[measure]) - exact) <= 4.0 * sd / np.sqrt(seeds) + 1e-14 * exact


@pytest.mark.parametrize("measure", CONTROLLED)
def test_unbiased_and_calibrated_where_a_quarter_of_the_fits_fail(simulated, measure):
    """Failure that depends on the data shifts the conditional target; the controls must not shift it back."""

    def fails(sd):
        return sd < 1.75

    n, replicates, seeds = 20, 500, 400
    exact = MEASURES[measure].estimates(simulated["normal"]([6], 1_000_000, n, fails=fails).cell)["raw"]
    found = [
        MEASURES[measure].estimates(simulated["normal"]([7, s], replicates, n, fails=fails).cell) for s in range(seeds)
    ]
    raw, controlled = (np.array([[f[e].value, f[e].mcse] for f in found]) for e in ("raw", "control-variate"))
    varies = raw[:, 0].std(axis=0) > 0.0
    sd = controlled[:, 0].std(axis=0, ddof=1)
    error = np.hypot(sd / np.sqrt(seeds), exact.mcse)
    assert (np.abs(controlled[:, 0].mean(axis=0) - exact.value) <= 4.0 * error)[varies].all()
    assert (sd < 0.9 * raw[:, 0].std(axis=0, ddof=1))[varies].all()
    # an sd over K repeats is within 4/√(2K) of its mean, and the MCSE has a bias of order (controls)/R
    ratio = np.sqrt((controlled[:, 1] ** 2).mean(axis=0))[varies] / sd[varies]
    assert_allclose(ratio, 1.0, atol=4.0 / np.sqrt(2.0 * seeds) + 5.0 / replicates)


def test_constants_of_the_information_at_the_limit_are_no_controls(simulated):
    record = simulated["exponential"](0, 200, 10)
    noisy = record.replicates.information_limit * (1.0 + 1e-15 * np.arange(200)[:, None] / 200)
    clean = controls(record.cell.all_scores, record.cell.all_information, record.limits, 10)
    found = controls(record.cell.all_scores, noisy.T.copy(), record.limits, 10)
    part = Table(all_scores=record.cell.all_scores, all_information=noisy.T.copy())
    assert_array_equal(found.columns(part), clean.columns(part))
