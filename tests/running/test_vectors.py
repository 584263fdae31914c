"""Data sets of vectors, from the config to the summary."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import simstudy
from simstudy.errors import ConfigError
from simstudy.running import plan
from simstudy.running.block import draw, estimate, simulate
from simstudy.study.config import from_dict
from simstudy.study.limits import limits
from simstudy.study.streams import block_size

PAIR = {"mean1": 0, "mean2": 1, "sd1": 1, "sd2": 2, "correlation": 0.5}
THREE = {
    "mean1": 0,
    "mean2": 1,
    "mean3": 2,
    "cov11": 1,
    "cov12": 0.5,
    "cov13": 0.1,
    "cov22": 2,
    "cov23": -0.3,
    "cov33": 3,
}
FOUR = {"alpha1": 1, "alpha2": 2, "alpha3": 0.5, "alpha4": 3}


def study(**scenario):
    one = {"family": "bivariate_normal", "parameters": PAIR} | scenario
    return from_dict({"study": "vectors", "seed": 1, "replicates": 40, "sample_sizes": [12], "scenarios": [one]})


CELLS = {
    "pair": study(),
    "pair, some known": study(known=["mean1", "sd1"]),
    "three dimensions": study(family="multivariate_normal", parameters=THREE),
    "three dimensions, a covariance known": study(family="multivariate_normal", parameters=THREE, known=["cov13"]),
    "one dimension": study(family="multivariate_normal", parameters={"mean1": 1, "cov11": 2}),
    "four shares": study(family="dirichlet", parameters=FOUR),
    "four shares, one known": study(family="dirichlet", parameters=FOUR, known=["alpha2"]),
    "another family": study(fit="multivariate_normal", known={"cov12": 1.0}),
}


@pytest.mark.parametrize("made", CELLS.values(), ids=CELLS)
def test_blocks_are_drawn_fitted_and_replayed(made):
    (cell,) = made.scenarios
    x = draw(cell, 1, 1)
    assert x.shape[:2] == (block_size(12), 12)
    record = simulate(cell, 1, 0, 1)
    assert record.theta.shape == (2 * block_size(12), len(cell.free))
    assert (record.status == 0).mean() > 0.99
    alone = estimate(cell, x[5:6])
    assert_array_equal(alone.theta[0], record.theta[block_size(12) + 5])
    theory = limits(cell)
    assert_allclose(
        record.score_limit.mean(axis=0),
        0.0,
        atol=5 * np.sqrt(np.diag(theory.score_covariance).max() / len(record) / 12),
    )


def test_a_run_to_its_summary(tmp_path):
    made = study(family="dirichlet", parameters={"alpha1": 1, "alpha2": [1, 2]})
    results = simstudy.run(made, jobs=1, results=tmp_path)
    summary = results.summary()
    assert set(summary["scenario"]) == {"dirichlet-alpha2=1", "dirichlet-alpha2=2"}
    assert (summary["failed"] == 0).all()
    assert list(results.replicates("dirichlet-alpha2=2", 12).columns[:2]) != []


@pytest.mark.slow
def test_a_page_of_many_parameters_shows_the_first(tmp_path):
    """Four dimensions have fourteen parameters and their matrices a hundred entries."""
    names = {f"mean{i}": 0.0 for i in range(1, 5)}
    names |= {f"cov{i}{j}": float(i == j) for i in range(1, 5) for j in range(i, 5)}
    results = simstudy.run(study(family="multivariate_normal", parameters=names), jobs=1, results=tmp_path)
    page = (results.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("Of 14 parameters the first 9 are shown; summary.csv has all.") == 6
    assert "cov23" not in re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL).partition("Main results")[2]
    assert "cov44" in set(results.summary()["row"])


def test_pseudo_true_values_of_vectors():
    """A bivariate normal is a multivariate one: A = B there, which is the information of that family."""
    (cell,) = study(fit="multivariate_normal").scenarios
    theory = limits(cell)
    assert not theory.right
    assert_allclose(theory.theta, [0.0, 1.0, 1.0, 1.0, 4.0], atol=1e-9)
    assert_allclose(theory.hessian, theory.information, atol=1e-8)
    assert_allclose(theory.score_covariance, theory.information, atol=1e-8)


def test_many_parameters_make_short_tasks():
    """The record of 65 parameters takes 70 kB a replicate; a task stays below 2²⁸ bytes, and few ones as they were."""
    for n in (10, 200, 5000):
        assert plan.task_blocks(n, 1) == plan.task_blocks(n, 14) == plan.task_blocks(n)
        rows = plan.task_blocks(n, 65) * block_size(n)
        assert rows == block_size(n) or rows * plan.row_bytes(65) <= plan.TASK_BYTES


def test_another_family_has_the_width_of_the_data():
    (cell,) = study(family="multivariate_normal", parameters=THREE, fit="dirichlet", known={"alpha3": 2.0}).scenarios
    assert cell.fitted == ("alpha1", "alpha2", "alpha3")
    assert cell.free == ("alpha1", "alpha2")


FAULTS = {
    "not positive definite": (
        {"family": "multivariate_normal", "parameters": THREE | {"cov12": 1.5}},
        "positive definiteness of the covariance matrix must hold for multivariate_normal",
    ),
    "one of a crossing": (
        {
            "family": "multivariate_normal",
            "parameters": {"mean1": 0, "mean2": 0, "cov11": 1, "cov12": [0, 2], "cov22": 1},
        },
        "cov12² < cov11·cov22 must hold for multivariate_normal",
    ),
    "a covariance left out": (
        {"family": "multivariate_normal", "parameters": {"mean1": 0, "mean2": 0, "cov11": 1, "cov22": 1}},
        "lacks a parameter of multivariate_normal: give {mean1, mean2, cov11, cov12, cov22}",
    ),
    "a gap": ({"family": "dirichlet", "parameters": {"alpha1": 1, "alpha3": 1}}, "give {alpha1, alpha2, alpha3}"),
    "too few": ({"family": "multivariate_normal", "parameters": THREE, "sample_sizes": [3]}, "takes n of at least 4"),
    "numbers": ({"fit": "normal"}, "normal has observations of another length than bivariate_normal"),
    "other width": (
        {"family": "dirichlet", "parameters": FOUR, "fit": "bivariate_normal"},
        "observations of another length",
    ),
    "unknown known": ({"fit": "multivariate_normal", "known": {"cov13": 0.0}}, "is no parameter of the fitted"),
}


@pytest.mark.parametrize(("scenario", "said"), FAULTS.values(), ids=FAULTS)
def test_faults_are_told_in_one_line(scenario, said):
    with pytest.raises(ConfigError) as caught:
        study(**scenario)
    assert any(said in fault for fault in caught.value.faults), caught.value.faults
    assert all("\n" not in fault for fault in caught.value.faults)


def test_widths_that_do_not_fit():
    x = np.zeros((5, 3))
    for name, known, said in (
        ("bivariate_normal", None, "x: observations of this bivariate_normal are vectors of length 2, got length 3"),
        ("multivariate_normal", {"cov99": 1.0}, "known: multivariate_normal has no parameter 'cov99'"),
    ):
        with pytest.raises(ConfigError, match=r"length|no parameter") as caught:
            simstudy.fit(name, x, known)
        assert said in str(caught.value)
    with pytest.raises(ConfigError, match=r"x: the data must have shape \(n, d\) or \(R, n, d\)"):
        simstudy.fit("dirichlet", [0.2, 0.8])
    with pytest.raises(ConfigError, match="vectors of length 10, got length 11"):
        simstudy.fit("multivariate_normal", np.zeros((20, 11)))


def test_shapes():
    x = np.random.default_rng(1).normal(size=(4, 9, 3))
    many, one = simstudy.fit("multivariate_normal", x), simstudy.fit("multivariate_normal", x[2].tolist())
    assert many.theta.shape == (4, 9)
    assert many.covariance("sandwich").shape == (4, 9, 9)
    assert one.theta.shape == (9,)
    assert_array_equal(one.theta, many.theta[2])
