"""What the control variates save."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from simstudy.analysis.control_variates import score_controls
from simstudy.analysis.measures import MEASURES
from simstudy.analysis.savings import replicates_saved


@pytest.mark.parametrize("fails", [None, lambda sd: sd < 1.75], ids=["all", "some"])
@pytest.mark.parametrize("n", [20, 200])
def test_it_is_the_ratio_of_the_squared_mcse(simulated, n, fails):
    cell = simulated["normal_variance" if fails is None else "normal"](
        61, 5000, n, **({"fails": fails} if fails else {})
    ).cell
    found, diagonal = replicates_saved(cell), [0, 2]
    for name, places in (("bias", [0, 1]), ("scaled_covariance", diagonal), ("mean_observed_information", diagonal)):
        published = MEASURES[name].estimates(cell)
        ratio = (published["raw"].mcse / published["control-variate"].mcse)[places] ** 2
        finite = np.isfinite(found[name].value)
        # with b the controlled mean in the place of z̄, squares about it differ by a term of order R^-½
        assert_allclose(found[name].value[finite], ratio[finite], rtol=4.0 / np.sqrt(5000))
        assert (ratio[~finite] > 1e20).all()
        assert (found[name].mcse[finite] < 0.5 * found[name].value[finite]).all()


@pytest.mark.parametrize(("n", "least"), [(20, 4.0), (200, 30.0), (2000, 250.0)])
def test_of_the_scaled_covariance_of_the_normal(simulated, n, least):
    found = replicates_saved(simulated["normal"](62, 100_000, n).cell)["scaled_covariance"]
    # the mean is linear in the score, so that its variance is known exactly
    assert found.value[0] == np.inf
    assert found.value[1] - 4.0 * found.mcse[1] > least


def test_of_the_squared_error_of_the_exponential(simulated):
    """By regression on the score, its square and nothing else (J₀ is constant): two routes to one variance."""
    cell = simulated["exponential"](63, 20_000, 50).cell
    square, score = np.square(cell.error[0]), cell.all_scores[0]
    design = np.stack([np.ones_like(score), score, score**2])
    rest = square - np.linalg.lstsq(design.T, square, rcond=None)[0] @ design
    assert_allclose(replicates_saved(cell)["mse"].value, square.var() / rest.var(), rtol=1e-2)


def test_what_is_exact_is_told_from_what_does_not_vary(simulated):
    """The mean score of the exponential is linear in x̄, and J = x̄² quadratic: E J is known but for rounding."""
    found = replicates_saved(simulated["exponential"](64, 2000, 20).cell)["mean_observed_information"]
    assert found.value[0] == np.inf
    assert np.isnan(found.mcse[0])
    cell = simulated["exponential"](64, 2000, 20).cell
    cell.information[:] = 0.25
    with np.errstate(invalid="ignore"):
        assert np.isnan(replicates_saved(cell)["mean_observed_information"].value[0])


def test_nothing_is_saved_without_controls(simulated):
    cell = simulated["normal"](65, 20, 10).cell
    assert score_controls(cell) is None
    for estimate in replicates_saved(cell).values():
        assert_allclose(estimate.value, 1.0)
        assert_allclose(estimate.mcse, 0.0)


def test_calibrated(simulated):
    """The MCSE of a ratio of variances rests on fourth moments, which few replicates know ill."""
    repeats, found = 200, {}
    for seed in range(repeats):
        for name, estimate in replicates_saved(simulated["normal"]([66, seed], 5000, 50).cell).items():
            found.setdefault(name, []).append((estimate.value[1], estimate.mcse[1]))
    for name, pairs in found.items():
        value, mcse = np.array(pairs).T
        ratio = np.sqrt(np.mean(mcse**2)) / value.std(ddof=1)
        assert_allclose(ratio, 1.0, atol=0.15 + 4.0 / np.sqrt(2.0 * repeats), err_msg=name)


def test_of_the_bias_grows_as_n_squared_in_an_exponential_family(simulated):
    low, high = (replicates_saved(simulated["exponential"](67, 50_000, n).cell)["bias"] for n in (50, 500))
    assert_allclose(high.value / low.value, 100.0, rtol=0.2)
