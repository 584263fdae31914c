"""Arguments and options that several verbs share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from simstudy.errors import ConfigError

# Control characters, further ends of lines, what turns the direction of writing, and bytes that are no UTF-8.
_STRANGE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

BackendName = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="loky (worker processes; default), sequential (this process; default for one job), or dask.",
        show_default=False,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Scheduler of a running dask cluster: tcp://host:8786.", show_default=False),
]
TaskTimeout = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="End a task that takes longer, and record it.", show_default=False),
]


def plain_path(given: str | Path) -> Path:
    """Return the path that a user typed, or the default.

    Raises
    ------
    ConfigError
        If it is empty, or has a character that no line of text can show: it stands in messages, manifest and report.
    """
    text = str(given)
    if not text:
        message = "the path '' is empty: give that of a file or folder"
        raise ConfigError(message)
    if found := _STRANGE.search(text):
        shown = text.encode("unicode_escape").decode("ascii")
        message = f"the path '{shown}' has the character U+{ord(found[0]):04X}: give one that can be written in a line"
        raise ConfigError(message)
    return Path(text)


Config = Annotated[Path, typer.Argument(metavar="CONFIG", parser=plain_path, help="YAML file of the study.")]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        parser=plain_path,
        help="Python file with families of your own; may be given several times.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Worker processes; default: all processors.", show_default=False),
]
Replicates = Annotated[
    int | None,
    typer.Option(min=2, help="Replicates of every scenario, in place of the config's.", show_default=False),
]
ResultsFolder = Annotated[
    Path, typer.Argument(metavar="RESULTS", parser=plain_path, help="What a run wrote: results/<study>.")
]

ResultsParent = Annotated[
    Path, typer.Option(metavar="DIRECTORY", parser=plain_path, help="Folder that gets a folder named after the study.")
]

Tolerate = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Share of failed fits in a cell above which the exit code is 3."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no summary line.")]


def load_plugins(plugins: list[Path] | None) -> None:
    """Load the families of the files given."""
    for path in plugins or ():
        from simstudy import load_plugin

        load_plugin(path)
