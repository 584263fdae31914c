"""Where the texts of an SVG file stand, measured with the font it was laid out for."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import combinations

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

SVG = "{http://www.w3.org/2000/svg}"
FONT = FontProperties(family="DejaVu Sans")
ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}
Box = tuple[float, float, float, float]


def texts(svg: bytes) -> Iterator[tuple[str, Box]]:
    """Yield each text with its box (left, top, right, bottom) in points."""
    for element in ET.fromstring(svg).iter(f"{SVG}text"):
        words, style, transform = "".join(element.itertext()), element.attrib["style"], element.attrib["transform"]
        extent = TextPath((0, 0), words, size=_number(r"font-size: ([\d.]+)", style), prop=FONT).get_extents()
        shift = next((share for anchor, share in ANCHORS.items() if f"text-anchor: {anchor}" in style), 0.0) * extent.x1
        place = re.search(r"translate\(([\d.]+) ([\d.]+)", transform)
        x, y = map(float, place.groups() if place else (element.attrib["x"], element.attrib["y"]))
        if "rotate(-90" in transform:
            yield words, (x - extent.y1, y + shift - extent.x1, x - extent.y0, y + shift)
        else:
            assert "rotate" not in transform or "rotate(-0" in transform
            yield words, (x - shift, y - extent.y1, x - shift + extent.x1, y - extent.y0)


def _number(pattern: str, text: str) -> float:
    return float(re.search(pattern, text)[1])


def outside(svg: bytes) -> list[str]:
    """Return the texts that leave the figure."""
    _, _, width, height = map(float, ET.fromstring(svg).attrib["viewBox"].split())
    return [words for words, (x0, y0, x1, y1) in texts(svg) if x0 < 0 or y0 < 0 or x1 > width or y1 > height]


def overlaps(svg: bytes) -> list[tuple[str, str]]:
    """Return the pairs of texts that lie on each other."""
    return [
        (one, other)
        for (one, a), (other, b) in combinations(list(texts(svg)), 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
