"""Cells too large to be held: memory stays bounded, and nothing but memory depends on the parts they are read in."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.errors import UnusableResultsError
from simstudy.results import Results
from simstudy.running import parts, preflight
from simstudy.running.backends import engine
from simstudy.running.complete import complete
from simstudy.running.progress import Silent
from simstudy.study.config import loads

STUDY = loads("""
study: large
seed: 1
replicates: 1000000
sample_sizes: [2]
scenarios:
  - {name: a, family: exponential, parameters: {rate: 1}}
""")
SMALL = loads("""
study: small
seed: 1
replicates: 335
sample_sizes: [100000]
intervals: [wald-observed, wald-log]
scenarios:
  - {name: a, family: exponential, parameters: {rate: 1}}
  - {name: b, family: poisson, parameters: {mean: 0.000005}}
""")
"""One row to a block, 167 to a file, so that the last is alone; of the counts many data sets are all zeros."""
N = 100_000
MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(json.dumps([done.returncode, done.stdout, done.stderr, peak]))
"""


def peak_of(*arguments):
    """Return the peak memory of a process of Python, which has to do well."""
    command = [sys.executable, "-c", MEASURE, sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, out, err, peak = json.loads(done.stdout)
    assert (code, err) == (0, ""), out
    return peak


def made(study, folder):
    folder.mkdir()
    complete(folder, study, engine(1), "simstudy run", Silent())
    return Results(folder)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return made(STUDY, tmp_path_factory.mktemp("large") / "large")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return made(SMALL, tmp_path_factory.mktemp("small") / "small")


@pytest.mark.slow
def test_a_million_replicates_are_exported_with_the_memory_of_a_few(large, tmp_path):
    """The whole cell is 67 MB as it is stored, and several times that as a table."""
    idle = peak_of("-c", "import simstudy.interchange, pandas")
    export = peak_of("-m", "simstudy", "export", large.folder, "--to", "csv", "--output", tmp_path / "x.csv")
    assert export < idle + 120 * 10**6
    table = pd.read_csv(tmp_path / "x.csv", usecols=["replicate", "estimate"])
    np.testing.assert_array_equal(table["replicate"], np.arange(10**6))
    np.testing.assert_array_equal(table["estimate"], large.records(STUDY.scenarios[0]).theta[:, 0])


@pytest.mark.slow
def test_figures_of_a_million_replicates(large):
    code = (
        "import sys, simstudy\n"
        "from simstudy.analysis import summary\n"
        "from simstudy.report import build\n"
        "results = simstudy.Results(sys.argv[1])\n"
        "cells = [(cell, next(parts.between(0, 1000)), limits) for cell, parts, limits in results.cells()]\n"
        "{}"
    )
    write = (
        "summary.write(summary.summarise('large', cells), results.folder / 'summary.csv')\n"
        "build(results, ('svg',), (), 1)"
    )
    idle = peak_of("-c", code.format("import simstudy.figures"), large.folder)
    assert peak_of("-c", code.format(write), large.folder) < idle + 150 * 10**6
    page = (large.folder / "pages" / "a.html").read_text(encoding="utf-8")
    assert "is of the first 100,000 at each n." in page


def test_tables_do_not_depend_on_the_parts(small, tmp_path, monkeypatch):
    """The last row is alone in its part, where of the others some failed."""
    whole = {form: simstudy.export(small.folder, form, tmp_path / form).read_bytes() for form in ("csv", "rsimsum")}
    frames = [small.replicates(name, N) for name in ("a", "b")]
    monkeypatch.setattr(parts, "TASK_ROWS", 1)
    for form, content in whole.items():
        assert simstudy.export(small.folder, form, tmp_path / "again").read_bytes() == content
    for frame, name in zip(frames, ("a", "b"), strict=True):
        pd.testing.assert_frame_equal(small.replicates(name, N), frame, check_exact=True)


def test_a_replicate_alone_has_its_standard_error(small):
    whole = small.replicates("b", N)
    assert 0.2 < (whole["status"] == "CONVERGED").mean() < 0.6
    for row in (*range(8), 166, 167, 333, 334):
        alone = small.replicates("b", N, range(row, row + 1))
        pd.testing.assert_frame_equal(alone, whole.iloc[row : row + 1], check_exact=True)


@pytest.mark.parametrize("rows", [range(5), range(10, 40), range(160, 335), range(334, 335), range(335)])
def test_rows_of_a_range(small, rows):
    found = small.replicates("a", N, rows)
    pd.testing.assert_frame_equal(found, small.replicates("a", N).iloc[rows.start : rows.stop], check_exact=True)
    assert list(found.index) == list(rows)


@pytest.mark.parametrize("rows", [range(0), range(336), range(-1, 3), range(0, 10, 2), range(5, 2)])
def test_rows_that_there_are_not(small, rows):
    with pytest.raises(IndexError, match="n = 100000: rows must be a range within 335, got range"):
        small.replicates("a", N, rows)


def test_what_cannot_be_held_is_refused_with_numbers(small, monkeypatch):
    cell = small.study.cell("a", N)
    monkeypatch.setattr(preflight, "available_memory", lambda: 10**4)
    found = (
        r"^scenario 'a', n = 100000: no memory: to hold 335 replicates takes about [\d,]+ bytes, and 10,000 are "
        "available; take fewer rows, or read them in parts$"
    )
    for refused in (lambda: small.records(cell), lambda: small.replicates("a", N)):
        with pytest.raises(UnusableResultsError, match=found):
            refused()
    assert len(small.replicates("a", N, range(8))) == 8
    assert sum(map(len, small.parts(cell))) == 335


def test_cells_are_not_read_before_they_are_wanted(small, monkeypatch):
    monkeypatch.setattr(parts.StoredParts, "_read", None)
    cells = list(small.cells())
    assert [(cell.name, len(each)) for cell, each, _ in cells] == [("a", 335), ("b", 335)]


def test_a_decision_on_precision_is_made_from_parts(tmp_path):
    seen = []

    def precise(cell, replicates):
        seen.append((len(replicates), [len(part) for part in replicates]))
        return True

    targets = loads("""
study: t
seed: 1
replicates: 3000
sample_sizes: [500]
precision: {bias: 1%}
scenarios:
  - {name: a, family: exponential, parameters: {rate: 1}}
""")
    folder = tmp_path / "t"
    folder.mkdir()
    complete(folder, targets, engine(1), "", Silent(), precise)
    assert seen == [(524, [524])]
