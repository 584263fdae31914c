"""A study with intervals that need the data, from config to summary: jobs and growth change no byte."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from simstudy import Results
from simstudy.errors import ForeignResultsError
from simstudy.running.backends import engine
from simstudy.running.complete import complete
from simstudy.running.progress import Silent
from simstudy.study.config import from_dict

STUDY = from_dict(
    {
        "study": "small",
        "seed": 4,
        "replicates": 40,
        "sample_sizes": [12, 6000],
        "intervals": ["wald-observed", "wald-log", "score", "likelihood-ratio"],
        "scenarios": [
            {"family": "gamma", "parameters": {"shape": 2, "scale": 1}},
            {"family": "weibull", "parameters": {"shape": 2, "scale": 1}},
        ],
    }
)


def altered(**changes):
    return replace(STUDY, scenarios=tuple(replace(cell, **changes) for cell in STUDY.scenarios))


def run(folder, study, jobs=1):
    complete(folder, study, engine(jobs), "simstudy run small.yaml", Silent())
    return Results(folder)


def content(results):
    files = results.folder.rglob("*.npz")
    return {str(path.relative_to(results.folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"), STUDY)


def test_jobs_and_growth(whole, tmp_path):
    run(tmp_path, altered(replicates=15))
    grown = run(tmp_path, STUDY, jobs=2)
    assert content(grown) == content(whole)
    pd.testing.assert_frame_equal(grown.summary(), whole.summary(), check_exact=True)


def test_summary_has_a_coverage_of_every_method(whole):
    found = whole.summary()
    found = found[(found["measure"] == "coverage") & (found["row"] != "")]
    assert found["estimator"].unique().tolist() == list(STUDY.scenarios[0].intervals)
    assert np.isfinite(found["value"]).all()
    assert (found["limit"] == 0.95).all()


def test_replicates_have_ends_of_every_method(whole):
    frame = whole.replicates("gamma", 12)
    for method in STUDY.scenarios[0].intervals:
        for name in ("shape", "scale"):
            lower, upper = frame[f"lower[{method},{name}]"], frame[f"upper[{method},{name}]"]
            assert (lower < frame[f"theta[{name}]"]).all()
            assert (upper > frame[f"theta[{name}]"]).all()


def test_wald_methods_may_change_and_stored_ones_may_not(whole):
    folder, before = whole.folder, content(whole)
    kept = ("wald-sandwich", "score", "likelihood-ratio")
    changed = run(folder, altered(intervals=kept)).summary()
    assert set(changed[changed["measure"] == "interval_width"]["estimator"]) == set(kept)
    assert content(run(folder, STUDY)) == before
    with pytest.raises(ForeignResultsError) as caught:
        run(folder, altered(intervals=("score",)))
    stored = "at level 0.95, stored with the fits"
    assert str(caught.value).splitlines()[0] == (
        f"{folder}: made by another study: scenario 'gamma', intervals was score, likelihood-ratio {stored}, "
        f"is now score {stored}; use another results folder or study name"
    )
