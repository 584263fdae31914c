"""SVG files as part of a page."""

import pytest

from simstudy.figures import FIGURES, render, style
from simstudy.report.embed import COLOURS, embed
from tests.figures.made import made


@pytest.fixture(scope="module")
def svg() -> bytes:
    results = made(2, (10, 40), names=('url(#x) id="y" #1f2328 1.23456', "b"))
    return render(FIGURES["covariance"].draw(results.summary, results.scenario, results.replicates))


def test_names_get_the_prefix(svg):
    text = embed(svg, "f7", "label")
    assert "url(#f7-" in text
    assert 'xlink:href="#f7-' in text
    assert text.count('href="#') == text.count('href="#f7-')


def test_words_are_not_touched(svg):
    assert '>url(#x) id="y" #1f2328 1.23456</text>' in embed(svg, "f7", "label")


def test_colours_are_those_of_the_page(svg):
    text = embed(svg, "f7", "label").replace("#1f2328 1.23456", "")
    assert not [colour for colour in COLOURS if colour in text]
    assert "fill: var(--ink)" in text


def test_colours_of_the_page_are_distinct():
    assert len(COLOURS) == 7
    assert len(set(style.PALETTE)) == len(style.PALETTE)


def test_label_is_escaped(svg):
    assert embed(svg, "f7", '"><script>').startswith('<svg role="img" aria-label="&#34;&gt;&lt;script&gt;"')


def test_what_the_page_has_already_is_dropped(svg):
    text = embed(svg, "f7", "label")
    assert "<metadata" not in text
    assert "<style" not in text
    assert "<?xml" not in text
    assert len(text) < len(svg)


def test_other_files_are_refused():
    with pytest.raises(ValueError, match="not an SVG file of matplotlib"):
        embed(b"<p>no</p>", "f7", "label")
