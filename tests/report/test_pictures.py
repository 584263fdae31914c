"""What figures read of the replicates of large cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from simstudy.figures import FIGURES
from simstudy.figures.clouds import deviations
from simstudy.figures.estimates import TRUTH, truth
from simstudy.report import pictures
from tests.figures.made import made

OF_REPLICATES = ("ellipses", "normality", "scatter", "zip")
SIZES = (10, 40)


def drawings(results, head=None, monkeypatch=None):
    if head is not None:
        monkeypatch.setattr(pictures, "HEAD", head)
    (job,) = [job for job in pictures.plan(results, results.summary(), ("svg",), OF_REPLICATES) if job.scenario]
    return {drawing.figure: drawing for drawing in pictures._drawings(job)}


def test_the_first_replicates_are_read_and_captions_say_so(results_of, monkeypatch):
    found = drawings(results_of({"two": 2}), 120, monkeypatch)
    assert set(found) == set(OF_REPLICATES)
    for drawing in found.values():
        assert drawing.replicates
        assert drawing.caption.endswith(pictures.CUT)
        assert drawing.alt.endswith(pictures.CUT)


@pytest.mark.parametrize("head", [300, 10**6])
def test_small_cells_are_read_whole_and_nothing_is_said(results_of, monkeypatch, head):
    found = drawings(results_of({"two": 2}), head, monkeypatch)
    assert all(pictures.CUT not in drawing.caption + drawing.alt for drawing in found.values())


def test_numbers_of_a_caption_are_of_the_first_replicates(results_of, monkeypatch):
    """The share of estimates below −1.96, counted in another way; θ* is 1."""
    results = results_of({"two": 2})
    alt = drawings(results, 120, monkeypatch)["normality"].alt
    variance = results.summary().query("measure == 'scaled_covariance' and row == 'scale' and column == 'scale'")
    z = np.sqrt(40 / variance["limit"].iloc[0]) * (results.replicates("two", 40)["theta[scale]"] - 1.0)
    first, every = (f"{100 * (part < -1.96).mean():.0f} % ±" for part in (z.head(120), z))
    said = alt.partition("scale: ")[2].partition(" at n = 10; ")[2]
    assert said.startswith(first)
    assert first != every


def test_a_head_is_read_some_rows_at_a_time(results_of, monkeypatch):
    whole = drawings(results_of({"two": 2}))
    monkeypatch.setattr(pictures, "_READ_BYTES", 147 * 70)
    results = results_of({"two": 2})
    parts = drawings(results)
    assert len([each for each in results.read if each == ("two", 40)]) == 5
    assert parts == whole


def test_columns_of_parameters_that_are_not_shown_are_let_go(results_of, monkeypatch):
    monkeypatch.setattr(pictures, "SHOWN", 1)
    results = results_of({"two": 2})
    table = pictures._head(results, results.study.cell("two", 40))
    assert [name for name in table if name.startswith(("theta", "se"))] == ["theta[shape]", "se[shape]"]
    assert not [name for name in table if "scale" in name]
    assert len(table) == 300


def test_the_truth_of_some_replicates_is_not_told_by_their_mean():
    part = made(2, SIZES)
    table = part.tables[40].head(50)
    table.attrs[TRUTH] = {"shape": 1.0, "scale": 1.0}
    assert truth(part.summary, "made", 40, "shape", table) == 1.0
    z = deviations(part.summary, "made", 40, table, ["shape", "scale"])
    wanted = np.sqrt(40) * (table[["theta[shape]", "theta[scale]"]].to_numpy() - 1.0)
    np.testing.assert_array_equal(z, wanted)
    mean = deviations(part.summary, "made", 40, part.tables[40].head(50), ["shape", "scale"])
    assert np.abs(mean - wanted).max() > 1e-3


def test_without_a_truth_the_mean_of_what_is_read_takes_its_place():
    part = made(2, SIZES)
    table = part.tables[40].head(50)
    table.attrs[TRUTH] = {"shape": np.nan, "scale": np.nan}
    z = deviations(part.summary, "made", 40, table, ["shape", "scale"])
    np.testing.assert_allclose(z.mean(axis=0), 0.0, atol=1e-12)
    assert np.isnan(truth(part.summary, "made", 40, "shape", table))


@pytest.mark.parametrize("rows", [2, 3])
def test_the_intervals_of_few_replicates_are_drawn(rows):
    """With two replicates that both cover, no centile lies near the coverage of 1."""
    part = made(1, SIZES, replicates=rows)
    summary = part.summary.copy()
    summary.loc[summary["measure"] == "coverage", ["value", "mcse"]] = [1.0, 0.0]
    figure = FIGURES["zip"].draw(summary, "made", part.replicates)
    assert sum(len(lines.get_segments()) for axes in figure.axes for lines in axes.collections) >= len(figure.axes)


def test_angles_that_are_not_shown_are_no_matter():
    """Angles are laid on the turn around their limits with the columns that there are."""
    from simstudy.report import theory
    from simstudy.study.scenario import Scenario

    cell = Scenario("a", "von_mises", ("loc", "concentration"), (3.0, 2.0), "von_mises", (), 40, 300, 0.95)
    table = pd.DataFrame({"theta[loc]": [-3.0, 3.0], "status": "CONVERGED"})
    found = theory.unwrapped(table, cell)["theta[loc]"]
    np.testing.assert_allclose(found, [2 * np.pi - 3.0, 3.0])
    assert theory.truth(replace(cell, known=("loc",))) == {"concentration": 2.0}
