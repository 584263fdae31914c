"""Where the files of a report lie in its results folder, and which of them are left from another study design."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from simstudy.analysis import summary as tidy
from simstudy.figures import FIGURES, FORMATS
from simstudy.files import make_below, refuse_links, told, write_atomically
from simstudy.study import names

PAGE = "report.html"
GENERATOR = b'<meta name="generator" content="simstudy">'
"""What tells a page from one that a user put beside it."""
_HEAD_BYTES = 400
_STEM = re.compile(r"(?:(?P<scenario>.+)-)?(?P<figure>[a-z0-9_]+)")


def stem(scenario: str, figure: str) -> str:
    """Return the name of the files of a figure, unique as no figure's name has a hyphen.

    >>> stem("gamma-shape=2", "coverage"), stem("", "nested_loop")
    ('gamma-shape=2-coverage', 'nested_loop')
    """
    return f"{scenario}-{figure}" if scenario else figure


def link(path: str) -> str:
    """Return a path below the results folder as a link."""
    return quote(path, safe="/=+,")


@dataclass(frozen=True)
class Folder:
    """A results folder as the report writes it."""

    root: Path

    def make(self) -> None:
        """Make the folders of figures, data and pages."""
        names = ("figures", "data", "pages")
        refuse_links(self.root, names)
        for name in names:
            make_below(self.root, self.root / name)

    def formats(self, stem: str, asked: tuple[str, ...]) -> tuple[str, ...]:
        """Return the formats to write a figure in: those asked for, and those in which it was written before."""
        return tuple(f for f in FORMATS if f in asked or (self.root / "figures" / f"{stem}.{f}").exists())

    def write_figure(self, stem: str, files: dict[str, bytes]) -> list[Path]:
        """Write a figure in its formats."""
        paths = {self.root / "figures" / f"{stem}.{name}": content for name, content in files.items()}
        for path, content in paths.items():
            write_atomically(path, content)
        return list(paths)

    def write_data(self, stem: str, rows: pd.DataFrame) -> None:
        """Write the rows of the summary behind a figure, as the summary itself is written."""
        tidy.write(rows, self.root / "data" / f"{stem}.csv")

    def write_page(self, path: str, text: str) -> Path:
        """Write a page."""
        write_atomically(self.root / path, text.encode())
        return self.root / path

    def remove_stale(self, stems: Collection[str], scenarios: Collection[str]) -> None:
        """Remove figures and their data beside those given, and pages of scenarios beside those given.

        A file that does not have the name of one that a report writes, or not its beginning, is left alone.
        """
        with told(self.root, "cleaned"):
            for path in [*self._figures(), *self._data()]:
                if path.stem not in stems:
                    path.unlink()
            for path in (self.root / "pages").glob("*.html"):
                if path.stem not in scenarios and GENERATOR in _head(path):
                    path.unlink()

    def _figures(self) -> Iterator[Path]:
        found = sorted((self.root / "figures").iterdir())
        yield from (path for path in found if path.suffix[1:] in FORMATS and _is_stem(path.stem))

    def _data(self) -> Iterator[Path]:
        found = sorted((self.root / "data").glob("*.csv"))
        header = ",".join(tidy.COLUMNS).encode()
        yield from (path for path in found if _is_stem(path.stem) and _head(path).startswith(header))


def _is_stem(text: str) -> bool:
    match = _STEM.fullmatch(text)
    if not match or match["figure"] not in FIGURES:
        return False
    return match["scenario"] is None or names.fault(match["scenario"]) is None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
