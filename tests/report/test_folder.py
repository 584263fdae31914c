"""Which files a report removes, and which it must not."""

import pytest

from simstudy.figures import FIGURES
from simstudy.report.folder import GENERATOR, Folder
from tests.figures.made import made

OWN = ["figures/gone-coverage.svg", "figures/gone-coverage.pdf", "figures/kept-failures.png", "data/gone-coverage.csv"]
FOREIGN = [
    "figures/notes.svg",
    "figures/gone-cover.svg",
    "figures/gone-coverage.tex",
    "figures/a b-coverage.svg",
    "data/mine.csv",
    "data/mine-coverage.csv",
    "pages/mine.html",
    "pages/gone.txt",
]


@pytest.fixture
def folder(tmp_path):
    found = Folder(tmp_path)
    found.make()
    return found


def test_only_what_a_report_wrote_is_removed(folder):
    for name in (*OWN, *FOREIGN, "figures/kept-coverage.svg", "pages/kept.html"):
        (folder.root / name).write_text("mine")
    folder.write_data("gone-coverage", made(1, (10,)).summary)
    folder.write_page("pages/gone.html", f"<!DOCTYPE html>\n{GENERATOR.decode()}")
    folder.remove_stale({"kept-coverage"}, {"kept"})
    left = {path.relative_to(folder.root).as_posix() for path in folder.root.rglob("*") if path.is_file()}
    assert left == {*FOREIGN, "figures/kept-coverage.svg", "pages/kept.html"}


def test_formats_written_before_are_written_again(folder):
    assert folder.formats("a-coverage", ("svg",)) == ("svg",)
    (folder.root / "figures/a-coverage.pdf").touch()
    assert folder.formats("a-coverage", ("svg",)) == ("svg", "pdf")


def test_names_of_figures_keep_files_apart():
    assert not [name for name in FIGURES if "-" in name]
