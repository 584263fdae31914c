"""The page: complete, self-contained, safe, and the same every time."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote

import pandas as pd
import pytest

from simstudy.errors import ConfigError
from simstudy.figures import FIGURES, FigureSpec
from simstudy.report import build
from simstudy.study.scenario import Stop, Target

SHOWN = [name for name in FIGURES if name not in {"failures", "paths", "rates", "nested_loop"}]
"""In the results below nothing fails, no data sets are followed, and two sample sizes have no slope."""
WHOLE = [name for name in FIGURES if FIGURES[name].whole]
KINDS = (("figures", "svg"), ("data", "csv"))
PAGES = pytest.mark.parametrize("name", ["report.html", "pages/one.html", "pages/two.html"])
SHOWS = {"src", "xlink:href"}
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


@pytest.fixture
def few():
    """Leave two figures, for tests that do not look at them."""
    every = dict(FIGURES)
    for name in every.keys() - {"errors", "coverage"}:
        del FIGURES[name]
    yield
    FIGURES.clear()  # else those put back would come last
    FIGURES.update(every)


def test_writes_one_file_per_figure_and_the_page(built):
    written = sorted(p.relative_to(built.folder).as_posix() for p in built.folder.rglob("*") if p.is_file())
    stems = [*WHOLE, *(f"{s}-{f}" for s in built.parts for f in SHOWN)]
    figures = [f"{folder}/{stem}.{end}" for stem in stems for folder, end in KINDS]
    assert written == sorted(["report.html", *figures, *(f"pages/{s}.html" for s in built.parts)])


def test_paths_written_are_told(results_of, few):
    results = results_of({"one": 1}, sizes=(20,))
    paths = build(results)
    assert paths[0] == results.folder / "report.html"
    assert set(paths) == {path for path in results.folder.rglob("*") if path.suffix in (".html", ".svg")}


def test_only_draws_these_figures_of_all_scenarios_and_no_page(results_of):
    results = results_of({"one": 1, "two": 2}, sizes=(20,))
    paths = build(results, formats=("pdf",), only=("coverage", "errors"))
    stems = [f"{s}-{f}" for s in ("one", "two") for f in ("errors", "coverage")]
    assert [path.name for path in paths] == [f"{stem}.{end}" for stem in stems for end in ("svg", "pdf")]
    assert {path.suffix for path in results.folder.rglob("*") if path.is_file()} == {".svg", ".pdf", ".csv"}


def test_unknown_figure_is_refused(results_of):
    said = r"^only: no such figure, got 'covrage'; did you mean 'coverage'\?; choose from .*failures"
    with pytest.raises(ConfigError, match=said):
        build(results_of({"one": 1}), only=("covrage",))


def test_figures_and_pages_of_scenarios_that_are_gone_are_removed(results_of, few):
    build(results_of({"gone": 1, "one": 1}, sizes=(20,)), formats=("svg", "png"))
    results = results_of({"one": 1}, sizes=(20,))
    build(results)
    files = [path.name for path in results.folder.rglob("*") if path.is_file()]
    assert not [name for name in files if name.startswith("gone")]
    assert "one-coverage.png" in files


def test_data_are_the_rows_behind_a_figure(built):
    spec = FIGURES["errors"]
    found = pd.read_csv(built.folder / "data/two-errors.csv", keep_default_na=False, na_values={"limit": [""]})
    own = built.parts["two"].summary
    wanted = own[own["measure"].isin(spec.measures)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False)
    assert set(found["measure"]) == set(spec.measures)


def test_formats_asked_for_are_written_beside_svg(results_of, few):
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
    headlines = sum(FIGURES[name].headline for name in SHOWN)
    for name, count in {"report.html": 3 * headlines + len(WHOLE), "pages/two.html": len(SHOWN)}.items():
        page = read(built.folder / name)
        pictures = [a for a in page.all("svg") if a.get("role") == "img"]
        assert len(pictures) == count == len(page.all("figcaption")) == len(page.all("figure"))
        assert all(re.search(r"\d", picture["aria-label"]) for picture in pictures)


@PAGES
def test_page_is_self_contained(built, name):
    """What it shows is in it; it links to other files and needs none."""
    page = read(built.folder / name)
    shown = [
        attributes.get("src") or attributes["xlink:href"] for _, attributes in page.tags if SHOWS & set(attributes)
    ]
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in shown)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}


@PAGES
def test_links_to_files_lead_to_them(built, name):
    links = [a["href"] for a in read(built.folder / name).all("a") if not a["href"].startswith("#")]
    assert links
    assert all(((built.folder / name).parent / unquote(link)).is_file() for link in links)
    assert not [link for link in links if link.startswith("/") or ":" in link]


def test_scenarios_link_to_their_neighbours(built):
    page = read(built.folder / "pages/two.html")
    turns = {a["rel"]: a["href"] for a in page.all("a") if "rel" in a}
    assert turns == {"prev": "one.html", "next": "three.html"}
    assert "../report.html" in page.links
    assert {f"pages/{name}.html" for name in built.parts} <= set(read(built.folder / "report.html").links)


def test_a_figure_of_replicates_says_where_these_are(built):
    text = (built.folder / "pages/two.html").read_text(encoding="utf-8")
    captions = dict(re.findall(r"<h3>([^<]+)</h3>.*?(data: .*?)</figcaption>", text, re.DOTALL))
    assert "and the replicates in blocks/two/" in captions[FIGURES["ellipses"].title]
    assert "blocks" not in captions[FIGURES["coverage"].title]


def test_a_figure_of_the_whole_study_stands_on_the_report(results_of, few, monkeypatch):
    seen = []

    def draw(summary, scenario, replicates):
        seen.append((set(summary["scenario"]), scenario))
        return FIGURES["errors"].draw(summary, "one", replicates)

    words = lambda *_: "12 of 12."  # noqa: E731
    spec = FigureSpec("all_of_it", "All of it", draw, words, words, measures=("noise_floor",), whole=True)
    monkeypatch.setitem(FIGURES, "all_of_it", spec)
    results = results_of({"one": 1, "two": 1}, sizes=(20,))
    text = build(results)[0].read_text(encoding="utf-8")
    assert seen == [({"one", "two"}, "")]
    assert text.index('id="glance"') < text.index("All of it</h3>") < text.index('id="design"')
    assert {path.name for path in results.folder.rglob("all_of_it*")} == {"all_of_it.svg", "all_of_it.csv"}
    assert set(pd.read_csv(results.folder / "data/all_of_it.csv")["scenario"]) == {"one", "two"}
    assert "All of it" not in (results.folder / "pages/one.html").read_text(encoding="utf-8")


@PAGES
def test_links_lead_somewhere_and_names_are_unique(built, name):
    page = read(built.folder / name)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    drawn = re.findall(r"url\(#([^)]+)\)", str(page.tags))
    assert drawn
    assert set(drawn) <= set(page.ids)


@PAGES
def test_headings_do_not_skip_a_level(built, name):
    page = read(built.folder / name)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_hostile_names_are_text(results_of):
    results = results_of({EVIL: 2}, study="</title><b>study")
    path = build(results)[0]
    page, text = read(path), path.read_text(encoding="utf-8")
    assert page.all("img") == []
    assert page.all("b") == [{}] * len(page.all("b"))
    assert "<b>study" not in text
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt; &amp; $x_1$ 尺度" in text
    assert not [attributes for _, attributes in page.tags if any(key.startswith("on") for key in attributes)]


def test_failures_come_first(results_of):
    text = build(results_of({"one": 1}, dead=(10,)))[0].read_text(encoding="utf-8")
    sections = re.findall(r'<h2 id="([^"]+)"', text)
    assert sections[0] == "failures"
    assert "300 of 600 maximisations failed (50 %), in 1 of 2 cells." in text
    assert "the likelihood is largest on the boundary of the parameter space" in text


def test_all_converged_is_said_in_a_sentence(built):
    assert "None: all 1,800 maximisations converged." in (built.folder / "report.html").read_text(encoding="utf-8")


def test_many_scenarios_are_folded(results_of, few, monkeypatch):
    monkeypatch.setattr("simstudy.report.page.FOLDED_FROM", 3)
    page = read(build(results_of({"a": 1, "b": 1, "c": 1}, sizes=(20,)))[0])
    folds = [a for a in page.all("details") if a.get("class") == "scenario"]
    assert [("open" in fold) for fold in folds] == [True, False, False]


def test_blocks_are_read_once_for_all_figures(built):
    assert built.read == [(scenario, n) for scenario in ("one", "two", "three") for n in (10, 40)]


def test_targets_of_precision_are_told_with_what_came_of_them(results_of, few):
    results = results_of({"one": 1}, sizes=(20,))
    stopped = {"precision": (Target("coverage", 0.002, False),), "stop": Stop(300, precise=False)}
    cells = tuple(replace(cell, **stopped) for cell in results.study.scenarios)
    results.study = replace(results.study, scenarios=cells)
    assert "target coverage 0.002: capped at every n" in build(results)[0].read_text(encoding="utf-8")


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
from simstudy.report import build, pictures
from tests.report.conftest import fake_results
pictures.SHARE = 1
if __name__ == "__main__":
    build(fake_results(Path(sys.argv[1]), {"one": 1, "two": 2, "three": 3}), jobs=2)
"""


def test_bytes_depend_neither_on_the_processes_nor_on_the_folder(built, tmp_path):
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(tmp_path)]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "1"})
    assert contents(tmp_path) == contents(built.folder)


def contents(folder) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_data_sets_are_followed_where_a_scenario_asks_for_it(results_of):
    results = results_of({"one": 1, "two": 2})
    cells = tuple(replace(cell, paths=cell.name == "one") for cell in results.study.scenarios)
    results.study = replace(results.study, scenarios=cells)
    build(results, only=("paths",))
    assert [path.name for path in (results.folder / "figures").glob("*-paths.svg")] == ["one-paths.svg"]
    assert ("one", 0) in results.read
