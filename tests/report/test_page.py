"""The page: complete, self-contained, safe, and the same every time."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from simstudy.errors import ConfigError
from simstudy.figures import FIGURES
from simstudy.report import build

SHOWN = [name for name in FIGURES if name not in {"failures", "paths", "rates", "nested_loop"}]
"""In the results below nothing fails, no data sets are followed, and two sample sizes have no slope."""
VOID = {"meta", "br", "link", "img", "hr", "input"}
EVIL = '<img src=x onerror="alert(1)"> & $x_1$ 尺度'


class Page(HTMLParser):
    """Collects what the tests ask for, and checks that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.open, self.ids, self.links = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes[key] for key in ("href", "src", "xlink:href") if key in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def test_writes_one_file_per_figure_and_the_page(built):
    written = sorted(p.relative_to(built.folder).as_posix() for p in built.folder.rglob("*") if p.is_file())
    figures = [f"figures/{s}-{f}.svg" for s in built.parts for f in SHOWN]
    assert written == sorted(["report.html", *figures])


def test_formats_asked_for_are_written_beside_svg(results_of):
    results = results_of({"one": 1}, sizes=(20,))
    build(results, formats=("png",))
    assert {p.suffix for p in (results.folder / "figures").iterdir()} == {".svg", ".png"}


def test_unknown_format_is_refused_before_anything_is_written(results_of):
    results = results_of({"one": 1})
    with pytest.raises(ConfigError, match=r"^formats: no such format, got 'pgn'; did you mean 'png'\?; choose from"):
        build(results, formats=("pgn",))
    assert list(results.folder.iterdir()) == []


def test_every_figure_has_its_words(built):
    page = read(built.folder / "report.html")
    pictures = [a for a in page.all("svg") if a.get("role") == "img"]
    assert len(pictures) == 3 * len(SHOWN) == len(page.all("figcaption")) == len(page.all("figure"))
    assert all(re.search(r"\d", picture["aria-label"]) for picture in pictures)


def test_data_sets_are_followed_where_a_scenario_asks_for_it(results_of):
    results = results_of({"one": 1, "two": 2})
    first = results.study.cell("one", 10)
    cells = tuple(replace(cell, paths=cell.name == first.name) for cell in results.study.scenarios)
    results.study = replace(results.study, scenarios=cells)
    build(results)
    assert [path.name for path in (results.folder / "figures").glob("*-paths.svg")] == ["one-paths.svg"]
    assert ("one", 0) in results.read


def test_page_is_self_contained(built):
    page = read(built.folder / "report.html")
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.links)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}


def test_links_lead_somewhere_and_names_are_unique(built):
    page = read(built.folder / "report.html")
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    drawn = re.findall(r"url\(#([^)]+)\)", str(page.tags))
    assert drawn
    assert set(drawn) <= set(page.ids)


def test_headings_do_not_skip_a_level(built):
    page = read(built.folder / "report.html")
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_hostile_names_are_text(results_of):
    results = results_of({EVIL: 2}, study="</title><b>study")
    path = build(results)
    page, text = read(path), path.read_text(encoding="utf-8")
    assert page.all("img") == []
    assert page.all("b") == [{}] * len(page.all("b"))
    assert "<b>study" not in text
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt; &amp; $x_1$ 尺度" in text
    assert not [attributes for _, attributes in page.tags if any(key.startswith("on") for key in attributes)]


def test_failures_come_first(results_of):
    text = build(results_of({"one": 1}, dead=(10,))).read_text(encoding="utf-8")
    sections = re.findall(r'<h2 id="([^"]+)"', text)
    assert sections[0] == "failures"
    assert "300 of 600 maximisations failed (50 %), in 1 of 2 cells." in text
    assert "the likelihood is largest on the boundary of the parameter space" in text


def test_all_converged_is_said_in_a_sentence(built):
    assert "None: all 1,800 maximisations converged." in (built.folder / "report.html").read_text(encoding="utf-8")


def test_many_scenarios_are_folded(results_of, monkeypatch):
    monkeypatch.setattr("simstudy.report.page.FOLDED_FROM", 3)
    page = read(build(results_of({"a": 1, "b": 1, "c": 1}, sizes=(20,))))
    folds = [a for a in page.all("details") if a.get("class") == "scenario"]
    assert [("open" in fold) for fold in folds] == [True, False, False]


def test_blocks_are_read_once_for_all_figures(built):
    assert built.read == [(scenario, n) for scenario in ("one", "two", "three") for n in (10, 40)]


def test_what_reproduces_it_is_told(built):
    text = (built.folder / "report.html").read_text(encoding="utf-8")
    for told in (
        "simstudy run configs/a-study.yaml",
        "Seed 7.",
        "simstudy 0.1.0, numpy 2.0.0.",
        "sample_sizes: [10, 40]",
    ):
        assert told in text


def test_neither_paths_nor_dates_are_told(built):
    text = (built.folder / "report.html").read_text(encoding="utf-8")
    assert str(built.folder) not in text
    assert "<dc:date>" not in text


SCRIPT = """
import sys
from pathlib import Path
from simstudy.report import build
from tests.report.conftest import fake_results
build(fake_results(Path(sys.argv[1]), {"one": 1, "two": 2, "three": 3}))
"""


def test_bytes_depend_neither_on_the_process_nor_on_the_folder(built, tmp_path):
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(tmp_path)]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "1"})
    assert contents(tmp_path) == contents(built.folder)


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
