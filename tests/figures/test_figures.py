"""Laws that every figure keeps."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from simstudy.figures import FIGURES, FORMATS, render
from tests.figures.drawn import outside, overlaps
from tests.figures.made import SIZES, TEN_SIZES, made

EVERY = pytest.mark.parametrize("spec", FIGURES.values(), ids=FIGURES)
CASES = [
    pytest.param({"parameters": p, "sizes": sizes}, id=f"p={p},sizes={len(sizes)}")
    for p, sizes in ((1, SIZES), (2, TEN_SIZES), (3, SIZES))
]
CASES += [
    pytest.param({"dead": (10,)}, id="nothing usable at one n"),
    pytest.param({"parameters": 1, "dead": SIZES}, id="p=1, nothing usable"),
    pytest.param({"scale": 1e-5}, id="information of 1e10"),
    pytest.param({"sizes": (20,)}, id="one size", marks=pytest.mark.slow),
    pytest.param({"scale": 1e8}, id="information of 1e-16", marks=pytest.mark.slow),
    pytest.param({"replicates": 3}, id="three replicates", marks=pytest.mark.slow),
]
HOSTILE = ("$x_1$", '<b onclick="x">&"\'</b>', "尺度")


def scenario_of(spec, results):
    return "" if spec.whole else results.scenario


def drawn(spec, results):
    return spec.draw(results.summary, scenario_of(spec, results), results.replicates)


def words(spec, results, which):
    return getattr(spec, which)(results.summary, scenario_of(spec, results), results.replicates)


def test_table_is_keyed_by_name():
    assert list(FIGURES) == [spec.name for spec in FIGURES.values()]
    names = {"failures", "information", "covariance", "rate_covariance", "errors", "coverage", "ellipses", "identities"}
    names |= {"paths", "spectrum", "rates", "bias", "normality", "mahalanobis", "savings"}
    names |= {"heatmap", "intervals", "zip", "scatter", "conditional", "nested_loop"}
    assert set(FIGURES) == names


@EVERY
@pytest.mark.parametrize("case", CASES)
def test_no_text_is_cut_or_covered(spec, case):
    svg = render(drawn(spec, made(**case)))
    assert outside(svg) == []
    assert overlaps(svg) == []


@EVERY
@pytest.mark.parametrize("file_format", FORMATS)
def test_formats(spec, file_format):
    content = render(drawn(spec, made(1, (20, 40))), file_format, "a title", "a description")
    assert content.startswith({"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[file_format])
    assert b"Date" not in content


SCRIPT = """
import hashlib
from simstudy.figures import FIGURES, FORMATS, render
from tests.figures.drawn import outside, overlaps
from tests.figures.made import made
results = made(sizes=(10, 20, 40))
for spec in FIGURES.values():
    figure = spec.draw(results.summary, results.scenario, results.replicates)
    print(spec.name, hashlib.sha256(render(figure)).hexdigest())
print(*(hashlib.sha256(render(figure, name)).hexdigest() for name in FORMATS))
"""


def test_bytes_do_not_depend_on_the_process(capsys):
    exec(SCRIPT, {})
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    other = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    assert other == capsys.readouterr().out
    assert len(other.splitlines()) == len(FIGURES) + 1


@EVERY
def test_users_settings_neither_matter_nor_change(spec):
    results = made(1, (10, 40))
    plain = render(drawn(spec, results))
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        assert render(drawn(spec, results)) == plain
        assert dict(mpl.rcParams) == before


@EVERY
@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_inert_text(spec, name):
    results = made(2, names=(name, "other"), scenario=name)
    root = ET.fromstring(render(drawn(spec, results), "svg", name, name))
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    unnamed = {"errors", "failures", "spectrum", "mahalanobis", "nested_loop"}
    assert any(name in text for text in texts) or spec.name in unnamed
    assert not [element for element in root.iter() if element.tag.rsplit("}")[-1] in {"b", "script"}]


@EVERY
def test_words_state_numbers(spec, results):
    for which in ("alt", "caption"):
        text = words(spec, results, which)
        assert re.search(r"\d", text)
        assert "nan" not in text
        assert text.strip() == text
        assert "  " not in text
    assert "MCSE" in words(spec, results, "caption")


@EVERY
def test_words_say_that_nothing_is_usable(spec):
    results = made(dead=SIZES)
    if spec.name == "failures":
        assert "At n = 10, 100.0 % ± 0.2 % ended as boundary." in words(spec, results, "caption")
        return
    for which in ("alt", "caption"):
        assert re.search("no usable replicate|no replicate could be used|No replicate", words(spec, results, which))


def test_a_figure_without_anything_to_show_is_left_out():
    of_scenarios = {name for name, spec in FIGURES.items() if not spec.whole}
    for dead, shown in (((), of_scenarios - {"failures"}), ((10,), of_scenarios)):
        summary = made(dead=dead).summary
        assert {spec.name for spec in FIGURES.values() if spec.applies(summary, "made")} == shown
    regular = summary[summary["measure"] != "rate_covariance"]
    assert not FIGURES["rate_covariance"].applies(regular, "made")


@EVERY
def test_infinite_estimates_are_no_estimates(spec):
    results = made(1, (10, 20))
    broken = results.summary["n"] == 10
    summary = results.summary.assign(value=results.summary["value"].where(~broken, np.inf))
    bias = summary["measure"] == "bias"
    summary["value"] = summary["value"].where(~bias, results.summary["value"])
    given = (summary, scenario_of(spec, results), results.replicates)
    render(spec.draw(*given))
    assert "inf" not in spec.caption(*given).replace("information", "")


def test_summary_read_back_from_csv_draws_the_same(tmp_path):
    results = made(sizes=(10, 40))
    results.summary.to_csv(tmp_path / "summary.csv", index=False)
    back = pd.read_csv(tmp_path / "summary.csv")
    for spec in FIGURES.values():
        given = (back, scenario_of(spec, results), results.replicates)
        assert render(spec.draw(*given)) == render(drawn(spec, results))


def test_figures_load_nothing_else_of_the_package():
    code = "import sys, simstudy.figures; print(*sorted(m for m in sys.modules if m.startswith('simstudy.')))"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert all(name.startswith("simstudy.figures") for name in loaded)
