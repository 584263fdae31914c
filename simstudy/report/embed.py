"""An SVG file as part of a page: smaller, without clashing names, and in the colours of the page."""

from __future__ import annotations

import re

from markupsafe import Markup

from simstudy.figures import style

COLOURS = {
    style.INK: "var(--ink)",
    style.MUTED: "var(--muted)",
    style.GRID: "var(--grid)",
    style.PAPER: "var(--paper)",
    style.BLUE: "var(--blue)",
    style.GREEN: "var(--green)",
    style.VERMILION: "var(--vermilion)",
}
"""Colours that the page replaces by its own, so that figures follow a light or a dark page."""

_HEAD = re.compile(r"<\?xml.*?<svg[^>]*viewBox=\"([^\"]*)\"[^>]*>", re.DOTALL)
_DROPPED = re.compile(r"<title>.*?</title>|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_NAME = re.compile(r"( id=\"|href=\"#|url\(#)")
_COLOUR = re.compile("|".join(COLOURS))
_DECIMALS = re.compile(r"(\d\.\d\d)\d+")


def embed(svg: bytes, prefix: str, label: str) -> Markup:
    """Return the SVG element of a file for a page.

    Parameters
    ----------
    svg
        What `simstudy.figures.render` returned.
    prefix
        Put before every name in it, so that two figures of a page cannot refer to each other's parts.
    label
        Text for readers who do not see it.
    """
    text = svg.decode()
    head = _HEAD.match(text)
    if head is None:
        message = "figure: not an SVG file of matplotlib, got something else; draw it with simstudy.figures.render"
        raise ValueError(message)
    body = _TAG.sub(lambda tag: _adapt(tag.group(), prefix), _DROPPED.sub("", text[head.end() :]))
    share = float(head.group(1).split()[2]) / (72 * style.WIDTH)
    opening = Markup('<svg role="img" aria-label="{}" viewBox="{}" style="width: {:.0%}">')
    return opening.format(label, head.group(1), share) + Markup(re.sub(r"\s*\n\s*", "\n", body.strip()))


def _adapt(tag: str, prefix: str) -> str:
    """Return one tag renamed, recoloured and with two decimals; text between tags is not touched."""
    if tag.startswith("<image"):
        return _NAME.sub(rf"\g<1>{prefix}-", tag)
    tag = re.sub(r'^<g id="[^"]*"', "<g", tag)
    tag = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", tag)
    tag = _COLOUR.sub(lambda colour: COLOURS[colour.group()], _NAME.sub(rf"\g<1>{prefix}-", tag))
    return _DECIMALS.sub(r"\1", tag)
