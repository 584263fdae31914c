"""Results for other programs."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.errors import ConfigError, UnusableResultsError
from simstudy.results import Results
from simstudy.running.backends import engine
from simstudy.running.complete import complete
from simstudy.running.progress import Silent
from simstudy.study.config import loads

STUDY = loads("""
study: tiny
seed: 1
replicates: 60
sample_sizes: [20, 50]
scenarios:
  - {name: two, family: gamma, parameters: {shape: 2, scale: 1}}
  - {name: counts, family: poisson, parameters: {mean: 0.05}, sample_sizes: [20]}
""")
"""Three cells; of the counts a third is all zeros, for which there is no estimate inside the parameter space."""
BOTH = ["study", "scenario", "family", "fit", "n", "level", "replicate", "status", "iterations", "parameter"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "tiny"
    folder.mkdir()
    complete(folder, STUDY, engine(1), "simstudy run tiny.yaml", Silent())
    return Results(folder)


NUMBERS = {"level", "truth", "estimate", "se_observed", "se_expected", "se_sandwich", "theta", "se", "true"}
COUNTS = {"n", "replicate", "iterations", "rep"}


def read(path):
    """Read a CSV to the bit, with nothing but the standard library's own idea of a number."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    numbers = {name: [float(text or "nan") for text in table[name]] for name in NUMBERS & set(table)}
    return table.assign(**numbers, **{name: table[name].map(int) for name in COUNTS & set(table)})


def test_a_row_per_replicate_and_parameter_in_order(results):
    path = simstudy.export(results.folder, "csv")
    assert path == results.folder / "replicates.csv"
    found = read(path)
    assert list(found) == [*BOTH, "truth", "estimate", "se_observed", "se_expected", "se_sandwich"]
    assert len(found) == 60 * (2 + 2 + 1)
    for name, n, free in (("two", 20, ["shape", "scale"]), ("two", 50, ["shape", "scale"]), ("counts", 20, ["mean"])):
        own = found[(found["scenario"] == name) & (found["n"] == n)]
        stored = results.replicates(name, n)
        assert list(own["parameter"]) == free * 60
        np.testing.assert_array_equal(own["replicate"], np.repeat(np.arange(60), len(free)))
        np.testing.assert_array_equal(own["estimate"], stored[[f"theta[{each}]" for each in free]].to_numpy().ravel())
        np.testing.assert_array_equal(own["status"], np.repeat(stored["status"].to_numpy(), len(free)))


def test_standard_errors_are_those_of_the_stored_information(results):
    """(nJ)⁻¹ by cofactors, and the sandwich by solving; neither as the analysis does it."""
    found = read(simstudy.export(results.folder, "csv"))
    own = found[(found["scenario"] == "two") & (found["n"] == 20)]
    stored = results.replicates("two", 20)
    a, b, d = (stored[f"information[{pair}]"].to_numpy() for pair in ("shape,shape", "shape,scale", "scale,scale"))
    np.testing.assert_allclose(own["se_observed"][::2], np.sqrt(d / (a * d - b * b) / 20), rtol=1e-12)
    k = [stored[f"products[{pair}]"].to_numpy() for pair in ("shape,shape", "shape,scale", "scale,scale")]
    bread, meat = (np.array([[x, y], [y, z]]).transpose(2, 0, 1) for x, y, z in ((a, b, d), k))
    sandwich = np.linalg.solve(bread, np.linalg.solve(bread, meat).transpose(0, 2, 1))
    np.testing.assert_allclose(own["se_sandwich"][1::2], np.sqrt(sandwich[:, 1, 1] / 20), rtol=1e-9)


def test_rows_that_failed_are_kept_without_standard_error(results):
    found = read(simstudy.export(results.folder, "csv"))
    failed = found[found["status"] != "CONVERGED"]
    assert 10 < len(failed) < 35
    assert failed[["se_observed", "se_expected", "se_sandwich"]].isna().all(axis=None)
    assert found[found["status"] == "CONVERGED"][["estimate", "se_observed"]].notna().all(axis=None)


def test_the_form_of_simsum(results, tmp_path):
    path = simstudy.export(results.folder, "rsimsum", tmp_path / "own.csv")
    assert path == tmp_path / "own.csv"
    found = read(path)
    assert list(found) == ["dgm", "n", "rep", "method", "param", "theta", "se", "true"]
    assert len(found) == 3 * 60 * (2 + 2 + 1)
    assert not found.duplicated(["dgm", "n", "rep", "method", "param"]).any()
    counts = found[found["dgm"] == "counts"]
    np.testing.assert_array_equal(counts["theta"].isna(), counts["se"].isna())
    assert counts["theta"].isna().sum() == 3 * (results.replicates("counts", 20)["status"] != "CONVERGED").sum()
    assert set(counts["true"]) == {0.05}


def test_measures_of_the_exported_table_are_those_of_the_summary(results):
    """Bias, empirical and model standard error as simsum computes them, from the file alone."""
    found = read(simstudy.export(results.folder, "rsimsum"))
    own = found[(found["dgm"] == "two") & (found["n"] == 20) & (found["param"] == "shape")]
    observed = own[own["method"] == "observed"]
    summary = results.summary()
    summary = summary[(summary["scenario"] == "two") & (summary["n"] == 20) & (summary["row"] == "shape")]
    value = summary.set_index(["measure", "estimator"])["value"]
    np.testing.assert_allclose((observed["theta"] - observed["true"]).mean(), value["bias", "raw"], rtol=1e-12)
    np.testing.assert_allclose(observed["theta"].std(ddof=1), value["empirical_se", "raw"], rtol=1e-12)
    for method, rows in own.groupby("method"):
        np.testing.assert_allclose(np.sqrt((rows["se"] ** 2).mean()), value["model_se", method], rtol=1e-12)


def test_parquet_has_checksums_and_the_numbers_of_csv(results, tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("simstudy.interchange.PART", 50)
    path = simstudy.export(results.folder, "parquet", tmp_path / "x.parquet")
    found = parquet.read_table(path, page_checksum_verification=True).to_pandas()
    wanted = read(simstudy.export(results.folder, "csv"))
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False, check_exact=True)
    content = bytearray(path.read_bytes())
    content[content.find(np.float64(wanted["estimate"][0]).tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"(?i)crc|corrupt"):
        parquet.read_table(path, page_checksum_verification=True)


def test_without_pyarrow_one_line_says_what_to_install(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"^parquet: needs pyarrow, .*pip install 'simstudy\[parquet\]'$"):
        simstudy.export(results.folder, "parquet", tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_form_that_there_is_not(results):
    with pytest.raises(ConfigError, match="no such form, got 'parket'; did you mean 'parquet'"):
        simstudy.export(results.folder, "parket")


def test_the_old_file_stays_where_the_new_one_cannot_be_made(results, tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    path.write_text("old")

    def broken(self, scenario):
        message = "blocks: damaged"
        raise UnusableResultsError(message)

    monkeypatch.setattr(Results, "parts", broken)
    with pytest.raises(UnusableResultsError, match="damaged"):
        simstudy.export(results.folder, "csv", path)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("x.csv", "old")]


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_a_place_that_cannot_be_written(results, tmp_path, to):
    pytest.importorskip("pyarrow")
    with pytest.raises(UnusableResultsError, match=r"no/x: cannot be written: .*No such file"):
        simstudy.export(results.folder, to, tmp_path / "no" / "x")
    with pytest.raises(UnusableResultsError, match="cannot be written"):
        simstudy.export(results.folder, to, tmp_path)
