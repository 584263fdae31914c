"""Two studies beside each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import simstudy
from simstudy import cli_comparison
from simstudy.comparison import holm, judged
from simstudy.errors import ConfigError
from simstudy.results import Results
from simstudy.running.backends import engine
from simstudy.running.complete import complete
from simstudy.running.progress import Silent
from simstudy.study.config import loads
from tests.figures.made import COLUMNS

STUDY = loads("""
study: one
seed: 1
replicates: 200
sample_sizes: [20, 50]
scenarios:
  - {name: a, family: gamma, parameters: {shape: 2, scale: 1}}
  - {name: b, family: exponential, parameters: {rate: 1}}
""")


def ran(folder, study):
    path = folder / study.name
    path.mkdir()
    complete(path, study, engine(1), "simstudy run x.yaml", Silent())
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The study, the same again, one of another seed, and one of another parameter in one scenario."""
    base = tmp_path_factory.mktemp("results")
    other_rate = tuple(replace(cell, values=(1.3,)) if cell.name == "b" else cell for cell in STUDY.scenarios)
    return {
        "one": ran(base, STUDY),
        "again": ran(base, replace(STUDY, name="again")),
        "seed": ran(base, replace(STUDY, name="seed", seed=2)),
        "rate": ran(base, replace(STUDY, name="rate", scenarios=other_rate)),
    }


def rows(*lines, n=10):
    """Return a summary of (measure, row, value, mcse)."""
    records = [("x", "s", "f", n, m, "raw", row, "", value, mcse, 0.0, 9, 0) for m, row, value, mcse in lines]
    return pd.DataFrame(records, columns=COLUMNS)


def test_holm_against_its_definition():
    """The k-th smallest of m is significant where all smaller are and p₍ₖ₎ ≤ α/(m − k + 1), at every α."""
    p = np.random.default_rng(3).uniform(size=25) ** 3
    adjusted = holm(np.append(p, np.nan))
    assert np.isnan(adjusted[-1])
    for alpha in (0.01, 0.05, 0.3, 0.9):
        rejected, order = np.zeros(25, dtype=bool), np.argsort(p)
        for k, place in enumerate(order):
            if p[place] > alpha / (25 - k):
                break
            rejected[place] = True
        np.testing.assert_array_equal(adjusted[:-1] <= alpha, rejected)


def test_z_and_its_p_value():
    found = judged(
        rows(("bias", "a", 1.0, 0.3), ("bias", "b", 2.0, 0.1)),
        rows(("bias", "a", 0.0, 0.4), ("bias", "b", 2.1, 0.0)),
        0.95,
    )
    np.testing.assert_allclose(found["z"], [2.0, -1.0])
    np.testing.assert_allclose(found["p"], 2 * stats.norm.sf([2.0, 1.0]))
    np.testing.assert_allclose(found["p_adjusted"], [4 * stats.norm.sf(2.0), 2 * stats.norm.sf(1.0)])
    assert list(found["verdict"]) == ["agrees", "agrees"]
    assert found.attrs["compared"] == 2


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ((1.0, 0.1), (1.0, 0.1), "identical"),
        ((1.0, 0.1), (1.0, 0.2), "agrees"),
        ((1.0, 0.1), (9.0, 0.1), "differs"),
        ((1.0, 0.0), (1.0 + 1e-14, 0.0), "agrees"),
        ((1.0, 0.0), (1.0 + 1e-9, 0.0), "differs"),
        ((1.0, 0.0), (1.5, 1.0), "agrees"),
        ((np.nan, np.nan), (np.nan, np.nan), "identical"),
        ((1.0, 0.1), (np.nan, np.nan), "not compared"),
        ((1.0, np.nan), (2.0, np.nan), "not compared"),
        ((np.inf, np.nan), (2.0, 1.0), "not compared"),
    ],
)
def test_verdicts(first, second, verdict):
    found = judged(rows(("bias", "a", *first)), rows(("bias", "a", *second)), 0.95)
    assert list(found["verdict"]) == [verdict]


