"""What a run wrote, read back through the Python interface."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import simstudy
from simstudy.errors import ConfigError, UnusableResultsError
from simstudy.results import Results
from simstudy.running.block import simulate
from simstudy.study.config import loads

STUDY = loads("""
study: tiny
seed: 1
replicates: 30
sample_sizes: [20, 9000]
scenarios:
  - {name: a, family: normal, parameters: {mean: 1, sd: 2}}
  - {name: b, family: gamma, parameters: {shape: 2, mean: 3}, known: [shape], sample_sizes: [10]}
""")
"""Three cells; the second holds seven rows to a block."""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A small study, run without a word, as the interface does unless asked."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        done = simstudy.run(STUDY, jobs=1, results=tmp_path_factory.mktemp("results"))
    assert out.getvalue() + err.getvalue() == ""
    return done


def test_opening(results):
    again = Results(str(results.folder))
    assert again.study == STUDY
    assert again.manifest == results.manifest
    assert repr(again) == f"Results('{results.folder}')"
    assert results.folder.name == "tiny"


def test_replicates_are_those_of_the_blocks(results):
    frame = results.replicates("a", 9000)
    record = simulate(STUDY.cell("a", 9000), 1, 0, 4).head(30)
    assert list(frame.columns) == [
        *("theta[mean]", "theta[sd]"),
        *("information[mean,mean]", "information[mean,sd]", "information[sd,sd]"),
        *("information_limit[mean,mean]", "information_limit[mean,sd]", "information_limit[sd,sd]"),
        *("score_limit[mean]", "score_limit[sd]"),
        *("products[mean,mean]", "products[mean,sd]", "products[sd,sd]"),
        *("products_limit[mean,mean]", "products_limit[mean,sd]", "products_limit[sd,sd]"),
        *("value", "value_limit", "status", "iterations"),
        *("se[mean]", "se[sd]"),
        *(
            f"{side}[wald-{kind},{name}]"
            for kind in ("observed", "expected", "sandwich")
            for side in ("lower", "upper")
            for name in ("mean", "sd")
        ),
    ]
    np.testing.assert_array_equal(frame[["theta[mean]", "theta[sd]"]], record.theta)
    np.testing.assert_array_equal(frame["information[mean,sd]"], record.information[:, 1])
    np.testing.assert_array_equal(frame["value_limit"], record.value_limit)
    assert set(frame["status"]) == {"CONVERGED"}
    assert len(frame) == 30


def test_known_parameters_have_no_columns(results):
    frame = results.replicates("b", 10)
    assert [name for name in frame if name.startswith("theta")] == ["theta[mean]"]


def test_a_cell_that_is_not_there(results):
    with pytest.raises(KeyError, match="no scenario 'a' with n = 21"):
        results.replicates("a", 21)


def test_cells_come_in_the_order_of_the_study(results):
    cells = list(results.cells())
    assert [scenario for scenario, _, _ in cells] == list(STUDY.scenarios)
    assert all(len(replicates) == 30 for _, replicates, _ in cells)
    assert_allclose(cells[0][2].theta, [1.0, 2.0])


def test_summary_is_the_file_or_computed(results, tmp_path):
    stored = results.summary()
    path = results.folder / "summary.csv"
    content = path.read_bytes()
    path.unlink()
    try:
        pd.testing.assert_frame_equal(results.summary(), stored)
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["no", "summary.csv"])
def test_a_folder_that_no_run_wrote(results, name):
    with pytest.raises(UnusableResultsError, match=rf"{name}: no manifest\.json in it"):
        Results(results.folder / name)


def test_the_public_names():
    for name in simstudy.__all__:
        assert getattr(simstudy, name) is not None
        assert name in dir(simstudy)
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = simstudy.fitt


def test_families_is_a_function_and_a_package():
    import simstudy.families as package

    assert simstudy.families() == list(package.FAMILIES)
    assert simstudy.family("gamma") is package.FAMILIES["gamma"]


# ---- expected information ------------------------------------------------------------------------------------------


def test_expected_information_is_in_the_order_given():
    found = simstudy.expected_information("gamma", {"mean": 3.0, "shape": 2})
    assert list(found.index) == list(found.columns) == ["mean", "shape"]
    assert_allclose(found.loc["mean", "mean"], 2 / 9)


def test_known_parameters_are_left_out():
    found = simstudy.expected_information("normal", {"mean": 0.0, "sd": 2.0}, known=["mean"])
    assert_allclose(found, pd.DataFrame([[0.5]]))
    assert list(found.index) == ["sd"]


@pytest.mark.parametrize(
    ("family", "parameters", "known", "says"),
    [
        ("gama", {}, [], "did you mean 'gamma'"),
        ("gamma", {"shape": 1}, [], "gamma has no parametrisation"),
        ("gamma", {"shape": 1, "scale": 0}, [], r"gamma: scale must be a number in positive \(0, inf\), got 0"),
        ("gamma", {"shape": "x", "scale": float("nan")}, [], r"shape must be .*got 'x'\ngamma: scale .* got nan"),
        ("gamma", {"shape": 1, "scale": 1}, ["shap"], "known: no parameter 'shap'; did you mean 'shape'"),
        ("gamma", {"shape": 1, "scale": 1}, ["shape", "scale"], "all parameters are known"),
    ],
)
def test_expected_information_of_nonsense(family, parameters, known, says):
    with pytest.raises(ConfigError, match=says):
        simstudy.expected_information(family, parameters, known)


def test_a_study_whose_name_leaves_the_folder(tmp_path):
    from dataclasses import replace

    with pytest.raises(ConfigError, match="study: its name "):
        simstudy.run(replace(STUDY, name="../out"), jobs=1, results=tmp_path / "in")
    assert list(tmp_path.iterdir()) == []