def test_rounding_is_no_difference():
    """An error of 1e-14 is rounding in units of the whole, and so is a covariance of 1e-15 between variances of 1."""

    def summary(floor, off):
        table = rows(
            ("information_error", "", floor, 1e-20), ("v", "a", 1.0, 0.1), ("v", "a", off, 1e-19), ("v", "b", 1.0, 0.1)
        )
        return table.assign(column=["", "a", "b", "b"])

    assert set(judged(summary(1e-14, 1e-15), summary(2e-14, 3e-15), 0.95)["verdict"]) == {"agrees", "identical"}
    far = judged(summary(1e-14, 1e-15), summary(2e-11, 3e-11), 0.95)
    assert list(far["verdict"]) == ["differs", "identical", "differs", "identical"]


def test_rows_of_one_alone_keep_their_place():
    first, second = (
        rows(("bias", "a", 1.0, 0.1), ("mse", "a", 1.0, 0.1)),
        rows(("mse", "a", 1.0, 0.2), ("rmse", "a", 1.0, 0.1)),
    )
    found = judged(first, second, 0.95)
    verdicts = ["only in the first", "agrees", "only in the second"]
    assert list(zip(found["measure"], found["verdict"], strict=True)) == list(
        zip(["bias", "mse", "rmse"], verdicts, strict=True)
    )


def test_the_familywise_error_is_the_level():
    """Of 2,000 comparisons of 40 normal rows without any difference about 5 % find one, within 4 standard errors."""
    rng, level, trials = np.random.default_rng(11), 0.95, 2000
    z = rng.standard_normal((trials, 40))
    least = np.array([np.nanmin(holm(2 * stats.norm.sf(np.abs(each)))) for each in z])
    false = (least < 1 - level).mean()
    exact = 1 - (1 - (1 - level) / 40) ** 40
    assert abs(false - exact) < 4 * np.sqrt(exact * (1 - exact) / trials)


def test_the_same_study_is_identical(folders):
    found = simstudy.compare(folders["one"], folders["again"])
    assert set(found["verdict"]) == {"identical"}
    assert found.attrs["shared"] == ["a", "b"]


def test_another_seed_agrees_and_shares_nothing(folders):
    found = simstudy.compare(folders["one"], Results(folders["seed"]))
    assert not found["verdict"].isin(["differs", "only in the first", "only in the second"]).any()
    assert (found["verdict"] == "agrees").mean() > 0.8
    assert found.attrs["shared"] == []


def test_another_rate_differs_where_it_should(folders, capsys):
    found = simstudy.compare(folders["one"], folders["rate"])
    differing = found[found["verdict"] == "differs"]
    assert set(differing["scenario"]) == {"b"}
    assert {"mean_observed_information", "scaled_covariance"} <= set(differing["measure"])
    assert set(found.loc[found["scenario"] == "a", "verdict"]) == {"identical"}
    assert found.attrs["shared"] == ["a"]
    assert cli_comparison.show(folders["one"], folders["rate"], 0.95) == 3
    printed = capsys.readouterr().out
    assert f"{len(differing)} of {len(found)} rows differ beyond Monte Carlo error" in printed
    assert f"(Holm over {found.attrs['compared']} tests)" in printed
    assert "same seed" not in printed  # what they share is identical


def test_the_command_line_counts_what_only_one_has_and_says_what_is_shared(folders, tmp_path, capsys):
    grown = replace(STUDY, name="grown", scenarios=tuple(replace(c, replicates=300) for c in STUDY.scenarios[:3]))
    assert cli_comparison.show(folders["one"], ran(tmp_path, grown), 0.95) == 0
    printed = capsys.readouterr().out
    assert "0 of " in printed
    assert "only in the first: " in printed
    assert " rows of bias, " in printed
    assert "same seed and mechanism in a, b: the data sets are the same" in printed


def test_studies_with_nothing_in_common_are_not_said_to_agree(folders, tmp_path):
    renamed = replace(STUDY, name="other", scenarios=tuple(replace(c, name=f"{c.name}2") for c in STUDY.scenarios))
    with pytest.raises(ConfigError, match="have no row in common, so nothing can differ; give studies that share"):
        cli_comparison.show(folders["one"], ran(tmp_path, renamed), 0.95)
